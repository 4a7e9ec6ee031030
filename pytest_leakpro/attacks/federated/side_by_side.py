"""What a client would have sent of many batches, computed side by side.

A search from several starts, or over many candidates, asks the same model about as many batches as
it has of them. Each has weights of its own, so that one pass gives the update of each.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["Simulator", "distances"]

_ENTRIES = 2**25
_LEAST = 1e-30


class Simulator:
    """Computes what a client without a defence would have sent of each of many batches.

    Parameters
    ----------
    view : UpdateView
        Of its update nothing is looked at.
    call : callable, optional
        ``call(inputs, ask) -> outputs`` asks the model about one batch by way of ``ask(inputs)``;
        by default just that.
    """

    def __init__(
        self, view: UpdateView, call: Callable[[Any, Callable[[Any], Any]], Any] | None = None
    ) -> None:
        self._view = view
        self._call = call
        self._together = True

    def updates(self, inputs: Any, labels: Any, *, differentiable: bool) -> tuple[Any, ...]:
        """Give the update of each batch.

        Parameters
        ----------
        inputs : tensor of shape (m, n, ...)
            Of m batches.
        labels : tensor of shape (m, n, ...)
        differentiable : bool
            Whether derivatives by inputs and labels are wanted.

        Returns
        -------
        tuple of tensor of shape (m, ...)
            One per trained weight, in the form of `UpdateView.update`.
        """
        training = self._view.training
        before = [
            value.detach().expand(len(inputs), *value.shape).clone().requires_grad_(True)
            for value in self._view.parameters
        ]
        if training.local_steps == 1:
            return self._gradients(before, inputs, labels, differentiable)
        assert training.learning_rate is not None
        weights: list[Any] = list(before)
        for chosen in training.steps(labels.shape[1]):
            slopes = self._gradients(weights, inputs[:, chosen], labels[:, chosen], differentiable)
            weights = [
                value - training.learning_rate * slope
                for value, slope in zip(weights, slopes, strict=True)
            ]
            if not differentiable:
                weights = [value.detach().requires_grad_(True) for value in weights]
        return tuple(value - old for value, old in zip(weights, before, strict=True))

    def distances(self, inputs: Any, labels: Any, *, alpha: float = 0.0) -> Any:
        """Tell how far the update of each batch is from the one that was sent, without derivatives.

        Parameters
        ----------
        inputs, labels : tensor of shape (m, n, ...)
        alpha : float
            As for the function `distances`.

        Returns
        -------
        tensor of shape (m,)
        """
        torch = sys.modules["torch"]
        size = sum(value.numel() for value in self._view.parameters)
        at_once = max(1, _ENTRIES // size)
        found = []
        for first in range(0, len(inputs), at_once):
            part = slice(first, first + at_once)
            made = self.updates(inputs[part], labels[part], differentiable=False)
            found.append(distances(self._view.update, made, alpha=alpha).detach())
        return torch.cat(found)

    def _gradients(
        self, weights: list[Any], inputs: Any, labels: Any, differentiable: bool
    ) -> tuple[Any, ...]:
        torch = sys.modules["torch"]
        # Attention computed in one piece has no second derivatives.
        plain = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False), plain:
            losses = self._losses(weights, inputs, labels)
            found = torch.autograd.grad(
                losses.sum(), weights, create_graph=differentiable, allow_unused=True
            )
        return tuple(
            torch.zeros_like(weight) if slope is None else slope
            for weight, slope in zip(weights, found, strict=True)
        )

    def _losses(self, weights: list[Any], inputs: Any, labels: Any) -> Any:
        torch = sys.modules["torch"]
        buffers = {
            name: value.expand(len(inputs), *value.shape).clone()
            for name, value in self._view.model.named_buffers()
        }
        entries = weights, buffers, inputs, labels
        if self._together:
            try:
                return torch.func.vmap(self._loss, randomness="different")(*entries)
            except Exception:
                # Models and losses that look at values cannot be computed together.
                self._together = False
        return torch.stack(
            [
                self._loss(
                    [value[place] for value in weights],
                    {name: value[place] for name, value in buffers.items()},
                    inputs[place],
                    labels[place],
                )
                for place in range(len(inputs))
            ]
        )

    def _loss(self, weights: list[Any], buffers: dict[str, Any], inputs: Any, labels: Any) -> Any:
        torch = sys.modules["torch"]
        view = self._view
        state = dict(zip(view.names, weights, strict=True)) | buffers

        def ask(asked: Any) -> Any:
            return torch.func.functional_call(view.model, state, (asked,))

        outputs = ask(inputs) if self._call is None else self._call(inputs, ask)
        return view.loss(getattr(outputs, "logits", outputs), labels).reshape(())


def distances(sent: tuple[Any, ...], made: tuple[Any, ...], *, alpha: float = 0.0) -> Any:
    """Tell how far updates are from the one that was sent, whatever their scale.

    Parameters
    ----------
    sent : tuple of tensor
        One per weight.
    made : tuple of tensor of shape (m, ...)
        Likewise, of m batches.
    alpha : float
        Weight of the absolute differences.

    Returns
    -------
    tensor of shape (m,)
        Of both brought to length 1: half the squared distance, which is 1 minus the cosine, plus
        alpha times the sum of absolute differences over the root of their number, which is at most
        the distance. 0 for the same direction.
    """
    torch = sys.modules["torch"]
    length = sum(part.square().sum() for part in sent).sqrt().clamp_min(_LEAST)
    lengths = sum(part.flatten(1).square().sum(1) for part in made)
    lengths = lengths.clamp_min(_LEAST).sqrt()
    found = torch.zeros_like(lengths)
    count = sum(part.numel() for part in sent)
    for theirs, mine in zip(made, sent, strict=True):
        # Differences of unit vectors: 1 minus a cosine would be lost in rounding near 0.
        off = theirs.flatten(1) / lengths[:, None] - mine.reshape(1, -1) / length
        found = found + off.square().sum(1) / 2
        if alpha:
            found = found + alpha * off.abs().sum(1) / count**0.5
    return found
