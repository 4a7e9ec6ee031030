"""How far the update of tried records is from the one that was sent.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pytest_leakpro.targets.client_training import batch_statistics

if TYPE_CHECKING:
    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["Misfit", "roughness"]

Distance = Literal["squared", "cosine"]
_TINY = 1e-30


@dataclass(frozen=True, repr=False, eq=False)
class Misfit:
    """A weighted sum of what tried records get wrong; each term is 0 where nothing is.

    Attributes
    ----------
    view : UpdateView
        The update.
    distance : {"squared", "cosine"}
        Of updates: squared, relative to the one sent; or 1 less the cosine, which no scale changes.
    update, features, statistics : float
        Weights of the terms: updates, what enters the last layer, batch normalisation.
    masked : bool
        Whether entries that were sent as exactly 0 count for nothing.
    layer : torch.nn.Linear or None
        The last layer.
    entered : tensor of shape (n, d) or None
        What entered it, record by record; None leaves the term out.
    spread : float
        By how much that differs from image to image, squared.
    """

    view: UpdateView
    distance: Distance = "squared"
    update: float = 1.0
    features: float = 0.0
    statistics: float = 0.0
    masked: bool = False
    layer: Any | None = None
    entered: Any | None = None
    spread: float = 1.0

    def __call__(self, images: Any, labels: Any) -> Any:
        """Compute it for images of shape (n, ...) and their labels; differentiable."""
        total = 0.0
        if self.update:
            total = total + self.update * self._of_updates(images, labels)
        features = self.features if self.entered is not None else 0.0
        statistics = self.statistics if self.view.statistics is not None else 0.0
        if features or statistics:
            total = total + self._of_activations(images, features, statistics)
        return total

    def _of_updates(self, images: Any, labels: Any) -> Any:
        found, sent = self.view.simulate(images, labels), self.view.update
        if self.masked:
            found = tuple(one * (two != 0) for one, two in zip(found, sent, strict=True))
        norm = sum(part.square().sum() for part in sent) + _TINY
        if self.distance == "squared":
            pairs = zip(found, sent, strict=True)
            return sum((one - two).square().sum() for one, two in pairs) / norm
        product = sum((one * two).sum() for one, two in zip(found, sent, strict=True))
        other = sum(part.square().sum() for part in found) + _TINY
        return 1 - product / (norm * other).sqrt()

    def _of_activations(self, images: Any, features: float, statistics: float) -> Any:
        torch = sys.modules["torch"]
        entering: list[Any] = []
        with ExitStack() as stack:
            gathered = stack.enter_context(batch_statistics(self.view.model))
            if features:
                assert self.layer is not None
                hook = self.layer.register_forward_pre_hook(
                    lambda _, args: entering.append(args[0])
                )
                stack.callback(hook.remove)
            stack.enter_context(torch.enable_grad())
            _call(self.view.model, images)
        total = 0.0
        if features:
            assert self.entered is not None
            off = entering[-1].reshape(self.entered.shape) - self.entered
            total = total + features * off.square().mean() / self.spread
        if statistics:
            sent = self.view.statistics or ()
            for (mean, variance), (its_mean, its_variance) in zip(gathered, sent, strict=True):
                scale = its_variance.mean() + _TINY
                total = total + statistics / len(sent) * (
                    (mean - its_mean).square().mean() / scale
                    + (variance - its_variance).square().mean() / scale.square()
                )
        return total


def _call(model: Any, images: Any) -> Any:
    """Compute outputs with derivatives by the images alone, leaving the buffers as they are."""
    torch = sys.modules["torch"]
    state = {name: value.detach() for name, value in model.named_parameters()}
    state |= {name: value.clone() for name, value in model.named_buffers()}
    return torch.func.functional_call(model, state, (images,))


def roughness(images: Any) -> Any:
    """Compute the total variation of images: the mean absolute difference of neighbours.

    References
    ----------
    Rudin, Osher and Fatemi (1992), Nonlinear total variation based noise removal algorithms,
    Physica D 60.
    """
    down = (images[..., 1:, :] - images[..., :-1, :]).abs().mean()
    across = (images[..., :, 1:] - images[..., :, :-1]).abs().mean()
    return down + across
