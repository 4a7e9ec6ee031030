"""The containers that records come in, told apart without importing the libraries they are from.

An object can only come from a library that has been imported already, hence `sys.modules`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "as_numpy",
    "concatenate",
    "is_frame",
    "is_missing",
    "is_series",
    "is_sparse",
    "is_tensor",
    "kind_of",
    "length",
    "row_shape",
    "take",
]


def is_tensor(value: Any) -> bool:
    """Tell whether this is a torch tensor."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_frame(value: Any) -> bool:
    """Tell whether this is a pandas DataFrame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_series(value: Any) -> bool:
    """Tell whether this is a pandas Series or Index."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.Series, pandas.Index))


def is_sparse(value: Any) -> bool:
    """Tell whether this is a scipy sparse matrix or array."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(value))


def is_missing(value: Any) -> bool:
    """Tell whether a single value is None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, (str, bytes, list, tuple, dict, set, frozenset, np.ndarray)):
        return False
    try:
        return bool(value != value)
    except (TypeError, ValueError, RuntimeError):
        # NA refuses to say whether it differs from itself.
        return type(value).__name__ == "NAType"


def as_numpy(tensor: Any) -> NDArray[Any]:
    """Bring a torch tensor to numpy, from any device, with or without gradient."""
    torch = sys.modules["torch"]
    plain = tensor.detach().cpu()
    if plain.dtype == torch.bfloat16:
        # numpy has no such type, and float32 holds all its values.
        plain = plain.to(torch.float32)
    array: NDArray[Any] = plain.resolve_conj().resolve_neg().numpy()
    return array


def kind_of(value: Any) -> str | None:
    """Name the container's kind, or None for what cannot hold records."""
    if is_frame(value):
        return "DataFrame"
    if is_series(value):
        return "Series"
    if is_sparse(value):
        return "sparse matrix"
    if is_tensor(value):
        return "tensor"
    if isinstance(value, np.ndarray):
        return "array"
    if isinstance(value, list):
        return "list"
    return None


def length(container: Any) -> int:
    """Count the records of a container of known kind that has at least one dimension."""
    if isinstance(container, list):
        return len(container)
    return int(container.shape[0])


def take(container: Any, positions: NDArray[np.intp]) -> Any:
    """Take records by position, in a container of the same kind."""
    if is_frame(container) or is_series(container):
        return container.iloc[positions] if hasattr(container, "iloc") else container[positions]
    if is_sparse(container):
        return container.tocsr()[positions].asformat(container.format)
    if is_tensor(container):
        torch = sys.modules["torch"]
        return container[torch.as_tensor(positions, device=container.device)]
    if isinstance(container, list):
        return [container[position] for position in positions]
    return container[positions]


def concatenate(parts: Sequence[Any]) -> Any:
    """Join containers of one kind along their records."""
    first = parts[0]
    if is_frame(first) or is_series(first):
        import pandas as pd

        return pd.concat(parts) if hasattr(first, "iloc") else first.append(list(parts[1:]))
    if is_sparse(first):
        from scipy import sparse

        return sparse.vstack(parts, format=first.format)
    if is_tensor(first):
        return sys.modules["torch"].cat([part.to(first.device) for part in parts])
    if isinstance(first, list):
        return [record for part in parts for record in part]
    return np.concatenate(parts)


def row_shape(container: Any) -> tuple[int, ...] | None:
    """Give the shape of one record; None for a list whose records differ in shape."""
    if not isinstance(container, list):
        return tuple(int(size) for size in container.shape[1:])
    shapes = {_item_shape(item) for item in container}
    return shapes.pop() if len(shapes) == 1 else None


def _item_shape(item: Any) -> tuple[int, ...] | None:
    shape = getattr(item, "shape", None)
    if shape is not None:
        return tuple(map(int, shape))
    if isinstance(item, (list, tuple)) and any(is_tensor(part) for part in item):
        return None
    try:
        return tuple(map(int, np.shape(item)))
    except ValueError:
        return None
