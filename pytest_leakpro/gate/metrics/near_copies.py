"""``near_copies[words=40]``: texts of the source of which a long run of words is released.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metrics.guess_risk import GuessRisk

if TYPE_CHECKING:
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["FEWEST_WORDS", "USUAL_WORDS", "CopiedRun", "NearCopies", "copied_run"]

USUAL_WORDS = 40
"""About 50 tokens: what the literature on memorisation calls a copy."""

FEWEST_WORDS = 8
"""Shorter runs are figures of speech."""

_WORDS = re.compile(r"(?:(.*\S)\s*,\s*|\s*)words\s*=\s*(\d{1,6})\s*", re.DOTALL)


class CopiedRun(NamedTuple):
    """What the argument says: in which column, and how many words in a row count as a copy."""

    column: str | None
    words: int


class NearCopies(GuessRisk):
    """How many texts are copied in part, beyond those that the generator never saw.

    The argument is a column of free text (every one without it), the number of words in a row that
    count as a copy, or both: ``near_copies[notes, words=20]``. Of a text of less than twice as many
    words half the words do, of one of less than 16 words 8 of them, of one of less than 8 all.

    References
    ----------
    Carlini et al. (2021), Extracting training data from large language models, USENIX Security,
    and (2023), Quantifying memorization across neural language models, ICLR: 50 tokens that are
    repeated word by word as memorised. Lee et al. (2022), Deduplicating training data makes
    language models better, ACL, section 4.1: 50 tokens in common as a duplicate. A token is about
    three quarters of an English word.
    """

    name: ClassVar[str] = "near_copies"
    concern: ClassVar[Concern] = "memorisation"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"
    fault: ClassVar[str] = "holds texts of its source"
    remedy: ClassVar[str] = (
        "deduplicate the source, drop what is copied, or train the generator with DP"
    )
    meaning: ClassVar[str] = "texts of the source of which the release holds a long run of words"

    def check_name(self, metric: MetricName) -> None:
        """Check the number of words; see `Metric.check_name`."""
        super().check_name(metric)
        copied_run(metric)

    def tidy_argument(self, argument: str) -> str:
        """Write the number of words without spaces; see `Metric.tidy_argument`."""
        match = _WORDS.fullmatch(argument)
        if match is None:
            return argument
        column, words = match.groups()
        return f"{column}, words={words}" if column else f"words={words}"


def copied_run(metric: MetricName) -> CopiedRun:
    """Read the argument.

    Raises
    ------
    LeakproError
        For fewer than 8 words.
    """
    if metric.argument is None:
        return CopiedRun(None, USUAL_WORDS)
    match = _WORDS.fullmatch(metric.argument)
    if match is None:
        return CopiedRun(metric.argument, USUAL_WORDS)
    words = int(match.group(2))
    if words < FEWEST_WORDS:
        raise LeakproError(
            f"{metric}: so few words in a row are no copy, but a figure of speech: give at least "
            f"{FEWEST_WORDS}, as near_copies[words={USUAL_WORDS}]"
        )
    return CopiedRun(match.group(1), words)
