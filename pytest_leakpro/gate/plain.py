"""Plain data: what may cross a process border or stand in a file.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from pytest_leakpro.gate.errors import LeakproError

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """Turn a value into nothing but dict, list, str, int, float, bool and None.

    Parameters
    ----------
    value : object
        Dataclasses become dictionaries of their fields, enums their values, tuples lists, numpy
        scalars Python numbers; a float that is not finite becomes None, which JSON can carry.

    Returns
    -------
    object

    Raises
    ------
    LeakproError
        For anything else: an array, or an object of the user's, must not slip into a report.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool):
        return value
    # Subclasses, numpy's float64 among them, are made the real thing.
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return plain(value.item())
    raise LeakproError(f"a {type(value).__name__} cannot stand in a record: only plain data can")
