"""The fully connected layers at the two ends of a network, found by watching it compute.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["embedding_of", "first_linear_of", "last_linear_of", "model_outputs"]


def model_outputs(model: Any, inputs: Any) -> Any:
    """Ask a torch module, without gradients and without changing its buffers.

    Of what a transformer returns the logits are given.
    """
    torch = sys.modules["torch"]
    state = {name: value.clone() for name, value in model.named_buffers()}
    with torch.no_grad():
        returned = torch.func.functional_call(model, state, (inputs,))
    return getattr(returned, "logits", returned)


def first_linear_of(model: Any, inputs: Any) -> Any | None:
    """Give the layer that takes the inputs as they are, flattened; None where there is none.

    Parameters
    ----------
    model : torch.nn.Module
    inputs : tensor of shape (n, ...)
        Any that the model takes.
    """

    def takes_inputs(entering: Any, leaving: Any, outputs: Any) -> bool:
        del leaving, outputs
        return bool(
            entering.numel() == inputs.numel()
            and entering.dtype == inputs.dtype
            and (entering.reshape(-1) == inputs.reshape(-1)).all()
        )

    return _find(model, inputs, "Linear", takes_inputs)


def last_linear_of(model: Any, inputs: Any) -> Any | None:
    """Give the layer whose outputs are the model's; None where there is none.

    Parameters as for `first_linear_of`.
    """

    def gives_outputs(entering: Any, leaving: Any, outputs: Any) -> bool:
        del entering
        return bool(leaving.shape == outputs.shape and (leaving == outputs).all())

    return _find(model, inputs, "Linear", gives_outputs)


def embedding_of(model: Any, shape: tuple[int, ...]) -> Any | None:
    """Give the embedding that takes the tokens as they are; None where there is none.

    Parameters
    ----------
    model : torch.nn.Module
    shape : tuple of int
        Of one record.
    """
    torch = sys.modules["torch"]
    device = next(iter(model.parameters())).device
    # No text of which a layer could be given the like: positions count up from 0.
    probe = torch.zeros((2, *shape), dtype=torch.long, device=device)
    probe[0, ::2] = 1

    def takes_tokens(entering: Any, leaving: Any, outputs: Any) -> bool:
        del leaving, outputs
        return bool(torch.equal(entering.to(torch.long), probe))

    return _find(model, probe, "Embedding", takes_tokens)


def _find(
    model: Any, inputs: Any, kind: str, matches: Callable[[Any, Any, Any], bool]
) -> Any | None:
    """Give the first layer of a kind of `torch.nn` that matches what enters and leaves it."""
    torch = sys.modules["torch"]
    seen: list[tuple[Any, Any, Any]] = []

    def watch(layer: Any, entering: Any, leaving: Any) -> None:
        seen.append((layer, entering[0].detach(), leaving.detach()))

    layers = [part for part in model.modules() if isinstance(part, getattr(torch.nn, kind))]
    hooks = [part.register_forward_hook(watch) for part in layers]
    try:
        outputs = model_outputs(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    for layer, entering, leaving in seen:
        if matches(entering, leaving, outputs):
            return layer
    return None
