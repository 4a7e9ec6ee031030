"""Torch modules.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
import threading
import warnings
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import is_frame, is_series, is_sparse, is_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["TorchModel", "as_tensor", "evaluating", "is_module", "tensor_for", "without_warnings"]

_BATCH_SIZE = 1024
_WARNINGS = threading.Lock()


def is_module(value: Any) -> bool:
    """Tell whether this is a torch module."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


class TorchModel:
    """A module, asked in evaluation mode and without gradients."""

    def __init__(self, module: Any, output: str | None = None) -> None:
        self._module = module
        self.name = type(module).__name__
        self.classes: tuple[Any, ...] | None = None
        self.output = output
        self.batch_size: int | None = _BATCH_SIZE
        self.pairwise = False

    def __repr__(self) -> str:
        return f"TorchModel({self.name})"

    @property
    def device(self) -> str:
        """Where its weights are, such as ``"cpu"`` or ``"cuda:0"``."""
        weights = _weights(self._module)
        return str(weights[0].device) if weights else "cpu"

    def __call__(self, inputs: Any) -> Any:
        """Ask the module on its own device and in its own floating type."""
        torch = sys.modules["torch"]
        batch = tensor_for(self._module, inputs)
        with evaluating(self._module), torch.no_grad():
            try:
                return self._module(batch)
            except RuntimeError as exc:
                if batch.is_floating_point():
                    raise
                raise LeakproError(
                    f"the model raised {type(exc).__name__} on whole numbers (shape "
                    f"{tuple(batch.shape)}), which are passed as they are for the sake of "
                    "embeddings: cast X to float32 unless it holds indices; its own error stands "
                    "above"
                ) from exc


def _weights(module: Any) -> list[Any]:
    return list(chain(module.parameters(), module.buffers()))


def tensor_for(module: Any, inputs: Any) -> Any:
    """Give records as a tensor on a module's device and in its floating type; see `as_tensor`."""
    batch = as_tensor(inputs)
    weights = _weights(module)
    if batch.is_floating_point():
        # Whole numbers stay, since embeddings take nothing else.
        dtypes = [weight.dtype for weight in weights if weight.is_floating_point()]
        batch = batch.to(dtype=dtypes[0]) if dtypes else batch
    return batch.to(weights[0].device) if weights else batch


@contextmanager
def without_warnings(message: str = "") -> Iterator[None]:
    """Say nothing of what torch warns of, all or what begins with a message.

    One thread at a time, since the filters of warnings are the process's.
    """
    with _WARNINGS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message)
        yield


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Hold a module in evaluation mode, and put every part back as it was."""
    # Each flag by itself: train() would also wake up layers that the user has frozen.
    flags = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for part, training in flags:
            part.training = training


def as_tensor(inputs: Any, *, shared: bool = False) -> Any:
    """Give records of one shape as one tensor, of the type that they have.

    Parameters
    ----------
    inputs : container
    shared : bool
        Whether the tensor may share memory with an array: for who never writes into it.

    Raises
    ------
    LeakproError
        If they hold something other than numbers, or differ in shape.
    """
    torch = sys.modules["torch"]
    if is_tensor(inputs):
        return inputs
    if isinstance(inputs, list) and all(is_tensor(item) for item in inputs):
        try:
            return torch.stack(inputs)
        except RuntimeError as exc:
            raise LeakproError(
                "a torch module takes records of one shape: pad them, or pass a callable that does"
            ) from exc
    array = _array(inputs)
    native = array.dtype.newbyteorder("=")
    if shared and array.flags.c_contiguous and array.dtype == native:
        with without_warnings():  # of memory that may not be written to
            return torch.from_numpy(array)
    # tensor() rather than from_numpy(): it takes read-only and reversed arrays as well.
    return torch.tensor(np.ascontiguousarray(array, dtype=native))


def _array(inputs: Any) -> NDArray[Any]:
    try:
        if is_frame(inputs) or is_series(inputs):
            array: NDArray[Any] = inputs.to_numpy()
            if array.dtype == object:
                array = inputs.to_numpy(dtype=np.float64, na_value=np.nan)
        elif is_sparse(inputs):
            array = inputs.toarray()
        else:
            array = np.asarray(inputs)
    except (TypeError, ValueError) as exc:
        raise _no_numbers() from exc
    if array.dtype.kind not in "biuf":
        raise _no_numbers()
    return array


def _no_numbers() -> LeakproError:
    return LeakproError(
        "a torch module takes numbers in records of one shape, and X holds something else: encode "
        "it first, or pass a callable that encodes and asks the module"
    )
