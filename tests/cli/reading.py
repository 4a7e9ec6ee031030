"""Figures read off what the command prints."""

import re


def numbers_of(text, label):
    """The whole numbers of the line that begins with a label."""
    line = next(line for line in text.splitlines() if line.strip().startswith(label))
    rest = line.strip().removeprefix(label)
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", rest)]
