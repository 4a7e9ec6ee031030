"""Forward passes of many models at once: by batched matrix products, and through torch.func.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.stacked_layers import layers_of
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

    known = known_layers(module)
    assert known is not None
    names = {id(value): name for name, value in module.named_parameters()}
    layers = layers_of(known, names, random)
    loss_and_gradient = _loss_and_gradient(loss)

    def gradients(
        weights: dict[str, Any], frozen: dict[str, Any], inputs: Any, targets: Any
    ) -> tuple[Any, dict[str, Any]]:
        every = {**weights, **frozen}
        found: dict[str, Any] = {}
        first = next(
            place for place, layer in enumerate(layers) if any(n in weights for n in layer.names)
        )
        with torch.no_grad():
            x = inputs
            for layer in layers:
                x = layer.forward(x, every)
            losses, above = loss_and_gradient(x, targets)
            if above is None:  # the loss does not depend on the outputs
                return losses, found
            for place in range(len(layers) - 1, first, -1):
                above = layers[place].backward(above, every, weights, found)
            layers[first].backward(above, every, weights, found, below=False)
        return losses, found

    return gradients


def _loss_and_gradient(loss: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Give the function to the mean loss of each model, and the gradient of it by the outputs."""
    import torch

    losses_of = _losses(loss)

    def differentiated(outputs: Any, targets: Any) -> tuple[Any, Any]:
        with torch.enable_grad():
            leaf = outputs.detach().requires_grad_()
            losses = losses_of(leaf, targets)
            (gradient,) = torch.autograd.grad(losses.sum(), leaf, allow_unused=True)
        return losses.detach(), gradient

    def cross_entropy(outputs: Any, targets: Any) -> tuple[Any, Any]:
        if outputs.ndim != 3 or outputs.shape[-1] < 2:
            return differentiated(outputs, targets)  # which says what is wrong
        log_p = torch.log_softmax(outputs, -1)
        true = targets[..., None]
        losses = -log_p.gather(-1, true).mean((1, 2))
        gradient = log_p.exp_()
        gradient.scatter_add_(-1, true, gradient.new_tensor(-1.0).expand(true.shape))
        return losses, gradient.div_(outputs.shape[1])

    return cross_entropy if loss == "cross_entropy" else differentiated


def _losses(loss: Any) -> Callable[[Any, Any], Any]:
    """Give the function from outputs and targets of all models to the mean loss of each."""
    import torch

    from pytest_leakpro.targets.torch_training import loss_function

    single = loss_function(loss)

    def each(outputs: Any, targets: Any) -> Any:
        pairs = zip(outputs.unbind(), targets.unbind(), strict=True)
        return torch.stack([check_loss(single(*pair)) for pair in pairs])

    def mean_square(outputs: Any, targets: Any) -> Any:
        if outputs.numel() != targets.numel():
            return each(outputs, targets)  # which says what is wrong
        return (outputs.reshape(targets.shape) - targets).square().flatten(1).mean(1)

    return mean_square if loss == "mse" else each


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
