"""A search by gradients through what a generator can make, for what a model is sure of.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.reconstruction.latent_prior import LatentPrior, require_finite
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.augmentations import augmented
from pytest_leakpro.targets.torch_model import evaluating, tensor_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from pytest_leakpro.targets.augmentations import Augmentation

__all__ = ["LatentClimb", "margin"]

# Of Adam: how slowly what it remembers of slopes and their squares changes.
_MEAN, _SQUARE = 0.9, 0.999
_LEAST = 1e-8


def margin(outputs: Any, labels: Any) -> Any:
    """Give by how much the output of each label exceeds the largest other one, shape (n,).

    Parameters
    ----------
    outputs : tensor of shape (n, K)
        Log-probabilities, or logits.
    labels : tensor of int, shape (n,)
    """
    places = labels[:, None]
    others = outputs.scatter(1, places, -math.inf)
    return outputs.gather(1, places)[:, 0] - others.amax(dim=1)


@dataclass(frozen=True, repr=False, eq=False)
class LatentClimb:
    """Searches by gradients of the model through the generator.

    Attributes
    ----------
    prior : LatentPrior
    model : torch.nn.Module
        Asked in evaluation mode.
    logits : bool
        Whether the model returns logits; else probabilities.
    augmentations : tuple of callable
        One of them, drawn at every step, makes the copies that are asked about, too.
    steps : int
        At most how many.
    step_size : float
        In standard deviations of a coordinate.
    enough : float
        The margin beyond which nothing more is wanted.

    References
    ----------
    Kingma and Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 1.
    Ling et al. (2022), VectorAdam for rotation equivariant geometry optimization, NeurIPS.
    """

    prior: LatentPrior
    model: Any
    logits: bool
    augmentations: tuple[Augmentation, ...]
    steps: int
    step_size: float
    enough: float

    def run(
        self, z: Any, labels: Any, rng: np.random.Generator, tell: Callable[[str], None]
    ) -> tuple[Any, Any]:
        """Search from each start for a record of a class.

        Parameters
        ----------
        z : tensor of shape (n, latent_dim)
            The starts.
        labels : tensor of int, shape (n,)
            The classes that are wanted.
        rng : numpy.random.Generator
            Draws augmentations.
        tell : callable
            ``tell(text)`` says how far the search is.

        Returns
        -------
        records : tensor of shape (n, ...)
            The best on the way from each start.
        margins : tensor of float64, shape (n,)
            How sure the model is of each, in log-odds over the next class.
        """
        torch = sys.modules["torch"]
        # Recurrent layers in evaluation mode have no gradient with cuDNN.
        cudnn = torch.backends.cudnn.flags(enabled=False)
        with evaluating(self.model), torch.enable_grad(), cudnn:
            return self._climb(z, labels, rng, tell)

    def _climb(
        self, start: Any, labels: Any, rng: np.random.Generator, tell: Callable[[str], None]
    ) -> tuple[Any, Any]:
        torch = sys.modules["torch"]
        z = start.detach().clone().requires_grad_()
        stride = _Stride(z)
        best = torch.full((len(z),), -math.inf, device=z.device, dtype=torch.float64)
        kept: Any = None
        for step in range(self.steps + 1):
            records = self.prior.records(z, labels)
            if kept is None:
                # Later on what is not finite never is the best, but there must be a first.
                require_finite(records, "the generator")
                kept = records.detach().clone()
            margins = self._margins(records, labels)
            reached = margins.detach().to(best)
            if step == 0:
                require_finite(reached, "the model")
            # Of those that are sure enough the first stays, which is the nearest to its start.
            better = (reached > best) & (best < self.enough)
            best = torch.where(better, reached, best)
            kept[better] = records.detach()[better]
            tell(f"step {step} of {self.steps}, mean margin {float(best.mean()):.3g}")
            if step == self.steps or bool((best >= self.enough).all()):
                break
            wanted = margins.clamp(max=self.enough).sum()
            if self.augmentations:
                function = self.augmentations[int(rng.integers(len(self.augmentations)))]
                copies = self._margins(augmented(function, records), labels)
                wanted = wanted + copies.clamp(max=self.enough).sum()
            # Nothing is followed where it is no number.
            slopes = torch.nan_to_num(_gradient(wanted, z), posinf=0.0, neginf=0.0)
            with torch.no_grad():
                z.copy_(self.prior.within(z + self.step_size * stride.along(slopes)))
        return kept, best

    def _margins(self, records: Any, labels: Any) -> Any:
        torch = sys.modules["torch"]
        try:
            returned = self.model(tensor_for(self.model, records))
            outputs = getattr(returned, "logits", returned).reshape(len(labels), -1)
        except Exception as error:
            raise LeakproError(
                f"the model raised {type(error).__name__} on what the generator made, of shape "
                f"{tuple(records.shape)}; its own error stands above"
            ) from error
        if not self.logits:
            outputs = outputs if outputs.shape[1] > 1 else torch.cat([1 - outputs, outputs], dim=1)
            outputs = outputs.clamp_min(torch.finfo(outputs.dtype).tiny).log()
        elif outputs.shape[1] == 1:
            outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=1)
        return margin(outputs, labels.to(outputs.device))


class _Stride:
    """Adam with one scale per vector, which leaves the direction of a slope as it is.

    With one per coordinate a search along the border of what is plausible does not end at its best.

    Parameters
    ----------
    z : tensor of shape (n, latent_dim)
        What is moved.
    """

    def __init__(self, z: Any) -> None:
        self._mean = z.detach() * 0
        self._square = self._mean[:, :1].clone()
        self._steps = 0

    def along(self, slopes: Any) -> Any:
        """Give a step of about unit length per coordinate."""
        self._steps += 1
        self._mean = _MEAN * self._mean + (1 - _MEAN) * slopes
        squares = slopes.square().mean(dim=1, keepdim=True)
        self._square = _SQUARE * self._square + (1 - _SQUARE) * squares
        length = (self._square / (1 - _SQUARE**self._steps)).sqrt()
        return self._mean / (1 - _MEAN**self._steps) / (length + _LEAST)


def _gradient(wanted: Any, z: Any) -> Any:
    torch = sys.modules["torch"]
    try:
        return torch.autograd.grad(wanted, z)[0]
    except Exception as error:
        raise LeakproError(
            f"no gradient of the model comes through the generator ({type(error).__name__}; its "
            "own error stands above): both must compute what they return in torch, in floating "
            "point and without detaching it"
        ) from error
