"""A mechanism's claim of differential privacy, as a test.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hypothesis import currently_in_test_context, settings
from hypothesis.strategies import SearchStrategy

from pytest_leakpro.gate.errors import LeakageError, LeakproError, warn
from pytest_leakpro.mechanisms.events import Claim
from pytest_leakpro.mechanisms.examining import Examiner
from pytest_leakpro.mechanisms.exploring import explored
from pytest_leakpro.mechanisms.pairs import as_pair, checked_relation, written
from pytest_leakpro.mechanisms.sampling import Mechanism
from pytest_leakpro.stats.seeding import derive_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.mechanisms.examining import Refutation
    from pytest_leakpro.mechanisms.pairs import Relation

__all__ = ["assert_dp"]

_FEWEST_SAMPLES = 1_000


def assert_dp(
    mechanism: Callable[..., Any],
    epsilon: float,
    delta: float = 0.0,
    *,
    neighbours: SearchStrategy[Any] | tuple[Any, Any],
    relation: Relation | Callable[[Any, Any], bool] | None = None,
    vectorised: bool = False,
    samples: int = 100_000,
    max_examples: int = 100,
    alpha: float = 0.05,
    seed: int = 0,
) -> None:
    """Test that a mechanism is (epsilon, delta)-differentially private on neighbouring data.

    Hypothesis draws pairs of data sets. For each the mechanism is called a few hundred times on
    either; where an event looks as if it were likelier than the claim allows, it is called more
    often, the event is chosen anew, and tested by an exact test on fresh outputs. The k-th test
    made spends 6/(pi k)^2 of half of alpha; the other half is spent likewise on shrinking, to the
    smallest pair for which the claim can still be refuted, on fresh outputs again. Where nothing is
    found, nothing is proved: no event that was looked at refuted the claim.

    Parameters
    ----------
    mechanism : callable
        ``f(data) -> output``: a number, text, array, or a tuple, list or dictionary of them. Its
        randomness is the global one of numpy or random, which are seeded for its calls and put
        back afterwards, or that of an argument ``rng`` (a `numpy.random.Generator`) if it has
        one; with any other it works too, but runs differ.
    epsilon : float
        What is claimed, in [0, infinity).
    delta : float
        Likewise, in [0, 1).
    neighbours : SearchStrategy or tuple
        Draws pairs ``(data, neighbour)``, as `pytest_leakpro.strategies.tables` and
        `~pytest_leakpro.strategies.arrays` do; or one pair. The pair is part of the message, so
        let it be made up, not taken from people. Within a test of Hypothesis (``@given``) every
        call has its share of `alpha`, one part in that test's ``max_examples``.
    relation : {"add/remove", "replace"} or callable, optional
        What is checked of every pair; a callable is ``(data, neighbour) -> bool``. Pairs of this
        package's own strategies are checked without.
    vectorised : bool
        Whether the mechanism takes ``size=n`` and returns n independent outputs along its first
        axis: faster by far.
    samples : int
        The most outputs drawn per data set and pair, at least 1,000: half of them to choose an
        event, half of them to test it.
    max_examples : int
        How many pairs are drawn until one is found, at least 1.
    alpha : float
        The chance that a private mechanism fails, in (0, 0.5).
    seed : int
        Of all that is drawn, at least 0.

    Returns
    -------
    None

    Raises
    ------
    LeakageError
        If the claim is refuted: with the pair, the event, how often it was seen, and a lower bound
        on epsilon. Its ``audit`` is None. Also where the mechanism is deterministic and its outputs
        differ.
    LeakproError
        If the mechanism gave one and the same output for all pairs, raises, remembers earlier
        calls, changes the data, or returns arrays of changing shape for one data set; if what is
        drawn is no pair of neighbours; for an argument out of range.

    Warns
    -----
    PytestLeakproWarning
        If the low bits of floating-point outputs tell the data sets apart (Mironov 2012); it
        decides nothing.

    References
    ----------
    Ding, Wang, Wang, Zhang and Kifer (2018), Detecting violations of differential privacy, ACM CCS.
    Bichsel, Steffen, Bogunovic and Vechev (2021), DP-Sniper: black-box discovery of differential
    privacy violations using classifiers, IEEE S&P.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_leakpro import assert_dp
    >>> from pytest_leakpro.strategies import arrays
    >>> def noisy_count(data, rng):
    ...     return round(len(data) + rng.laplace(scale=2.0))
    >>> assert_dp(noisy_count, epsilon=0.6, neighbours=arrays([0, 1]), max_examples=5)
    """
    __tracebackhide__ = True
    _check(epsilon, delta, samples, max_examples, alpha, seed)
    if relation is not None and not callable(relation):
        checked_relation(relation)
    if currently_in_test_context():
        running = settings.default
        assert running is not None
        alpha /= running.max_examples
    examiner = Examiner(
        Mechanism.of(mechanism, vectorised=vectorised),
        Claim(float(epsilon), float(delta)),
        int(samples),
        alpha,
        seed,
    )
    if isinstance(neighbours, SearchStrategy):
        number = derive_number(seed, "neighbours")
        refutation = explored(examiner, neighbours, relation, max_examples, number)
    else:
        refutation = examiner.examine(as_pair(neighbours, relation))
    if examiner.low_bits is not None:
        warn(
            f"{examiner.mechanism.name}: {examiner.low_bits}. Floating-point noise does not hide "
            "the last bits of an answer (Mironov 2012): round what is released, or add whole "
            "numbers of noise; this decides nothing here"
        )
    if refutation is not None:
        raise LeakageError(_message(refutation, examiner))
    if not examiner.telling:
        raise LeakproError(
            f"{examiner.mechanism.name} gave one and the same output in all "
            f"{examiner.calls:,} calls on {examiner.pairs:,} pairs of data sets, or the two of a "
            "pair were equal, so nothing was tested: does it seed its noise itself, or are the "
            "data too small for it?"
        )


def _check(
    epsilon: float, delta: float, samples: int, max_examples: int, alpha: float, seed: int
) -> None:
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise LeakproError(f"epsilon is {epsilon}; it must be a number of at least 0")
    if not 0 <= delta < 1:
        raise LeakproError(f"delta is {delta}; it must be in [0, 1): with 1 anything is private")
    if not 0 < alpha < 0.5:
        raise LeakproError(f"alpha is {alpha}; it must be in (0, 0.5)")
    if samples < _FEWEST_SAMPLES:
        raise LeakproError(f"samples is {samples}; it must be at least {_FEWEST_SAMPLES:,}")
    if max_examples < 1 or seed < 0:
        raise LeakproError(
            f"max_examples is {max_examples} and seed {seed}; they must be at least 1 and 0"
        )


def _message(found: Refutation, examiner: Examiner) -> str:
    claim = examiner.claim
    sides = ("neighbour", "data") if found.swapped else ("data", "neighbour")
    counts = [f"{count:,} of {found.trials:,}" for count in found.counts]
    limit = f"e^{claim.epsilon:g} of that" + (f" + {claim.delta:g}" if claim.delta else "")
    promise = f"({claim.epsilon:g}, {claim.delta:g})-differentially private"
    lines = [
        f"{examiner.mechanism.name} is not {promise}",
        _line("claimed", f"epsilon = {claim.epsilon:g}, delta = {claim.delta:g}"),
        _line(
            "measured",
            f"epsilon at least {math.floor(found.low * 100) / 100:.2f} at that delta, at an error "
            f"of {100 * found.error:.2g}%",
        ),
        _line("event", found.event),
        _line("counts", f"{counts[0]} outputs of the {sides[0]}, {counts[1]} of the {sides[1]};"),
        _line("", f"allowed is {limit}; none of these chose the event"),
        _line("data", written(found.pair[0])),
        _line("neighbour", written(found.pair[1])),
    ]
    if found.constant:
        lines.append(_line("note", "each gave the same output always: it is deterministic"))
    lines.append(
        _line(
            "searched",
            f"{examiner.pairs:,} pairs, {examiner.calls:,} calls of the "
            f"mechanism; seed {examiner.seed}",
        )
    )
    return "\n".join(lines)


def _line(name: str, text: str) -> str:
    return f"  {name:<9} {text}"
