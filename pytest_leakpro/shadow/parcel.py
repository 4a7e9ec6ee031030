"""A job and its recipe, packed for other processes: large arrays apart, and only once.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import io
import pickle
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.shadow.digest import library_versions
from pytest_leakpro.shadow.own_code import is_own
from pytest_leakpro.targets.containers import is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.shadow.job import Job

__all__ = ["LARGEST_INSIDE", "Parcel", "pack"]

LARGEST_INSIDE = 2**20
"""Bytes up to which an array travels inside the stream rather than beside it."""


@dataclass(frozen=True, repr=False, eq=False)
class Parcel:
    """What pickling made of a job and its recipe.

    joblib maps large arrays into memory, dask and ray send them without copying: so what is large
    is kept as arrays, whatever containers it stood in.

    Attributes
    ----------
    stream : ndarray of uint8
        The pickle.
    buffers : tuple of ndarray of uint8
        The large arrays, which share memory with the job.
    versions : dict of str to str
        Versions of the libraries in use where it was packed.
    """

    stream: NDArray[np.uint8]
    buffers: tuple[NDArray[np.uint8], ...]
    versions: dict[str, str]

    def __sizeof__(self) -> int:
        return int(self.stream.nbytes + sum(buffer.nbytes for buffer in self.buffers))

    def unpack(self) -> tuple[Job, Callable[..., Any]]:
        """Give the job and its recipe, as if nobody had used them before.

        Arrays that are mapped into memory are copied where they are written to; others that stand
        beside the stream cannot be written to.
        """
        buffers = [
            buffer.data if isinstance(buffer, np.memmap) else buffer.data.toreadonly()
            for buffer in self.buffers
        ]
        job, train = pickle.loads(self.stream.data, buffers=buffers)  # noqa: S301 - ours
        return job, train

    def other_versions(self) -> str:
        """Say which libraries have another version here, empty where none has."""
        here = library_versions()
        return ", ".join(
            f"{name} {here[name]} instead of {version}"
            for name, version in self.versions.items()
            if name in here and here[name] != version
        )


def pack(job: Job, train: Callable[..., Any]) -> Parcel:
    """Pickle a job and its recipe.

    Parameters
    ----------
    job : Job
        It must live as long as the parcel's arrays are used.
    train : callable
        Pickled by value, with the user's modules that it needs.

    Raises
    ------
    Exception
        Whatever pickling raises.
    """
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            if is_tensor(value):
                reduced = _reduce_tensor(value)
                if reduced is not None:
                    return reduced
            return super().reducer_override(value)

    buffers: list[NDArray[np.uint8]] = []

    def beside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes <= LARGEST_INSIDE:
            return True
        buffers.append(np.frombuffer(raw, dtype=np.uint8))
        return False

    file = io.BytesIO()
    with _own_modules_by_value():
        Pickler(file, protocol=5, buffer_callback=beside).dump((job, train))
    stream = np.frombuffer(file.getbuffer(), dtype=np.uint8)
    return Parcel(stream, tuple(buffers), library_versions())


def _reduce_tensor(tensor: Any) -> Any:
    """Let a plain tensor travel as an array; None for others, whose pickle holds all the bytes."""
    torch = sys.modules["torch"]
    plain = (
        type(tensor) is torch.Tensor
        and tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not tensor.requires_grad
        and not tensor.is_conj()
        and not tensor.is_neg()
        and tensor.is_contiguous()
    )
    try:
        return (_tensor_of, (tensor.numpy(),)) if plain else None
    except TypeError:  # a type that numpy has not
        return None


def _tensor_of(array: NDArray[Any]) -> Any:
    import torch

    # A tensor does not know memory that must not be written to: it would crash there.
    return torch.from_numpy(array if array.flags.writeable else array.copy())


@contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """Let functions of the user's modules travel as they are.

    A worker may be unable to import them: a conftest.py, a test module in either import mode, or
    code beside it that only pytest's sys.path finds.
    """
    import cloudpickle

    registered = []
    for module in list(sys.modules.values()):
        has_file = isinstance(module, ModuleType) and getattr(module, "__file__", None)
        # What stands in __main__ travels by value as it is.
        if has_file and module.__name__ != "__main__" and is_own(module):
            try:
                cloudpickle.register_pickle_by_value(module)
            except ValueError:  # known to sys.modules under another name
                continue
            registered.append(module)
    try:
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)
