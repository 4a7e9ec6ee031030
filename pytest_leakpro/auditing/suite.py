"""Which membership attacks run: the matching ones, at most three, or those that were asked for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.base import Attack, MembershipAttack
from pytest_leakpro.attacks.registry import attack_named, builtin_attacks
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["LARGEST_DEFAULT_SUITE", "choose_suite", "named_attacks"]

# Each attack must pass, so each one more makes a PASS of a model without leakage less likely.
LARGEST_DEFAULT_SUITE = 3


def choose_suite(
    target: Any,
    asked: str | Sequence[str | Attack] | None,
    others: Iterable[Attack] = (),
    *,
    shadows: bool = False,
    shadow_models: int | None = None,
) -> tuple[Attack, ...]:
    """Choose the attacks on a target before any of its records is scored.

    Parameters
    ----------
    target : object
        A target.
    asked : None, "all", or sequence of str or Attack
        None for the default suite: attacks with shadow models where these can be had, else the
        first three of the registry whose needs the target meets;
        "all" for every attack that matches; otherwise names or attacks, in the order in which
        they get their weights.
    others : iterable of Attack
        Attacks of other packages, which run only when they are named.
    shadows : bool
        Whether shadow models can be had.
    shadow_models : int, optional
        How many there are to be, where that is known: attacks that need more do not match.

    Returns
    -------
    tuple of Attack
        In the order of their weights. A default suite with shadow models is a list of candidates
        yet: which three run, and in which order, the shadow models tell.

    Raises
    ------
    LeakproError
        Where a name is unknown, an attack that was asked for does not match (and why), one is
        named twice, or none is left.
    """
    if asked is None:
        suite: list[Attack] = [
            attack
            for attack in builtin_attacks().values()
            # Who sees scores learns nothing more from the labels that follow from them.
            if isinstance(attack, MembershipAttack)
            and not (attack.access is Access.LABEL and target.access is not Access.LABEL)
            and attack.mismatch(target) is None
            and attack.runs_by_default(target)
            and not (attack.wants_population(target) and not target.has_population)
            and _lacking_shadows(attack, shadows, shadow_models) is None
        ]
        calibrated = [attack for attack in suite if attack.needs_shadow]
        # Thresholds see nothing that calibrated attacks do not, and cost chances of a PASS.
        suite = calibrated or suite[:LARGEST_DEFAULT_SUITE]
    elif isinstance(asked, str) and asked == "all":
        suite = [
            attack
            for attack in builtin_attacks().values()
            if isinstance(attack, MembershipAttack)
            and attack.mismatch(target) is None
            and _lacking_shadows(attack, shadows, shadow_models) is None
        ]
    else:
        suite = named_attacks(
            target,
            asked,
            others,
            lambda attack: _lacking_shadows(attack, shadows, shadow_models),
        )
    if not suite:
        reasons = "; ".join(
            f"{name}: {attack.mismatch(target)}"
            for name, attack in builtin_attacks().items()
            if isinstance(attack, MembershipAttack)
        )
        raise LeakproError(f"no attack matches this {type(target).__name__} ({reasons})")
    return tuple(suite)


def _lacking_shadows(attack: Attack, shadows: bool, shadow_models: int | None) -> str | None:
    """Say which shadow models an attack lacks; None where it lacks none."""
    if not attack.needs_shadow:
        return None
    if not shadows:
        return (
            "it needs shadow models: give train=, a function (X, y, seed) -> fitted model, or "
            "signals= of shadow models that were trained elsewhere"
        )
    if shadow_models is not None and shadow_models < attack.fewest_shadow_models:
        return (
            f"it needs at least {attack.fewest_shadow_models} shadow models, and there are to be "
            f"{shadow_models}"
        )
    return None


def named_attacks(
    target: Any,
    asked: str | Sequence[str | Attack],
    others: Iterable[Attack],
    lacking: Callable[[Attack], str | None],
) -> list[Attack]:
    """Give the attacks that are asked for by name, or as they are.

    Parameters
    ----------
    target : object
        What they are to attack.
    asked : str, or sequence of str or Attack
        In the order in which they get their weights.
    others : iterable of Attack
        Attacks of other packages.
    lacking : callable
        Says what keeps an attack that matches from running; None where nothing does.

    Returns
    -------
    list of Attack

    Raises
    ------
    LeakproError
        As `choose_suite`.
    """
    if isinstance(asked, str):
        asked = [asked]
    others = tuple(others)
    suite: list[Attack] = []
    for entry in asked:
        if isinstance(entry, Attack):
            attack = entry
        elif isinstance(entry, str):
            attack = attack_named(entry, others)
        else:
            raise LeakproError(
                f"attacks= takes names and Attack objects, not a {type(entry).__name__}"
            )
        reason = attack.mismatch(target) or lacking(attack)
        if reason is not None:
            raise LeakproError(f"the attack {attack.name!r} does not match: {reason}")
        if attack.name in {chosen.name for chosen in suite}:
            raise LeakproError(f"the attack {attack.name!r} is named twice")
        suite.append(attack)
    if not suite:
        raise LeakproError("attacks= is empty: leave it out for the default suite")
    return suite
