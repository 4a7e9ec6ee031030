"""Letting Hypothesis draw pairs, lead the search to suspicious ones, and shrink what is found.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings, target
from hypothesis.errors import Flaky, Unsatisfiable

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.mechanisms.pairs import as_pair, content_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from pytest_leakpro.mechanisms.examining import Examiner, Refutation
    from pytest_leakpro.mechanisms.pairs import Relation

__all__ = ["explored"]

# While shrinking.
_MOST_PAIRS = 150
_MOST_CALLS = 10  # times the outputs that a pair may take
# How many pairs are looked at again, and up to which stage for sure, counted from the last.
_FINALISTS = ((4, 2), (2, 1), (1, 0))


class _FoundError(Exception):
    """A refutation, as Hypothesis wants to be told."""


class _EndedError(BaseException):
    """Nothing is to be shrunk: the mechanism or the strategy is at fault."""


def explored(
    examiner: Examiner,
    neighbours: SearchStrategy[Any],
    relation: Relation | Callable[[Any, Any], bool] | None,
    max_examples: int,
    number: int,
) -> Refutation | None:
    """Examine pairs until one refutes the claim; then the smallest that still does.

    What a pair gave is kept, so that a pair drawn again gives the same again.

    Parameters
    ----------
    examiner : Examiner
        Of the mechanism and its claim.
    neighbours : SearchStrategy
        Of pairs.
    relation : {"add/remove", "replace"}, callable or None
        What is to hold between the two.
    max_examples : int
        The most pairs until one is found, at least 1.
    number : int
        Seed of what is drawn.

    Raises
    ------
    LeakproError
        If what is drawn is no pair of neighbours, if nothing can be drawn, or whatever the
        examiner raises.
    """
    search = _Search(examiner, relation)
    # Nothing of the session's profile: the same search in every run.
    plan = settings(
        max_examples=max_examples,
        phases=(Phase.generate, Phase.target, Phase.shrink),
        database=None,
        derandomize=False,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )

    def run() -> None:
        # A function of its own each time: Hypothesis would go on where it was.
        def look(drawn: Any) -> None:
            search.look(drawn)

        try:
            seed(number)(plan(given(neighbours)(look)))()
        except (_FoundError, Flaky):
            if not search.found:
                raise
        except _EndedError:
            raise search.faults[0] from search.faults[0].__cause__
        except Unsatisfiable as error:
            raise LeakproError(
                "neighbours gave no pair at all: its conditions can hardly be met; widen the "
                "strategy"
            ) from error

    run()
    if not search.found and search.finalists_refute():
        # The same pairs come again, with what they gave; this time the search stops and shrinks.
        run()
    # The last one found is the smallest: a shrinker goes on from smaller to smaller.
    return search.found[-1] if search.found else None


@dataclass(repr=False)
class _Search:
    """What is known of the pairs drawn so far.

    Attributes
    ----------
    examiner : Examiner
        Of the mechanism and its claim.
    relation : {"add/remove", "replace"}, callable or None
        What is to hold between the two.
    known : dict
        By content of the pair: what it gave, and how suspicious it is.
    pairs : dict
        Likewise, the pairs that gave nothing.
    found : list of Refutation
        In the order in which they were found.
    faults : list of LeakproError
        What ended the search.
    """

    examiner: Examiner
    relation: Relation | Callable[[Any, Any], bool] | None
    known: dict[bytes, tuple[Refutation | None, float]] = field(default_factory=dict)
    pairs: dict[bytes, tuple[Any, Any]] = field(default_factory=dict)
    found: list[Refutation] = field(default_factory=list)
    faults: list[LeakproError] = field(default_factory=list)
    _pairs: int = 0
    _calls: int = 0

    def look(self, drawn: Any) -> None:
        """Examine a pair, unless it was before, and tell Hypothesis."""
        try:
            refutation, suspicion = self._outcome(as_pair(drawn, self.relation))
        except LeakproError as error:
            self.faults.append(error)
            raise _EndedError from error
        if refutation is not None:
            self.found.append(refutation)
            raise _FoundError
        target(suspicion)

    def _outcome(self, pair: tuple[Any, Any]) -> tuple[Refutation | None, float]:
        key = content_key(pair)
        if key is not None and key in self.known:
            return self.known[key]
        if self.found:
            over = self.examiner.calls > self._calls + _MOST_CALLS * self.examiner.samples
            if over or self.examiner.pairs > self._pairs + _MOST_PAIRS:
                return None, 0.0
        stages = self.examiner.stages
        outcome = self.examiner.examine(pair, stages), self.examiner.suspicion
        if not self.found:
            self._pairs, self._calls = self.examiner.pairs, self.examiner.calls
        if key is not None:
            self.known[key] = outcome
            if outcome[0] is None:
                self.pairs[key] = pair
        return outcome

    def finalists_refute(self) -> bool:
        """Look at the most suspicious pairs again, more and more thoroughly at fewer and fewer."""
        suspicion = {key: self.known[key][1] for key in self.pairs}
        for number, before_last in _FINALISTS:
            stages = len(self.examiner.stage_sizes) - 1 - before_last
            if stages < 1:
                continue
            first = sorted(suspicion, key=lambda key: -suspicion[key])[:number]
            suspicion = {}
            for key in first:
                refutation = self.examiner.examine(self.pairs[key], stages)
                if refutation is not None:
                    self.known[key] = refutation, self.known[key][1]
                    self.found.append(refutation)
                    self._pairs, self._calls = self.examiner.pairs, self.examiner.calls
                    return True
                suspicion[key] = self.examiner.suspicion
        return False
