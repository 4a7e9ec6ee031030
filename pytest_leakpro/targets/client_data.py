"""The records of a client, batch by batch: given, or drawn from what it holds.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.client_batch import ClientBatch, read_batch
from pytest_leakpro.targets.client_training import read_count

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ClientData"]


class ClientData:
    """The batches of which updates are attacked.

    Parameters
    ----------
    model : torch.nn.Module
        Numbers take the type of its weights.
    batch, batches, data, draws, batch_size
        As for `FederatedUpdate`.

    Attributes
    ----------
    n_batches : int
        How many there are.
    sizes : tuple of int
        Of how many records the update of each batch is.
    first : ClientBatch
        Records to tell their kind by: the first batch, or all that are drawn from.

    Raises
    ------
    LeakproError
        Where none or several of them are given, or they do not fit each other.
    """

    def __init__(
        self, model: Any, batch: Any, batches: Any, data: Any, draws: Any, batch_size: Any
    ) -> None:
        if sum(entry is not None for entry in (batch, batches, data)) != 1:
            raise LeakproError(
                "give the client's records once: batch=, or batches=, or data= with draws="
            )
        size = None if batch_size is None else read_count("batch_size", batch_size)
        self._pool: ClientBatch | None = None
        if data is not None:
            self._pool = read_batch(data, "data", model)
            self.first = self._pool
            self._batches: list[ClientBatch] = []
            self.n_batches = read_count("draws", draws, 2)
            if size is None or size > len(self._pool):
                raise LeakproError(
                    f"data: {len(self._pool)} records, of which draws= takes batches of "
                    "batch_size=: give it, at most as many as there are"
                )
            self.sizes = (size,) * self.n_batches
            return
        if draws is not None:
            raise LeakproError("draws: batches are drawn from data=: give it in place of batch")
        if batches is not None and (not isinstance(batches, (list, tuple)) or not batches):
            raise LeakproError("batches: give a list of pairs (inputs, labels)")
        self._batches = _read_all(batch, batches, size, model)
        self.first = self._batches[0]
        self.sizes = tuple(size or len(entry) for entry in self._batches)
        self.n_batches = len(self._batches)

    @property
    def given(self) -> bool:
        """Whether the batches were given, not drawn: only then can what was sent be given too."""
        return self._pool is None

    def batches(self, seed: int) -> Sequence[ClientBatch]:
        """Give the batches; those that are drawn follow from the seed.

        Each is drawn without replacement, independently of the others: the rate over them is that
        of batches drawn from what the client holds.
        """
        if self._pool is None:
            return self._batches
        drawn = []
        for number, size in enumerate(self.sizes):
            rng = derive_rng(seed, "draws", str(number))
            chosen = rng.choice(len(self._pool), size=size, replace=False)
            drawn.append(self._pool.take(np.sort(chosen)))
        return drawn


def _read_all(batch: Any, batches: Any, size: int | None, model: Any) -> list[ClientBatch]:
    named = [("batch", batch)]
    if batches is not None:
        named = [(f"batches[{number}]", entry) for number, entry in enumerate(batches)]
    found: list[ClientBatch] = []
    for where, entry in named:
        read = read_batch(entry, where, model)
        if size is not None and len(read) > size:
            raise LeakproError(
                f"{where} has {len(read)} records, more than the {size} that the update claims to "
                "be of (batch_size): one of them is wrong"
            )
        if found and read.inputs.shape[1:] != found[0].inputs.shape[1:]:
            raise LeakproError(
                f"{where}: records of shape {tuple(read.inputs.shape[1:])}, those of the first "
                f"batch {tuple(found[0].inputs.shape[1:])}"
            )
        found.append(read)
    return found
