"""Sets of outputs that one data set makes much likelier than its neighbour.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.mechanisms.bins import Binning, fitted_logistic, log_ratios, with_contrasts
from pytest_leakpro.mechanisms.outputs import NUMBER, Outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.mechanisms.outputs import Reader

__all__ = ["Claim", "Event", "best_event"]

_MOST_TAILS = 20  # columns whose tails are looked at
_BINS_OF_ONE, _BINS_OF_MANY = 64, 8
_MOST_FITTED = 4_000  # outputs of either, for the logistic regression
_MOST_CUTS = 48
_SIMPLE = 0.3  # standard deviations by which an event must be better to be less simple
_SHOWN = 4


@dataclass(frozen=True)
class Claim:
    """What is claimed: P(S) is at most exp(epsilon) Q(S) + delta for every event S."""

    epsilon: float
    delta: float

    @property
    def ratio(self) -> float:
        """exp(epsilon), kept finite."""
        return math.exp(min(self.epsilon, 700.0))


@dataclass(frozen=True, repr=False)
class _Score:
    """A number per output; what lies at or beyond a cut is an event.

    Attributes
    ----------
    of : callable
        Outputs to scores.
    said : callable
        ``(cut, sign)`` to words.
    ratio : bool
        Whether large scores speak for the data and small ones for the neighbour; of others, both
        ends are looked at for both.
    """

    of: Callable[[Outputs], NDArray[np.float64]]
    said: Callable[[float, int], str]
    ratio: bool


@dataclass(frozen=True, repr=False)
class Event:
    """A set of outputs, chosen on outputs that are not used again.

    Attributes
    ----------
    sign : {1, -1}
        Whether the scores at or above the cut are inside, or those at or below.
    swapped : bool
        Whether it is the neighbour that makes it likelier.
    excess : float
        By how many standard deviations it exceeded the claim where it was chosen.
    counts : tuple of int
        How often it was seen there: for the likelier data set, and for the other.
    trials : int
        Of either, there.
    """

    score: _Score
    cut: float
    sign: int
    swapped: bool
    excess: float
    counts: tuple[int, int]
    trials: int

    def count(self, outputs: Outputs) -> int:
        """Count the outputs in the event."""
        return int(np.sum(self.sign * self.score.of(outputs) >= self.sign * self.cut))

    @property
    def said(self) -> str:
        """The event in words."""
        return self.score.said(self.cut, self.sign)


def best_event(
    first: Outputs, second: Outputs, claim: Claim, reader: Reader, most_bins: int
) -> Event:
    """Choose the event that seems to exceed the claim most clearly, in either direction.

    Scores are fitted on one half of the outputs, the event among their level sets on the other.

    Parameters
    ----------
    first, second : Outputs
        Of the data and of the neighbour, of as many calls.
    claim : Claim
        What is to be exceeded.
    reader : Reader
        For words.
    most_bins : int
        For more, no logistic regression is fitted on outputs of several columns.
    """
    half = len(first) // 2
    best: list[tuple[float, Event]] = []
    for score in _scores(first[:half], second[:half], reader, most_bins):
        of_first, of_second = score.of(first[half:]), score.of(second[half:])
        ways = [(1, False), (-1, True)] if score.ratio else list(product((1, -1), (False, True)))
        for sign, swapped in ways:
            likelier, other = (of_second, of_first) if swapped else (of_first, of_second)
            event = _best_cut(score, sign, (likelier, other), claim, swapped=swapped)
            best.append((event.excess + (0.0 if score.ratio else _SIMPLE), event))
    return max(best, key=lambda entry: entry[0])[1]


def _scores(first: Outputs, second: Outputs, reader: Reader, most_bins: int) -> Iterator[_Score]:
    width = first.width
    names = [f"output{name}" for name in reader.columns]
    for column in range(min(width, _MOST_TAILS)):
        if any(np.any(part.tags[:, column] == NUMBER) for part in (first, second)):
            yield _tail(column, names[column])
    yield _values(first, second, reader)
    many = width > 1
    prepare = with_contrasts if many else _unchanged
    binning = Binning.of(prepare(first.joined(second)), _BINS_OF_MANY if many else _BINS_OF_ONE)
    total = sum(binning.sizes)
    bins = binning.bins(prepare(first)), binning.bins(prepare(second))
    name = "naive Bayes on the bins of its entries" if many else "a histogram"
    yield _by_bins(binning, prepare, log_ratios(*bins, total), name)
    if many and total <= most_bins:
        weights = fitted_logistic(bins[0][:_MOST_FITTED], bins[1][:_MOST_FITTED], total)
        yield _by_bins(binning, prepare, weights, "logistic regression on the bins of its entries")


def _tail(column: int, name: str) -> _Score:
    def of(outputs: Outputs) -> NDArray[np.float64]:
        # Neither tail holds what is no number.
        return np.where(outputs.tags[:, column] == NUMBER, outputs.numbers[:, column], np.nan)

    def said(cut: float, sign: int) -> str:
        return f"{name} {'>=' if sign > 0 else '<='} {cut:.6g}"

    return _Score(of, said, ratio=False)


def _values(first: Outputs, second: Outputs, reader: Reader) -> _Score:
    """Score whole outputs by how often they were seen; those seen once stand for all others."""
    keys, width = (first.keys(), second.keys()), first.width
    one, two = Counter(keys[0]), Counter(keys[1])
    known = [key for key, number in (one + two).items() if number > 1]
    ratios = {key: math.log(one[key] + 0.5) - math.log(two[key] + 0.5) for key in known}
    rest = [len(first) - sum(count[key] for key in known) for count in (one, two)]
    unseen = math.log(rest[0] + 0.5) - math.log(rest[1] + 0.5)

    def of(outputs: Outputs) -> NDArray[np.float64]:
        seen = outputs.widened(width).keys()
        return np.array([ratios.get(key, unseen) for key in seen])

    def said(cut: float, sign: int) -> str:
        inside = [key for key, ratio in ratios.items() if sign * ratio >= sign * cut]
        texts = [_written(key, width, reader) for key in inside]
        if sign * unseen >= sign * cut:
            texts.append("any output seen at most once before")
        more = f" or {len(texts) - _SHOWN} others" if len(texts) > _SHOWN else ""
        return "output is " + " or ".join(texts[:_SHOWN]) + more

    return _Score(of, said, ratio=True)


def _written(key: bytes, width: int, reader: Reader) -> str:
    whole = np.frombuffer(key, np.int64)
    entries = [
        f"{number:.6g}" if tag == NUMBER else reader.shown(int(tag))
        for number, tag in zip(whole[:width].view(float), whole[width:], strict=True)
    ]
    return entries[0] if reader.columns == [""] else f"({', '.join(entries)})"


def _by_bins(
    binning: Binning,
    prepare: Callable[[Outputs], Outputs],
    weights: NDArray[np.float64],
    name: str,
) -> _Score:
    def of(outputs: Outputs) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = weights[binning.bins(prepare(outputs))].sum(axis=1)
        return scores

    def said(cut: float, sign: int) -> str:
        side = "at least" if sign > 0 else "at most"
        return f"the likelihood ratio of the output, by {name}, is {side} {math.exp(cut):.3g}"

    return _Score(of, said, ratio=True)


def _best_cut(
    score: _Score,
    sign: int,
    scores: tuple[NDArray[np.float64], NDArray[np.float64]],
    claim: Claim,
    *,
    swapped: bool,
) -> Event:
    trials = len(scores[0])
    likelier, other = (np.sort(sign * part) for part in scores)
    cuts = _cuts(np.concatenate([likelier, other]))
    # Those that are no number sort to the end, and are in no event.
    inside = [
        np.sum(~np.isnan(part)) - np.searchsorted(part[~np.isnan(part)], cuts, side="left")
        for part in (likelier, other)
    ]
    one, two = ((count + 1.0) / (trials + 2.0) for count in inside)
    gap = (inside[0] - claim.ratio * inside[1]) / trials - claim.delta
    excess = gap / np.sqrt((one * (1 - one) + claim.ratio**2 * two * (1 - two)) / trials)
    place = int(np.argmax(excess))
    counts = int(inside[0][place]), int(inside[1][place])
    return Event(
        score, float(sign * cuts[place]), sign, swapped, float(excess[place]), counts, trials
    )


def _cuts(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the cuts to look at: all where there are few, else those that leave less and less."""
    ordered = np.sort(values[~np.isnan(values)])[::-1]
    distinct = np.unique(ordered)
    if len(distinct) == 0:
        return np.array([np.inf])
    if len(distinct) <= _MOST_CUTS:
        return distinct
    ranks = np.geomspace(4, len(ordered), _MOST_CUTS).astype(int) - 1
    return np.unique(ordered[ranks])


def _unchanged(outputs: Outputs) -> Outputs:
    return outputs
