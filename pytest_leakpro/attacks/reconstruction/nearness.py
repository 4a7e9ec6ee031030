"""Whether what was rebuilt is a training record, or only looks like one.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.reconstruction.record_space import RecordSpace, nearest_distances
from pytest_leakpro.gate.criterion import NEAR
from pytest_leakpro.gate.reconstructions import Reconstructions
from pytest_leakpro.targets.containers import row_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["Attempts", "judge", "side_by_side"]

_FAR = 1e12
_NEUTRAL = 1.0
_SHOWN = 32


@dataclass(frozen=True, repr=False, eq=False)
class Attempts:
    """What an attack rebuilt.

    Attributes
    ----------
    records : ndarray of shape (n, d)
        One record per attempt, in the numbers of `RecordSpace`, not scaled.
    attempted : ndarray of int or None
        Of attacks on given records, which member each attempt is to rebuild, each of them once;
        None where an attempt may rebuild any.
    decoys : ndarray of int or None
        As many non-members, drawn without replacement: the controls of attacks on given records.
    controls : ndarray of shape (n, d) or None
        What the same attack rebuilds of the decoys; None where it is judged by `records` whether
        they are nearer to the decoys.
    notes : tuple of str
        For the user.
    """

    records: NDArray[Any]
    attempted: NDArray[np.intp] | None = None
    decoys: NDArray[np.intp] | None = None
    controls: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.records)


def judge(
    view: MembershipView, attempts: Attempts, rng: np.random.Generator, name: str
) -> Reconstructions:
    """Measure how near each attempt is to a training record, relative to other records.

    Parameters
    ----------
    view : MembershipView
        With the truth.
    attempts : Attempts
        What was rebuilt.
    rng : numpy.random.Generator
        Draws the records of the larger side that are left out.
    name : str
        The attack's.

    Returns
    -------
    Reconstructions
        With one batch per attempt. Quality ``near`` of an attempt at any record: distance to the
        nearest member over the distance to the nearest of as many non-members, and as its baseline
        the inverse. Of attempts next to the same record only the nearest counts, the others are
        neither near to a member nor to a non-member: what an attack that knows nothing says again
        and again is right or wrong but once. Of an attempt at a given record: distance to that
        record over the distance to the nearest non-member; its baseline is the same of a decoy,
        with the given record in its place.

    Notes
    -----
    Where the model tells nothing of its members, these and the non-members are exchangeable given
    what was rebuilt. So the difference of both shares has no positive mean, nor has its product
    over records that are drawn without replacement: the lower bound holds, however much the
    attempts depend on each other.
    """
    space = RecordSpace.of(view)
    if attempts.attempted is None:
        near, baseline = _at_any(space, attempts, rng)
    else:
        near, baseline = _at_given(space, attempts)
    order = np.arange(len(attempts))
    return Reconstructions({NEAR: near}, {NEAR: baseline}, order, name=name)


def side_by_side(
    view: MembershipView, attempts: Attempts, evidence: Reconstructions
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Give of images the members next to which the best attempts come, and these attempts.

    Parameters
    ----------
    view : MembershipView
        With the truth.
    attempts : Attempts
        What was rebuilt.
    evidence : Reconstructions
        How near that is.

    Returns
    -------
    members, rebuilt : ndarray of shape (k, h, w) or with channels
        The nearest first; None where records are no images.
    """
    shape = row_shape(view.records("members").inputs) or ()
    if len(shape) not in (2, 3):
        return None
    best = np.argsort(evidence.quality[NEAR], kind="stable")[:_SHOWN]
    space = RecordSpace.of(view)
    rebuilt = np.asarray(attempts.records[best], dtype=np.float64)
    if attempts.attempted is None:
        places = nearest_distances(space.scaled(rebuilt), space.scaled(space.members))[1]
    else:
        places = attempts.attempted[best]
    return space.members[places].reshape(-1, *shape), rebuilt.reshape(-1, *shape)


def _at_any(
    space: RecordSpace, attempts: Attempts, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    size = min(len(space.members), len(space.nonmembers))
    sides = [
        space.scaled(side if len(side) == size else side[rng.permutation(len(side))[:size]])
        for side in (space.members, space.nonmembers)
    ]
    points = space.scaled(attempts.records)
    (member, at_member), (other, at_other) = (nearest_distances(points, side) for side in sides)
    near, baseline = _ratio(member, other), _ratio(other, member)
    # The nearest attempt of each record stands; both sides alike.
    hit = np.where(member <= other, at_member, size + at_other)
    distance = np.minimum(near, baseline)
    first = np.zeros(len(points), dtype=bool)
    order = np.lexsort((distance, hit))
    first[order[np.r_[True, hit[order][1:] != hit[order][:-1]]]] = True
    return np.where(first, near, _NEUTRAL), np.where(first, baseline, _NEUTRAL)


def _at_given(
    space: RecordSpace, attempts: Attempts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    assert attempts.attempted is not None
    assert attempts.decoys is not None
    members, nonmembers = space.scaled(space.members), space.scaled(space.nonmembers)
    truth, decoys = members[attempts.attempted], nonmembers[attempts.decoys]
    points = space.scaled(attempts.records)
    controls = points if attempts.controls is None else space.scaled(attempts.controls)
    own = np.linalg.norm(points - truth, axis=1)
    near = _ratio(own, nearest_distances(points, nonmembers)[0])
    others = np.empty(len(points))
    for row, decoy in enumerate(attempts.decoys):
        rest = np.linalg.norm(np.delete(nonmembers, decoy, axis=0) - controls[row], axis=1).min()
        others[row] = min(rest, np.linalg.norm(controls[row] - truth[row]))
    baseline = _ratio(np.linalg.norm(controls - decoys, axis=1), others)
    return near, baseline


def _ratio(near: NDArray[np.float64], far: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide distances; copies of both are as near to one as to the other."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = near / far
    ratio = np.where(far > 0, ratio, np.where(near > 0, _FAR, 1.0))
    return np.asarray(np.minimum(ratio, _FAR), dtype=np.float64)
