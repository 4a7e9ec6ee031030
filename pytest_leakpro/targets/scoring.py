"""One pass of records through a model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import kind_of, take
from pytest_leakpro.targets.outputs import as_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_adapter import ModelAdapter
    from pytest_leakpro.targets.records import Records

__all__ = ["score"]


def score(
    model: ModelAdapter, records: Records, batch_size: int | None = None
) -> NDArray[np.float64]:
    """Ask a model about records.

    Parameters
    ----------
    model : ModelAdapter
        The model.
    records : Records
        n records of one side.
    batch_size : int or None
        At most how many to send at once; None: what the model's kind prefers.

    Returns
    -------
    ndarray of float64, shape (n, K)
        All finite.

    Raises
    ------
    LeakproError
        If the model raises (its error is the cause), or returns anything but one row of finite
        numbers per record.
    """
    n = len(records)
    size = batch_size or model.batch_size or n
    # Batches of nearly equal size, not a last one of few records: models that squeeze their output
    # lose an axis on a batch of one.
    n_batches = -(-n // size)
    bounds = np.arange(n_batches + 1) * n // n_batches
    parts = []
    for start, stop in itertools.pairwise(bounds):
        whole = stop - start == n
        inputs = records.inputs if whole else take(records.inputs, np.arange(start, stop))
        try:
            output = model(inputs)
        except LeakproError as exc:
            raise LeakproError(f"{records.side}: {exc}") from exc
        except Exception as exc:
            # Without the error's own message, which may quote a record; the cause shows it.
            raise LeakproError(
                f"the model raised {type(exc).__name__} while scoring the {records.side} "
                f"(shape {records.shape}, {kind_of(records.inputs)}); its own error stands above"
                f"{_hint(exc, size)}"
            ) from exc
        parts.append(as_matrix(output, int(stop - start), records.side))
    widths = sorted({part.shape[1] for part in parts})
    if len(widths) > 1:
        raise LeakproError(
            f"the model returned {widths[0]} columns for one batch of the {records.side} and "
            f"{widths[-1]} for another: it must return the same columns for every record"
        )
    return np.concatenate(parts)


def _hint(error: Exception, size: int) -> str:
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return f": if memory ran out, say a batch_size= below {size:,}"
    if type(error).__name__ == "NotFittedError":
        return ": fit the model on the members first"
    return ": try it on a few of these records, in the container that you gave"
