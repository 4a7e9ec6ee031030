"""The records of one side: members, non-members or population.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import (
    is_frame,
    is_sparse,
    is_tensor,
    kind_of,
    length,
    row_shape,
    take,
)
from pytest_leakpro.targets.datasets import is_dataset, read_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.units import Units

__all__ = ["MINIMUM", "Records", "read_pair", "require_alike"]

MINIMUM = 10
"""The fewest units a side may have: below it no bound says anything."""

_WANTED = (
    "a pair (X, y) of numpy arrays, pandas DataFrame/Series, scipy sparse matrices, torch tensors "
    "or lists, or a map-style torch Dataset of (x, y)"
)


@dataclass(frozen=True, repr=False, eq=False)
class Records:
    """The records of one side, in the container that the user gave.

    Attributes
    ----------
    side : str
        ``"members"``, ``"nonmembers"`` or ``"population"``.
    inputs : container
        n inputs.
    labels : ndarray
        Column indices of shape (n,) of a classifier, targets of shape (n, d) of a regressor.
    units : Units
        Whom the records belong to.
    y : container
        The labels as the user gave them, for functions of the user's that train.
    positions : ndarray of int, shape (n,)
        Where each record stands in the side as the user gave it.
    """

    side: str
    inputs: Any
    labels: NDArray[Any]
    units: Units
    y: Any
    positions: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Records({self.side!r}, {self.shape})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of records, then the shape of each; the number alone where shapes differ."""
        return (len(self), *(row_shape(self.inputs) or ()))

    def relabelled(self, labels: NDArray[Any]) -> Records:
        """Give the same records with other column indices as labels."""
        return replace(self, labels=labels)

    def keep(self, mask: NDArray[np.bool_]) -> Records:
        """Keep some of the units, given as a mask of shape (n_units,)."""
        if mask.all():
            return self
        units, positions = self.units.keep(mask)
        return replace(
            self,
            inputs=take(self.inputs, positions),
            labels=self.labels[positions],
            units=units,
            y=take(self.y, positions),
            positions=self.positions[positions],
        )


def read_pair(given: Any, side: str) -> tuple[Any, Any]:
    """Check one side as the user gave it and take it apart.

    Parameters
    ----------
    given : pair or torch.utils.data.Dataset
        ``(X, y)`` of equal length, or a map-style data set.
    side : str
        What the argument is called, for the errors.

    Returns
    -------
    tuple
        X, in its own container, and y as given.

    Raises
    ------
    LeakproError
        If it is anything else, is empty, or X and y differ in length.
    """
    if is_dataset(given):
        inputs, labels = read_dataset(given, side)
    else:
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            raise LeakproError(f"{side}: {_name(given)}: give {_WANTED}{_hint(given)}")
        inputs, labels = (list(part) if isinstance(part, tuple) else part for part in given)
    for part, letter in ((inputs, "X"), (labels, "y")):
        if kind_of(part) is None or (letter == "y" and is_sparse(part)):
            raise LeakproError(f"{side}: {letter} is {_name(part)}: give {_WANTED}")
        if not isinstance(part, list) and len(part.shape) == 0:
            raise LeakproError(f"{side}: {letter} is a single number: give {_WANTED}")
    _check_inputs(inputs, side)
    if length(inputs) != length(labels):
        raise LeakproError(
            f"{side}: X has {length(inputs):,} records, y {length(labels):,} labels: give one "
            "label per record"
        )
    if length(inputs) == 0:
        raise LeakproError(f"{side}: there is no record: give at least {MINIMUM}")
    return inputs, labels


def _check_inputs(inputs: Any, side: str) -> None:
    kind = kind_of(inputs)
    if kind == "tensor" and inputs.layout.__repr__() != "torch.strided":
        raise LeakproError(f"{side}: X is a sparse torch tensor: give X.to_dense()")
    if kind == "sparse matrix" and len(inputs.shape) != 2:
        raise LeakproError(f"{side}: X is a sparse array of shape {inputs.shape}: give two axes")
    if kind == "array" and inputs.dtype.kind == "V":
        raise LeakproError(f"{side}: X is a structured array: give a DataFrame instead")
    if length(inputs) and 0 in (row_shape(inputs) or ()):
        raise LeakproError(
            f"{side}: X has records of shape {row_shape(inputs)}, which hold no value: give at "
            "least one column"
        )


def _name(given: Any) -> str:
    if given is None:
        return "None"
    kind = type(given).__name__
    if isinstance(given, (tuple, list)):
        return f"a {kind} of {len(given)}"
    shape = getattr(given, "shape", None)
    if kind_of(given) is not None:
        return f"a single {kind} of shape {tuple(shape or ())}"
    return f"a {kind}"


def _hint(given: Any) -> str:
    if isinstance(given, str) or hasattr(given, "__fspath__"):
        return "; files are yours to load"
    if hasattr(given, "dataset") and hasattr(given, "batch_size"):
        return "; of a DataLoader pass its .dataset"
    if is_frame(given):
        return "; split the label column off: (df.drop(columns=label), df[label])"
    if isinstance(given, np.ndarray) or is_tensor(given):
        return "; the labels are needed too"
    return ""


def require_alike(first: Records, other: Records) -> None:
    """Check that two sides hold records of one kind.

    Raises
    ------
    LeakproError
        If they stand in different kinds of containers, or differ in shape or columns: a model
        would tell them apart by that alone.
    """
    kinds = kind_of(first.inputs), kind_of(other.inputs)
    if kinds[0] != kinds[1]:
        raise LeakproError(
            f"{other.side}: X is a {kinds[1]}, but that of the {first.side} a {kinds[0]}: give "
            "both in the same kind of container"
        )
    shapes = row_shape(first.inputs), row_shape(other.inputs)
    # Lists of texts or token sequences may have no shape in common; nothing to compare then.
    if None not in shapes and shapes[0] != shapes[1]:
        raise LeakproError(
            f"{other.side}: each record has shape {shapes[1]}, but one of the {first.side} "
            f"{shapes[0]}: prepare both in the same way"
        )
    if kinds[0] == "DataFrame" and list(first.inputs.columns) != list(other.inputs.columns):
        ours, theirs = set(first.inputs.columns), set(other.inputs.columns)
        differing = sorted(map(str, ours ^ theirs))[:5]
        what = f"other columns ({', '.join(differing)})" if differing else "another column order"
        raise LeakproError(
            f"{other.side}: the DataFrame has {what} than the {first.side}: prepare both in the "
            "same way"
        )
    if first.labels.shape[1:] != other.labels.shape[1:]:
        raise LeakproError(
            f"{other.side}: the targets have {other.labels.shape[1]} columns, those of the "
            f"{first.side} {first.labels.shape[1]}: prepare both in the same way"
        )
