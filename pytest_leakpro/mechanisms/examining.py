"""One pair after the other: looked at cheaply, then thoroughly, then tested on fresh outputs.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.mechanisms.events import best_event
from pytest_leakpro.mechanisms.low_bits import low_bits_found
from pytest_leakpro.mechanisms.memory import memory_found
from pytest_leakpro.mechanisms.outputs import Reader
from pytest_leakpro.mechanisms.pairs import content_key, shape_of
from pytest_leakpro.mechanisms.sampling import Sampler
from pytest_leakpro.stats.excess_share import excess_p_value, lower_log_ratio, trials_for_excess

if TYPE_CHECKING:
    from pytest_leakpro.mechanisms.events import Claim, Event
    from pytest_leakpro.mechanisms.sampling import Drawn, Mechanism

__all__ = ["Examiner", "Refutation", "series_share"]

_STAGES = (500, 2_000, 8_000, 32_000)
_FIRST_OF_VECTORISED = 2_000  # whose calls cost little
# In standard deviations, of the best event: below the first it is not worth the next stage, above
# the second it is put to the test. The best of many events is often two above nothing.
_WORTH_MORE = (2.0, 2.4, 2.6, 2.6)
_WORTH_A_TEST = 3.4
_WORTH_A_LAST_TEST = 2.6
_POWER = 0.95
_FEWEST_TESTED = 1_000
_TESTED_AT_ONCE = 2  # times the outputs looked at
_HOPELESS = 3  # times the outputs that there may be
# For the logistic regression, in the first look and afterwards.
_MOST_BINS = (150, 400)
_ERROR_OF_MEMORY = 1e-5
_ERROR_OF_LOW_BITS = 1e-3


def series_share(number: int) -> float:
    """Share of an error for the k-th of a series of tests: all of them together have it all.

    Parameters
    ----------
    number : int
        k, from 1 on.
    """
    return 6 / (math.pi * number) ** 2


@dataclass(frozen=True, repr=False)
class Refutation:
    """A pair of data sets, and an event that the claim does not allow for it.

    Attributes
    ----------
    pair : tuple
        The data and its neighbour.
    event : str
        In words.
    swapped : bool
        Whether it is the neighbour that makes the event likelier.
    counts : tuple of int
        Of the event on fresh outputs: for the likelier data set, and for the other.
    trials : int
        Fresh outputs of either.
    low : float
        Lower bound on epsilon.
    error : float
        The error of this test, alpha's share.
    constant : bool
        Whether each data set always gave the same output.
    """

    pair: tuple[Any, Any]
    event: str
    swapped: bool
    counts: tuple[int, int]
    trials: int
    low: float
    error: float
    constant: bool


@dataclass(repr=False)
class Examiner:
    """Examines pairs, and spends the error on those that look suspicious.

    Attributes
    ----------
    mechanism : Mechanism
        What is tested.
    claim : Claim
        What it claims.
    samples : int
        The most outputs per data set of a pair.
    alpha : float
        The chance that any pair that keeps the claim is taken for a refutation: half of it is for
        the search, half for shrinking.
    seed : int
        Of all draws.
    pairs, calls, looks : int
        How many pairs were examined, calls made, and looks for memory.
    tests : int
        How many tests were made on fresh outputs, in the search or in shrinking.
    stages : int
        How many looks at more and more outputs it took to find the first refutation.
    shrinking : bool
        Whether one was found.
    telling : int
        Pairs of which the outputs varied, or differed.
    low_bits : str or None
        What the low bits told first.
    suspicion : float
        Of the pair examined last, to lead the search.
    """

    mechanism: Mechanism
    claim: Claim
    samples: int
    alpha: float
    seed: int
    pairs: int = 0
    calls: int = 0
    looks: int = 0
    tests: int = 0
    stages: int = 0
    shrinking: bool = False
    telling: int = 0
    low_bits: str | None = None
    suspicion: float = field(default=0.0)

    @property
    def stage_sizes(self) -> list[int]:
        """How many outputs of either data set are looked at, first and then."""
        half = self.samples // 2
        first = _FIRST_OF_VECTORISED if self.mechanism.vectorised else 0
        return [*(stage for stage in _STAGES if first <= stage < half), half]

    def examine(self, pair: tuple[Any, Any], sure_stages: int = 0) -> Refutation | None:
        """Look for an event that refutes the claim, and test it on fresh outputs.

        Parameters
        ----------
        pair : tuple
            The data and its neighbour.
        sure_stages : int
            So many looks at more and more outputs are taken, however little the first ones show.

        Raises
        ------
        LeakproError
            If the mechanism raises, remembers earlier calls, changes its data, or returns what
            cannot be compared.
        """
        self.pairs += 1
        self.suspicion = 0.0
        key = content_key(pair[0])
        if key is not None and key == content_key(pair[1]):
            return None
        sampler = Sampler(self.mechanism, pair, self.seed, f"pair {self.pairs}", Reader())
        stages = self.stage_sizes
        seen = self._draw(sampler, stages[0], "look")
        if seen.tells_nothing:
            return None
        self.telling += 1
        self._look_at_low_bits(seen)
        for number, stage in enumerate(stages):
            if number:
                more = self._draw(sampler, stage - len(seen.first), "look")
                seen = seen.joined(more)
            event = best_event(
                seen.first, seen.second, self.claim, sampler.reader, _MOST_BINS[number > 0]
            )
            # What a first look would have shown of it.
            self.suspicion = event.excess * math.sqrt(_STAGES[0] / stage)
            last = number == len(stages) - 1
            if event.excess >= (_WORTH_A_LAST_TEST if last else _WORTH_A_TEST):
                found = self._test(event, sampler, stage, last=last)
                if found is not None:
                    self._found(number)
                    return found
            if last or (number >= sure_stages and event.excess < _WORTH_MORE[number]):
                break
        return None

    def _found(self, stages: int) -> None:
        if not self.shrinking:
            self.shrinking, self.stages, self.tests = True, stages, 0

    def _draw(self, sampler: Sampler, count: int, purpose: str) -> Drawn:
        drawn = sampler.draw(count, f"{purpose} {self.calls}")
        self.calls += 2 * count
        self.looks += 1
        said = memory_found(drawn, _ERROR_OF_MEMORY * series_share(self.looks))
        if said is not None:
            raise LeakproError(
                f"{self.mechanism.name} remembers earlier calls: {said} (on "
                f"{shape_of(sampler.pair[0])} and {shape_of(sampler.pair[1])}). Differential "
                "privacy of one call cannot be tested where calls depend on each other: give a "
                "function that makes a new mechanism for every call, with fresh noise"
            )
        return drawn

    def _look_at_low_bits(self, drawn: Drawn) -> None:
        if self.low_bits is None:
            level = _ERROR_OF_LOW_BITS * series_share(self.telling)
            self.low_bits = low_bits_found(drawn.first, drawn.second, self.claim, level)

    def _test(self, event: Event, sampler: Sampler, stage: int, *, last: bool) -> Refutation | None:
        """Test an event on fresh outputs, as many as it seems to take."""
        claim, half = self.claim, self.samples // 2
        error = self.alpha / 2 * series_share(self.tests + 1)
        first, second = ((count + 1) / (event.trials + 2) for count in event.counts)
        needed = trials_for_excess(first, second, claim.epsilon, claim.delta, error, _POWER)
        # A look at more of them would choose a better event first.
        if needed > (half * _HOPELESS if last else _TESTED_AT_ONCE * stage):
            return None
        self.tests += 1
        trials = min(half, max(_FEWEST_TESTED, math.ceil(needed)))
        fresh = self._draw(sampler, trials, "test")
        likelier, other = (
            (fresh.second, fresh.first) if event.swapped else (fresh.first, fresh.second)
        )
        counts = event.count(likelier), event.count(other)
        if excess_p_value(*counts, trials, claim.epsilon, claim.delta, error) > error:
            return None
        return Refutation(
            pair=sampler.pair,
            event=event.said,
            swapped=event.swapped,
            counts=counts,
            trials=trials,
            low=lower_log_ratio(*counts, trials, claim.epsilon, claim.delta, error),
            error=error,
            constant=fresh.first.constant and fresh.second.constant,
        )
