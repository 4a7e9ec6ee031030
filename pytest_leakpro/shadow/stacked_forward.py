"""Forward passes of many models at once: by batched matrix products, and through torch.func.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.way import known_layers
from pytest_leakpro.targets.torch_training import check_loss

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["products_gradients", "vmap_gradients"]

# (weights by name, frozen ones, inputs (K, b, ...), targets (K, b, ...)) -> losses (K,), gradients
Gradients = "Callable[[dict[str, Any], dict[str, Any], Any, Any], tuple[Any, dict[str, Any]]]"


def products_gradients(module: Any, loss: Any, random: Any) -> Any:
    """Give the function that computes losses and gradients by batched matrix products.

    Parameters
    ----------
    module : torch.nn.Module
        A sequence of `known_layers`.
    loss : str or callable
        Of a `TorchTrainer`.
    random : torch.Generator
        For dropout, on the device of the weights.

    Returns
    -------
    callable
        ``(weights, frozen, inputs, targets) -> (losses, gradients)``: weights, frozen ones and
        gradients are dictionaries of tensors of shape (K, ...), inputs and targets of shape
        (K, b, ...), losses of shape (K,).
    """
    import torch

    layers = known_layers(module)
    assert layers is not None
    names = {id(value): name for name, value in module.named_parameters()}
    losses_of = _losses(loss)

    def gradients(
        weights: dict[str, Any], frozen: dict[str, Any], inputs: Any, targets: Any
    ) -> tuple[Any, dict[str, Any]]:
        leaves = {name: value.detach().requires_grad_() for name, value in weights.items()}
        every = {**leaves, **frozen}
        x = inputs
        for layer in layers:
            own = [
                None if value is None else every[names[id(value)]]
                for value in (getattr(layer, "weight", None), getattr(layer, "bias", None))
            ]
            x = _apply(layer, own, x, random)
        losses = losses_of(x, targets)
        found = torch.autograd.grad(losses.sum(), list(leaves.values()), allow_unused=True)
        return losses.detach(), _by_name(leaves, found)

    return gradients


def _by_name(leaves: dict[str, Any], found: Any) -> dict[str, Any]:
    """Leave out what has no gradient: the optimiser leaves it as it is, as torch's does."""
    pairs = zip(leaves, found, strict=True)
    return {name: gradient for name, gradient in pairs if gradient is not None}


def _apply(layer: Any, own: list[Any], x: Any, random: Any) -> Any:
    import torch
    from torch import nn

    kind = type(layer)
    if kind is nn.Linear:
        weight, bias = own
        # Axes between the records and the last one count as records.
        flat = x.flatten(1, -2)
        y = _linear()(flat, weight, bias)
        return y if x.ndim == 3 else y.reshape(*x.shape[:-1], y.shape[-1])
    if kind is nn.LayerNorm:
        y = nn.functional.layer_norm(x, layer.normalized_shape, None, None, layer.eps)
        weight, bias = (None if part is None else _beside(part, x) for part in own)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias
    if kind is nn.Dropout:
        if layer.p == 0:
            return x
        if layer.p == 1:
            return x * 0
        kept = torch.empty_like(x).bernoulli_(1 - layer.p, generator=random)
        return x * kept.div_(1 - layer.p)
    if kind is nn.Flatten:
        return x.flatten(2)
    return layer(x)


@cache
def _linear() -> Any:
    """Give the batched linear layer, whose gradients come in the layout that weights have.

    Torch's own derivative of baddbmm copies each gradient once more.
    """
    import torch

    class Linear(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any, bias: Any) -> Any:
            ctx.save_for_backward(x, weight)
            if bias is None:
                return torch.bmm(x, weight.mT)
            return torch.baddbmm(bias[:, None], x, weight.mT)

        @staticmethod
        def backward(ctx: Any, *above: Any) -> Any:
            x, weight = ctx.saved_tensors
            (gradient,) = above
            return (
                torch.bmm(gradient, weight) if ctx.needs_input_grad[0] else None,
                torch.bmm(x.mT, gradient).mT if ctx.needs_input_grad[1] else None,
                gradient.sum(1) if ctx.needs_input_grad[2] else None,
            )

    return Linear.apply


def _beside(part: Any, x: Any) -> Any:
    """Give a weight of shape (K, ...) the axes to stand beside (K, b, ..., ...)."""
    return part.reshape(len(part), *[1] * (x.ndim - part.ndim), *part.shape[1:])


def _losses(loss: Any) -> Callable[[Any, Any], Any]:
    """Give the function from outputs and targets of all models to the mean loss of each."""
    import torch

    from pytest_leakpro.targets.torch_training import loss_function

    single = loss_function(loss)

    def each(outputs: Any, targets: Any) -> Any:
        pairs = zip(outputs.unbind(), targets.unbind(), strict=True)
        return torch.stack([check_loss(single(*pair)) for pair in pairs])

    if callable(loss):
        return each

    def together(outputs: Any, targets: Any) -> Any:
        if loss == "cross_entropy" and outputs.ndim == 3 and outputs.shape[-1] > 1:
            rows = torch.nn.functional.cross_entropy(
                outputs.flatten(0, 1), targets.flatten(), reduction="none"
            )
            return rows.view(targets.shape).mean(1)
        if loss == "mse" and outputs.numel() == targets.numel():
            return (outputs.reshape(targets.shape) - targets).square().flatten(1).mean(1)
        return each(outputs, targets)

    return together


def vmap_gradients(module: Any, loss: Any) -> Any:
    """Give the function that computes losses and gradients by vmap of grad.

    Parameters
    ----------
    module : torch.nn.Module
        Any that torch.func can stack.
    loss : str or callable
        Of a `TorchTrainer`.

    Returns
    -------
    callable
        As that of `products_gradients`.
    """
    import torch

    from pytest_leakpro.targets.torch_training import loss_function

    single = loss_function(loss)

    places = _places(module)

    def loss_of(weights: Any, frozen: Any, inputs: Any, targets: Any) -> Any:
        every = {**weights, **frozen}
        put = {place: every[name] for place, name in places.items()}
        outputs = torch.func.functional_call(module, put, (inputs,), tie_weights=False)
        return check_loss(single(outputs, targets))

    every = torch.func.vmap(torch.func.grad_and_value(loss_of), randomness="different")

    def gradients(
        weights: dict[str, Any], frozen: dict[str, Any], inputs: Any, targets: Any
    ) -> tuple[Any, dict[str, Any]]:
        try:
            found, losses = every(weights, frozen, inputs, targets)
        except LeakproError:
            raise
        except (RuntimeError, NotImplementedError) as error:
            if isinstance(error, torch.cuda.OutOfMemoryError) or "memory" in str(error):
                raise
            raise LeakproError(
                "TorchTrainer: torch.func cannot stack this module (its own error stands above): "
                'give stack="processes"'
            ) from error
        return losses, dict(found)

    return gradients


def _places(module: Any) -> dict[str, str]:
    """Give where each weight and buffer stands, as a layer or weight may stand in several places.

    functional_call would do so by itself, but does not put back what a layer has that stands in a
    module twice.
    """
    pairs = (*module.named_parameters(), *module.named_buffers())
    names = {id(value): name for name, value in pairs}
    return {
        f"{path}.{own}" if path else own: names[id(value)]
        for path, layer in module.named_modules()
        for own, value in (*layer._parameters.items(), *layer._buffers.items())
        if value is not None
    }
