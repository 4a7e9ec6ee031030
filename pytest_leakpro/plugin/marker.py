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

__all__ = [
    "OPTIONS",
    "check_markers",
    "defaults_of_item",
    "refuse_wrong_marker",
]

OPTIONS = (
    "attacks",
    "seed",
    "alpha",
    "shadow_models",
    "workers",
    "inconclusive",
    "weak_suite",
    "max_increase",
    "name",
)


_WRONG = pytest.StashKey[str]()


def check_markers(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Check the marker of every test at collection.

    Raises
    ------
    pytest.UsageError
        With the node id of the test whose marker is wrong. A worker of pytest-xdist would take the
        whole session down with it: there the test itself fails, see `refuse_wrong_marker`.
    """
    named: dict[str, str] = {}
    for item in items:
        reasons = [
            _what_is_wrong(mark)
            for mark in item.iter_markers("leakage")
            if mark.args or mark.kwargs
        ]
        if not any(reasons):
            reasons.append(_named_twice(item, named))
        for wrong in filter(None, reasons):
            if not hasattr(config, "workerinput"):
                raise pytest.UsageError(_message(item, wrong))
            item.stash[_WRONG] = _message(item, wrong)


def refuse_wrong_marker(item: pytest.Item) -> None:
    """Fail a test whose marker was found wrong on a worker.

    Raises
    ------
    pytest.UsageError
    """
    __tracebackhide__ = True
    if _WRONG in item.stash:
        raise pytest.UsageError(item.stash[_WRONG])


def _message(item: pytest.Item, wrong: str) -> str:
    return f"{item.nodeid}: the marker 'leakage' is wrong: {wrong}"


def _what_is_wrong(mark: pytest.Mark) -> str | None:
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
        return str(error)
    return None


def _check_options(options: Mapping[str, Any]) -> None:
    given = {name: value for name, value in options.items() if value is not None}
    if given:
        from pytest_leakpro.auditing.session import SessionDefaults

        SessionDefaults(**given)


def _telling_mark(item: pytest.Item) -> pytest.Mark | None:
    """Give the marker that counts: a bare one only says that the test audits."""
    return next((mark for mark in item.iter_markers("leakage") if mark.args or mark.kwargs), None)


def _name_of(item: pytest.Item, mark: pytest.Mark) -> str | None:
    """Give the name that a marker gives, with the parameters of a test that has some."""
    name = mark.kwargs.get("name")
    callspec = getattr(item, "callspec", None)
    return name if name is None or callspec is None else f"{name}[{callspec.id}]"


def _named_twice(item: pytest.Item, named: dict[str, str]) -> str | None:
    mark = _telling_mark(item)
    name = None if mark is None else _name_of(item, mark)
    if name is None:
        return None
    other = named.setdefault(name, item.nodeid)
    if other == item.nodeid:
        return None
    return f"the name {name!r} is taken by {other}: an audit's name tells it from all others"


def defaults_of_item(item: pytest.Item, session: SessionDefaults, test: str) -> SessionDefaults:
    """Give the defaults that hold in one test: the session's, overridden by its marker.

    Parameters
    ----------
    item : pytest.Item
        The test; of several markers the closest counts.
    session : SessionDefaults
        What command line and ini file say.
    test : str
        The test's id.
    """
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.wording import printable

    changes: dict[str, Any] = {}
    mark = _telling_mark(item)
    # Somebody's hook may have added a wrong one after collection was checked.
    wrong = None if mark is None else _what_is_wrong(mark)
    if wrong is not None:
        item.stash[_WRONG] = _message(item, wrong)
    elif mark is not None:
        path, line, _ = item.location
        source = f"marker, {path}" + ("" if line is None else f":{line + 1}")
        source = printable(getattr(item, "budget_source", source), 300)
        if mark.args:
            changes["budgets"] = tuple(
                replace(budget, source=source)
                if isinstance(budget, Budget)
                else Budget.parse(budget, source)
                for budget in mark.args
            )
        changes |= {name: value for name, value in mark.kwargs.items() if value is not None}
        if "name" in changes:
            changes["name"] = printable(_name_of(item, mark) or "", 200)
    defaults = replace(session, **changes)
    again = f'pytest --leakpro --leakpro-seed={defaults.seed} "{printable(test, 1000)}"'
    return replace(defaults, test=test, again=again)
