"""Lower bounds on epsilon from one training run with records that were inserted at random.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_leakpro.stats.privacy_curves import approximate_curve, gaussian_mu

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "LARGEST_EPSILON",
    "curve_p_value",
    "guess_accuracy",
    "guess_plan",
    "guesses_for",
    "lower_epsilon",
    "lower_one_run",
    "one_run_p_value",
    "p_value_at",
    "power",
    "refutes",
    "refuting_count",
]

LARGEST_EPSILON = 50.0
"""No number of canaries tells more."""

_STEPS = 60
_AIM = 0.6
_USUAL_ERROR = 0.025
_SHARE_OF_ALL = 0.2
_NEARLY = 0.8
_TINY_DELTA = 1e-10  # stands for 0, at which a Gaussian mechanism has no epsilon


@lru_cache(maxsize=4096)
def one_run_p_value(right: int, guesses: int, canaries: int, epsilon: float, delta: float) -> float:
    """Test whether so many right guesses are possible under (epsilon, delta)-privacy.

    Parameters
    ----------
    right : int
        Guesses that were right, from 0 to `guesses`.
    guesses : int
        Guesses that were made, of canaries inserted with probability 1/2 each, independently.
    canaries : int
        How many there were, at least `guesses`.
    epsilon : float
        At least 0.
    delta : float
        In [0, 1).

    Returns
    -------
    float
        A p-value, whatever the training and the attack: only the tosses are random.

    References
    ----------
    Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1) training run, NeurIPS, theorem
    5.2 and appendix D.
    """
    import numpy as np
    from scipy.stats import binom

    if right == 0:
        return 1.0
    share = 1 / (1 + math.exp(-epsilon))
    tail = float(binom.sf(right - 1, guesses, share))
    if delta == 0:
        return tail
    # By how much delta may lift the tail: the largest mean of the law just below.
    below = binom.pmf(right - np.arange(1, right + 1), guesses, share)
    lift = float((np.cumsum(below) / np.arange(1, right + 1)).max())
    return min(1.0, tail + 2 * canaries * delta * lift)


def curve_p_value(
    right: int, guesses: int, canaries: int, least_fpr: Callable[[float], float]
) -> float:
    """Test whether so many right guesses are possible under a trade-off curve.

    Parameters
    ----------
    right, guesses, canaries
        As for `one_run_p_value`.
    least_fpr : callable
        The curve, as `pytest_leakpro.stats.privacy_curves.approximate_curve` gives it.

    Returns
    -------
    float
        A p-value of "the mechanism keeps this curve".

    References
    ----------
    Mahloujifar, Melis and Chaudhuri (2024), Auditing f-differential privacy in one run, theorem 9
    and algorithm 3.
    """
    if right == 0 or _possible(1.0, right, guesses, canaries, least_fpr):
        return 1.0
    low, high = -40.0, 0.0  # of the logarithm
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _possible(math.exp(middle), right, guesses, canaries, least_fpr):
            low = middle
        else:
            high = middle
    return math.exp(high)


def _possible(
    level: float,
    right: int,
    guesses: int,
    canaries: int,
    least_fpr: Callable[[float], float],
) -> bool:
    """Tell whether at least `right` right guesses may have this probability.

    From the probabilities of `right` right guesses follows, one fewer at a time, how much all
    others must have at least: together they cannot have more than there is.
    """
    level *= guesses / canaries
    wrong_mass = level * (guesses - right) / guesses
    right_mass = level * right / guesses
    most = guesses / canaries
    for count in range(right - 1, -1, -1):
        needed = least_fpr(right_mass)
        if needed <= wrong_mass:
            return True  # nor does any later step ask for more
        right_mass += count / (guesses - count) * (needed - wrong_mass)
        wrong_mass = needed
        if right_mass + wrong_mass > most:
            return False
    return True


@lru_cache(maxsize=256)
def guesses_for(canaries: int, epsilon: float, true: float, delta: float) -> int:
    """Choose how many guesses are to be made, before any score is seen.

    Parameters
    ----------
    canaries : int
        How many there are, at least 2.
    epsilon : float
        What is to be refuted, at least 0.
    true : float
        The epsilon of a Gaussian mechanism on which that is to succeed.
    delta : float
        In [0, 1).

    Returns
    -------
    int
        Even, from 2 to `canaries`: the number for which a slightly unlucky outcome refutes best.
    """
    # What no outcome refutes tells nothing of how to guess: aim at what some outcome does.
    most = _AIM * lower_epsilon(canaries, canaries, canaries, delta, _USUAL_ERROR)
    if epsilon > most > 0:
        epsilon, true = most, most * true / epsilon
    best, least = 2, 1.0
    size = 16.0
    while True:
        guesses = min(canaries, 2 * round(size / 2))
        accuracy = guess_accuracy(guesses, canaries, true, delta)
        spread = math.sqrt(guesses * accuracy * (1 - accuracy))
        right = max(0, math.floor(guesses * accuracy - spread / 2))
        if refutes(right, guesses, canaries, epsilon, delta, least):
            best, least = guesses, p_value_at(right, guesses, canaries, epsilon, delta)
        if guesses >= canaries - 1:
            return best
        size *= 1.3


def guess_plan(
    canaries: int, epsilon: float, true: float, delta: float
) -> tuple[tuple[int, float], ...]:
    """Say how many guesses are made, and which share of the error each number of them gets.

    Few guesses refute best where noise hides most canaries; where a training adds next to none,
    all canaries are told apart, and only as many guesses as there are canaries (nearly) say so.

    Parameters
    ----------
    canaries, epsilon, true, delta
        As for `guesses_for`.

    Returns
    -------
    tuple of (int, float)
        Numbers of guesses, even, and shares that sum to 1.
    """
    few = guesses_for(canaries, epsilon, true, delta)
    # Half of these are called inserted, and of so many fair coins as many fall on either side.
    every = 2 * math.floor(canaries / 2 - math.sqrt(canaries))
    if few >= _NEARLY * every:
        return ((few, 1.0),)
    return ((few, 1 - _SHARE_OF_ALL), (every, _SHARE_OF_ALL))


def p_value_at(right: int, guesses: int, canaries: int, epsilon: float, delta: float) -> float:
    """Test (epsilon, delta)-privacy without assumptions, by the tighter of both methods.

    Which one it is follows from delta alone, so that nothing is chosen by what was seen.
    """
    if delta == 0:
        return one_run_p_value(right, guesses, canaries, epsilon, 0.0)
    return curve_p_value(right, guesses, canaries, approximate_curve(epsilon, delta))


def refutes(
    right: int, guesses: int, canaries: int, epsilon: float, delta: float, error: float
) -> bool:
    """Tell whether the p-value of `p_value_at` is at most an error, which takes one step of it."""
    if delta == 0:
        return one_run_p_value(right, guesses, canaries, epsilon, 0.0) <= error
    curve = approximate_curve(epsilon, delta)
    return right > 0 and not _possible(error, right, guesses, canaries, curve)


def guess_accuracy(guesses: int, canaries: int, epsilon: float, delta: float) -> float:
    """Give the share of right guesses that is expected of a Gaussian mechanism.

    The highest and the lowest scores are guessed, half of each; parameters as for `guesses_for`.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    mu = gaussian_mu(epsilon, delta or _TINY_DELTA)
    share = guesses / 2 / canaries

    def above(cut: float) -> float:
        return float((ndtr(mu - cut) + ndtr(-cut)) / 2) - share

    cut = mu / 2 if share >= 0.5 else float(brentq(above, -40.0, 40.0 + mu))
    inside, outside = float(ndtr(mu - cut)), float(ndtr(-cut))
    return inside / (inside + outside) if inside + outside > 0 else 1.0


@lru_cache(maxsize=1024)
def lower_epsilon(right: int, guesses: int, canaries: int, delta: float, error: float) -> float:
    """Bound epsilon from below without assumptions.

    Parameters
    ----------
    right, guesses, canaries, delta
        As for `one_run_p_value`.
    error : float
        In (0, 1).

    Returns
    -------
    float
        The largest that is refuted at this level, at least 0.
    """

    def refuted(epsilon: float) -> bool:
        return refutes(right, guesses, canaries, epsilon, delta, error)

    return _largest(refuted, LARGEST_EPSILON)


@lru_cache(maxsize=1024)
def lower_one_run(right: int, guesses: int, canaries: int, delta: float, error: float) -> float:
    """Bound epsilon from below by `one_run_p_value`; parameters as for `lower_epsilon`."""

    def refuted(epsilon: float) -> bool:
        return one_run_p_value(right, guesses, canaries, epsilon, delta) <= error

    return _largest(refuted, LARGEST_EPSILON)


def _largest(refuted: Callable[[float], bool], most: float) -> float:
    if not refuted(0.0):
        return 0.0
    low, high = 0.0, most
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def refuting_count(guesses: int, canaries: int, epsilon: float, delta: float, error: float) -> int:
    """Give how many guesses must be right for a refutation; one more than there are for never."""
    low, high = 0, guesses + 1
    while high - low > 1:
        middle = (low + high) // 2
        if refutes(middle, guesses, canaries, epsilon, delta, error):
            high = middle
        else:
            low = middle
    return high


@lru_cache(maxsize=4096)
def power(canaries: int, epsilon: float, true: float, delta: float, error: float) -> float:
    """Give the chance that epsilon is refuted on a Gaussian mechanism whose own is larger.

    Parameters
    ----------
    canaries, epsilon, delta, error
        As for `lower_epsilon`; `epsilon` is what is to be refuted.
    true : float
        The mechanism's.
    """
    from scipy.stats import binom

    # Of a Gaussian mechanism the first number of guesses tells most by far.
    guesses, share = guess_plan(canaries, epsilon, max(true, 2 * epsilon), delta)[0]
    needed = refuting_count(guesses, canaries, epsilon, delta, share * error)
    return float(binom.sf(needed - 1, guesses, guess_accuracy(guesses, canaries, true, delta)))
