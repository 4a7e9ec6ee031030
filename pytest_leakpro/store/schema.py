"""The schema of records, and whether a file keeps it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

__all__ = ["SCHEMA_VERSION", "check_document"]

SCHEMA_VERSION = 1
_CONTAINERS = (dict, list)
# Of these entries the schema knows the values, or the range.
_TOLD = (
    *("kind", "verdict", "outcome", "method"),
    *("occurrence", "attempt", "alpha", "seed", "seconds", "sizes", "successes"),
)


def check_document(document: Any) -> None:
    """Check a document against the schema.

    Parameters
    ----------
    document : object
        As read from JSON.

    Raises
    ------
    LeakproError
        Naming the first place that is wrong; or that the version is newer than this package.
    """
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise LeakproError(
            f"it has schema version {version}, and this version of pytest-leakpro reads up to "
            f"{SCHEMA_VERSION}: update pytest-leakpro"
        )
    measurements = document.get("measurements") if isinstance(document, dict) else None
    if not isinstance(measurements, list):
        _validate(document)
        return
    _validate({**document, "measurements": []})
    # Records are many and alike: of those with the same shape one is validated. Numbers with a
    # range are told apart by sign and by whether they reach 1.
    seen = set()
    for index, measurement in enumerate(measurements):
        shape = _shape(measurement)
        if shape not in seen:
            seen.add(shape)
            _validate({**document, "measurements": [measurement]}, index)
        _check_order(measurement, index)


def _shape(value: Any) -> Any:
    """Give what the schema can tell values apart by, hashable; called for all that there is."""
    kind = type(value)
    if kind is dict:
        nested = [_shape(entry) for entry in value.values() if type(entry) in _CONTAINERS]
        told = [_told(value[name]) for name in _TOLD if name in value]
        return (*value, *map(type, value.values()), *told, *nested)
    if kind is list:
        return frozenset([_shape(entry) for entry in value])
    return kind


def _told(value: Any) -> Any:
    kind = type(value)
    if kind is float or kind is int:
        return (kind, value > 0, value < 0, value >= 1)
    if kind is dict:
        return frozenset([_told(entry) for entry in value.values()])
    return value if kind is str else kind


def _check_order(measurement: dict[str, Any], index: int) -> None:
    for figures, where in ((measurement, ""), (measurement["comparable"], ", comparable")):
        if not figures or figures["value"] is None:
            continue
        low, value, high = (figures[name] for name in ("low", "value", "high"))
        if (low is not None and low > value) or (high is not None and high < value):
            raise LeakproError(f"measurement {index}{where}: low <= value <= high does not hold")


def _validate(document: Any, index: int | None = None) -> None:
    error = next(iter(_validator().iter_errors(document)), None)
    if error is None:
        return
    path = [str(part) for part in error.absolute_path]
    if index is not None and path[:1] == ["measurements"]:
        path[1:2] = [str(index)]
    where = " → ".join(path) or "the top level"
    raise LeakproError(f"{printable(where, 200)}: {printable(error.message, 300)}")


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    text = resources.files("pytest_leakpro.store").joinpath("record.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))
