"""The attacks that there are: those of this package, and those that others bring.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from inspect import isabstract
from typing import TYPE_CHECKING

from pytest_leakpro.attacks.base import Attack
from pytest_leakpro.gate.errors import LeakproError, nearest_match

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ENTRY_POINT_GROUP", "attack_named", "builtin_attacks"]

ENTRY_POINT_GROUP = "pytest_leakpro.attacks"


@cache
def builtin_attacks() -> Mapping[str, Attack]:
    """Give the attacks of this package by name, in the order of their rank.

    Returns
    -------
    mapping of str to Attack
        Each with its default hyper-parameters.
    """
    from pytest_leakpro import attacks as folder

    found: list[Attack] = []
    for module in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}."):
        home = import_module(module.name)
        found.extend(
            thing()
            for thing in vars(home).values()
            if isinstance(thing, type)
            and issubclass(thing, Attack)
            and thing.__module__ == home.__name__
            and not isabstract(thing)
        )
    return {attack.name: attack for attack in sorted(found, key=lambda attack: attack.rank)}


def attack_named(name: str, others: Iterable[Attack] = ()) -> Attack:
    """Give the attack of a name.

    Parameters
    ----------
    name : str
        As in `Attack.name`.
    others : iterable of Attack
        Attacks that the session brings, beside this package's and the entry points'.

    Raises
    ------
    LeakproError
        Where there is none (with the nearest match), or an entry point does not load.
    """
    known = {attack.name: attack for attack in others} | dict(builtin_attacks())
    if name in known:
        return known[name]
    points = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in points:
        hint = nearest_match(name, {*known, *points})
        raise LeakproError(f"there is no attack {name!r}{hint}")
    try:
        loaded = points[name].load()
        attack = loaded() if isinstance(loaded, type) else loaded
    except Exception as error:
        raise LeakproError(
            f"the attack {name!r} of the entry point {points[name].value!r} does not load: {error}"
        ) from error
    if not isinstance(attack, Attack):
        raise LeakproError(
            f"the entry point {points[name].value!r} gives a {type(attack).__name__}, not an Attack"
        )
    return attack
