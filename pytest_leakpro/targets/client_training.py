"""What a client without a defence computes from its records: a gradient, or some local steps.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LocalTraining", "batch_statistics", "norm_layers", "read_count"]


@dataclass(frozen=True, repr=False, eq=False)
class LocalTraining:
    """How a client trains, as far as the attacker knows: plain gradient descent on the loss.

    Attributes
    ----------
    loss : callable
        ``(outputs, labels) -> scalar``, the mean over the records.
    local_steps : int
        Steps of gradient descent, at least 1.
    local_batch_size : int or None
        Records of each step, in their order and from the first again; None for all of them.
    learning_rate : float or None
        Of the steps; needed for more than one.
    """

    loss: Callable[[Any, Any], Any]
    local_steps: int = 1
    local_batch_size: int | None = None
    learning_rate: float | None = None

    @classmethod
    def read(
        cls, loss: Any, local_steps: Any, local_batch_size: Any, learning_rate: Any, kind: str
    ) -> LocalTraining:
        """Check what a user gave; of `kind`, what is sent.

        Raises
        ------
        LeakproError
            Where something is missing or no such thing.
        """
        if loss is None:
            loss = sys.modules["torch"].nn.functional.cross_entropy
        if not callable(loss):
            raise LeakproError(
                f"loss is a {type(loss).__name__}: give a function (outputs, labels) -> scalar, "
                "such as torch.nn.functional.cross_entropy"
            )
        steps = read_count("local_steps", local_steps)
        size = None
        if local_batch_size is not None:
            size = read_count("local_batch_size", local_batch_size)
        if learning_rate is not None:
            number = isinstance(learning_rate, Real) and not isinstance(learning_rate, bool)
            if not number or not math.isfinite(learning_rate) or learning_rate <= 0:
                raise LeakproError("learning_rate: give a positive number")
            learning_rate = float(learning_rate)
        if steps > 1 and learning_rate is None:
            raise LeakproError(
                "local_steps: of several local steps the attacker knows the learning rate too: "
                "give learning_rate="
            )
        if steps > 1 and kind == "gradient":
            raise LeakproError(
                "local_steps: after several local steps a client sends no gradient: say "
                "kind='delta' or kind='weights'"
            )
        return cls(loss, steps, size, learning_rate)

    def simulate(
        self,
        model: Any,
        parameters: tuple[Any, ...],
        inputs: Any,
        labels: Any,
        *,
        differentiable: bool = True,
    ) -> tuple[Any, ...]:
        """Compute what is sent of some records.

        Parameters
        ----------
        model : torch.nn.Module
            The model before; neither its weights nor its buffers change.
        parameters : tuple of tensor
            Of the weights that are trained, in their order.
        inputs, labels : tensor
            Of shape (n, ...) and (n,), or what else the loss takes.
        differentiable : bool
            Whether derivatives by the inputs are wanted.

        Returns
        -------
        tuple of tensor
            The gradient for one local step, the weights after minus before for several.

        Raises
        ------
        LeakproError
            Where the loss does not depend on the weights in a way that torch can differentiate.
        """
        before = [value.detach().requires_grad_(True) for value in parameters]
        if self.local_steps == 1:
            gradient = self._gradient(model, before, inputs, labels, differentiable)
            return tuple(gradient)
        assert self.learning_rate is not None
        weights: list[Any] = list(before)
        for chosen in self.steps(len(labels)):
            gradient = self._gradient(
                model, weights, inputs[chosen], labels[chosen], differentiable
            )
            weights = [
                value - self.learning_rate * slope
                for value, slope in zip(weights, gradient, strict=True)
            ]
            if not differentiable:
                weights = [value.detach().requires_grad_(True) for value in weights]
        changes = tuple(value - old for value, old in zip(weights, before, strict=True))
        return changes if differentiable else tuple(change.detach() for change in changes)

    def steps(self, n: int) -> Iterator[slice]:
        """Give the places of the records of each local step, of n in all."""
        size = min(self.local_batch_size or n, n)
        per_round = math.ceil(n / size)
        for step in range(self.local_steps):
            first = (step % per_round) * size
            yield slice(first, min(first + size, n))

    def _gradient(
        self, model: Any, weights: list[Any], inputs: Any, labels: Any, differentiable: bool
    ) -> list[Any]:
        torch = sys.modules["torch"]
        names = [name for name, value in model.named_parameters() if value.requires_grad]
        state = dict(zip(names, weights, strict=True))
        # Normalisation in training mode would write into the model's own buffers.
        state |= {name: value.clone() for name, value in model.named_buffers()}
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            outputs = torch.func.functional_call(model, state, (inputs,))
            loss = self.loss(getattr(outputs, "logits", outputs), labels)
            if not (isinstance(loss, torch.Tensor) and loss.numel() == 1 and loss.requires_grad):
                raise LeakproError(
                    "the loss cannot be differentiated by the weights: let it return a tensor of "
                    "one value that torch computes from the outputs, without .item(), numpy, argmax"
                )
            found = torch.autograd.grad(
                loss.reshape(()), weights, create_graph=differentiable, allow_unused=True
            )
        return [
            torch.zeros_like(weight) if slope is None else slope
            for weight, slope in zip(weights, found, strict=True)
        ]


def read_count(option: str, value: Any, least: int = 1) -> int:
    """Check a whole number of at least so much.

    Raises
    ------
    LeakproError
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise LeakproError(f"{option}: give a whole number of at least {least}")
    return int(value)


def norm_layers(model: Any) -> list[Any]:
    """Give the batch normalisation layers of a torch module, in the order of its modules."""
    torch = sys.modules["torch"]
    kind = torch.nn.modules.batchnorm._BatchNorm
    return [layer for layer in model.modules() if isinstance(layer, kind)]


@contextmanager
def batch_statistics(model: Any) -> Iterator[list[tuple[Any, Any]]]:
    """Gather mean and variance of what enters each batch normalisation layer.

    Parameters
    ----------
    model : torch.nn.Module
        It is to be called once within the block.

    Yields
    ------
    list of pair of tensor
        Per layer, filled while the model computes; differentiable.
    """
    found: list[tuple[Any, Any]] = []

    def read(_: Any, inputs: tuple[Any, ...]) -> None:
        entering = inputs[0]
        others = [axis for axis in range(entering.dim()) if axis != 1]
        found.append((entering.mean(others), entering.var(others, unbiased=False)))

    hooks = [layer.register_forward_pre_hook(read) for layer in norm_layers(model)]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
