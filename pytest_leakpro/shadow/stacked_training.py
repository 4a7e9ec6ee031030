"""Training a group of torch modules in one program.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.stacked_forward import products_gradients, vmap_gradients
from pytest_leakpro.shadow.stacked_optimiser import StackedOptimiser
from pytest_leakpro.targets.torch_training import (
    inputs_on,
    kept_epochs,
    labels_on,
    new_modules,
    order_of,
    seeded,
    trained_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["draws_from_torch", "train_group"]


def train_group(
    trainer: TorchTrainer,
    way: str,
    data: tuple[Any, Any],
    positions: Sequence[NDArray[np.intp]],
    seeds: Sequence[int],
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[list[Any], list[bool]]:
    """Train modules together, each on its own records of one pool.

    Parameters
    ----------
    trainer : TorchTrainer
        The recipe.
    way : {"products", "vmap"}
        How they are stacked.
    data : (X, y)
        The pool.
    positions : sequence of ndarray of int
        The records of each of K models; they may differ in number.
    seeds : sequence of int
        K of them.
    stopped : callable
        Asked before each step whether to give up.

    Returns
    -------
    list
        K trained modules, in evaluation mode; with checkpoints a list of modules of each, the
        trained one last.
    list of bool
        Whether each one's losses and weights stayed finite.

    Raises
    ------
    LeakproError
        Where a module or loss cannot be stacked, or memory is too small for the group.
    """
    import torch

    too_small = (MemoryError, torch.cuda.OutOfMemoryError)
    try:
        return _Group(trainer, way, data, positions, seeds).train(stopped)
    except (*too_small, RuntimeError) as error:
        if not isinstance(error, too_small) and "can't allocate memory" not in str(error):
            raise
        size = len(seeds)
        raise LeakproError(
            "the memory is too small for "
            + (
                f"{size} shadow models at a time: give a smaller group="
                if size > 1
                else "one model"
            )
        ) from error


def draws_from_torch(way: str, trainer: TorchTrainer) -> bool:
    """Tell whether a group draws from torch's own random state, of which each process has one."""
    return way == "vmap" or trainer.augment is not None


class _Group:
    """K modules with their stacked weights, and the pool on their device."""

    def __init__(
        self,
        trainer: TorchTrainer,
        way: str,
        data: tuple[Any, Any],
        positions: Sequence[NDArray[np.intp]],
        seeds: Sequence[int],
    ) -> None:
        import torch

        self._trainer = trainer
        self._way = way
        self._modules = new_modules(trainer.module, seeds, trainer.device)
        first = self._modules[0].train()
        self._inputs = inputs_on(trainer.device, data[0], first)
        self._labels = labels_on(trainer.device, data[1], trainer.loss)
        self._records = [torch.from_numpy(chosen) for chosen in positions]
        self._order = [
            order_of(seed, len(chosen)) for seed, chosen in zip(seeds, positions, strict=True)
        ]
        self._seed = seeds[0]
        self._kept: dict[tuple[str, int], Any] = {}
        self._states: list[dict[str, Any]] = []
        names = [name for name, _ in trained_parameters(first)]
        self._weights = {name: self._stack(name) for name in names}
        others = {name for name, _ in (*first.named_parameters(), *first.named_buffers())}
        self._frozen = {name: self._stack(name) for name in sorted(others - set(names))}

    def _stack(self, name: str) -> Any:
        import torch

        return torch.stack([_part(module, name).detach() for module in self._modules])

    def train(self, stopped: Callable[[], bool]) -> tuple[list[Any], list[bool]]:
        """Train them."""
        trainer = self._trainer
        # Others are trained in threads: only what stands alone in its process may hold the state.
        if draws_from_torch(self._way, trainer):
            with seeded(self._seed, trainer.device):
                finite = self._epochs(stopped)
        else:
            finite = self._epochs(stopped)
        for stacked in self._weights.values():
            finite &= stacked.flatten(1).isfinite().all(1)
        earlier = [self._written(state, copy.deepcopy(self._modules)) for state in self._states]
        trained = self._written(self._weights, self._modules)
        if not self._states:
            return trained, finite.tolist()
        runs = zip(*earlier, trained, strict=True)
        return [list(run) for run in runs], finite.tolist()

    def _written(self, weights: dict[str, Any], modules: list[Any]) -> list[Any]:
        """Write stacked weights into modules."""
        import torch

        with torch.no_grad():
            for name, stacked in (*weights.items(), *self._frozen.items()):
                for module, value in zip(modules, stacked.unbind(), strict=True):
                    _part(module, name).copy_(value)
        return [module.eval() for module in modules]

    def _epochs(self, stopped: Callable[[], bool]) -> Any:
        import torch

        trainer = self._trainer
        first = self._modules[0]
        if self._way == "products":
            random = torch.Generator(trainer.device).manual_seed(self._seed)
            gradients_of = products_gradients(first, trainer.loss, random)
        else:
            self._require_stateless(first)
            gradients_of = vmap_gradients(first, trainer.loss)
        optimiser = StackedOptimiser(trainer, self._weights)
        sums = torch.zeros(len(self._modules), device=trainer.device)
        moments = kept_epochs(trainer.epochs, trainer.checkpoints)
        for epoch in range(trainer.epochs):
            optimiser.rate = trainer.rate(epoch)
            for step in self._epoch():
                if stopped():
                    raise LeakproError("the training of shadow models was stopped")
                for members, chosen in step:
                    inputs, targets = self._minibatch(chosen)
                    weights, frozen = self._weights, self._frozen
                    if members is not None:
                        weights = {name: value[members] for name, value in weights.items()}
                        frozen = {name: value[members] for name, value in frozen.items()}
                    losses, gradients = gradients_of(weights, frozen, inputs, targets)
                    optimiser.step(gradients, members)
                    # What is not finite stays so in a sum.
                    if members is None:
                        sums += losses
                    else:
                        sums[members] += losses
            if epoch in moments[:-1]:
                self._states.append(
                    {name: value.detach().clone() for name, value in self._weights.items()}
                )
        return sums.isfinite()

    def _epoch(self) -> Iterator[list[tuple[list[int] | None, Any]]]:
        """Give the steps of the next epoch: who takes one, None for all, on which records."""
        import torch

        batch_size = self._trainer.batch_size
        drawn = [
            records[order.epoch()]
            for records, order in zip(self._records, self._order, strict=True)
        ]
        if len({len(records) for records in drawn}) == 1:
            together: Any = torch.stack(drawn)
            for chosen in together.split(batch_size, 1):
                yield [(None, chosen)]
            return
        for step in zip_longest(*(torch.split(records, batch_size) for records in drawn)):
            yield _alike(step)

    def _minibatch(self, chosen: Any) -> tuple[Any, Any]:
        import torch

        at = chosen.flatten().to(self._inputs.device)
        inputs: Any
        targets: Any
        inputs, targets = (
            torch.index_select(pool, 0, at, out=self._kept_like(what, pool, len(at)))
            for what, pool in (("inputs", self._inputs), ("targets", self._labels))
        )
        inputs, targets = inputs.unflatten(0, chosen.shape), targets.unflatten(0, chosen.shape)
        if self._trainer.augment is not None:
            inputs = torch.stack([self._trainer.augment(batch) for batch in inputs.unbind()])
        return inputs, targets

    def _kept_like(self, what: str, pool: Any, size: int) -> Any:
        """Give memory for a minibatch that is used again by the next one of its size."""
        if (what, size) not in self._kept:
            self._kept[what, size] = pool.new_empty((size, *pool.shape[1:]))
        return self._kept[what, size]

    def _require_stateless(self, module: Any) -> None:
        """Check that a forward pass leaves nothing behind, which torch.func would lose."""
        import torch

        trial = copy.deepcopy(module)
        before = {name: value.clone() for name, value in trial.named_buffers()}
        if not before:
            return
        with torch.no_grad():
            few = self._records[0][: min(4, len(self._records[0]))]
            trial(self._inputs[few.to(self._inputs.device)])
        after = dict(trial.named_buffers())
        if any(not torch.equal(value, after[name]) for name, value in before.items()):
            raise LeakproError(
                "TorchTrainer: this module changes its own buffers as it runs, which torch.func "
                'would lose: give stack="processes"'
            )


def _alike(step: Sequence[Any]) -> list[tuple[list[int] | None, Any]]:
    """Put together the models whose minibatches are of one size.

    Returns
    -------
    list of (members, records)
        Which of the models, None for all of them; positions in the pool of shape (k, b).
    """
    import torch

    sizes: dict[int, list[int]] = {}
    for index, chosen in enumerate(step):
        if chosen is not None:  # else this one has had all its records in this epoch
            sizes.setdefault(len(chosen), []).append(index)
    return [
        (
            members if len(members) < len(step) else None,
            torch.stack([step[index] for index in members]),
        )
        for members in sizes.values()
    ]


def _part(module: Any, name: str) -> Any:
    """Give a parameter or buffer by its name."""
    path, _, last = name.rpartition(".")
    return getattr(module.get_submodule(path), last)
