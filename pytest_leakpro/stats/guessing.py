"""The risk beyond chance of an attack that guesses, with exact bounds, and how often they decide.

An attack succeeds in a share p of its attempts on the records behind a release, and in a share c of
those on records that had no part in it, where success is no leakage. The risk is the share of
successes beyond that: (p - c) / (1 - c). It rises with p and falls with c, so bounds on either side
bound it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import special

from pytest_leakpro.stats.binomial import (
    at_least,
    clopper_pearson_lower,
    clopper_pearson_upper,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "Tally",
    "fail_chance",
    "pass_chance",
    "risk",
    "risk_lower",
    "risk_p_value",
    "risk_upper",
    "worse_than_naive",
]

_GOLDEN = (5**0.5 - 1) / 2
_SECTIONS = 30  # of an interval, each to 0.62 of it
_NOTHING = 1e-200
_TRIED, _ROUNDS = 31, 5  # limits at once, each time in a part a thirty-second as wide
_MOST_KNOTS = 64  # counts of the control for which a chance is worked out, others between them


class Tally(NamedTuple):
    """What an attack and its control reached.

    Attributes
    ----------
    main, attempts : int
        Successes and attempts of the attack, ``0 <= main <= attempts``, ``attempts >= 1``.
    control, control_attempts : int
        The same of the control.
    scale : float
        By what the control's rate is multiplied, at least 1; the product is at most 1.
    control_most : int or None
        The largest number of successes that the control may have had, where `control` is the
        smallest; None where it is known.
    """

    main: int
    attempts: int
    control: int
    control_attempts: int
    scale: float = 1.0
    control_most: int | None = None

    @property
    def most(self) -> int:
        """The largest number of successes that the control may have had."""
        return self.control if self.control_most is None else self.control_most


def risk(main_rate: float, control_rate: float) -> float:
    """Give the share of successes beyond the control's.

    Parameters
    ----------
    main_rate, control_rate : float
        Shares of successes, in [0, 1].

    Returns
    -------
    float
        In [0, 1]; 0 where the control always succeeds, and so nothing is left to learn.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4.
    """
    if control_rate >= 1:
        return 0.0
    return min(1.0, max(0.0, (main_rate - control_rate) / (1 - control_rate)))


def risk_lower(tally: Tally, error: float, shift: float = 0.0) -> float:
    """Exact lower confidence bound on the risk.

    Parameters
    ----------
    tally : Tally
        What was reached.
    error : float
        Probability, in (0, 1), with which the bound may lie above the risk.
    shift : float
        By how much the control's rate may lie below that of records like those of the source,
        since it is of other records.

    Returns
    -------
    float
        In [0, 1]: the largest risk that is refuted from below; see `risk_p_value`.
    """

    def refuted(limits: NDArray[Any]) -> NDArray[Any]:
        return _p_values(tally, limits, above=True, shift=shift) <= error

    return _last_refuted(refuted)


def risk_upper(tally: Tally, error: float) -> float:
    """Exact upper confidence bound on the risk; parameters as for `risk_lower`.

    Returns
    -------
    float
        In [0, 1]; 1 where every attempt succeeded, whatever the control.
    """

    def refuted(complements: NDArray[Any]) -> NDArray[Any]:
        return _p_values(tally, 1 - complements, above=False) <= error

    return 1 - _last_refuted(refuted)


def risk_p_value(tally: Tally, limit: float) -> float:
    """Give the p-value of "the risk is at most the limit".

    Parameters
    ----------
    tally : Tally
        What was reached.
    limit : float
        In [0, 1).

    Returns
    -------
    float
        The smallest error at which `risk_lower` reaches the limit; 1 where it never does.

    Notes
    -----
    Were the control's rate known to be c, attack and control would be two independent binomial
    tests, with p-values P(c) of "the attack succeeds no more often than c and the limit allow" and
    Q(c) of "the control succeeds no less often than c". By Fisher's method P Q (1 - ln P Q) is the
    p-value of both. It is not known: the p-value is the largest over all c. Binomial tails are
    log-concave in the rate, so there is one maximum. Where the rates are alike this decides with
    half the attempts that bounds on either rate take at half the error each.

    References
    ----------
    Fisher (1925), Statistical methods for research workers, section 21.1: combining tests.
    """
    return float(_p_values(tally, np.array([limit]), above=True)[0])


def worse_than_naive(
    main: int, attempts: int, naive: int, naive_attempts: int, error: float = 0.001
) -> bool:
    """Tell whether an attack succeeds less often than one that saw nothing, beyond chance.

    Parameters
    ----------
    main, attempts : int
        Successes and attempts of the attack.
    naive, naive_attempts : int
        The same of the attack that saw nothing.
    error : float
        Probability, in (0, 1), with which this is said of an attack that is as good; half of it is
        spent on either rate.
    """
    above = clopper_pearson_upper(main, attempts, error / 2)
    return bool(above < clopper_pearson_lower(naive, naive_attempts, error / 2))


@lru_cache(maxsize=1024)
def pass_chance(
    attempts: int,
    control_attempts: int,
    limit: float,
    error: float,
    true: float,
    control_rate: float,
) -> float:
    """Chance that the upper bound on the risk comes out within a limit.

    Parameters
    ----------
    attempts, control_attempts : int
        Of the attack and of its control, each at least 1.
    limit : float
        In [0, 1).
    error : float
        One-sided error of the bound, in (0, 1).
    true : float
        The true risk, in [0, 1].
    control_rate : float
        The control's true rate of success, in [0, 1].

    Returns
    -------
    float
        In [0, 1], summed over the outcomes of both.
    """
    return _chance(attempts, control_attempts, limit, error, true, control_rate, above=False)


@lru_cache(maxsize=1024)
def fail_chance(
    attempts: int,
    control_attempts: int,
    limit: float,
    error: float,
    true: float,
    control_rate: float,
) -> float:
    """Chance that the lower bound on the risk exceeds a limit; parameters as for `pass_chance`."""
    return _chance(attempts, control_attempts, limit, error, true, control_rate, above=True)


def _chance(
    attempts: int,
    control_attempts: int,
    limit: float,
    error: float,
    true: float,
    control_rate: float,
    *,
    above: bool,
) -> float:
    """Sum over the outcomes that show the risk to be above the limit, or below it."""
    control, weights = _law(control_attempts, control_rate)
    main, chances = _law(attempts, control_rate + true * (1 - control_rate))

    def decides(count: NDArray[Any], of_control: NDArray[Any]) -> NDArray[Any]:
        tally = _Outcomes(count, attempts, of_control, of_control, control_attempts)
        return _p_values(tally, np.full(len(count), limit), above=above) <= error

    last = _thresholds(decides, main, control, falling=not above)
    places = np.clip(last - main[0] + (not above), 0, len(main)).astype(np.intp)
    if above:
        deciding = np.concatenate([np.cumsum(chances[::-1])[::-1], [0.0]])
    else:
        deciding = np.concatenate([[0.0], np.cumsum(chances)])
    return float(min(1.0, weights @ deciding[places]))


class _Outcomes(NamedTuple):
    """As `Tally`, of many outcomes at once."""

    main: Any
    attempts: int
    control: Any
    most: Any
    control_attempts: int
    scale: float = 1.0


def _p_values(
    tally: Tally | _Outcomes, limits: NDArray[Any], *, above: bool, shift: float = 0.0
) -> NDArray[np.float64]:
    """Give p-values of "at most the limit" (above), or of "at least the limit".

    The counts of the tally may be arrays as long as the limits.
    """
    main, control = np.asarray(tally.main, float), np.asarray(tally.control, float)
    control_top = np.asarray(tally.most, float)

    def tails(rates: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Chances of what was seen, where the control's rate is this, and the risk the limit."""
        allowed = limits + (1 - limits) * np.minimum(rates + shift, 1)
        share = rates / tally.scale
        if above:
            first = at_least(main, tally.attempts, allowed)
            second = _at_most(control_top, tally.control_attempts, share)
        else:
            first = _at_most(main, tally.attempts, allowed)
            second = at_least(control, tally.control_attempts, share)
        return first, second

    # One tail rises with the rate and the other falls: between where both are more than nothing.
    room = np.maximum(1 - limits, np.finfo(float).tiny)
    if above:
        least = clopper_pearson_lower(main, tally.attempts, _NOTHING)
        start = (least - limits) / room - shift
        stop = tally.scale * clopper_pearson_upper(control_top, tally.control_attempts, _NOTHING)
    else:
        start = tally.scale * clopper_pearson_lower(control, tally.control_attempts, _NOTHING)
        most = clopper_pearson_upper(main, tally.attempts, _NOTHING)
        stop = np.where(most >= 1, 1.0, (most - limits) / room)
    # Where scipy cannot tell the rate of so small a chance, nothing is left out.
    start = np.clip(np.nan_to_num(np.broadcast_to(start, limits.shape), nan=0.0), 0, 1)
    stop = np.clip(np.nan_to_num(np.broadcast_to(stop, limits.shape), nan=1.0), 0, 1)
    stop = np.maximum(start, stop)

    def logarithm(rates: NDArray[Any]) -> NDArray[Any]:
        first, second = tails(rates)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(first) + np.log(second))

    width = stop - start
    left, right = stop - _GOLDEN * width, start + _GOLDEN * width
    at_left, at_right = logarithm(left), logarithm(right)
    best = np.maximum(logarithm(start), logarithm(stop))
    for _ in range(_SECTIONS):
        best = np.maximum(best, np.maximum(at_left, at_right))
        higher = at_left > at_right
        start, stop = np.where(higher, start, left), np.where(higher, right, stop)
        width = stop - start
        new = np.where(higher, stop - _GOLDEN * width, start + _GOLDEN * width)
        at_new = logarithm(new)
        left, right = np.where(higher, new, right), np.where(higher, left, new)
        at_left, at_right = np.where(higher, at_new, at_right), np.where(higher, at_left, at_new)
    best = np.minimum(best, 0.0)
    with np.errstate(invalid="ignore"):
        combined = np.exp(best) * (1 - best)
    return np.asarray(np.where(np.isneginf(best), 0.0, combined), dtype=np.float64)


def _last_refuted(refuted: Callable[[NDArray[Any]], NDArray[Any]]) -> float:
    """Find the largest value in [0, 1] up to which all are refuted; 0 where none is."""
    low, high = 0.0, 1.0
    if not refuted(np.zeros(1))[0]:
        return 0.0
    for _ in range(_ROUNDS):
        tried = np.linspace(low, high, _TRIED + 2)
        kept = np.flatnonzero(~refuted(tried[1:-1]))
        first = int(kept[0]) + 1 if len(kept) else _TRIED + 1
        low, high = float(tried[first - 1]), float(tried[first])
    return 1.0 if high == 1 else low  # up to the end, as far as can be told


def _thresholds(
    decides: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]],
    main: NDArray[Any],
    control: NDArray[Any],
    *,
    falling: bool,
) -> NDArray[Any]:
    """Give for each count of the control the last (falling) or first count that decides.

    One below the first count, or one beyond the last, where none does. Between some counts of the
    control it is interpolated, for planning.
    """
    knots = np.unique(np.linspace(control[0], control[-1], _MOST_KNOTS).round())
    low = np.full(len(knots), float(main[0]) - 1)
    high = np.full(len(knots), float(main[-1]) + 1)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        tried = np.clip(middle, main[0], main[-1])
        yes = decides(tried, knots) == falling
        low, high = np.where(yes, middle, low), np.where(yes, high, middle)
        if (high - low <= 1).all():
            break
    found = low if falling else high
    return np.asarray(np.floor(np.interp(control, knots, found) + 0.5))


def _at_most(count: Any, trials: int, share: NDArray[Any]) -> NDArray[Any]:
    return at_least(trials - count, trials, 1 - share)


def _law(trials: int, share: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give the counts of a binomial variable, but for a chance of 1e-12, and their chances."""
    spread = 8 * math.sqrt(trials * share * (1 - share)) + 25
    counts = np.arange(
        max(0, math.floor(trials * share - spread)),
        min(trials, math.ceil(trials * share + spread)) + 1,
    )
    chances = np.exp(
        special.gammaln(trials + 1)
        - special.gammaln(counts + 1)
        - special.gammaln(trials - counts + 1)
        + special.xlogy(counts, share)
        + special.xlog1py(trials - counts, -share)
    )
    return counts, chances / chances.sum()
