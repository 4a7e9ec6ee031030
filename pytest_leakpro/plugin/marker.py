"""The marker ``leakage``: budgets and options of one test.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_leakpro.auditing.session import SessionDefaults

__all__ = ["DECLARATION", "OPTIONS", "check_markers", "claim", "defaults_of_item"]

DECLARATION = (
    "leakage(*budgets, attacks=None, seed=None, alpha=None, inconclusive=None, weak_suite=None): "
    "audit leakage against these budgets, as 'tpr@0.1%fpr <= 1%'; runs with --leakpro only."
)
OPTIONS = ("attacks", "seed", "alpha", "inconclusive", "weak_suite")


def claim(item: pytest.Item) -> None:
    """Mark a test that requests the fixture, so that it waits for the flag as marked ones do."""
    if "leakpro" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("leakage"):
        item.add_marker(pytest.mark.leakage())


def check_markers(items: Iterable[pytest.Item]) -> None:
    """Check the marker of every test at collection.

    Raises
    ------
    pytest.UsageError
        With the node id of the test whose marker is wrong.
    """
    for item in items:
        for mark in item.iter_markers("leakage"):
            if mark.args or mark.kwargs:
                _check(mark, item.nodeid)


def _check(mark: pytest.Mark, nodeid: str) -> None:
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.errors import LeakproError, nearest_match

    try:
        for budget in mark.args:
            if not isinstance(budget, Budget):
                Budget.parse(budget)
        for name in mark.kwargs:
            if name not in OPTIONS:
                raise LeakproError(f"there is no option {name!r}{nearest_match(name, OPTIONS)}")
        _check_options(mark.kwargs)
    except LeakproError as error:
        raise pytest.UsageError(f"{nodeid}: the marker 'leakage' is wrong: {error}") from None


def _check_options(options: Mapping[str, Any]) -> None:
    given = {name: value for name, value in options.items() if value is not None}
    if given:
        from pytest_leakpro.auditing.session import SessionDefaults

        SessionDefaults(**given)


def defaults_of_item(item: pytest.Item, session: SessionDefaults) -> SessionDefaults:
    """Give the defaults that hold in one test: the session's, overridden by its marker.

    Parameters
    ----------
    item : pytest.Item
        The test; of several markers the closest counts.
    session : SessionDefaults
        What command line and ini file say.
    """
    from pytest_leakpro.gate.budget import Budget

    changes: dict[str, Any] = {}
    mark = item.get_closest_marker("leakage")
    if mark is not None:
        path, line, _ = item.location
        source = f"marker, {path}" + ("" if line is None else f":{line + 1}")
        if mark.args:
            changes["budgets"] = tuple(
                replace(budget, source=source)
                if isinstance(budget, Budget)
                else Budget.parse(budget, source)
                for budget in mark.args
            )
        changes |= {name: value for name, value in mark.kwargs.items() if value is not None}
    defaults = replace(session, **changes)
    return replace(
        defaults, again=f'pytest --leakpro --leakpro-seed={defaults.seed} "{item.nodeid}"'
    )
