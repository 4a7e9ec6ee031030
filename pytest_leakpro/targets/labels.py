"""Labels and regression targets, read from whatever container they come in.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import as_numpy, is_frame, is_missing, is_series, is_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["class_indices", "label_values", "name_classes", "target_values"]


def label_values(y: Any, side: str, noun: str = "labels", *, missing: bool = False) -> list[Any]:
    """Read one label per record.

    Parameters
    ----------
    y : array, Series, tensor or list
        Shape (n,) or (n, 1).
    side : str
        What the argument is called, for the errors.
    noun : str
        What the values are called, for the errors.
    missing : bool
        Whether values may be missing.

    Returns
    -------
    list
        n plain Python values, none of them missing unless that is allowed.

    Raises
    ------
    LeakproError
        If there is more than one label per record, or a label is missing.
    """
    values = _unpack(y, side, noun)
    n_missing = 0 if missing else sum(map(is_missing, values))
    if n_missing:
        raise LeakproError(
            f"{side}: {n_missing:,} of {len(values):,} {noun} are missing (None or NaN): "
            "leave out these records"
        )
    return values


def _unpack(y: Any, side: str, noun: str) -> list[Any]:
    if is_tensor(y):
        y = as_numpy(y)
    elif is_frame(y):
        _require_one(y.shape, side, noun)
        y = y.iloc[:, 0]
    if is_series(y):
        return list(y.tolist())
    if isinstance(y, np.ndarray):
        _require_one(y.shape, side, noun)
        if np.ma.is_masked(y):
            raise LeakproError(f"{side}: some {noun} are masked: leave out these records")
        return list(y.ravel().tolist())
    return [_single(item, side, noun) for item in y]


def _single(item: Any, side: str, noun: str) -> Any:
    if is_tensor(item):
        item = as_numpy(item)
    if isinstance(item, (list, tuple)):
        if len(item) != 1:
            raise _not_flat(side, noun, f"a list of {type(item).__name__}s of {len(item)}")
        return _single(item[0], side, noun)
    if isinstance(item, (np.ndarray, np.generic)):
        if item.size != 1:
            raise _not_flat(side, noun, f"a list of arrays of shape {item.shape}")
        return item.item()
    return item


def _require_one(shape: tuple[int, ...], side: str, noun: str) -> None:
    if len(shape) != 1 and not (len(shape) == 2 and shape[1] == 1):
        raise _not_flat(side, noun, f"of shape {tuple(shape)}")


def _not_flat(side: str, noun: str, what: str) -> LeakproError:
    return LeakproError(
        f"{side}: the {noun} are {what}: give one per record, of shape (n,); "
        "one-hot rows become labels by y.argmax(axis=1)"
    )


def class_indices(
    values: Sequence[Any], classes: Sequence[Any] | None, side: str
) -> NDArray[np.intp]:
    """Turn labels into indices of the model's output columns.

    Parameters
    ----------
    values : sequence
        n labels, none missing.
    classes : sequence or None
        The labels in the order of the columns; None: labels are column indices already.
    side : str
        What the argument is called, for the errors.

    Returns
    -------
    ndarray of int, shape (n,)
        At least 0; without `classes` the largest allowed one is not known yet.

    Raises
    ------
    LeakproError
        If a label is none of the classes or, without classes, no column index.
    """
    if classes is None:
        return _column_indices(values, side)
    columns = {label: column for column, label in enumerate(classes)}
    try:
        found = [columns.get(value, -1) for value in values]
    except TypeError as exc:
        raise LeakproError(
            f"{side}: a label is of a type that cannot be compared: give numbers or strings"
        ) from exc
    indices = np.asarray(found, dtype=np.intp)
    n_unknown = int(np.sum(indices < 0))
    if n_unknown:
        raise LeakproError(
            f"{side}: {n_unknown:,} of {len(values):,} records bear a label that is none of the "
            f"model's classes {name_classes(classes)}: encode the labels as in training, or say "
            "classes= in the order of the model's output columns"
        )
    return indices


def _column_indices(values: Sequence[Any], side: str) -> NDArray[np.intp]:
    odd = sum(
        not (isinstance(value, Real) and float(value).is_integer() and float(value) >= 0)
        for value in values
    )
    if odd:
        raise LeakproError(
            f"{side}: {odd:,} of {len(values):,} labels are no column index (0, 1, 2, …), and the "
            "model does not say what its classes are: say classes= in the order of the model's "
            "output columns"
        )
    return np.asarray([int(value) for value in values], dtype=np.intp)


def name_classes(classes: Sequence[Any]) -> str:
    """List classes for a message, the first ten of them."""
    shown = ", ".join(map(repr, classes[:10]))
    more = len(classes) - 10
    return f"[{shown}, … {more} more]" if more > 0 else f"[{shown}]"


def target_values(y: Any, side: str) -> NDArray[np.float64]:
    """Read the targets of a regression.

    Parameters
    ----------
    y : array, Series, DataFrame, tensor or list
        Shape (n,) or (n, d).
    side : str
        What the argument is called, for the errors.

    Returns
    -------
    ndarray of float64, shape (n, d)
        All finite.

    Raises
    ------
    LeakproError
        If they are no numbers, have more than two dimensions, or are not finite.
    """
    values = _numbers(y, side)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0:
        raise LeakproError(
            f"{side}: the targets have shape {values.shape}: give shape (n,) or (n, d)"
        )
    n_bad = int(np.sum(~np.isfinite(values).all(axis=1)))
    if n_bad:
        raise LeakproError(
            f"{side}: {n_bad:,} of {len(values):,} targets are missing or not finite: leave out "
            "these records"
        )
    return values


def _numbers(y: Any, side: str) -> NDArray[np.float64]:
    if is_tensor(y):
        y = as_numpy(y)
    elif is_frame(y) or is_series(y):
        y = y.to_numpy(dtype=object)
    elif isinstance(y, list):
        y = [as_numpy(item) if is_tensor(item) else item for item in y]
    elif np.ma.is_masked(y):
        y = np.ma.filled(y.astype(np.float64), np.nan)
    try:
        array = np.asarray(y)
        if array.dtype.kind == "O":
            # By hand, since numpy would read text as a number.
            flat = [np.nan if is_missing(value) else _number(value) for value in array.ravel()]
            return np.asarray(flat, dtype=np.float64).reshape(array.shape)
        if array.dtype.kind not in "biuf":
            raise TypeError
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise LeakproError(
            f"{side}: the targets are not numbers (or rows of unequal length): a Regressor needs "
            "numbers of shape (n,) or (n, d); use Classifier for classes"
        ) from exc


def _number(value: Any) -> float:
    if isinstance(value, (str, bytes)):
        raise TypeError
    return float(value)
