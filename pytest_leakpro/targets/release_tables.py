"""Tables of a release as they are given: what they must be, and that they belong together.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import listed, quoted
from pytest_leakpro.targets.records import MINIMUM

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_no_columns", "check_tables"]

_NAMED = 5


def check_tables(tables: Mapping[str, Any]) -> None:
    """Check that tables are DataFrames of some rows with the same columns.

    Parameters
    ----------
    tables : mapping of str to object
        Each by what messages call it, ``original`` among them; ``synthetic`` may have few rows.

    Raises
    ------
    LeakproError
    """
    for table, frame in tables.items():
        _check_frame(table, frame, 1 if table == "synthetic" else MINIMUM)
        _check_columns(table, frame, tables["original"])


def check_no_columns(**given: Any) -> None:
    """Check that nothing is given that only tables have.

    Raises
    ------
    LeakproError
    """
    for option, value in given.items():
        if value is not None:
            raise LeakproError(f"{option} is for tables, and lists of texts have no columns")


def _check_frame(table: str, frame: Any, least: int) -> None:
    import pandas as pd

    if isinstance(frame, (dict, list, tuple)):
        raise LeakproError(
            f"{table} is a {type(frame).__name__}: give one DataFrame. Several linked tables are "
            "not supported: join them into one with a row per person, or audit each on its own"
        )
    if not isinstance(frame, pd.DataFrame):
        raise LeakproError(
            f"{table} is a {type(frame).__name__}: give a pandas DataFrame with a row per person"
        )
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise LeakproError(f"{table} has two columns {quoted(twice)}: rename or drop one")
    if not frame.shape[1]:
        raise LeakproError(f"{table} has no columns")
    if len(frame) < least:
        what = "is empty" if not len(frame) else f"has {len(frame)} rows"
        raise LeakproError(
            f"{table} {what}: it takes at least {least}; a useful audit takes hundreds"
            if table != "synthetic"
            else f"{table} {what}: there is nothing to attack"
        )


def _check_columns(table: str, frame: Any, original: Any) -> None:
    lacking = [name for name in original.columns if name not in frame.columns]
    further = [name for name in frame.columns if name not in original.columns]
    if not lacking and not further:
        return
    said = []
    if lacking:
        said.append(f"lacks {listed([*map(quoted, lacking)], _NAMED)}")
    if further:
        said.append(f"has {listed([*map(quoted, further)], _NAMED)} beside")
    raise LeakproError(
        f"{table} and original have different columns: {table} {' and '.join(said)}; give all "
        "tables the same columns (drop those that are not released from all)"
    )
