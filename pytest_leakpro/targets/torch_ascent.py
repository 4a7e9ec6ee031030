"""Gradient ascent of a torch module on records: what a manipulating participant does to a model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import length, take
from pytest_leakpro.targets.torch_model import evaluating, tensor_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ascended"]

_BATCH = 1024


def ascended(
    module: Any,
    inputs: Any,
    labels: NDArray[np.intp],
    output: str,
    *,
    rise: float,
    step: float,
    most: int,
) -> tuple[Any, int]:
    """Climb until the mean loss of records has risen.

    Parameters
    ----------
    module : torch.nn.Module
        Left as it is; asked in evaluation mode.
    inputs, labels : container of n records, ndarray of int of shape (n,)
    output : {"logits", "probabilities"}
        What the module returns.
    rise : float
        By how much the mean cross-entropy is to rise, in nats.
    step : float
        Length of a step along the gradient, as a share of the length of the weights.
    most : int
        At most how many steps.

    Returns
    -------
    module : torch.nn.Module
        A copy that has climbed.
    passes : int
        How often every record was asked about.

    Raises
    ------
    LeakproError
        Where the module lets no gradient through.
    """
    torch = sys.modules["torch"]
    climbing = copy.deepcopy(module)
    weights = [value for value in climbing.parameters() if value.is_floating_point()]
    flags = [value.requires_grad for value in weights]
    for value in weights:
        value.requires_grad_(True)
    start: float | None = None
    passes = 0
    with evaluating(climbing), torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        for _ in range(most):
            loss, slopes = _mean_loss(climbing, weights, inputs, labels, output)
            passes += 1
            start = loss if start is None else start
            size = torch.sqrt(sum(slope.square().sum() for slope in slopes))
            # A record that the model is sure of pulls at nothing any more: there is no way up.
            if loss >= start + rise or not bool(size > 0):
                break
            with torch.no_grad():
                reach = step * torch.sqrt(sum(value.square().sum() for value in weights)) / size
                for value, slope in zip(weights, slopes, strict=True):
                    value.add_(reach * slope)
    for value, flag in zip(weights, flags, strict=True):
        value.requires_grad_(flag)
    return climbing, passes


def _mean_loss(
    module: Any, weights: list[Any], inputs: Any, labels: NDArray[np.intp], output: str
) -> tuple[float, list[Any]]:
    """Give the mean cross-entropy and its gradient, batch by batch."""
    torch = sys.modules["torch"]
    n, total = length(inputs), 0.0
    slopes = [torch.zeros_like(value) for value in weights]
    for start in range(0, n, _BATCH):
        places = np.arange(start, min(start + _BATCH, n))
        batch = tensor_for(module, take(inputs, places)).detach()
        wanted = torch.as_tensor(labels[places], device=batch.device)
        try:
            returned = module(batch)
            loss = _cross_entropy(getattr(returned, "logits", returned), wanted, output) / n
            parts = torch.autograd.grad(loss, weights, allow_unused=True)
        except Exception as error:
            # Without the error's own message, which may quote a record.
            raise LeakproError(
                f"the gradient of the model on records cannot be taken: {type(error).__name__}; "
                "its own error stands above: ascent needs a model that computes outputs from "
                "weights without detaching them"
            ) from error
        total += float(loss.detach())
        for slope, part in zip(slopes, parts, strict=True):
            if part is not None:
                slope.add_(part.to_dense())
    return total, slopes


def _cross_entropy(outputs: Any, labels: Any, output: str) -> Any:
    """Give the sum over the records."""
    torch = sys.modules["torch"]
    outputs = outputs.reshape(len(labels), -1)
    if output == "logits":
        if outputs.shape[1] == 1:
            outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=1)
        return torch.nn.functional.cross_entropy(outputs, labels, reduction="sum")
    if outputs.shape[1] == 1:
        outputs = torch.cat([1 - outputs, outputs], dim=1)
    smallest = torch.finfo(outputs.dtype).tiny
    return -outputs.gather(1, labels[:, None]).clamp_min(smallest).log().sum()
