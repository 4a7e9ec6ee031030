"""A client's records as torch tensors, and what kind of records they are.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.targets.containers import is_frame, is_series, is_tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import Form

__all__ = ["ClientBatch", "form_of", "read_batch", "read_bounds"]

FORMS: tuple[Form, ...] = ("images", "table", "tokens")


@dataclass(frozen=True, repr=False, eq=False)
class ClientBatch:
    """Some records with their labels, as tensors where the model computes."""

    inputs: Any
    labels: Any

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"ClientBatch({tuple(self.inputs.shape)})"

    def pair(self) -> tuple[Any, Any]:
        """Give copies of both, as client functions take them."""
        return self.inputs.clone(), self.labels.clone()

    def take(self, chosen: NDArray[np.intp]) -> ClientBatch:
        """Give some of the records."""
        return ClientBatch(self.inputs[chosen], self.labels[chosen])


def read_batch(given: Any, where: str, model: Any) -> ClientBatch:
    """Read a pair of inputs and labels.

    Parameters
    ----------
    given : pair of array_like or tensor
        Of shape (n, ...) and (n, ...).
    where : str
        What the argument is called.
    model : torch.nn.Module
        Numbers take the type of its weights.

    Raises
    ------
    LeakproError
        Where it is no such pair, empty, of unequal lengths, or not finite.
    """
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise LeakproError(
            f"{where} is a {type(given).__name__}: give a pair (inputs, labels) of tensors or "
            "arrays, one row per record"
        )
    weight = next(iter(model.parameters()))
    inputs, labels = (
        _tensor(part, f"{where}: {name}", weight)
        for name, part in zip(("inputs", "labels"), given, strict=True)
    )
    if inputs.dim() < 2 or labels.dim() < 1:
        raise LeakproError(
            f"{where}: inputs have shape {tuple(inputs.shape)} and labels {tuple(labels.shape)}: "
            "give one row per record, (n, …), and one label for each, (n,)"
        )
    if len(inputs) != len(labels):
        raise LeakproError(
            f"{where}: there are {len(inputs)} inputs and {len(labels)} labels: give one label "
            "per record"
        )
    if not len(inputs):
        raise LeakproError(f"{where} is empty: give at least one record")
    return ClientBatch(inputs, labels)


def _tensor(given: Any, where: str, weight: Any) -> Any:
    torch = sys.modules["torch"]
    if is_frame(given) or is_series(given):
        given = given.to_numpy()
    try:
        value = given.detach() if is_tensor(given) else torch.as_tensor(np.array(given))
    except (TypeError, ValueError, RuntimeError) as error:
        raise LeakproError(f"{where} cannot be read as numbers: {error}") from error
    if value.is_floating_point():
        value = value.to(weight.dtype)
        if not bool(torch.isfinite(value).all()):
            raise LeakproError(f"{where} hold NaN or infinite values: leave those records out")
    return value.to(weight.device)


def form_of(given: str | None, inputs: Any) -> Form:
    """Tell what kind of records these are.

    Parameters
    ----------
    given : str or None
        What the user says.
    inputs : tensor
        Whole numbers are tokens; two axes a table; more of them images.

    Raises
    ------
    LeakproError
        For a word that is not known, or inputs that are not of that kind.
    """
    whole = not inputs.is_floating_point()
    if given is None:
        if whole and inputs.dim() == 2:
            return "tokens"
        if inputs.dim() == 2:
            return "table"
        if inputs.dim() in (3, 4) and not whole:
            return "images"
        raise LeakproError(
            f"inputs of shape {tuple(inputs.shape)} and type {inputs.dtype} are neither images "
            "(n, c, h, w), nor a table (n, columns), nor tokens (whole numbers, (n, length)): say "
            "form= and give floating-point numbers for images and tables"
        )
    for form in FORMS:
        if given == form:
            if whole != (form == "tokens"):
                raise LeakproError(
                    f"form={form!r}, but inputs have type {inputs.dtype}: tokens are whole "
                    "numbers, images and tables floating-point numbers"
                )
            return form
    raise LeakproError(
        f"form={given!r} is not known{nearest_match(str(given), FORMS)}: give one of "
        f"{', '.join(map(repr, FORMS))}"
    )


def read_bounds(given: Any, inputs: Any, population: ClientBatch | None) -> tuple[Any, Any] | None:
    """Give the range that inputs can have, as far as the attacker knows it.

    Parameters
    ----------
    given : pair or None
        Least and largest value: numbers, or arrays to be broadcast to a record.
    inputs : tensor
        Of the client: its shape and type count only.
    population : ClientBatch or None
        By default what its records span, per channel of an image and per column of a table.

    Raises
    ------
    LeakproError
        Where it is no such pair.
    """
    torch = sys.modules["torch"]
    if not inputs.is_floating_point():
        return None
    if given is None:
        if population is None:
            return None
        axes = [axis for axis in range(inputs.dim()) if axis != 1]
        low, high = population.inputs.amin(axes), population.inputs.amax(axes)
        shape = [-1, *([1] * (inputs.dim() - 2))]
        return low.reshape(shape), high.reshape(shape)
    try:
        low, high = (
            torch.as_tensor(np.asarray(side, dtype=float), dtype=inputs.dtype, device=inputs.device)
            for side in given
        )
        torch.broadcast_to(low, inputs.shape[1:])
        torch.broadcast_to(high, inputs.shape[1:])
    except (TypeError, ValueError, RuntimeError):
        raise LeakproError(
            "bounds: give the least and the largest value that inputs can have, as (0, 1), or two "
            f"arrays that broadcast to a record of shape {tuple(inputs.shape[1:])}"
        ) from None
    if not bool((low < high).any()) or bool((low > high).any()):
        raise LeakproError("bounds: the least value is not below the largest: give (low, high)")
    return low, high
