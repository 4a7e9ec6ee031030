"""Who attacks: what a record's attacker sees and knows, in words and as a column of the panel.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["COLUMNS", "column_of", "described", "kind_of", "shadow_models", "short_name"]

_WITHOUT = " without recipe"
_MODEL = ("label", "scores", "white-box")
# In the order of the panel. A model's attacker knows its recipe, or does not.
COLUMNS = {
    "model": (*(f"{name}{ending}" for name in _MODEL for ending in ("", "+recipe")), "artefact"),
    "federated": ("client", "server"),
    "release": ("release",),
    "given": ("given",),
    "unknown": ("unknown",),
}
_KINDS = {column: kind for kind, columns in COLUMNS.items() for column in columns}
_AS_GIVEN = "as given"


def shadow_models(record: Mapping[str, Any]) -> str:
    """Give how many models the attacker trained; empty for none."""
    asked = record["configuration"].get("shadow_models")
    return "" if asked is None else str(asked)


def column_of(record: Mapping[str, Any]) -> str:
    """Give the column of the panel that a record stands in."""
    access = record["access"]
    seen = access.removesuffix(_WITHOUT)
    if seen in _MODEL:
        knows = seen == access and shadow_models(record)
        return f"{seen}+recipe" if knows else seen
    if access == _AS_GIVEN:
        return "given"
    first = access.partition(",")[0]
    return first if first in _KINDS else "unknown"


def kind_of(column: str) -> str:
    """Give what is attacked from a column: a key of `COLUMNS`."""
    return _KINDS[column]


def short_name(column: str, words: Words) -> str:
    """Name the attacker in a few words."""
    seen, _, recipe = column.partition("+")
    name = words(f"attacker.{seen}.short")
    if seen not in _MODEL:
        return name
    return f"{name}, {words('attacker.recipe.short' if recipe else 'attacker.no_recipe.short')}"


def described(record: Mapping[str, Any], words: Words) -> str:
    """Say in a sentence who would make such an attack."""
    column = column_of(record)
    seen, _, recipe = column.partition("+")
    if seen == "unknown":
        return words("attacker.unknown", access=record["access"] or "?")
    who = words(f"attacker.{seen}")
    if seen in _MODEL:
        number = shadow_models(record)
        knows = words("attacker.recipe", n=number) if recipe else words("attacker.no_recipe")
        return words("attacker.sentence", who=who, knows=knows)
    behaviour = record["access"].partition(", ")[2]
    if behaviour in ("honest", "malicious"):
        return words("attacker.sentence", who=who, knows=words(f"attacker.{behaviour}"))
    return words("attacker.sentence.alone", who=who)
