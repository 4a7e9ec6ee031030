"""What exposures are made of, read and checked: ranks, sizes, losses, the law that is assumed.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import SMALLEST_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LEAST_AGREEMENT",
    "check_law",
    "read_bits",
    "read_count",
    "read_losses",
    "read_multiplicities",
    "read_ranks",
    "times_said",
]

LEAST_AGREEMENT = 0.1
"""From which p-value on a law is held to fit; as Carlini et al. (2019), section 4.4."""

_ASSUMPTIONS = ("skew-normal",)


def read_count(value: Any, what: str, least: int) -> int:
    """Read a whole number, which may be written 1e9.

    Raises
    ------
    LeakproError
        Where it is none, or below `least`.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        whole = isinstance(value, Real) and float(value).is_integer()
        count = int(value) if whole else operator.index(value)
    except (TypeError, OverflowError):
        count = -1
    if count < least:
        raise LeakproError(
            f"Exposures: {what} is how many texts there are: give a whole number of at least "
            f"{least:,}"
        )
    return count


def read_ranks(values: Any, candidates: int) -> NDArray[Any]:
    """Read the rank of each canary.

    Raises
    ------
    LeakproError
        Where ranks are fewer than ten, no halves, or outside 1 to `candidates`.
    """
    read = _sequence(values, "ranks")
    if len(read) < SMALLEST_SIDE:
        raise LeakproError(
            f"Exposures: ranks of {len(read)} canaries: nothing can be said with fewer than "
            f"{SMALLEST_SIDE}"
        )
    wrong = int((~((read >= 1) & (read <= float(candidates)) & ((2 * read) % 1 == 0))).sum())
    if wrong:
        raise LeakproError(
            f"Exposures: {wrong} of {len(read)} ranks are not among 1 to {candidates:,}, in halves "
            "where texts tie: candidates counts the canary too"
        )
    read.setflags(write=False)
    return read


def read_multiplicities(values: Any, n: int) -> NDArray[Any]:
    """Read how often each canary was inserted.

    Raises
    ------
    LeakproError
        Where these are no whole numbers of at least 0, not one for each, or all 0.
    """
    import numpy as np

    given = np.asarray(values)
    if given.dtype.kind not in "iu" or (given.size and given.min() < 0):
        raise LeakproError(
            "Exposures: multiplicities says how often each canary was inserted: give whole numbers "
            "of at least 0"
        )
    if given.ndim and given.shape != (n,):
        raise LeakproError(
            f"Exposures: multiplicities has shape {given.shape} for {n} canaries: give one number "
            "for each, or one for all"
        )
    often = np.broadcast_to(given, (n,)).astype(int)
    if not often.any():
        raise LeakproError(
            "Exposures: no canary was inserted, so nothing can have been learned of any"
        )
    often.setflags(write=False)
    return often


def read_bits(values: Any, n: int, space: int) -> NDArray[Any]:
    """Read extrapolated exposures.

    Raises
    ------
    LeakproError
        Where there is not one for each canary, or one lies outside 0 to log2 of the space.
    """
    read = _sequence(values, "extrapolated")
    most = math.log2(space)
    if len(read) != n:
        raise LeakproError(
            f"Exposures: {len(read)} extrapolated exposures of {n} canaries: give one for each"
        )
    wrong = int((~((read >= 0) & (read <= most * (1 + 1e-9)))).sum())
    if wrong:
        raise LeakproError(
            f"Exposures: {wrong} of {n} extrapolated exposures are not among 0 to {most:.4g} bits, "
            "log2 of the space"
        )
    read.setflags(write=False)
    return read


def read_losses(values: Any, what: str, axes: tuple[int, ...]) -> NDArray[Any]:
    """Read losses of texts.

    Raises
    ------
    LeakproError
        Where they are no finite numbers, or have another number of axes than one of `axes`.
    """
    import numpy as np

    read = _numbers(values, f"the losses of the {what}")
    if read.ndim not in axes or read.shape[-1] == 0:
        raise LeakproError(
            f"Exposures: the losses of the {what} have shape {read.shape}: give one for each text"
        )
    wrong = int(np.count_nonzero(~np.isfinite(read)))
    if wrong:
        raise LeakproError(
            f"Exposures: {wrong} of {read.size} losses of the {what} are NaN or infinite: find out "
            "which texts the model could not score"
        )
    return read


def check_law(agreement: Any, assume: Any, *, fitted: bool) -> None:
    """Check that a law that is assumed was fitted, and fits.

    Raises
    ------
    LeakproError
    """
    number = isinstance(agreement, (int, float)) and not isinstance(agreement, bool)
    if agreement is not None and not (number and 0 <= agreement <= 1):
        raise LeakproError("Exposures: agreement is a p-value: give a number from 0 to 1")
    if assume is None:
        return
    if assume not in _ASSUMPTIONS:
        raise LeakproError(f"Exposures: assume is {assume!r}: give 'skew-normal', or nothing")
    if not fitted:
        raise LeakproError(
            "Exposures: assume='skew-normal', but no law was fitted: give space= and losses that "
            "are not all equal to Exposures.from_losses, or extrapolated="
        )
    if agreement is not None and agreement < LEAST_AGREEMENT:
        raise LeakproError(
            "Exposures: assume='skew-normal', but the losses of the candidates do not follow that "
            f"law (Kolmogorov-Smirnov p = {agreement:.2g}, below {LEAST_AGREEMENT}): leave assume= "
            "out and rank among more candidates"
        )


def times_said(times: int) -> str:
    """Write how often: ``"once"``, ``"16 times"``."""
    return {0: "not at all", 1: "once"}.get(times, f"{times} times")


def _sequence(values: Any, what: str) -> NDArray[Any]:
    read = _numbers(values, what)
    if read.ndim != 1:
        raise LeakproError(f"Exposures: {what} has shape {read.shape}: give one for each canary")
    return read


def _numbers(values: Any, what: str) -> NDArray[Any]:
    import numpy as np

    try:
        if values is None or isinstance(values, (str, bytes)):
            raise TypeError
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise LeakproError(f"Exposures: {what} are not all numbers") from None
