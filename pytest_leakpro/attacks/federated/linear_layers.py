"""What an update says of the fully connected layers at the two ends of a network.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.targets.end_layers import first_linear_of, last_linear_of

if TYPE_CHECKING:
    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["EndLayer", "first_linear", "last_linear"]


@dataclass(frozen=True, repr=False, eq=False)
class EndLayer:
    """A fully connected layer with its part of an update.

    Attributes
    ----------
    layer : torch.nn.Linear
        The layer.
    weight : tensor of shape (out, in)
        What was sent for its weight.
    bias : tensor of shape (out,), or None
        What was sent for its bias; None where it has none, or none that is trained.
    """

    layer: Any
    weight: Any
    bias: Any | None


def first_linear(view: UpdateView) -> EndLayer | None:
    """Give the trained layer that takes the inputs as they are; None where there is none."""
    return _sent(view, first_linear_of(view.model, _some_inputs(view)))


def last_linear(view: UpdateView) -> EndLayer | None:
    """Give the trained layer whose outputs are the model's; None where there is none."""
    return _sent(view, last_linear_of(view.model, _some_inputs(view)))


def _sent(view: UpdateView, layer: Any | None) -> EndLayer | None:
    if layer is None:
        return None
    parts = dict(zip(view.names, view.update, strict=True))
    names = {id(value): name for name, value in view.model.named_parameters()}
    weight = parts.get(names[id(layer.weight)])
    if weight is None:
        return None
    bias = None if layer.bias is None else parts.get(names[id(layer.bias)])
    return EndLayer(layer, weight, bias)


def _some_inputs(view: UpdateView) -> Any:
    """Give two records that differ everywhere, so that layers can be told by what they pass on."""
    torch = sys.modules["torch"]
    shape = (2, *view.shape)
    if view.form == "tokens":
        return torch.zeros(shape, dtype=torch.long, device=view.device)
    count = int(torch.tensor(shape).prod())
    steps = torch.linspace(0.1, 0.9, count, dtype=view.dtype, device=view.device)
    return steps.reshape(shape)
