"""Whether the shadow models resemble the target.

Two training loops that drifted apart are the commonest mistake: the attack is then calibrated for
another model, and misses what the target leaks. So the target's mean loss on non-members, and on
members, is compared with what shadow models give on records that they did not see, and saw.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pytest_leakpro.stats.signal_laws import record_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["LEVEL", "compare_with_shadows"]

LEVEL = 0.001


def compare_with_shadows(
    target: NDArray[Any], shadow: ShadowSignals, n_members: int, n_nonmembers: int
) -> str | None:
    """Tell whether the target differs from its shadow models beyond chance.

    Parameters
    ----------
    target : ndarray of shape (n,)
        The target's signals: members, then non-members (then a population, which is left out).
    shadow : ShadowSignals
        Those of the shadow models on the same records.
    n_members, n_nonmembers : int
        How many records stand on each side.

    Returns
    -------
    str or None
        What differs; None where nothing does at level 0.001 over both comparisons.

    Notes
    -----
    Each record's signal is ranked among those of the shadow models in the same role, which makes
    heavy tails harmless. Under a faithful recipe target and shadow models are exchangeable, so the
    target's mean rank is one more draw of the law that the shadow models' own mean ranks follow:
    a t test for one further observation, with one degree of freedom less than there are models.
    """
    sides = {
        "non-members": (slice(n_members, n_members + n_nonmembers), False),
        "members": (slice(0, n_members), True),
    }
    different = []
    for side, (rows, role) in sides.items():
        p_value, higher = _further_observation(
            target[rows], shadow.shadow[:, rows], shadow.included[:, rows], role
        )
        if p_value <= LEVEL / len(sides):
            fit = "better" if higher else "worse"
            different.append(f"fits {side} {fit} than the shadow models do (p = {p_value:.1g})")
    if not different:
        return None
    return (
        f"the target {' and '.join(different)}: train= does not train as the target was trained, "
        "so the attacks are weaker than they could be"
    )


def _further_observation(
    target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_], role: bool
) -> tuple[float, bool]:
    """Rank every model among the others in the same role, and test the target's mean rank."""
    sums, ranked = np.zeros(len(shadow) + 1), np.zeros(len(shadow) + 1)
    for block in record_blocks(shadow.shape):
        everyone = np.vstack([shadow[:, block], target[block]])
        playing = np.vstack([included[:, block] == role, np.ones_like(target[block], dtype=bool)])
        counts = playing.sum(axis=0)
        # Who plays another role stands behind all, where no rank of the others feels it.
        signals = np.where(playing, everyone, np.inf)
        relative = (stats.rankdata(signals, axis=0) - 0.5) / counts - 0.5
        counted = playing & (counts > 1)
        sums += np.where(counted, relative, 0.0).sum(axis=1)
        ranked += counted.sum(axis=1)
    means = np.divide(sums, ranked, out=np.full(len(sums), np.nan), where=ranked > 0)
    own, others = means[-1], means[:-1][np.isfinite(means[:-1])]
    spread = float(np.std(others, ddof=1))
    if len(others) < 2 or not np.isfinite(own):
        return 1.0, False
    if spread == 0:
        return (1.0 if own == others[0] else 0.0), bool(own > others[0])
    statistic = (own - others.mean()) / (spread * np.sqrt(1 + 1 / len(others)))
    return float(2 * stats.t.sf(abs(statistic), len(others) - 1)), bool(statistic > 0)
