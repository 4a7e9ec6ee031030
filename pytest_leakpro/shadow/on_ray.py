"""Shadow models on a Ray cluster.

joblib's backend for Ray sends the data with every task and does not replace a worker that died;
tasks of Ray's own share one copy per machine and are tried again.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import logging
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.group import in_cluster, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_leakpro.shadow.job import Finished
    from pytest_leakpro.shadow.parcel import Parcel

__all__ = ["train_on_ray"]

_PATIENCE_SECONDS = 10
_RETRIES = 3


def train_on_ray(
    parcel: Parcel, groups: Sequence[range], scheduler: str | None, workers: int
) -> Iterator[list[Finished]]:
    """Train shadow models on a Ray cluster.

    Parameters
    ----------
    parcel : Parcel
        Kept once per machine.
    groups : sequence of range
        Which shadow models, by what is trained together.
    scheduler : str or None
        The address of a running cluster; None to start one on this machine.
    workers : int
        How many processes to start there; a cluster that runs has its own.

    Yields
    ------
    list of Finished
        A group's, as they finish. What was under way in a process that died is trained in another.

    Raises
    ------
    LeakproError
        Where Ray is not installed, no cluster answers, or processes die time and again.
    """
    with ExitStack() as stack:
        ray = _connect(stack, scheduler, workers)
        task = ray.remote(in_cluster).options(num_cpus=1, max_retries=_RETRIES)
        data = ray.put(parcel)
        pending = {task.remote(data, group): group for group in groups}
        stack.callback(_call_off, ray, pending)
        while pending:
            ready, _ = ray.wait(list(pending), num_returns=1)
            group = pending.pop(ready[0])
            try:
                result = ray.get(ready[0])
            except ray.exceptions.RayError as error:
                first_line = str(error).strip().partition("\n")[0]
                raise LeakproError(
                    f"{named(group)} cannot be trained on Ray "
                    f"({type(error).__name__}: {first_line}); is there enough memory for one, and "
                    "are pytest-leakpro and all that train uses installed there?"
                ) from error
            yield result


def _call_off(ray: Any, pending: dict[Any, range]) -> None:
    for reference in pending:
        ray.cancel(reference, force=True)


def _connect(stack: ExitStack, scheduler: str | None, workers: int) -> Any:
    try:
        import ray
    except ImportError:
        raise LeakproError(
            "the backend ray needs a library that is not installed: "
            "pip install 'pytest-leakpro[ray]'"
        ) from None
    if ray.is_initialized():  # the user's own, which goes on afterwards
        return ray
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if scheduler is None:
        ray.init("local", num_cpus=workers, include_dashboard=False, **quiet)
    else:
        _require_answer(scheduler)
        try:
            ray.init(scheduler, **quiet)
        except Exception as error:
            raise _unreachable(scheduler, error) from error
    stack.callback(ray.shutdown)
    return ray


def _require_answer(scheduler: str) -> None:
    """Knock at the address: Ray itself would try for a long time."""
    host, colon, port = scheduler.rpartition("://")[2].partition("/")[0].rpartition(":")
    if not colon:
        return  # "auto", or a name that Ray knows
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _unreachable(scheduler, error) from error


def _unreachable(scheduler: str, error: Exception) -> LeakproError:
    return LeakproError(
        f"there is no Ray cluster at {scheduler} ({type(error).__name__}): start one with "
        "'ray start --head', or leave --leakpro-scheduler out to train on this machine"
    )
