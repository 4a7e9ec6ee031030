"""Canary scores: a score per canary, and whether it was inserted, which the auditor drew.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import SMALLEST_SIDE, Evidence, read_scores

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pytest_leakpro.stats.gaussian_audit import Halves

__all__ = ["ASSUMPTIONS", "POWER", "CanaryScores"]

ASSUMPTIONS = ("gaussian",)
POWER = 0.8
"""With which twice the limit must be refuted, for what is not refuted to pass."""
_CHANCE = 1e-6
_NOTHING = "nothing but the tosses"
_INDEPENDENT = "canaries that do not influence each other"
_GAUSSIAN = "a Gaussian mechanism and independent canaries"
_ERROR = 0.025
_MOST_TIED = 0.5


@dataclass(frozen=True, repr=False, eq=False)
class CanaryScores(Evidence):
    """A score per canary, each of which was inserted in the training data by the toss of a coin.

    Parameters
    ----------
    scores : array_like of shape (n,)
        The higher, the more likely inserted; finite, of at least 10 canaries.
    included : array_like of bool, shape (n,)
        Which were inserted: each with probability 1/2, independently of all else. Whoever gives
        this vouches for it: nothing else does the bound rest on.
    delta : float
        With which epsilon is asked for, in [0, 1).
    assume : {"gaussian"}, optional
        What may be taken for granted: that the training is a Gaussian mechanism and that canaries
        do not influence each other's scores.
    name : str, optional
        What the summary calls them.

    Attributes
    ----------
    named : bool
        Whether `name` was given: it is then part of the identity in a baseline.

    Raises
    ------
    LeakproError
        Where scores and inclusion do not fit, all or none were inserted, or far from half of them;
        or a Gaussian mechanism is assumed of scores that none gives.

    References
    ----------
    Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1) training run, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> included = rng.random(1000) < 0.5
    >>> CanaryScores(rng.normal(size=1000) + included, included, delta=1e-5)
    CanaryScores(1000, delta=1e-05)
    """

    scores: NDArray[Any]
    included: NDArray[Any]
    delta: float
    assume: str | None
    name: str
    named: bool
    kind: ClassVar[str] = "canary_scores"
    noun: ClassVar[str] = "canary scores"
    size_names: ClassVar[tuple[str, str]] = ("included", "excluded")

    def __init__(
        self,
        scores: ArrayLike,
        included: ArrayLike,
        *,
        delta: float,
        assume: str | None = None,
        name: str | None = None,
    ) -> None:
        read = read_scores(scores, "canaries")
        chosen = _included(included, len(read))
        _check_delta(delta)
        if assume is not None and assume not in ASSUMPTIONS:
            raise LeakproError(f"CanaryScores: assume is {assume!r}: give 'gaussian', or nothing")
        if assume == "gaussian":
            _check_gaussian(read, delta)
        object.__setattr__(self, "scores", read)
        object.__setattr__(self, "included", chosen)
        object.__setattr__(self, "delta", float(delta))
        object.__setattr__(self, "assume", assume)
        object.__setattr__(self, "name", name or "canary scores")
        object.__setattr__(self, "named", name is not None)

    def __repr__(self) -> str:
        assumed = f", assume={self.assume!r}" if self.assume else ""
        return f"CanaryScores({len(self.scores)}, delta={self.delta:g}{assumed})"

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of canaries that were inserted, and that were not."""
        inside = int(self.included.sum())
        return inside, len(self.included) - inside

    @property
    def assumes(self) -> str:
        """What the bound rests on, for records and messages."""
        if self.assume == "gaussian":
            return f"assumes {_GAUSSIAN}"
        return f"one run, assumes {_NOTHING}"

    def right_guesses(self, guesses: int) -> int:
        """Count right guesses: the highest scores are called inserted, the lowest not.

        Parameters
        ----------
        guesses : int
            How many, half of either; even.
        """
        import numpy as np

        # Ties are broken by lot, which follows from the number alone.
        lot = np.random.default_rng(len(self.scores)).permutation(len(self.scores))
        order = np.lexsort((lot, self.scores))
        half = guesses // 2
        called_in = self.included[order[len(order) - half :]].sum()
        called_out = (~self.included[order[:half]]).sum()
        return int(called_in + called_out)

    def has_power(self, limit: float, error: float) -> bool:
        """Tell whether a Gaussian mechanism with twice this epsilon would mostly be refuted.

        Parameters
        ----------
        limit : float
            The epsilon that is to be refuted.
        error : float
            One-sided, in (0, 1).
        """
        if self.assume == "gaussian":
            from pytest_leakpro.stats.gaussian_audit import gaussian_power

            found = gaussian_power(*self.sizes, limit, 2 * limit, self.delta, error)
        else:
            from pytest_leakpro.stats.one_run import power

            found = power(len(self.scores), limit, 2 * limit, self.delta, error)
        return found >= POWER

    def null_pass_chance(self, limit: float, error: float) -> float:
        """Give 1 less the error where there is power, else 0; see `Evidence.null_pass_chance`."""
        return 1 - error if self.has_power(limit, error) else 0.0

    def summary(self) -> dict[str, Any]:
        """Give what the bound rests on; see `Evidence.summary`."""
        return {
            "kind": self.kind,
            "delta": self.delta,
            "assumes": self.assumes,
            "bounds": self.bounds(),
            "curve": None,
        }

    def halves(self) -> Halves:
        """Count above a cut that was chosen on one half, on the other half."""
        from pytest_leakpro.stats.gaussian_audit import split_counts

        inside = self.scores[self.included]
        return split_counts(inside, self.scores[~self.included], len(self.scores))

    def bounds(self) -> list[dict[str, Any]]:
        """Give the lower bounds that each method reaches, and what it assumes.

        Returns
        -------
        list of dict
            ``method``, ``low`` (a lower bound at an error of 2.5 %), ``assumes``, and ``decides``:
            whether verdicts rest on it. As many guesses are made as refute an epsilon of 1 best;
            those of a verdict follow from its limit. For comparison: which of them is the largest
            was seen before it could be chosen, so that the largest is none.
        """
        from pytest_leakpro.stats.gaussian_audit import gaussian_lower
        from pytest_leakpro.stats.one_run import guesses_for, lower_epsilon, lower_one_run
        from pytest_leakpro.stats.threshold_audit import threshold_lower

        n, delta = len(self.scores), self.delta
        guesses = guesses_for(n, 1.0, 2.0, delta)
        right = self.right_guesses(guesses)
        halves = self.halves()
        found = [
            ("one run (Steinke et al. 2023)", _NOTHING, delta == 0 and self.assume is None,
             lower_one_run(right, guesses, n, delta, _ERROR)),
            ("one run, f-DP (Mahloujifar et al. 2024)", _NOTHING, delta > 0 and self.assume is None,
             lower_epsilon(right, guesses, n, delta, _ERROR)),
            ("both error rates (Clopper and Pearson)", _INDEPENDENT, False,
             threshold_lower(halves, delta, _ERROR)),
        ]  # fmt: skip
        if delta > 0:
            found.append(
                ("mu-GDP (Nasr et al. 2023)", _GAUSSIAN, self.assume == "gaussian",
                 gaussian_lower(halves, delta, _ERROR))
            )  # fmt: skip
        return [
            {"method": method, "low": low, "assumes": assumes, "decides": decides}
            for method, assumes, decides, low in found
        ]


def _included(values: Any, n: int) -> NDArray[Any]:
    import numpy as np
    from scipy.stats import binomtest

    read = np.asarray(values)
    if read.dtype != bool and not (read.dtype.kind in "iu" and np.isin(read, (0, 1)).all()):
        raise LeakproError(
            "CanaryScores: included says of each canary whether it was inserted: give True or False"
        )
    if read.shape != (n,):
        raise LeakproError(
            f"CanaryScores: included has shape {read.shape} for {n} scores: give one entry each"
        )
    chosen = read.astype(bool)
    count = int(chosen.sum())
    if count in (0, n):
        which = "none" if count == 0 else "all"
        raise LeakproError(
            f"CanaryScores: {which} of the canaries were included, so nothing tells them apart: "
            "each is inserted with probability 1/2"
        )
    if binomtest(count, n).pvalue < _CHANCE:
        raise LeakproError(
            f"CanaryScores: {count:,} of {n:,} canaries were included, which no fair coin gives: "
            "each is inserted with probability 1/2, independently"
        )
    chosen.setflags(write=False)
    return chosen


def _check_delta(delta: Any) -> None:
    number = isinstance(delta, (int, float)) and not isinstance(delta, bool)
    if not number or not math.isfinite(delta) or not 0 <= delta < 1:
        raise LeakproError("CanaryScores: delta is a number of at least 0 and below 1, as 1e-5")


def _check_gaussian(scores: NDArray[Any], delta: float) -> None:
    import numpy as np

    if delta == 0:
        raise LeakproError(
            "CanaryScores: a Gaussian mechanism has no epsilon at delta = 0: give a delta above 0"
        )
    counts = np.unique(scores, return_counts=True)[1]
    if len(scores) >= SMALLEST_SIDE and counts.max() > _MOST_TIED * len(scores) / 10:
        raise LeakproError(
            f"CanaryScores: assume='gaussian', but {counts.max():,} of {len(scores):,} scores are "
            "equal, which no Gaussian mechanism gives (randomised response does): leave assume= out"
        )
