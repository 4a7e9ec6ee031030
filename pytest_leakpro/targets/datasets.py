"""Map-style torch data sets, read into one container of inputs and one of labels.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import is_tensor

__all__ = ["is_dataset", "read_dataset"]


def is_dataset(value: Any) -> bool:
    """Tell whether this is a torch data set, map-style or iterable."""
    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(value, data.Dataset)


def read_dataset(dataset: Any, side: str) -> tuple[Any, Any]:
    """Read a map-style data set of ``(x, y)`` by indexing.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        With ``__len__`` and ``__getitem__``.
    side : str
        What the argument is called, for the errors.

    Returns
    -------
    tuple
        Inputs and labels: one stacked tensor or array each where all items have the same shape,
        else a list.

    Raises
    ------
    LeakproError
        If it is an iterable data set, has no length, raises, or its items are not pairs.
    """
    kind = type(dataset).__name__
    data = sys.modules["torch.utils.data"]
    if isinstance(dataset, data.IterableDataset) or not hasattr(dataset, "__len__"):
        raise LeakproError(
            f"{side}: {kind} is an iterable data set: who is a member must be known record by "
            "record, so pass a map-style data set (with __len__ and __getitem__) or a pair (X, y)"
        )
    inputs, labels = [], []
    for index in range(len(dataset)):
        try:
            item = dataset[index]
        except Exception as exc:
            raise LeakproError(
                f"{side}: the data set {kind} raised {type(exc).__name__} when its record {index} "
                "was read; its own error stands above"
            ) from exc
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise LeakproError(
                f"{side}: the records of the data set {kind} are not pairs (x, y) (record {index} "
                f"is {_describe(item)}): wrap the data set in one that returns pairs"
            )
        inputs.append(item[0])
        labels.append(item[1])
    return _stack(inputs), _stack(labels)


def _describe(item: Any) -> str:
    name = type(item).__name__
    return f"a {name} of {len(item)}" if isinstance(item, (tuple, list)) else f"a {name}"


def _stack(items: list[Any]) -> Any:
    if items and all(is_tensor(item) for item in items):
        if len({(item.shape, item.dtype, item.device) for item in items}) == 1:
            return sys.modules["torch"].stack(items)
    elif (
        items
        and all(isinstance(item, np.ndarray) for item in items)
        and len({(item.shape, item.dtype) for item in items}) == 1
    ):
        return np.stack(items)
    return items
