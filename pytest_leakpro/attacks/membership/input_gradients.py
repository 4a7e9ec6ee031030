"""Moving records along the gradients of torch modules, as to their inputs.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.torch_model import as_tensor, is_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.perturbing import Movable
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["TorchBlock", "has_gradients"]

_MOMENTUM = 0.8


def has_gradients(
    models: Sequence[Any], reader: ModelReader, records: Records, movable: Movable
) -> bool:
    """Tell whether models are modules that can be differentiated with respect to their inputs.

    Parameters
    ----------
    models : sequence
        In evaluation mode, if they are modules.
    reader : ModelReader
        How they are read.
    records : Records
        A few to try it on.
    movable : Movable
    """
    if reader.labels_only or not all(map(is_module, models)):
        return False
    wanted = np.ones((1, len(records)))
    try:
        TorchBlock(records, movable, models[:1], reader).read(wanted, wanted > 0, gradients=True)
    except RuntimeError:  # a module may leave torch on its way, or round
        return False
    return True


class TorchBlock:
    """A block of records as a tensor, of which some numbers move.

    Parameters
    ----------
    records : Records
        b of them.
    movable : Movable
        Which numbers move, in which units, how far.
    models : sequence of torch.nn.Module
        K of them, in evaluation mode, on one device.
    reader : ModelReader
        Its `output` says what they return.
    """

    def __init__(
        self, records: Records, movable: Movable, models: Sequence[Any], reader: ModelReader
    ) -> None:
        torch = sys.modules["torch"]
        weights = [*models[0].parameters(), *models[0].buffers()]
        floating = [weight.dtype for weight in weights if weight.is_floating_point()]
        self._device = weights[0].device if weights else "cpu"
        start = movable.matrix(records.inputs)
        whole = as_tensor(movable.rebuild(records.inputs, start))
        whole = whole.to(device=self._device, dtype=floating[0] if floating else torch.float32)
        self._models, self._output, self._movable = models, reader.output, movable
        self._whole = whole
        self._scale = self._tensor(movable.scale)
        self._columns = torch.as_tensor(movable.columns).to(self._device)
        self._missing = torch.as_tensor(movable.missing(records.inputs)).to(self._device)
        self._labels = torch.as_tensor(records.labels).to(self._device)
        self._now = self._tensor(start / movable.scale)
        below, above = np.full_like(start, -np.inf), np.full_like(start, np.inf)
        self._low = self._tensor(movable.clip(below, start) / movable.scale)
        self._high = self._tensor(movable.clip(above, start) / movable.scale)
        self._gradient = torch.zeros_like(self._now)
        self._momentum = torch.zeros_like(self._now)

    def _tensor(self, values: NDArray[Any]) -> Any:
        return sys.modules["torch"].as_tensor(values).to(self._whole)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The moved numbers in their own units, shape (b, d)."""
        numbers: NDArray[np.float64] = self._now.cpu().numpy().astype(np.float64)
        return numbers * self._movable.scale

    def read(
        self, pull: NDArray[np.float64], asked: NDArray[np.bool_], *, gradients: bool
    ) -> NDArray[np.float64]:
        """Ask the models, and take the gradient of what their answers lack.

        Parameters
        ----------
        pull : ndarray of shape (K, b)
            Above 0 where the true label is wanted of a model, below 0 where another is.
        asked : ndarray of bool, shape (K, b)
            Who is asked about what.
        gradients : bool
            Whether a move follows.

        Returns
        -------
        ndarray of shape (K, b)
            By how much each model holds to the true label, in logits; NaN where not asked.
        """
        torch = sys.modules["torch"]
        margins = np.full(pull.shape, np.nan)
        self._gradient = torch.zeros_like(self._now)
        for index, model in enumerate(self._models):
            steering = (pull[index] != 0) & gradients
            watched = np.flatnonzero(asked[index] & ~steering)
            if len(watched):
                at = torch.as_tensor(watched).to(self._device)
                with torch.no_grad():
                    read = self._margins(model, self._now[at], at)
                margins[index, watched] = read.cpu().numpy()
            if not steering.any():
                continue
            steered = np.flatnonzero(steering)
            at = torch.as_tensor(steered).to(self._device)
            place = self._now[at].requires_grad_()
            read = self._margins(model, place, at)
            margins[index, steered] = read.detach().cpu().numpy()
            weight = self._tensor(pull[index, steered])
            lacking = torch.nn.functional.softplus(-weight.sign() * read) * weight.abs()
            self._gradient[at] += torch.autograd.grad(lacking.sum(), place)[0]
        return margins

    def move(self, length: float) -> None:
        """Move each record against its gradient, with momentum, within bounds.

        Parameters
        ----------
        length : float
            Root mean square of the move, in units of the numbers.
        """
        torch = sys.modules["torch"]
        self._momentum = _MOMENTUM * self._momentum + _unit(self._gradient)
        reach = length * len(self._movable) ** 0.5
        moved = self._now - reach * _unit(self._momentum)
        self._now = torch.minimum(torch.maximum(moved, self._low), self._high)

    def _margins(self, module: Any, moved: Any, at: Any) -> Any:
        """Give by how much the true class leads the strongest other, with the gradient's graph."""
        torch = sys.modules["torch"]
        whole = self._whole[at]
        flat = whole.reshape(len(whole), -1)
        values = torch.where(self._missing[at], flat[:, self._columns], moved * self._scale)
        if values.shape != flat.shape:
            values = flat.index_copy(1, self._columns, values)
        returned = module(values.reshape(whole.shape))
        returned = returned.logits if hasattr(returned, "logits") else returned
        scores = returned.reshape(len(whole), -1)
        if self._output == "probabilities":
            if scores.shape[1] == 1:
                scores = torch.cat([1 - scores, scores], dim=1)
            scores = scores.clamp_min(torch.finfo(scores.dtype).tiny).log()
        elif scores.shape[1] == 1:
            scores = torch.cat([torch.zeros_like(scores), scores], dim=1)
        rows = self._labels[at][:, None]
        others = scores.scatter(1, rows, -torch.inf).amax(dim=1)
        return scores.gather(1, rows)[:, 0] - others


def _unit(vectors: Any) -> Any:
    return vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-30)
