"""A recipe for torch modules, of which many can be trained at once.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.targets.checkpoints import MOST_CHECKPOINTS
from pytest_leakpro.targets.torch_training import (
    check_loss,
    image_layout,
    inputs_on,
    kept_epochs,
    labels_on,
    loss_function,
    new_modules,
    one_optimiser,
    order_of,
    seeded,
    trained_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STACKS", "TorchTrainer"]

STACKS = ("products", "vmap", "processes")
_LOSSES = ("cross_entropy", "mse")
_OPTIMISERS = ("sgd", "adam", "adamw")
_USUAL_RATE = 1e-3


@dataclass(frozen=True, kw_only=True)
class TorchTrainer:
    """How a torch module is trained; it trains one, and shadow models many at a time.

    Called as ``trainer(X, y, seed)`` it returns a trained module, so that it also trains the
    target. Weights at the start, minibatches and dropout follow from the seed alone.

    Parameters
    ----------
    module : callable
        Without arguments; returns a new, untrained `torch.nn.Module` each time.
    loss : {"cross_entropy", "mse"} or callable, default "cross_entropy"
        A function ``(outputs, targets) -> mean over the minibatch``, a tensor without axes.
    optimizer : {"sgd", "adam", "adamw"}, default "adam"
        With torch's own defaults for what is not given here.
    lr : float, optional
        1e-3 for adam and adamw; required for sgd.
    momentum : float, default 0
        Of sgd.
    weight_decay : float, optional
        0, of adamw 0.01.
    schedule : {None, "cosine"} or callable, optional
        A function from the epoch, counted from 0, to the factor of the learning rate.
    epochs : int
        How often each record is seen.
    batch_size : int, default 128
        Records in a minibatch; the last one of an epoch holds what is left.
    augment : callable, optional
        Called on the inputs of each minibatch of each model. What it draws from torch follows
        from the seed, but differs between one model and many at once.
    checkpoints : int, default 0
        How many states to keep, evenly over the epochs: with two or more a list of that many
        modules is returned, the trained one last. At most `epochs`.
    device : str, default "cpu"
        Where models are trained, such as ``"cuda"``.
    stack : {None, "products", "vmap", "processes"}, optional
        How shadow models are trained together. By default it follows from the layers by a fixed
        table; the way changes the last bits of the figures.
    group : int, optional
        How many shadow models are stacked; by default it follows from their number and size.

    Raises
    ------
    LeakproError
        If an argument is not as described.

    Examples
    --------
    >>> TorchTrainer(module=lambda: None, optimizer="sgd", lr=0.1, epochs=20)
    TorchTrainer(sgd, lr=0.1, epochs=20, batch_size=128)
    """

    module: Callable[[], Any]
    loss: str | Callable[[Any, Any], Any] = "cross_entropy"
    optimizer: str = "adam"
    lr: float | None = None
    momentum: float = 0.0
    weight_decay: float | None = None
    schedule: str | Callable[[int], float] | None = None
    epochs: int
    batch_size: int = 128
    augment: Callable[[Any], Any] | None = None
    checkpoints: int = 0
    device: str = "cpu"
    stack: str | None = None
    group: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.module):
            raise LeakproError(
                f"TorchTrainer: module is a {type(self.module).__name__}: give a function without "
                "arguments that returns a new torch.nn.Module"
            )
        if self.augment is not None and not callable(self.augment):
            raise LeakproError(
                f"TorchTrainer: augment is a {type(self.augment).__name__}: give a function from "
                "inputs to inputs"
            )
        if hasattr(self.module, "parameters") and not isinstance(self.module, type):
            raise LeakproError(
                "TorchTrainer: module is a module already: give a function that returns a new one "
                "each time, such as lambda: Net()"
            )
        for name, value, known in (
            ("loss", self.loss, _LOSSES),
            ("optimizer", self.optimizer, _OPTIMISERS),
            ("schedule", self.schedule, ("cosine",)),
            ("stack", self.stack, STACKS),
        ):
            free = name in {"loss", "schedule"} and callable(value)
            unset = name in {"schedule", "stack"} and value is None
            if not free and not unset and value not in known:
                raise LeakproError(
                    f"TorchTrainer: {name}={value!r}{nearest_match(str(value), known)}"
                )
        for name in ("epochs", "batch_size", "group"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            if not whole and not (name == "group" and value is None):
                raise LeakproError(
                    f"TorchTrainer: {name} is a whole number of at least 1, not {value!r}"
                )
        self._check_checkpoints()
        self._check_numbers()

    def _check_checkpoints(self) -> None:
        value = self.checkpoints
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < 0 or value == 1:
            raise LeakproError(
                f"TorchTrainer: checkpoints is 0 or a whole number of at least 2, not {value!r}"
            )
        most = min(self.epochs, MOST_CHECKPOINTS)
        if value > most:
            raise LeakproError(
                f"TorchTrainer: checkpoints={value} of {self.epochs} epochs: give at most {most}"
            )

    def _check_numbers(self) -> None:
        if self.lr is None:
            if self.optimizer == "sgd":
                raise LeakproError("TorchTrainer: sgd needs a learning rate: give lr=")
            object.__setattr__(self, "lr", _USUAL_RATE)
        if self.weight_decay is None:
            object.__setattr__(self, "weight_decay", 0.01 if self.optimizer == "adamw" else 0.0)
        for name in ("lr", "momentum", "weight_decay"):
            value = getattr(self, name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value < 0:
                raise LeakproError(f"TorchTrainer: {name} is a number of at least 0, not {value!r}")
        if self.momentum and self.optimizer != "sgd":
            raise LeakproError(f"TorchTrainer: momentum belongs to sgd, not to {self.optimizer}")

    def __repr__(self) -> str:
        return (
            f"TorchTrainer({self.optimizer}, lr={self.lr:g}, epochs={self.epochs}, "
            f"batch_size={self.batch_size})"
        )

    def rate(self, epoch: int) -> float:
        """Give the learning rate of an epoch, counted from 0."""
        assert self.lr is not None
        if self.schedule is None:
            return self.lr
        if callable(self.schedule):
            return self.lr * float(self.schedule(epoch))
        return self.lr * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))

    def __call__(self, X: Any, y: Any, seed: int) -> Any:
        """Train one module.

        Parameters
        ----------
        X : container of n records
            Numbers; a tensor, an array, a DataFrame or a sparse matrix.
        y : container of n labels
            Of classes the whole numbers 0, 1, …
        seed : int
            At least 0.

        Returns
        -------
        torch.nn.Module
            In evaluation mode; with `checkpoints` a list of them, of which it is the last.

        Raises
        ------
        LeakproError
            For records that no module takes, a loss that is no mean, or one that became NaN.
        """
        import torch

        with seeded(seed, self.device):
            # Two, since a factory may return the same one again.
            module = new_modules(self.module, [seed, seed], self.device)[0]
        module.train()
        inputs = inputs_on(self.device, X, module)
        labels = labels_on(self.device, y, self.loss)
        loss_of = loss_function(self.loss)
        with seeded(seed, self.device):
            layout = image_layout(module, loss_of, inputs, labels)
        module.to(memory_format=layout)
        optimiser = one_optimiser(self, [value for _, value in trained_parameters(module)])
        order = order_of(seed, len(inputs))
        last, kept = torch.zeros(()), []
        moments = kept_epochs(self.epochs, self.checkpoints)
        with seeded(seed, self.device):
            for epoch in range(self.epochs):
                for entry in optimiser.param_groups:
                    entry["lr"] = self.rate(epoch)
                for chosen in order.epoch().split(self.batch_size):
                    at = chosen.to(inputs.device)
                    batch = inputs.index_select(0, at)
                    batch = batch if self.augment is None else self.augment(batch)
                    if layout == torch.channels_last and batch.ndim == 4:
                        batch = batch.contiguous(memory_format=layout)
                    last = check_loss(loss_of(module(batch), labels.index_select(0, at)))
                    optimiser.zero_grad()
                    last.backward()
                    optimiser.step()
                if epoch in moments[:-1]:
                    kept.append(copy.deepcopy(module).eval())
        module.eval().to(memory_format=torch.contiguous_format)
        finite = all(bool(value.isfinite().all()) for value in module.parameters())
        if not finite or not bool(last.detach().isfinite()):
            raise LeakproError(
                f"the loss or the weights are NaN or infinite after {self.epochs} epochs: a lower "
                "lr may help"
            )
        if not moments:
            return module
        return [*(one.to(memory_format=torch.contiguous_format) for one in kept), module]
