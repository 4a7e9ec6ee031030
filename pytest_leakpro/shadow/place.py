"""Where shadow models are trained: on this machine, or on a cluster.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pytest_leakpro.gate.errors import LeakproError, nearest_match

__all__ = ["Backend", "Place"]

Backend = Literal["loky", "dask", "ray"]


@dataclass(frozen=True)
class Place:
    """Where shadow models are trained.

    Attributes
    ----------
    backend : {"loky", "dask", "ray"}
        loky for processes of this machine.
    scheduler : str or None
        The address of a cluster of dask or ray; None for one that is started on this machine.

    Raises
    ------
    LeakproError
        For an unknown backend, or an address that the backend has no use for.
    """

    backend: Backend = "loky"
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.backend not in get_args(Backend):
            hint = nearest_match(str(self.backend), get_args(Backend))
            raise LeakproError(f"backend cannot be {self.backend!r}{hint}")
        if self.scheduler is None:
            return
        if not isinstance(self.scheduler, str) or not self.scheduler.strip():
            raise LeakproError(
                f"scheduler is an address such as tcp://10.0.0.5:8786, not {self.scheduler!r}"
            )
        if self.backend == "loky":
            raise LeakproError(
                f"the scheduler {self.scheduler} is given, but the backend loky trains on this "
                "machine: choose the backend dask or ray, or leave the address out"
            )
