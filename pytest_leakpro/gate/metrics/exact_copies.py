"""``exact_copies``: how much of a release stands in its source as it is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_leakpro.gate.metrics.base import Nouns
from pytest_leakpro.gate.metrics.counted_share import CountedShare

if TYPE_CHECKING:
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["ExactCopies"]


class ExactCopies(CountedShare):
    """The share of a release that is copied from its source: a census, exact at every size.

    The argument is a column, such as one of free text; without it whole rows are meant.
    """

    name: ClassVar[str] = "exact_copies"
    concern: ClassVar[Concern] = "reconstruction"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"
    nouns: ClassVar[Nouns] = Nouns(
        "release", "rows", "", "rows", "between two runs of the generator", "column"
    )
    fault: ClassVar[str] = "holds copies of its source"
    remedy: ClassVar[str] = "drop the copies or train the generator with DP"
    meaning: ClassVar[str] = "rows of the release that stand in the source as they are"
