"""Records of any kind as columns of numbers, for checks that never ask the model.

Nothing here depends on who is a member: columns are coded over both sides together.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.auditing.checks.cells import (
    UnreadableError,
    coded_column,
    coded_texts,
    ragged_columns,
)
from pytest_leakpro.targets.containers import (
    as_numpy,
    is_frame,
    is_sparse,
    is_tensor,
    kind_of,
    row_shape,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.records import Records

__all__ = ["UnreadableError", "input_columns", "label_columns", "values_per_record"]

_MOST = 1024  # columns; wider records are thinned out and pooled
_MOST_CODED = 256  # columns of a frame that are not plain numbers
_SUMMARISED = 16  # from so many columns on, what a whole record looks like is told too
_BLOCK_VALUES = 1 << 23
_MOST_CLASSES = 32


def values_per_record(records: Records) -> int:
    """Count the numbers of one record, as far as its shape tells."""
    return int(np.prod(row_shape(records.inputs) or (1,), dtype=np.int64))


def input_columns(
    sides: Sequence[Records], positions: Sequence[NDArray[np.intp]]
) -> NDArray[np.float64]:
    """Read the inputs of some records of both sides as numbers.

    Parameters
    ----------
    sides : sequence of Records
        Members and non-members.
    positions : sequence of ndarray of int
        Which of their records to read.

    Returns
    -------
    ndarray of shape (n_members + n_nonmembers, d)
        NaN where a value is missing.

    Raises
    ------
    UnreadableError
        Where they are no numbers, and nothing that could be coded as numbers.
    """
    inputs = [side.inputs for side in sides]
    try:
        return _finite(_columns(inputs, positions))
    except UnreadableError:
        raise
    except Exception as error:  # a user's class may raise anything where it is read
        raise UnreadableError(f"a {type(inputs[0]).__name__} that cannot be read") from error


def label_columns(
    sides: Sequence[Records], positions: Sequence[NDArray[np.intp]]
) -> NDArray[np.float64]:
    """Read the labels: targets as they are, few classes as one column each; as `input_columns`."""
    labels = np.concatenate(
        [np.asarray(side.labels)[where] for side, where in zip(sides, positions, strict=True)]
    )
    if labels.ndim == 1:
        import pandas as pd

        columns = coded_column(pd.Series(labels))
        classes = pd.unique(labels)
        if 2 < len(classes) <= _MOST_CLASSES:
            columns += [np.asarray(labels == value, dtype=np.float64) for value in classes]
        return _finite(np.column_stack(columns))
    return _finite(_narrowed(labels.reshape(len(labels), -1).astype(np.float64)))


def _finite(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace infinities, which no mean survives, by numbers beyond all others."""
    largest = float(np.finfo(np.float32).max)
    return np.clip(columns, -largest, largest)  # NaN stays


def _columns(parts: Sequence[Any], positions: Sequence[NDArray[np.intp]]) -> NDArray[np.float64]:
    kind = kind_of(parts[0])
    if kind == "DataFrame":
        return _frame_columns(parts, positions)
    if kind == "sparse matrix":
        return _sparse_columns(parts, positions)
    if kind in ("array", "tensor") and all(_is_numeric(part) for part in parts):
        return np.concatenate(
            [_dense_columns(part, where) for part, where in zip(parts, positions, strict=True)]
        )
    chosen = [take(part, where) for part, where in zip(parts, positions, strict=True)]
    if kind == "Series":
        return _item_columns([item for part in chosen for item in part.tolist()])
    if kind == "array" and chosen[0].ndim > 1:
        import pandas as pd

        frames = [pd.DataFrame(part.reshape(len(part), -1)) for part in chosen]
        return _frame_columns(frames, [np.arange(len(frame)) for frame in frames])
    return _item_columns([item for part in chosen for item in part])


def _is_numeric(part: Any) -> bool:
    return is_tensor(part) or part.dtype.kind in "biufc"


def _dense_columns(part: Any, where: NDArray[np.intp]) -> NDArray[np.float64]:
    """Read an array or tensor block by block, so that no copy of large images is made."""
    width = max(1, int(np.prod(part.shape[1:], dtype=np.int64)))
    step = max(1, _BLOCK_VALUES // width)
    blocks = []
    for start in range(0, len(where), step):
        block = take(part, where[start : start + step])
        blocks.append(_numbers(as_numpy(block) if is_tensor(block) else block))
    return np.concatenate(blocks)


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    flat = values.reshape(len(values), -1)
    if flat.dtype.kind == "c":
        flat = np.hstack([flat.real, flat.imag])
    return _narrowed(flat.astype(np.float64))


def _narrowed(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Thin out and pool wide records, and say what each looks like as a whole."""
    width = flat.shape[1]
    if width < _SUMMARISED:
        return flat
    flat = _finite(flat)
    filled = np.nan_to_num(flat)
    roughness = np.abs(np.diff(filled, axis=1)).mean(axis=1)
    columns = [flat, np.column_stack([filled.mean(axis=1), filled.std(axis=1), roughness])]
    if width > _MOST:
        edges = np.linspace(0, width, _MOST // 2 + 1).astype(np.intp)
        pooled = np.add.reduceat(filled, edges[:-1], axis=1) / np.diff(edges)
        columns[0] = np.hstack([flat[:, edges[:-1]], pooled])
    return np.hstack(columns)


def _frame_columns(
    frames: Sequence[Any], positions: Sequence[NDArray[np.intp]]
) -> NDArray[np.float64]:
    import pandas as pd

    chosen = [frame.iloc[where] for frame, where in zip(frames, positions, strict=True)]
    plain = all(
        isinstance(dtype, np.dtype) and dtype.kind in "biuf"
        for frame in chosen
        for dtype in frame.dtypes
    )
    if plain:
        return _narrowed(np.concatenate([frame.to_numpy(dtype=np.float64) for frame in chosen]))
    width = chosen[0].shape[1]
    read = np.unique(np.linspace(0, width - 1, min(width, _MOST_CODED)).astype(np.intp))
    columns: list[NDArray[np.float64]] = []
    for index in read:
        cells = [frame.iloc[:, index] for frame in chosen]
        same = len({str(part.dtype) for part in cells}) == 1
        whole = pd.concat(cells if same else [part.astype(object) for part in cells])
        columns += coded_column(whole.reset_index(drop=True))
    return np.column_stack(columns)


def _sparse_columns(
    parts: Sequence[Any], positions: Sequence[NDArray[np.intp]]
) -> NDArray[np.float64]:
    from scipy import sparse

    rows = sparse.vstack(
        [part.tocsr()[where] for part, where in zip(parts, positions, strict=True)], format="csr"
    )
    if rows.dtype.kind == "c":
        rows = sparse.hstack([rows.real, rows.imag], format="csr")
    rows = rows.astype(np.float64)
    totals = np.column_stack([np.diff(rows.indptr), np.asarray(rows.sum(axis=1)).ravel()])
    width = rows.shape[1]
    if width <= _MOST:
        return np.hstack([rows.toarray(), totals])
    # The commonest columns stand alone, the others share columns with a random sign.
    counts = np.bincount(rows.indices, minlength=width)
    commonest = np.sort(np.argsort(-counts, kind="stable")[: _MOST // 2])
    rng = np.random.default_rng(width)
    signs, buckets = rng.choice([-1.0, 1.0], width), rng.integers(_MOST // 2, size=width)
    shared = sparse.csr_matrix(
        (signs, (np.arange(width), buckets)), shape=(width, _MOST // 2), dtype=np.float64
    )
    return np.hstack([rows[:, commonest].toarray(), (rows @ shared).toarray(), totals])


def _item_columns(items: list[Any]) -> NDArray[np.float64]:
    """Read records that stand one by one: texts, dicts, tuples, arrays of any shape."""
    import pandas as pd

    first = items[0]
    if all(isinstance(item, (str, bytes)) or item is None for item in items):
        return coded_texts(items)
    if all(isinstance(item, dict) for item in items):
        frame = pd.DataFrame.from_records(items)
        return _frame_columns([frame], [np.arange(len(frame))])
    shape = row_shape(items)
    if shape is None:
        if isinstance(first, tuple) and len({len(item) for item in items}) == 1:
            parts = [_item_columns([item[i] for item in items]) for i in range(len(first))]
            return np.hstack(parts)
        if all(
            isinstance(item, (list, tuple)) and all(isinstance(word, str) for word in item)
            for item in items
        ):
            return coded_texts([" ".join(item) for item in items])
        return ragged_columns(items)
    if is_frame(first) or is_sparse(first):
        raise UnreadableError(f"a list of {type(first).__name__}")
    width = max(1, int(np.prod(shape, dtype=np.int64)))
    step = max(1, _BLOCK_VALUES // width)
    blocks = []
    for start in range(0, len(items), step):
        block = np.asarray(
            [as_numpy(item) if is_tensor(item) else item for item in items[start : start + step]]
        )
        if block.dtype.kind not in "biufc":
            frame = pd.DataFrame(np.array(items, dtype=object).reshape(len(items), -1))
            return _frame_columns([frame], [np.arange(len(frame))])
        blocks.append(_numbers(block))
    return np.concatenate(blocks)
