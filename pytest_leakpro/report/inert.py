"""Names in Markdown: shown as they are, and never markup, a link or a mention.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re

from pytest_leakpro.gate.wording import printable

__all__ = ["NO_NAME", "code_span", "lookalikes", "prose"]

NO_NAME = "(no name)"

# Parsers disagree about what a backslash before a bar means inside a table, and some renderers
# look for tags inside code spans: such characters are left out rather than escaped.
_LOOKALIKES = str.maketrans({"`": "ˋ", "|": "¦", "<": "‹"})
# Words and numbers with spaces between: nothing in these is Markdown, a mention or an address.
# Seven hexadecimal digits would be linked to the commit that they name.
_WORD = r"\(?(?![0-9A-Fa-f]{7})(?:[A-Za-z]+|[+-]?\d+(?:[.,]\d+)*(?:%|pp)?)\)?[,.:;]?"
_PLAIN = re.compile(rf"-|{_WORD}(?: {_WORD})*")


def lookalikes(text: str, width: int) -> str:
    """Make a text printable, with look-alikes for backticks, bars and opening angle brackets."""
    return printable(text, width).translate(_LOOKALIKES).strip()


def code_span(text: str, width: int) -> str:
    """Write a name as inline code, where neither Markdown nor a mention is looked for.

    Parameters
    ----------
    text : str
        Any text.
    width : int
        The most characters of it that are shown.
    """
    safe = lookalikes(text, width)
    return f"`{safe}`" if safe else NO_NAME


def prose(text: str, width: int) -> str:
    """Write a text plainly where it is nothing but words and numbers, else as inline code."""
    safe = lookalikes(text, width)
    return safe if _PLAIN.fullmatch(safe) else code_span(text, width)
