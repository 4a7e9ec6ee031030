"""Which columns are attacked, and which cannot be.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import quoted
from pytest_leakpro.targets.column_cells import cells_of
from pytest_leakpro.targets.containers import is_frame, is_series
from pytest_leakpro.targets.secret_columns import column_place, columns_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["secret_parts"]


def secret_parts(view: MembershipView, metric: MetricName) -> tuple[Hashable, ...]:
    """Give the columns that a metric is about, as they stand in the records.

    Raises
    ------
    LeakproError
        Where none is named, one is none of the records', or is the label.
    """
    members = view.records("members")
    named = view.secrets if metric.argument is None else (metric.argument,)
    if not named:
        raise LeakproError(
            f"{metric}: no column is said to be secret: name one, as "
            f"{metric.name}[smoker], or give the target secret=[...]"
        )
    places = [column_place(members.inputs, name, str(metric)) for name in named]
    columns = columns_of(members.inputs)
    for place in dict.fromkeys(places):
        if _is_label(members, place, columns[place]):
            raise LeakproError(
                f"{metric}: {quoted(columns[place])} is the label that the model predicts, which "
                "who attacks a record knows: take another column, and leave this one out of X"
            )
    return tuple(columns[place] for place in dict.fromkeys(places))


def _is_label(records: Records, place: int, column: Hashable) -> bool:
    """Tell whether a column is the label, by its name or by what it says of every record."""
    if is_frame(records.inputs) and is_series(records.y) and records.y.name == column:
        return True
    labels = np.asarray(records.labels)
    if labels.ndim > 1 and labels.shape[1] != 1:
        return False
    cells, told = cells_of(records.inputs, place), labels.ravel().tolist()
    n_cells, n_labels = len(set(cells)), len(set(told))
    if n_cells < 2:
        return False
    if n_labels > len(told) / 2:
        # Values that differ from record to record go with any others that do.
        return all(_same(cell, label) for cell, label in zip(cells, told, strict=True))
    return n_cells == n_labels == len(set(zip(cells, told, strict=True)))


def _same(cell: Any, label: float) -> bool:
    return isinstance(cell, (int, float, np.number)) and float(cell) == label
