"""The figures of an audit as JUnit properties.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    import pytest

    from pytest_leakpro.auditing.outcome import Audit

__all__ = ["set_properties"]

_FIELDS = {
    "value": "shown_value",
    "low": "shown_low",
    "high": "shown_high",
    "limit": "shown_limit",
    "verdict": "shown_verdict",
    "attack": "attack",
    "strength": "strength",
    "members": "n_members",
    "nonmembers": "n_nonmembers",
    "seed": "seed",
}


def set_properties(item: pytest.Item, audit: Audit) -> None:
    """Set ``leakpro.<target>.<metric>.<figure>`` on a test.

    Parameters
    ----------
    item : pytest.Item
        The test. Properties of an earlier run of it are replaced, since reruns would pile up.
    audit : Audit
        What was found.
    """
    properties = dict(item.user_properties)
    for record in audit.to_plain():
        prefix = f"leakpro.{printable(record['target'], 60)}.{printable(record['metric'], 60)}"
        for figure, key in _FIELDS.items():
            properties[f"{prefix}.{figure}"] = str(record[key])
    item.user_properties[:] = properties.items()
