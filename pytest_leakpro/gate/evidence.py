"""Evidence: what an attack brings back, or what a user brings from any other tool.

Evidence can be audited as it is. Its repr shows sizes, never scores.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Evidence", "MembershipScores", "read_scores"]

SMALLEST_SIDE = 10


class Evidence:
    """Root of all evidence.

    Attributes
    ----------
    kind : str
        What a record calls it.
    noun : str
        What messages call it, in the plural.
    size_names : tuple of str
        What the two sizes count.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]
    size_names: ClassVar[tuple[str, str]]

    @property
    def sizes(self) -> tuple[int, int]:
        """Independent units of the attack, and of its control (0 where there is none)."""
        raise NotImplementedError

    @property
    def census(self) -> bool:
        """Whether nothing was drawn, so that what is read off it is exact."""
        return False

    @property
    def control_rate(self) -> float | None:
        """How often the attack succeeds where nothing leaks, in [0, 1]; None without a control."""
        return None

    def null_pass_chance(self, limit: float, error: float) -> float | None:  # noqa: ARG002
        """Give the chance that what leaks nothing passes, where sizes alone do not tell; else None.

        Parameters
        ----------
        limit : float
            The budget's.
        error : float
            One-sided, in (0, 1).
        """
        return None

    def summary(self) -> dict[str, Any]:
        """Give what a record holds of the evidence: plain data that reveals no unit's score."""
        return {"kind": self.kind, "curve": None}

    def per_unit(self) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Give one number per unit of each side, for paired comparisons; None where there is none.

        They are personal data: written only when asked for.
        """
        return None


@dataclass(frozen=True, repr=False, eq=False)
class MembershipScores(Evidence):
    """A score per member and per non-member: the higher, the more likely a member.

    Parameters
    ----------
    members : array_like of shape (m,)
        Scores of records (or persons) that were in the training data; finite, at least 10.
    nonmembers : array_like of shape (n,)
        Scores of records of the same distribution that were not; finite, at least 10.
    name : str, optional
        What the summary calls them.

    Attributes
    ----------
    named : bool
        Whether `name` was given: it is then part of the identity in a baseline.

    Raises
    ------
    LeakproError
        Where scores are missing, not finite, not one-dimensional or fewer than 10.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> MembershipScores(members=rng.normal(1, 1, 500), nonmembers=rng.normal(0, 1, 800))
    MembershipScores(members=500, nonmembers=800)
    """

    members: NDArray[Any]
    nonmembers: NDArray[Any]
    name: str
    named: bool
    kind: ClassVar[str] = "membership_scores"
    noun: ClassVar[str] = "scores"
    size_names: ClassVar[tuple[str, str]] = ("members", "nonmembers")

    def __init__(
        self, members: ArrayLike, nonmembers: ArrayLike, *, name: str | None = None
    ) -> None:
        object.__setattr__(self, "members", read_scores(members, "members"))
        object.__setattr__(self, "nonmembers", read_scores(nonmembers, "nonmembers"))
        object.__setattr__(self, "name", name or "membership scores")
        object.__setattr__(self, "named", name is not None)

    @classmethod
    def binormal(cls, m: int, n: int, shift: float, luck: float = 0.5) -> MembershipScores:
        """Give scores as they are typical of members N(shift, 1) and non-members N(0, 1).

        Parameters
        ----------
        m, n : int
            Number of members and of non-members.
        shift : float
            Of the members.
        luck : float
            The attacker's, in (0, 1): each member score lies at this quantile of its law, each
            non-member score at one minus it.
        """
        from pytest_leakpro.stats.order_statistics import normal_order

        members, nonmembers = normal_order(m, luck), normal_order(n, 1 - luck)
        return cls(members + shift, nonmembers, name="binormal")

    def __repr__(self) -> str:
        return f"MembershipScores(members={len(self.members)}, nonmembers={len(self.nonmembers)})"

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of members and of non-members."""
        return len(self.members), len(self.nonmembers)

    def summary(self) -> dict[str, Any]:
        """Give the ROC curve in at most 100 points, and a histogram; see `Evidence.summary`.

        Returns
        -------
        dict
            Of the curve, counts separated by spaces: non-members (x) and members (y) at or above
            each cut. Of the histogram the edges of its bins, and how many scores of each side are
            in each. As texts, since files of many measurements are read several times as fast.
        """
        from pytest_leakpro.stats.roc import decimate, score_histogram

        def points() -> dict[str, Any]:
            fpr, tpr = self.roc()
            chosen = decimate(fpr, 100)
            m, n = self.sizes
            x, y = (
                " ".join(map(str, (share[chosen] * size).round().astype(int)))
                for share, size in ((fpr, n), (tpr, m))
            )
            edges, *counts = score_histogram(self.members, self.nonmembers)
            return {
                "kind": self.kind,
                "curve": {"kind": "roc", "x": x, "y": y},
                "histogram": {
                    "edges": " ".join(f"{edge:.6g}" for edge in edges),
                    "members": " ".join(map(str, counts[0])),
                    "nonmembers": " ".join(map(str, counts[1])),
                },
            }

        found: dict[str, Any] = self._once("_summary", points)
        return found

    def per_unit(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give the scores themselves; see `Evidence.per_unit`."""
        return self.members, self.nonmembers

    def part(self, members: NDArray[Any], nonmembers: NDArray[Any]) -> MembershipScores:
        """Give the scores of some of the units, by a mask for each side.

        Raises
        ------
        LeakproError
            Where there is not one entry per score, or fewer than 10 are left.
        """
        if (len(members), len(nonmembers)) != self.sizes:
            raise LeakproError(
                f"there are {len(self.members):,} + {len(self.nonmembers):,} scores for "
                f"{len(members):,} + {len(nonmembers):,} records that are sliced: an attack must "
                "give one score per record, or person"
            )
        return MembershipScores(self.members[members], self.nonmembers[nonmembers], name=self.name)

    def members_above(self, rank: int) -> int:
        """Count the members strictly above the non-member score of a rank, from the largest."""
        cut = self._sorted("nonmembers")[-rank]
        return len(self.members) - int(self._sorted("members").searchsorted(cut, side="right"))

    def members_at_or_above(self, rank: int) -> int:
        """Count the members at or above the non-member score of a rank, from the largest."""
        cut = self._sorted("nonmembers")[-rank]
        return len(self.members) - int(self._sorted("members").searchsorted(cut, side="left"))

    def ties_broken(self) -> MembershipScores:
        """Rank all records, ties in random order: what an attacker does who guesses within a tie.

        The order within a tie follows from the sizes alone, so that the same scores give the same
        ranks. The ROC curve of the ranks is that of the scores, crossed linearly at every tie.
        """
        import numpy as np

        both = np.concatenate([self.members, self.nonmembers])
        if len(np.unique(both)) == len(both):
            return self
        lot = np.random.default_rng(len(both)).permutation(len(both))
        ranks = np.empty(len(both))
        ranks[np.lexsort((lot, both))] = np.arange(len(both))
        split = len(self.members)
        return MembershipScores(ranks[:split], ranks[split:], name=self.name)

    def roc(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give the vertices of the ROC curve; see `pytest_leakpro.stats.roc.roc_points`."""
        from pytest_leakpro.stats.roc import roc_points

        curve: tuple[NDArray[Any], NDArray[Any]] = self._once(
            "_roc", lambda: roc_points(self.members, self.nonmembers)
        )
        return curve

    def same_ranking(self, other: MembershipScores) -> bool:
        """Tell whether both order all records alike, ties included."""
        import numpy as np
        from scipy.stats import rankdata

        if self.sizes != other.sizes:
            return False
        mine, theirs = (
            rankdata(np.concatenate([scores.members, scores.nonmembers]), method="dense")
            for scores in (self, other)
        )
        return bool(np.array_equal(mine, theirs))

    def _sorted(self, side: str) -> NDArray[Any]:
        import numpy as np

        ordered: NDArray[Any] = self._once(f"_sorted_{side}", lambda: np.sort(getattr(self, side)))
        return ordered

    def _once(self, key: str, compute: Callable[[], Any]) -> Any:
        if key not in self.__dict__:
            self.__dict__[key] = compute()
        return self.__dict__[key]


def read_scores(values: ArrayLike, side: str) -> NDArray[Any]:
    """Check scores: finite numbers, one per unit, at least ten.

    Raises
    ------
    LeakproError
    """
    import numpy as np

    if values is None or isinstance(values, (str, bytes)):
        raise LeakproError(
            f"the scores of the {side} are {type(values).__name__}, not a sequence of numbers"
        )
    try:
        scores = np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise LeakproError(f"the scores of the {side} are not all numbers: {error}") from error
    if scores.ndim != 1:
        raise LeakproError(
            f"the scores of the {side} have shape {scores.shape}; one score per record is expected"
        )
    if len(scores) < SMALLEST_SIDE:
        raise LeakproError(
            f"there are {len(scores)} scores of {side}; "
            f"nothing can be said with fewer than {SMALLEST_SIDE}"
        )
    wrong = int(np.count_nonzero(~np.isfinite(scores)))
    if wrong:
        raise LeakproError(
            f"{wrong} of the {len(scores)} scores of {side} are NaN or infinite; "
            "find out which records the attack could not score, and score or leave out those"
        )
    scores.setflags(write=False)
    return scores
