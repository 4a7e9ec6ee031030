"""Which attacks run by default, told without a target.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_leakpro.attacks.base import Attack

__all__ = ["default_suite"]


def default_suite(
    kind: type, *, shadows: bool, population: bool = False, labels_only: bool = False
) -> tuple[Attack, ...]:
    """Give the default membership attacks on a kind of target, as `choose_suite` at hand of one.

    Parameters
    ----------
    kind : type
        For example `Classifier`.
    shadows : bool
        Whether shadow models can be had.
    population : bool
        Whether the target has records of a population.
    labels_only : bool
        Whether the attacker sees labels only.

    Returns
    -------
    tuple of Attack
        In the order of the registry; with shadow models these settle the order.
    """
    from pytest_leakpro.attacks.base import MembershipAttack
    from pytest_leakpro.attacks.registry import builtin_attacks
    from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE
    from pytest_leakpro.targets.access import Access

    suite = [
        attack
        for attack in builtin_attacks().values()
        if isinstance(attack, MembershipAttack)
        and attack.default
        and (attack.access is Access.LABEL) == labels_only
        and issubclass(kind, attack.targets)
        and (population or not attack.needs_population)
        and (shadows or not attack.needs_shadow)
    ]
    calibrated = [attack for attack in suite if attack.needs_shadow]
    return tuple((calibrated or suite)[:LARGEST_DEFAULT_SUITE])
