"""The attacks ranked by letting shadow models play the target, before its members are scored.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.membership.loss import LossThreshold
from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["best_variant", "rank_attacks"]

MOST_TARGETS = 16
# Enough to tell attacks apart, and for false positives at the budget's rate.
_MOST_RECORDS = 20_000
_FALSE_POSITIVES = 20
_MOST_AT_ANY_RATE = 200_000


def rank_attacks(
    attacks: Sequence[Attack], shadow: ShadowSignals, fpr: float | None, *, regression: bool
) -> list[Attack]:
    """Settle each attack's variant, and order the attacks by their power on shadow models.

    Parameters
    ----------
    attacks : sequence of Attack
        Shadow attacks, and others; of these only the loss threshold can be ranked, since only
        losses of shadow models are kept. The rest keep their place behind.
    shadow : ShadowSignals
        Signals on the counted records.
    fpr : float or None
        The budget's false-positive rate; None to rank by AUC.
    regression : bool
        Whether the signals are errors.

    Returns
    -------
    list of Attack
        The strongest first. Nothing here looks at the target.
    """
    shadow = _some_records(shadow, fpr)
    powers: list[tuple[float, Attack]] = []
    for attack in attacks:
        if isinstance(attack, ShadowAttack):
            powers.append(best_variant(attack, shadow, fpr, regression=regression))
        elif isinstance(attack, LossThreshold):
            powers.append((_mean_power(lambda target, *_: target, shadow, fpr), attack))
        else:
            powers.append((-1.0, attack))
    # Sorting is stable: equal powers keep the registry's order.
    return [attack for _, attack in sorted(powers, key=lambda pair: -pair[0])]


def _some_records(shadow: ShadowSignals, fpr: float | None) -> ShadowSignals:
    """Take records at even distances, where there are more than a ranking needs."""
    most = _MOST_RECORDS
    if fpr:
        most = int(np.clip(2 * _FALSE_POSITIVES / fpr, most, _MOST_AT_ANY_RATE))
    if shadow.n_records <= most:
        return shadow
    return shadow.take(np.linspace(0, shadow.n_records - 1, most).astype(np.intp))


def best_variant(
    attack: ShadowAttack, shadow: ShadowSignals, fpr: float | None, *, regression: bool
) -> tuple[float, ShadowAttack]:
    """Give the variant that finds most members of shadow models, with its power.

    Parameters as for `rank_attacks`.

    Returns
    -------
    tuple
        Power, in [0, 1], and variant; the first variant with power 0 where there are too few
        shadow models to let one play the target.
    """
    variants = attack.variants(regression=regression)
    if not _can_play(shadow):
        return 0.0, variants[0]
    powers = [_mean_power(variant.score_records, shadow, fpr) for variant in variants]
    best = int(np.argmax(powers))
    return powers[best], variants[best]


def _can_play(shadow: ShadowSignals) -> bool:
    n_in = shadow.included.sum(axis=0)
    return bool(min(n_in.min(), (shadow.n_models - n_in).min()) >= 3)


def _others(shadow: ShadowSignals, index: int) -> NDArray[np.intp]:
    """Give the models that attack one of them: without its complement, where it has one.

    So its members were in as many of them as its non-members. Else the attack would see by the
    counts who is who.
    """
    beside = index ^ 1
    left_out = [index]
    if beside < shadow.n_models and np.array_equal(
        shadow.included[index], ~shadow.included[beside]
    ):
        left_out.append(beside)
    return np.delete(np.arange(shadow.n_models), left_out)


def _mean_power(
    score: Callable[..., NDArray[Any]], shadow: ShadowSignals, fpr: float | None
) -> float:
    powers = []
    for index in range(min(shadow.n_models, MOST_TARGETS)):
        others = _others(shadow, index)
        target = np.asarray(shadow.shadow[index])
        scores = score(target, shadow.shadow[others], shadow.included[others])
        saw = shadow.included[index]
        members, nonmembers = scores[saw], scores[~saw]
        if fpr is None:
            powers.append(auc(members, nonmembers))
        else:
            powers.append(float(tpr_at(*roc_points(members, nonmembers), np.array([fpr]))[0]))
    return float(np.mean(powers))
