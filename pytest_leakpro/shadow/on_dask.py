"""Shadow models on a Dask cluster.

joblib has a backend for Dask, but waits for ever when a worker dies with the only copy of the data
(joblib 1.6.0). Here they are sent again.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.shadow.group import in_cluster, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_leakpro.shadow.job import Finished
    from pytest_leakpro.shadow.parcel import Parcel

__all__ = ["train_on_dask"]

_PATIENCE_SECONDS = 10
_WORKERS_SECONDS = 60
_FRUITLESS_ROUNDS = 3


def train_on_dask(
    parcel: Parcel, groups: Sequence[range], scheduler: str | None, workers: int
) -> Iterator[list[Finished]]:
    """Train shadow models on a Dask cluster.

    Parameters
    ----------
    parcel : Parcel
        Sent to every worker once.
    groups : sequence of range
        Which shadow models, by what is trained together.
    scheduler : str or None
        The scheduler's address; None to start one with workers on this machine.
    workers : int
        How many of them to start; a cluster that runs has its own.

    Yields
    ------
    list of Finished
        A group's, as they finish. What was under way on a worker that died is trained on another.

    Raises
    ------
    LeakproError
        Where Dask is not installed, the scheduler does not answer or has no worker, or workers die
        time and again.
    """
    with ExitStack() as stack:
        client = _connect(stack, scheduler, workers)
        remaining = list(groups)
        fruitless = 0
        trouble: Exception | None = None
        while remaining:
            before = len(remaining)
            try:
                data = _spread(client, parcel)
                for group, results in _one_round(client, data, list(remaining)):
                    remaining.remove(group)
                    yield results
            except OSError as error:
                raise LeakproError(
                    f"the Dask cluster was lost ({type(error).__name__}: {error}); finished shadow "
                    "models are kept where there is a cache"
                ) from error
            except (KeyError, ValueError, RuntimeError) as error:  # a worker left meanwhile
                trouble = error
                time.sleep(1)
            fruitless = fruitless + 1 if len(remaining) == before else 0
            if fruitless == _FRUITLESS_ROUNDS:
                raise LeakproError(
                    f"{named(remaining[0])}, or one beside it, cannot be trained: the Dask "
                    f"workers died {fruitless} times; is there enough memory for one?"
                ) from trouble


def _spread(client: Any, parcel: Parcel) -> Any:
    _wait_for_workers(client)
    return client.scatter(parcel, broadcast=True, hash=False)


def _one_round(
    client: Any, data: Any, groups: Sequence[range]
) -> Iterator[tuple[range, list[Finished]]]:
    """Train what can be trained before the data are lost with the last worker that had them."""
    from distributed import KilledWorker, as_completed

    token = uuid4().hex
    futures = {
        client.submit(in_cluster, data, group, key=f"leakpro-shadow-{token}-{group[0]}"): group
        for group in groups
    }
    try:
        # Closing the client does not wait for what runs, so it is called off when we stop early.
        for future in as_completed(list(futures), loop=client.loop):
            try:
                result = future.result()
            except CancelledError:
                continue
            except KilledWorker as error:
                raise LeakproError(
                    f"{named(futures[future])} cannot be trained: every Dask worker that tried "
                    "died; is there enough memory for one?"
                ) from error
            except OSError:
                raise
            except Exception as error:
                raise LeakproError(
                    f"{named(futures[future])} cannot be trained on Dask "
                    f"({type(error).__name__}: {error}); the workers need pytest-leakpro and all "
                    "that train uses, in the versions that are installed here"
                ) from error
            yield futures[future], result
    finally:
        client.cancel([*futures, data], force=True)


def _connect(stack: ExitStack, scheduler: str | None, workers: int) -> Any:
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise LeakproError(
            "the backend dask needs a library that is not installed: "
            "pip install 'pytest-leakpro[dask]'"
        ) from None
    if scheduler is None:
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
        )
        return stack.enter_context(Client(stack.enter_context(cluster), set_as_default=False))
    try:
        client = Client(scheduler, timeout=_PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise LeakproError(
            f"there is no Dask scheduler at {scheduler} ({type(error).__name__}): start one with "
            "'dask scheduler' and workers with 'dask worker ADDRESS --nthreads 1', or leave "
            "--leakpro-scheduler out to train on this machine"
        ) from error
    return stack.enter_context(client)


def _wait_for_workers(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
    except TimeoutError as error:
        raise LeakproError(
            f"the Dask scheduler {client.scheduler.address} has no worker after "
            f"{_WORKERS_SECONDS} s: start some with 'dask worker ADDRESS --nthreads 1'"
        ) from error
    threads = client.nthreads()
    if max(threads.values(), default=1) > 1:
        warn(
            f"{len(threads)} Dask workers have {sum(threads.values())} threads, but each trains "
            "one shadow model at a time: start them with --nthreads 1, one per core"
        )
