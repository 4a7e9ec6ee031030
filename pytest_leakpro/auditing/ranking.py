"""The attacks ranked by letting shadow models play the target, before its members are scored.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.membership.loss import LossThreshold
from pytest_leakpro.attacks.membership.playing import can_play
from pytest_leakpro.attacks.membership.record_facts import RecordFacts, unknown_facts
from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at
from pytest_leakpro.stats.seeding import derive_rng

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["best_variant", "rank_attacks", "some_records"]

MOST_TARGETS = 16
# Enough to tell attacks apart, and for false positives at the budget's rate.
_MOST_RECORDS = 20_000
_FALSE_POSITIVES = 20
_MOST_AT_ANY_RATE = 200_000


def rank_attacks(
    attacks: Sequence[Attack],
    shadow: ShadowSignals,
    fpr: float | None,
    *,
    regression: bool,
    facts: RecordFacts | None = None,
    seed: int = 0,
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
    facts : RecordFacts, optional
        On the same records, for attacks that learn; by default each record is a unit.
    seed : int
        The session's, for attacks that draw.

    Returns
    -------
    list of Attack
        The strongest first, with what they learned on shadow models. Nothing here looks at the
        target.
    """
    shadow, facts = some_records(
        shadow, facts or unknown_facts(shadow.n_records, regression=regression), fpr
    )
    powers: list[tuple[float, Attack]] = []
    for attack in attacks:
        if isinstance(attack, ShadowAttack):
            powers.append(
                best_variant(attack, shadow, fpr, regression=regression, facts=facts, seed=seed)
            )
        elif isinstance(attack, LossThreshold):
            losses = zip(shadow.shadow[:MOST_TARGETS], shadow.included, strict=False)
            powers.append((_mean_power(losses, fpr), attack))
        else:
            powers.append((-1.0, attack))
    # Sorting is stable: equal powers keep the registry's order.
    return [attack for _, attack in sorted(powers, key=lambda pair: -pair[0])]


def some_records(
    shadow: ShadowSignals, facts: RecordFacts, fpr: float | None
) -> tuple[ShadowSignals, RecordFacts]:
    """Take records at even distances, where there are more than a ranking needs.

    Parameters
    ----------
    shadow : ShadowSignals
        Signals on the counted records.
    facts : RecordFacts
        On the same records.
    fpr : float or None
        The false-positive rate that they must be enough for.
    """
    most = _MOST_RECORDS
    if fpr:
        most = int(np.clip(2 * _FALSE_POSITIVES / fpr, most, _MOST_AT_ANY_RATE))
    if shadow.n_records <= most:
        return shadow, facts
    positions = np.linspace(0, shadow.n_records - 1, most).astype(np.intp)
    return shadow.take(positions), facts.take(positions)


def best_variant(
    attack: ShadowAttack,
    shadow: ShadowSignals,
    fpr: float | None,
    *,
    regression: bool,
    facts: RecordFacts | None = None,
    seed: int = 0,
) -> tuple[float, ShadowAttack]:
    """Give the variant that finds most members of shadow models, with its power.

    Parameters as for `rank_attacks`.

    Returns
    -------
    tuple
        Power, in [0, 1], and variant with what it learned; the first variant with power 0 where
        there are too few shadow models to let one play the target.
    """
    variants = attack.variants(regression=regression)
    if not can_play(shadow):
        return 0.0, variants[0]
    known = facts or unknown_facts(shadow.n_records, regression=regression)
    # The generator that the attack gets when it scores, so that it learns the same alone.
    prepared = [
        variant.prepared(shadow, known, derive_rng(seed, "attack", variant.name))
        for variant in variants
    ]
    powers = [_mean_power(variant.played(shadow, known, MOST_TARGETS), fpr) for variant in prepared]
    best = int(np.argmax(powers))
    return powers[best], prepared[best]


def _mean_power(
    played: Iterable[tuple[NDArray[Any], NDArray[np.bool_]]], fpr: float | None
) -> float:
    """Average the power over pairs of scores and who was seen."""
    powers = []
    for scores, saw in played:
        members, nonmembers = scores[saw], scores[~saw]
        if fpr is None:
            powers.append(auc(members, nonmembers))
        else:
            powers.append(float(tpr_at(*roc_points(members, nonmembers), np.array([fpr]))[0]))
    return float(np.mean(powers))
