"""Exposures: the rank of each canary among other texts of its kind.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.evidence import SMALLEST_SIDE, Evidence
from pytest_leakpro.gate.exposure_input import (
    check_law,
    read_bits,
    read_count,
    read_losses,
    read_multiplicities,
    read_ranks,
    times_said,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SPENT", "Exposures"]

SPENT = 0.1
"""Share of the error that is spent on where ranks in the space lie, of candidates that were drawn.

What is left bounds the mean: too little matters more there, since the other grows with its log."""
_RUNS = 400
_DRAWS = 400_000  # of canaries, in all runs together


@dataclass(frozen=True, repr=False, eq=False)
class Exposures(Evidence):
    """The rank of each canary among texts of its kind, by how likely a model finds them.

    Parameters
    ----------
    ranks : array_like of shape (n,)
        From 1, the likeliest, to `candidates`; a text that is as likely counts half. Of at least
        10 canaries.
    candidates : int
        How many texts were ranked: the canary, and others of its kind that were not inserted; at
        least 2.
    space : int, optional
        How many texts of the kind there are. The candidates by default: all were ranked, or
        nothing is asked of others.
    multiplicities : int or array_like of int of shape (n,)
        How often each canary was inserted: 1 by default, 0 for those that were not.
    extrapolated : array_like of shape (n,), optional
        Exposures in bits as a law of the losses has them, from 0 to log2(space).
    agreement : float, optional
        How well that law fits: a p-value in [0, 1].
    assume : {"skew-normal"}, optional
        That the losses follow the law: then `extrapolated` decides.
    name : str, optional
        What the summary calls them.

    Attributes
    ----------
    times : int
        What is read off are those inserted so often: once, if any were; see `inserted`.
    named : bool
        Whether `name` was given: it is then part of the identity in a baseline.

    Raises
    ------
    LeakproError
        Where ranks lie outside the candidates, sizes do not fit, or a law is assumed that was not
        fitted or does not fit.

    Notes
    -----
    Of candidates that are a sample of the space, ranks bound the exposures in the space. Canaries
    are drawn alike and are the independent units: the mean is over canaries like these that are
    inserted as often in this training.

    References
    ----------
    Carlini et al. (2019), The Secret Sharer: evaluating and testing unintended memorization in
    neural networks, USENIX Security.

    Examples
    --------
    >>> Exposures(ranks=[1, 1, 1, 2, 1, 1, 8, 1, 3, 1], candidates=1024)
    Exposures(10, candidates=1024)
    """

    ranks: NDArray[Any]
    candidates: int
    space: int
    multiplicities: NDArray[Any]
    extrapolated: NDArray[Any] | None
    agreement: float | None
    assume: str | None
    times: int
    name: str
    named: bool
    kind: ClassVar[str] = "exposures"
    noun: ClassVar[str] = "exposures"
    size_names: ClassVar[tuple[str, str]] = ("canaries", "control_canaries")

    def __init__(
        self,
        ranks: ArrayLike,
        candidates: int,
        *,
        space: int | None = None,
        multiplicities: ArrayLike = 1,
        extrapolated: ArrayLike | None = None,
        agreement: float | None = None,
        assume: str | None = None,
        name: str | None = None,
    ) -> None:
        n_candidates = read_count(candidates, "candidates", 2)
        n_space = n_candidates if space is None else read_count(space, "space", n_candidates)
        read = read_ranks(ranks, n_candidates)
        often = read_multiplicities(multiplicities, len(read))
        bits = None if extrapolated is None else read_bits(extrapolated, len(read), n_space)
        check_law(agreement, assume, fitted=bits is not None)
        object.__setattr__(self, "ranks", read)
        object.__setattr__(self, "candidates", n_candidates)
        object.__setattr__(self, "space", n_space)
        object.__setattr__(self, "multiplicities", often)
        object.__setattr__(self, "extrapolated", bits)
        object.__setattr__(self, "agreement", None if agreement is None else float(agreement))
        object.__setattr__(self, "assume", assume)
        object.__setattr__(self, "times", int(often[often > 0].min()))
        object.__setattr__(self, "name", name or "exposures")
        object.__setattr__(self, "named", name is not None)

    @classmethod
    def from_losses(
        cls,
        canaries: ArrayLike,
        candidates: ArrayLike,
        *,
        space: int | None = None,
        multiplicities: ArrayLike = 1,
        assume: str | None = None,
        name: str | None = None,
    ) -> Exposures:
        """Rank canaries by what a model's loss on them is, beside that on candidates.

        Parameters
        ----------
        canaries : array_like of shape (n,)
            The smaller, the likelier: a loss, a perplexity or its log; finite.
        candidates : array_like of shape (c,) or (n, c)
            Of texts of the same kind that are no canaries: the same for all canaries, or c for
            each. Logs of probabilities of whole texts fit a skew-normal law best.
        space : int, optional
            How many texts of the kind there are, at least c + 1, of which the candidates were
            drawn; these and one canary by default.
        multiplicities, assume, name
            As for `Exposures`.

        Returns
        -------
        Exposures
            With extrapolated exposures where `space` is given and the losses are not all equal.

        Raises
        ------
        LeakproError
            As `Exposures`, and where losses are not finite numbers.

        Examples
        --------
        >>> import numpy as np
        >>> losses = np.random.default_rng(0).normal(size=1020)
        >>> Exposures.from_losses(losses[:20], losses[20:], space=10**9)
        Exposures(20, candidates=1001, space=1000000000)
        """
        from pytest_leakpro.stats.exposure import extrapolated_exposure, losses_ranked

        own = read_losses(canaries, "canaries", (1,))
        others = read_losses(candidates, "candidates", (1, 2))
        if others.ndim == 2 and len(others) != len(own):
            raise LeakproError(
                f"Exposures: candidates of {len(others):,} canaries for {len(own):,}: give a row "
                "of losses for each, or one sequence for all"
            )
        count = others.shape[-1] + 1
        found = None
        if space is not None:
            space = read_count(space, "space", count)
            found = extrapolated_exposure(own, others, space)
        bits, agreement = (None, None) if found is None else found
        return cls(
            losses_ranked(own, others),
            count,
            space=space,
            multiplicities=multiplicities,
            extrapolated=bits,
            agreement=agreement,
            assume=assume,
            name=name,
        )

    def __repr__(self) -> str:
        shown = f"{len(self.ranks)}, candidates={self.candidates}"
        if self.space > self.candidates:
            shown += f", space={self.space}"
        if self.assume:
            shown += f", assume={self.assume!r}"
        return f"Exposures({shown})"

    def inserted(self, times: int) -> Exposures:
        """Give the same exposures, to be read off those canaries that were inserted so often.

        Parameters
        ----------
        times : int
            At least 1.

        Raises
        ------
        LeakproError
            Where fewer than ten were.
        """
        if times == self.times and self.sizes[0] >= SMALLEST_SIDE:
            return self
        count = int((self.multiplicities == times).sum())
        if count < SMALLEST_SIDE:
            known = sorted({int(entry) for entry in self.multiplicities} - {0})
            raise LeakproError(
                f"there are {count} canaries that were inserted {times_said(times)}, and nothing "
                f"can be said with fewer than {SMALLEST_SIDE}; these were inserted "
                f"{', '.join(map(times_said, known))}: of those inserted 16 times ask for "
                "exposure[x=16]"
            )
        other = copy(self)
        object.__setattr__(other, "times", times)
        return other

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of canaries that are read off, and 0: the candidates are the control."""
        return int((self.multiplicities == self.times).sum()), 0

    @property
    def most(self) -> float:
        """The largest exposure that there can be, in bits: log2 of the space."""
        return math.log2(self.space)

    @property
    def sampled(self) -> bool:
        """Whether ranks are among a sample of the space only."""
        return self.space > self.candidates and self.assume is None

    def bits(self, times: int | None = None) -> NDArray[Any]:
        """Give the exposure of each canary that was inserted so often.

        Parameters
        ----------
        times : int, optional
            `times` of these exposures by default.

        Returns
        -------
        ndarray
            In bits: by rank among the candidates, or extrapolated where that is assumed.
        """
        from pytest_leakpro.stats.exposure import rank_exposure

        chosen = self.multiplicities == (self.times if times is None else times)
        if self.assume is not None:
            assert self.extrapolated is not None
            found: NDArray[Any] = self.extrapolated[chosen]
            return found
        return rank_exposure(self.ranks[chosen], self.candidates)

    def between(self, error: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """Bound the exposures in the space of the canaries that are read off.

        Parameters
        ----------
        error : float
            The chance, in (0, 1), that any bound of a side is wrong; of no matter where all texts
            were ranked.

        Returns
        -------
        tuple of ndarray
            Smallest and largest, in bits.
        """
        if not self.sampled:
            exact = self.bits()
            return exact, exact
        from pytest_leakpro.stats.exposure import exposure_between

        chosen = self.ranks[self.multiplicities == self.times]
        return exposure_between(chosen, self.candidates, self.space, error / len(chosen))

    def null_pass_chance(self, limit: float, error: float) -> float:
        """Simulate uniform ranks among as many candidates; see `Evidence.null_pass_chance`."""
        import numpy as np

        from pytest_leakpro.stats.exposure import exposure_between, rank_exposure
        from pytest_leakpro.stats.mean_bets import bet_p_value
        from pytest_leakpro.stats.seeding import derive_rng

        if limit >= self.most:
            return 1.0
        size = self.sizes[0]
        rng = derive_rng(0, "exposures without leakage", str(size), str(self.candidates))
        drawn = max(50, min(_RUNS, _DRAWS // size)), size
        spent = 0.0
        # More candidates than a generator of whole numbers counts to are possible.
        ranks = np.maximum(1.0, np.ceil(rng.random(drawn) * float(self.candidates)))
        if self.assume is not None:
            highs = np.minimum(-np.log2(1 - rng.random(drawn)), self.most)
        elif self.sampled:
            spent = SPENT * error
            each = spent / size
            highs = exposure_between(ranks.ravel(), self.candidates, self.space, each)[1]
            highs = highs.reshape(drawn)
        else:
            highs = rank_exposure(ranks, self.candidates)
        room = self.most - limit
        passed = [bet_p_value(self.most - run, room) <= error - spent for run in highs]
        return float(np.mean(passed))

    @property
    def assumes(self) -> str:
        """What the bound rests on, for records and messages."""
        if self.assume is not None:
            return "assumes that losses follow a skew-normal law"
        return "by rank, assumes no law of losses"

    def summary(self) -> dict[str, Any]:
        """Count the canaries by whole bits of exposure; see `Evidence.summary`."""
        import numpy as np

        counts = np.bincount(np.floor(self.bits()).astype(int))
        return {
            "kind": self.kind,
            "candidates": self.candidates,
            "most_bits": self.most,
            "times": self.times,
            "assumes": self.assumes,
            "curve": {
                "kind": "ranks",
                "x": " ".join(map(str, range(len(counts)))),
                "y": " ".join(map(str, counts)),
            },
        }
