"""Groups of stacked models on this machine: how many fit, and trained in threads.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_leakpro.shadow.group import run_stacked
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_leakpro.shadow.job import Finished, ShadowJob
    from pytest_leakpro.shadow.way import Way
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["groups_at_once", "train_in_threads"]

# Of the memory that is free now, which others want too.
_SHARE_OF_MEMORY = 0.5
# Activations and what a minibatch needs besides, over what weights, gradients and moments take.
_BESIDES = 4


def groups_at_once(way: Way, trainer: TorchTrainer, n_groups: int) -> int:
    """Give how many groups the free memory holds: this says when they are trained, never how.

    Parameters
    ----------
    way : Way
        One that stacks.
    trainer : TorchTrainer
        On a GPU one group is trained at a time.
    n_groups : int
        How many there are.

    Returns
    -------
    int
        At least 1, at most `n_groups`.
    """
    if trainer.device.partition(":")[0] != "cpu":
        return 1
    free = None
    with suppress(AttributeError, ValueError, OSError):  # not every system tells
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if free is None:
        return n_groups
    fitting = int(free * _SHARE_OF_MEMORY) // max(1, _BESIDES * way.bytes)
    return max(1, min(n_groups, fitting))


def train_in_threads(
    job: ShadowJob, trainer: TorchTrainer, groups: list[range], at_once: int
) -> Iterator[list[Finished]]:
    """Train groups side by side in this process, each on one thread.

    Parameters
    ----------
    job : ShadowJob
        With its way, which stacks.
    trainer : TorchTrainer
        The recipe; with more than one at a time it must not draw from torch's random state.
    groups : list of range
        Which models.
    at_once : int
        How many groups at a time.

    Yields
    ------
    list of Finished
        One per model of a group, as groups finish.
    """
    stop = threading.Event()
    with one_thread():
        if at_once == 1:
            yield from (run_stacked(job, trainer, group, stop.is_set) for group in groups)
            return
        with ThreadPoolExecutor(at_once) as pool:
            try:
                started = [
                    pool.submit(run_stacked, job, trainer, group, stop.is_set) for group in groups
                ]
                for done in as_completed(started):
                    yield done.result()
            finally:
                # An interrupt ends the others at their next step.
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
