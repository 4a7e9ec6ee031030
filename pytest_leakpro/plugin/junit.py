"""The figures of an audit as JUnit properties.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.rates import shown_rates
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pytest

__all__ = ["set_properties"]

_FIELDS = {
    "value": "shown_value",
    "low": "shown_low",
    "high": "shown_high",
    "limit": "shown_limit",
    "verdict": "shown_verdict",
    "attack": "attack",
    "strength": "strength",
    "seed": "seed",
}
_PREFIX = "leakpro."


def set_properties(
    item: pytest.Item, records: Iterable[Mapping[str, Any]], earlier: Iterable[str]
) -> None:
    """Set ``leakpro.<target>.<metric>.<figure>`` on a test.

    Parameters
    ----------
    item : pytest.Item
        The test. Properties of an earlier run of it are replaced, since reruns would pile up.
    records : iterable of mapping
        What its audits found.
    earlier : iterable of str
        What earlier attempts ended with.
    """
    properties = {name: value for name, value in item.user_properties if not _is_ours(name)}
    for record in records:
        target = printable(record["target"], 60)
        if record["occurrence"]:
            target += f"#{record['occurrence'] + 1}"
        prefix = f"{_PREFIX}{target}.{printable(record['metric'], 60)}"
        figures = {figure: record[key] for figure, key in _FIELDS.items()} | record["sizes"]
        rates = shown_rates(record["evidence"])
        if rates:
            figures["rates"] = rates
        if record.get("remarks"):
            figures["remarks"] = "; ".join(record["remarks"])
        change = record.get("change")
        if change is not None:
            figures["change"] = change["shown"]
        if record["error"] is not None:
            figures["error"] = record["error"]
        for figure, value in figures.items():
            properties[f"{prefix}.{figure}"] = printable(str(value), 500)
    said = ", ".join(earlier)
    if said:
        properties[f"{_PREFIX}earlier attempts"] = said
    item.user_properties[:] = properties.items()


def _is_ours(name: str) -> bool:
    return name.startswith(_PREFIX)
