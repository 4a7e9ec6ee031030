"""How many records one attack finds again and again, whichever training saw them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.membership.playing import can_play
from pytest_leakpro.attacks.membership.record_facts import facts_of
from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
from pytest_leakpro.auditing.ranking import some_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["share_found", "with_exposed_shares"]

# Each record is in about half of them: enough to tell "most" by, in half the time of a ranking.
_MOST_PLAYS = 8
# With fewer, "most" is one or two.
_FEWEST_PLAYS = 3


def with_exposed_shares(
    measurements: Sequence[Measurement],
    suite: Sequence[Attack],
    view: MembershipView,
    *,
    regression: bool,
) -> tuple[Measurement, ...]:
    """Add which share of the records the deciding attack finds in most trainings.

    Parameters
    ----------
    measurements : sequence of Measurement
        Of one audit.
    suite : sequence of Attack
        Those that ran, with what they learned.
    view : MembershipView
        With its shadow signals, if there are any.
    regression : bool
        Whether the signals are errors.

    Returns
    -------
    tuple of Measurement
        As they were where the metric has no false-positive rate, or the deciding attack needs no
        shadow models.
    """
    attacks = {attack.name: attack for attack in suite if isinstance(attack, ShadowAttack)}
    shares: dict[tuple[str, float], float | None] = {}
    found = []
    for entry in measurements:
        attack, fpr = attacks.get(entry.attack), entry.metric.fpr
        if attack is not None and fpr is not None and view.shadow is not None:
            key = entry.attack, fpr
            if key not in shares:
                shares[key] = _share(attack, fpr, view, regression=regression)
            entry = replace(entry, exposed_share=shares[key])
        found.append(entry)
    return tuple(found)


def _share(
    attack: ShadowAttack, fpr: float, view: MembershipView, *, regression: bool
) -> float | None:
    assert view.shadow is not None
    n_counted = len(view.records("members")) + len(view.records("nonmembers"))
    counted = view.shadow.take(np.arange(n_counted))
    if not can_play(counted):
        return None
    # The records that the attacks were ranked by: what was learned, was learned on these.
    shadow, facts = some_records(counted, facts_of(view, regression=regression), fpr)
    return share_found(attack.played(shadow, facts, _MOST_PLAYS), facts.units, fpr)


def share_found(
    played: Iterable[tuple[NDArray[Any], NDArray[np.bool_]]],
    units: NDArray[np.intp],
    fpr: float,
) -> float | None:
    """Give the share of units that are found in most of the trainings that saw them.

    Parameters
    ----------
    played : iterable of tuple
        Of each shadow model as the target: the records' scores, and which of them it saw, each of
        shape (n,).
    units : ndarray of int, shape (n,)
        Whom the records belong to; the scores of one unit are averaged.
    fpr : float
        A unit is found where its score exceeds all but this share of those not seen.

    Returns
    -------
    float or None
        Among the units that at least three of the models saw; None where these are not half of all.
    """
    _, codes = np.unique(units, return_inverse=True)
    sizes = np.bincount(codes)
    n_seen = np.zeros(len(sizes), dtype=np.intp)
    n_found = np.zeros(len(sizes), dtype=np.intp)
    for scores, saw in played:
        mean = np.bincount(codes, weights=scores) / sizes
        seen = np.bincount(codes, weights=saw) > 0
        others = np.sort(mean[~seen])[::-1]
        if not len(others):
            continue
        n_seen += seen
        n_found += seen & (mean > others[min(int(fpr * len(others)), len(others) - 1)])
    told = n_seen >= _FEWEST_PLAYS
    if 2 * told.sum() < len(sizes):
        return None
    return float(np.mean(2 * n_found[told] > n_seen[told]))
