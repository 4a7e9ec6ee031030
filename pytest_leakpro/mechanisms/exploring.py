"""Letting Hypothesis draw pairs, lead the search to suspicious ones, and shrink what is found.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

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

_MOST_WHILE_SHRINKING = 150


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
    known: dict[bytes, Refutation | None] = {}
    found: list[Refutation] = []
    faults: list[LeakproError] = []
    last_examined = 0

    def look(drawn: Any) -> None:
        nonlocal last_examined
        try:
            pair = as_pair(drawn, relation)
            key = content_key(pair)
            if key is not None and key in known:
                refutation = known[key]
            elif found and examiner.pairs >= last_examined + _MOST_WHILE_SHRINKING:
                return
            else:
                refutation = examiner.examine(pair)
                if key is not None:
                    known[key] = refutation
                if not found:
                    last_examined = examiner.pairs
                    target(examiner.suspicion)
        except LeakproError as error:
            faults.append(error)
            raise _EndedError from error
        if refutation is not None:
            found.append(refutation)
            raise _FoundError

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
    try:
        seed(number)(plan(given(neighbours)(look)))()
    except (_FoundError, Flaky):
        # The last one found is the smallest: a shrinker goes on from smaller to smaller.
        if not found:
            raise
        return found[-1]
    except _EndedError:
        raise faults[0] from faults[0].__cause__
    except Unsatisfiable as error:
        raise LeakproError(
            "neighbours gave no pair at all: its conditions can hardly be met; widen the strategy"
        ) from error
    return None
