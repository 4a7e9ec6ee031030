"""What a model returned, as a matrix of finite numbers.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import as_numpy, is_frame, is_missing, is_series, is_tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["as_matrix"]


def as_matrix(output: Any, n_records: int, side: str) -> NDArray[np.float64]:
    """Bring a model's output into one shape.

    Parameters
    ----------
    output : array, tensor, DataFrame, Series, list, or an object with ``.logits``
        Shape (n,) or (n, K).
    n_records : int
        How many records the model was given.
    side : str
        Whose records these were, for the errors.

    Returns
    -------
    ndarray of float64, shape (n, K)
        All finite; K = 1 for an output of shape (n,).

    Raises
    ------
    LeakproError
        If it is not one row of finite numbers per record.
    """
    values = _numbers(output, side)
    if n_records == 1 and values.ndim < 2:
        # Models that squeeze return the row of a single record without its axis.
        values = values.reshape(1, -1)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2:
        raise LeakproError(
            f"the model returned an output of shape {values.shape} for the {side}: it must be one "
            "row per record, of shape (n,) or (n, K)"
        )
    if len(values) != n_records:
        raise LeakproError(
            f"the model returned {len(values):,} rows for {n_records:,} records of the {side}: it "
            "must return one row per record, in their order"
        )
    if values.shape[1] == 0:
        raise LeakproError(f"the model returned rows without a value for the {side}")
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        kind = "NaN" if np.isnan(values).any() else "infinite values"
        raise LeakproError(
            f"the model returned {kind} for {int(bad.sum()):,} of {n_records:,} records of the "
            f"{side}: look for missing inputs, a diverged training or a logarithm of 0, and let "
            "the model return finite numbers"
        )
    return values


def _numbers(output: Any, side: str) -> NDArray[np.float64]:
    if not is_tensor(output) and hasattr(output, "logits"):
        output = output.logits
    if output is None or isinstance(output, (str, bytes, dict, set)):
        what = "None" if output is None else f"a {type(output).__name__}"
        raise LeakproError(f"the model returned {what} for the {side}: {_WANTED}")
    if is_tensor(output):
        output = as_numpy(output)
    elif is_frame(output) or is_series(output):
        output = output.to_numpy()
    elif isinstance(output, (list, tuple)):
        output = [as_numpy(item) if is_tensor(item) else item for item in output]
    try:
        array = np.asarray(output)
    except (TypeError, ValueError) as exc:
        raise LeakproError(
            f"the model returned a {type(output).__name__} that is ragged (parts of different "
            f"shape) for the {side}: {_WANTED}; of several outputs return the one to be audited"
        ) from exc
    if array.dtype.kind in "biuf":
        return np.asarray(array, dtype=np.float64)
    if array.dtype.kind == "O" and array.ndim > 0:
        return _objects(array, side)
    raise LeakproError(
        f"the model returned {_describe(array)} for the {side}: {_WANTED}; a model that returns "
        "labels only must return their one-hot rows"
    )


_WANTED = "it must return numbers, one row per record (probabilities, logits or predictions)"


def _objects(array: NDArray[Any], side: str) -> NDArray[np.float64]:
    values = []
    for value in array.ravel():
        # By hand, since numpy would read text as a number.
        if isinstance(value, (str, bytes)):
            raise LeakproError(f"the model returned text for the {side}: {_WANTED}")
        try:
            values.append(np.nan if is_missing(value) else float(value))
        except (TypeError, ValueError) as exc:
            raise LeakproError(
                f"the model returned objects of type {type(value).__name__} for the {side}: "
                f"{_WANTED}"
            ) from exc
    return np.asarray(values, dtype=np.float64).reshape(array.shape)


def _describe(array: NDArray[Any]) -> str:
    if array.dtype.kind in "US":
        return "text"
    if array.dtype.kind == "c":
        return "complex numbers"
    return "objects that are no numbers" if array.ndim == 0 else f"values of type {array.dtype}"
