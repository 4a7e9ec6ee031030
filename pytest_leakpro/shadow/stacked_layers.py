"""Layers of many models at once, each with its own way forward and back.

Written out rather than left to torch's autograd, since a step of small models costs as much in
graphs and fresh memory as in arithmetic: what a layer gives out is kept from step to step.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Layer", "layers_of"]


class Layer(ABC):
    """One layer of K models.

    Attributes
    ----------
    names : tuple of str
        Of its weights.
    """

    names: tuple[str, ...] = ()

    @abstractmethod
    def forward(self, x: Any, weights: dict[str, Any]) -> Any:
        """Give the outputs, of shape (K, b, ...), and keep what the way back needs.

        Parameters
        ----------
        x : Tensor of shape (K, b, ...)
        weights : dict of str to Tensor
            Of all layers; each of shape (K, ...).
        """

    @abstractmethod
    def backward(
        self,
        above: Any,
        weights: dict[str, Any],
        trained: Any,
        gradients: dict[str, Any],
        *,
        below: bool = True,
    ) -> Any:
        """Give the gradient by the inputs of the last `forward`; called once for each.

        Parameters
        ----------
        above : Tensor
            The gradient by the outputs, which may be overwritten.
        weights : dict of str to Tensor
            As in `forward`.
        trained : container of str
            The weights whose gradients are wanted.
        gradients : dict of str to Tensor
            Where these are put, or added.
        below : bool
            Whether anybody asks for the gradient by the inputs; None is given where not.
        """


def layers_of(layers: Sequence[Any], names: dict[int, str], random: Any) -> list[Layer]:
    """Give the layers that do for K models what these do for one.

    Parameters
    ----------
    layers : sequence of torch.nn.Module
        Those that `way.known_layers` gives.
    names : dict of int to str
        The names of the weights, by their identities.
    random : torch.Generator
        For dropout, on the device of the weights.
    """
    from torch import nn

    found: list[Layer] = []
    for layer in layers:
        kind = type(layer)
        own = tuple(
            None if value is None else names[id(value)]
            for value in (getattr(layer, "weight", None), getattr(layer, "bias", None))
        )
        if kind is nn.Linear:
            assert own[0] is not None
            found.append(_Linear(own[0], own[1]))
        elif kind is nn.ReLU:
            found.append(_Rectifier(in_place=bool(found) and isinstance(found[-1], _Linear)))
        elif kind is nn.Dropout:
            if layer.p > 0:
                found.append(_Dropout(layer.p, random))
        elif kind is nn.Flatten:
            found.append(_Flatten())
        else:
            found.append(_Differentiated(layer, own))
    return found


def _put(gradients: dict[str, Any], name: str, gradient: Any) -> None:
    """Put a gradient beside the others; a weight that stands in several layers has their sum."""
    gradients[name] = gradients[name] + gradient if name in gradients else gradient


class _Linear(Layer):
    def __init__(self, weight: str, bias: str | None) -> None:
        self.names = (weight,) if bias is None else (weight, bias)
        self._weight, self._bias = weight, bias
        self._kept: dict[tuple[str, tuple[int, ...]], Any] = {}

    def forward(self, x: Any, weights: dict[str, Any]) -> Any:
        import torch

        self._shape = x.shape
        # Axes between the records and the last one count as records.
        self._x = x if x.ndim == 3 else x.flatten(1, -2)
        weight = weights[self._weight]
        out = self._like("outputs", (*self._x.shape[:2], weight.shape[1]), x)
        if self._bias is None:
            torch.bmm(self._x, weight.mT, out=out)
        else:
            torch.baddbmm(weights[self._bias][:, None], self._x, weight.mT, out=out)
        return out if x.ndim == 3 else out.view(*self._shape[:-1], out.shape[-1])

    def backward(
        self,
        above: Any,
        weights: dict[str, Any],
        trained: Any,
        gradients: dict[str, Any],
        *,
        below: bool = True,
    ) -> Any:
        import torch

        flat = above if above.ndim == 3 else above.flatten(1, -2)
        weight = weights[self._weight]
        if self._weight in trained:
            # From this side the product comes out as the weights lie in memory; it is also the
            # faster one where there are few outputs.
            out = self._like("weight", tuple(weight.shape), weight)
            _put(gradients, self._weight, torch.bmm(flat.mT, self._x, out=out))
        if self._bias is not None and self._bias in trained:
            out = self._like("bias", tuple(weights[self._bias].shape), weight)
            _put(gradients, self._bias, torch.sum(flat, 1, out=out))
        if not below:
            return None
        out = self._like("inputs", tuple(self._x.shape), flat)
        return torch.bmm(flat, weight, out=out).view(self._shape)

    def _like(self, what: str, shape: tuple[int, ...], other: Any) -> Any:
        kept = self._kept.get((what, shape))
        if kept is None:
            kept = self._kept[what, shape] = other.new_empty(shape)
        return kept


class _Weightless(Layer):
    """A layer that knows its inputs alone."""

    def forward(self, x: Any, weights: dict[str, Any]) -> Any:
        del weights
        return self.outputs(x)

    def backward(
        self,
        above: Any,
        weights: dict[str, Any],
        trained: Any,
        gradients: dict[str, Any],
        *,
        below: bool = True,
    ) -> Any:
        del weights, trained, gradients, below
        return self.gradient(above)

    @abstractmethod
    def outputs(self, x: Any) -> Any:
        """As `forward`."""

    @abstractmethod
    def gradient(self, above: Any) -> Any:
        """As `backward`."""


class _Rectifier(_Weightless):
    def __init__(self, *, in_place: bool) -> None:
        self._in_place = in_place

    def outputs(self, x: Any) -> Any:
        self._y = x.relu_() if self._in_place else x.relu()
        return self._y

    def gradient(self, above: Any) -> Any:
        import torch

        return torch.ops.aten.threshold_backward.grad_input(above, self._y, 0, grad_input=above)


class _Dropout(_Weightless):
    def __init__(self, share: float, random: Any) -> None:
        self._share, self._random = share, random

    def outputs(self, x: Any) -> Any:
        import torch

        if self._share == 1:
            self._kept = torch.zeros_like(x)
        else:
            kept = torch.empty_like(x).bernoulli_(1 - self._share, generator=self._random)
            self._kept = kept.div_(1 - self._share)
        return x * self._kept

    def gradient(self, above: Any) -> Any:
        return above * self._kept


class _Flatten(_Weightless):
    def outputs(self, x: Any) -> Any:
        self._shape = x.shape
        return x.flatten(2)

    def gradient(self, above: Any) -> Any:
        return above.reshape(self._shape)


class _Differentiated(Layer):
    """An activation or a norm, which torch differentiates on its own."""

    def __init__(self, layer: Any, own: tuple[str | None, ...]) -> None:
        from torch import nn

        self._layer, self._own = layer, own
        self._is_norm = type(layer) is nn.LayerNorm
        self.names = tuple(name for name in own if name is not None)

    def forward(self, x: Any, weights: dict[str, Any]) -> Any:
        import torch

        with torch.enable_grad():
            self._leaves = [x.detach().requires_grad_()]
            self._leaves += [weights[name].detach().requires_grad_() for name in self.names]
            if self._is_norm:
                self._y = self._normed(self._leaves[0])
            else:
                # One that works in place may not touch a leaf.
                in_place = getattr(self._layer, "inplace", False)
                self._y = self._layer(self._leaves[0].clone() if in_place else self._leaves[0])
        return self._y.detach()

    def _normed(self, x: Any) -> Any:
        from torch.nn import functional

        y = functional.layer_norm(x, self._layer.normalized_shape, None, None, self._layer.eps)
        given = dict(zip(self.names, self._leaves[1:], strict=True))
        weight, bias = (None if name is None else _beside(given[name], x) for name in self._own)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias

    def backward(
        self,
        above: Any,
        weights: dict[str, Any],
        trained: Any,
        gradients: dict[str, Any],
        *,
        below: bool = True,
    ) -> Any:
        import torch

        del weights, below
        by_inputs, *found = torch.autograd.grad(self._y, self._leaves, above)
        for name, gradient in zip(self.names, found, strict=True):
            if name in trained:
                _put(gradients, name, gradient)
        return by_inputs


def _beside(part: Any, x: Any) -> Any:
    """Give a weight of shape (K, ...) the axes to stand beside (K, b, ..., ...)."""
    return part.reshape(len(part), *[1] * (x.ndim - part.ndim), *part.shape[1:])
