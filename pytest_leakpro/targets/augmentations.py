"""Augmentations: functions that turn records into others that a model should treat alike.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import (
    as_numpy,
    is_frame,
    is_series,
    is_sparse,
    is_tensor,
    kind_of,
    length,
    row_shape,
    take,
)

__all__ = ["Augmentation", "MovedPixels", "augmented", "image_axes", "read_augmentations"]

Augmentation = Callable[[Any], Any]

_MOST = 64
_TRIED = 12  # records on which a function is tried before anything is trained
_LEAST_SIDE = 8
_MOST_CHANNELS = 4


@dataclass(frozen=True)
class MovedPixels:
    """Mirror or shift images along one axis; what comes in from outside repeats the edge.

    Attributes
    ----------
    axis : int
        Of the whole array, the records being axis 0.
    by : int
        By how many pixels; 0 mirrors.
    """

    axis: int
    by: int = 0

    def __call__(self, images: Any) -> Any:
        """Move the pixels of an array or a tensor of images; gives a new one of its kind."""
        size = int(images.shape[self.axis])
        places = np.arange(size)
        places = np.clip(places - self.by, 0, size - 1) if self.by else places[::-1].copy()
        if is_tensor(images):
            torch = sys.modules["torch"]
            return images.index_select(self.axis, torch.as_tensor(places, device=images.device))
        return np.take(images, places, axis=self.axis)


def image_axes(inputs: Any) -> tuple[int, int] | None:
    """Tell which axes of an array or a tensor are those of images.

    Parameters
    ----------
    inputs : container
        Of shape (n, h, w), (n, c, h, w) or (n, h, w, c), with at most four channels and sides of
        at least eight pixels, if it holds images.

    Returns
    -------
    tuple of int or None
        Height and width; None where these are no images, as far as can be told.
    """
    if kind_of(inputs) not in {"array", "tensor"}:
        return None
    if isinstance(inputs, np.ndarray) and inputs.dtype.kind not in "uif":
        return None
    shape = row_shape(inputs) or ()
    axes = None
    if len(shape) == 2:
        axes = (1, 2)
    elif len(shape) == 3 and shape[0] <= _MOST_CHANNELS:
        axes = (2, 3)
    elif len(shape) == 3 and shape[2] <= _MOST_CHANNELS:
        axes = (1, 2)
    if axes is None or min(shape[axis - 1] for axis in axes) < _LEAST_SIDE:
        return None
    return axes


def read_augmentations(given: Any, inputs: Any) -> tuple[Augmentation, ...]:
    """Read what a user gave, and try it on a few records.

    Parameters
    ----------
    given : "default", None, or sequence of callable
        Functions ``X -> X'`` of the container that the user gave. By default images are mirrored
        left to right and shifted by one pixel in four directions, and nothing else is augmented.
    inputs : container
        The members.

    Returns
    -------
    tuple of callable

    Raises
    ------
    LeakproError
        If one is no function, raises, gives other than as many records of the same shape and type
        of values, gives something else at each call, or looks at more than the record itself.
    """
    if isinstance(given, str) and given == "default":
        axes = image_axes(inputs)
        if axes is None:
            return ()
        across = axes[1]
        moves = [MovedPixels(axis, by) for axis in axes for by in (-1, 1)]
        return (MovedPixels(across), *moves)
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        raise LeakproError(
            f'augmentations is {_say(given)}: give a list of functions X -> X\', "default" (of '
            "images: mirrored, and shifted by one pixel) or None"
        )
    if len(given) > _MOST:
        raise LeakproError(
            f"augmentations: {len(given)} functions: give at most {_MOST}, each of which asks "
            "every model about every record"
        )
    tried = take(inputs, np.arange(min(_TRIED, length(inputs))))
    for number, function in enumerate(given):
        name = _name(number, function)
        if not callable(function) or isinstance(function, type):
            raise LeakproError(f"{name} is {_say(function)}: give a function X -> X'")
        _try(function, tried, name)
    return tuple(given)


def augmented(function: Augmentation, inputs: Any, name: str = "an augmentation") -> Any:
    """Augment records, and check that there are as many of the same kind.

    Parameters
    ----------
    function : callable
        ``X -> X'``.
    inputs : container
        n records.
    name : str
        What the function is called, for errors.

    Raises
    ------
    LeakproError
        Where it raises (its error is the cause), or gives anything else.
    """
    try:
        copies = function(inputs)
    except Exception as error:
        raise LeakproError(
            f"{name} raised {type(error).__name__} on {length(inputs):,} records ({_kind(inputs)}, "
            f"each of shape {row_shape(inputs)}); its own error stands above"
        ) from error
    if copies is None:
        raise LeakproError(f"{name} returned None: it must return the augmented records")
    if kind_of(copies) != kind_of(inputs):
        raise LeakproError(
            f"{name} returned {_say(copies)}: it must return the same kind of container that it "
            f"gets, a {_kind(inputs)}"
        )
    if length(copies) != length(inputs):
        raise LeakproError(
            f"{name} returned {length(copies):,} records for {length(inputs):,}: it must return "
            "one for each, in their order"
        )
    if row_shape(copies) != row_shape(inputs):
        raise LeakproError(
            f"{name} returned records of shape {row_shape(copies)} for those of shape "
            f"{row_shape(inputs)}: it must keep the shape, which the model expects"
        )
    if _types(copies) != _types(inputs):
        raise LeakproError(
            f"{name} returned values of type {_types(copies)} for those of type {_types(inputs)}: "
            "it must keep the type of the values, and the columns of a DataFrame"
        )
    return copies


def _try(function: Augmentation, inputs: Any, name: str) -> None:
    before = _values(inputs)
    whole, again = augmented(function, inputs, name), augmented(function, inputs, name)
    if not _same(before, _values(inputs)):
        raise LeakproError(f"{name} changes the records that it gets: it must return copies")
    if not _same(_values(whole), _values(again)):
        raise LeakproError(
            f"{name} is random, as two calls differ: it must be deterministic, so that all models "
            "are asked about the same copies; for several draws give several functions, each with "
            "values of its own that it keeps"
        )
    half = np.arange(length(inputs) // 2, length(inputs))
    if not _same(
        _values(take(whole, half)), _values(augmented(function, take(inputs, half), name))
    ):
        raise LeakproError(
            f"{name} makes something else of a record among other records or in another place: "
            "each copy must follow from its record alone (draw noise of one record's shape, and "
            "add the same to all)"
        )


def _values(container: Any) -> Any:
    """Give comparable values, which no later change of the container reaches."""
    if is_tensor(container):
        return as_numpy(container).copy()
    if is_sparse(container):
        return container.toarray()
    if is_frame(container) or is_series(container):
        return container.to_numpy(dtype=object, copy=True)
    if isinstance(container, list):
        return [_values(item) if kind_of(item) else item for item in container]
    return np.array(container)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, list):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, np.ndarray):
        try:
            # Sums over other batches may round otherwise.
            return bool(np.allclose(first, second, rtol=1e-4, atol=1e-6, equal_nan=True))
        except TypeError:
            both = zip(np.ravel(first), np.ravel(second), strict=True)
            return all(a is b or a == b or (a != a and b != b) for a, b in both)
    return bool(first == second)


def _types(container: Any) -> Any:
    if is_frame(container):
        return [(str(name), dtype.kind) for name, dtype in container.dtypes.items()]
    dtype = getattr(container, "dtype", None)
    return getattr(dtype, "kind", None if dtype is None else str(dtype))


def _kind(container: Any) -> str:
    return str(kind_of(container))


def _name(number: int, function: Any) -> str:
    told = getattr(function, "__name__", type(function).__name__)
    return f"augmentations[{number}] ({told})"


def _say(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
