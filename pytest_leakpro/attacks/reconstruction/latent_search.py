"""A search through what a generator can make, for what a model is surest of.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.augmentations import augmented
from pytest_leakpro.targets.containers import is_tensor
from pytest_leakpro.targets.torch_model import evaluating, is_module, tensor_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.federated.watch import Watch
    from pytest_leakpro.targets.augmentations import Augmentation

__all__ = ["LatentSearch", "Made", "margin", "plausible_norm"]

_BATCH = 256  # starts that are searched from at once


@dataclass(frozen=True, repr=False, eq=False)
class Made:
    """What was found.

    Attributes
    ----------
    records : tensor of shape (n, ...)
        One per attempt.
    margins : ndarray of float64, shape (n,)
        By how much each is told from the next class, in log-odds.
    """

    records: Any
    margins: NDArray[np.float64]


def plausible_norm(share: float, latent_dim: int) -> float:
    """Give the norm that a share of standard normal vectors stays below."""
    return math.sqrt(2 * float(special.gammaincinv(latent_dim / 2, share)))


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
class LatentSearch:
    """Searches by gradients, of the model through the generator.

    Attributes
    ----------
    generator : torch.nn.Module
        ``(z, labels) -> records``, with `latent_dim`.
    model : torch.nn.Module
        Asked in evaluation mode, as is the generator.
    logits : bool
        Whether the model returns logits; else probabilities.
    shape : tuple of int
        Of one record.
    augmentations : tuple of callable
        One of them, drawn at every step, makes the copies that are asked about, too.
    """

    generator: Any
    model: Any
    logits: bool
    shape: tuple[int, ...]
    augmentations: tuple[Augmentation, ...] = ()

    def run(
        self,
        labels: NDArray[np.intp],
        rng: np.random.Generator,
        *,
        steps: int,
        restarts: int,
        step_size: float,
        plausible: float,
        watch: Watch,
    ) -> Made:
        """Search for one record of each label, all attempts side by side.

        Parameters
        ----------
        labels : ndarray of int, shape (n,)
            The classes that are wanted.
        rng : numpy.random.Generator
            Draws starts and augmentations, and seeds what the generator draws.
        steps, restarts, step_size, plausible
            As for `GeneratorInversion`.
        watch : Watch
            Tells how far the search is.

        Raises
        ------
        LeakproError
            Where the generator raises, gives anything but finite records of the shape, or it or
            the model lets no gradient through.
        """
        torch = sys.modules["torch"]
        longest = plausible_norm(plausible, self.generator.latent_dim)
        wanted = np.repeat(labels, restarts)
        starts = rng.standard_normal((len(wanted), self.generator.latent_dim))
        batches = [slice(at, at + _BATCH) for at in range(0, len(wanted), _BATCH)]
        records, margins = [], []
        with self._prepared(rng):
            for place, rows in enumerate(batches):

                def tell(text: str, place: int = place) -> None:
                    watch.tell(f"batch {place + 1} of {len(batches)}, {text}")

                found = self._climb(
                    self._tensor(starts[rows]),
                    self._tensor(wanted[rows]),
                    rng,
                    (steps, step_size, longest),
                    tell,
                )
                records.append(found[0])
                margins.append(found[1])
        of_all = torch.cat(margins).reshape(len(labels), restarts)
        best, places = of_all.max(dim=1)
        chosen = places + restarts * torch.arange(len(labels), device=places.device)
        return Made(torch.cat(records)[chosen], best.cpu().numpy().astype(np.float64))

    @contextmanager
    def _prepared(self, rng: np.random.Generator) -> Iterator[None]:
        """Hold both in evaluation mode; what the generator draws follows from the seed."""
        torch = sys.modules["torch"]
        devices = [self._device] if self._device.type == "cuda" else []
        with ExitStack() as stack:
            for part in (self.model, self.generator):
                if is_module(part):
                    stack.enter_context(evaluating(part))
            stack.enter_context(torch.enable_grad())
            # Recurrent layers differentiate in evaluation mode without cuDNN alone.
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            stack.enter_context(torch.random.fork_rng(devices=devices))
            torch.manual_seed(int(rng.integers(2**62)))
            yield

    @property
    def _like(self) -> Any:
        """A weight of the generator's: where it lies, and in what precision it computes."""
        torch = sys.modules["torch"]
        weights = self.generator.parameters() if is_module(self.generator) else ()
        floating = (weight for weight in weights if weight.is_floating_point())
        return next(floating, torch.empty(0))

    @property
    def _device(self) -> Any:
        return self._like.device

    def _tensor(self, values: NDArray[Any]) -> Any:
        torch = sys.modules["torch"]
        dtype = self._like.dtype if values.dtype.kind == "f" else torch.long
        return torch.as_tensor(values, dtype=dtype, device=self._device)

    def _climb(
        self,
        start: Any,
        labels: Any,
        rng: np.random.Generator,
        way: tuple[int, float, float],
        tell: Any,
    ) -> tuple[Any, Any]:
        """Give the best records on the way up from each start, and their margins."""
        torch = sys.modules["torch"]
        steps, step_size, longest = way
        z = _within(start, longest).requires_grad_()
        optimiser = torch.optim.Adam([z], lr=step_size)
        best = torch.full((len(z),), -math.inf, device=start.device, dtype=torch.float64)
        kept = None
        for step in range(steps + 1):
            records = self._records(z, labels)
            margins = self._margins(records, labels)
            reached = margins.detach().to(best)
            if kept is None:
                # What is not finite later on never is the best; there must be a first, though.
                _require_finite(records, reached)
                kept = records.detach().clone()
            better = reached > best
            best = torch.where(better, reached, best)
            kept[better] = records.detach()[better]
            tell(f"step {step} of {steps}, mean margin {float(best.mean()):.3g}")
            if step == steps:
                break
            total = margins.sum()
            if self.augmentations:
                function = self.augmentations[int(rng.integers(len(self.augmentations)))]
                total = total + self._margins(augmented(function, records), labels).sum()
            # Of what is no number nothing is followed.
            z.grad = torch.nan_to_num(-_gradient(total, z), posinf=0.0, neginf=0.0)
            optimiser.step()
            with torch.no_grad():
                z.copy_(_within(z, longest))
        return kept, best

    def _records(self, z: Any, labels: Any) -> Any:
        """Make records, and check what they are."""
        try:
            made = self.generator(z, labels)
        except Exception as error:
            raise LeakproError(
                f"generator: it raised {type(error).__name__} on z of shape {tuple(z.shape)} and "
                f"labels of shape {tuple(labels.shape)}, classes in the order of the model's "
                "outputs; its own error stands above"
            ) from error
        if not is_tensor(made):
            raise LeakproError(
                f"generator: it returned a {type(made).__name__}: it must return a tensor of "
                "records"
            )
        expected = (len(z), *self.shape)
        if tuple(made.shape) != expected:
            raise LeakproError(
                f"generator: it returned records of shape {tuple(made.shape)} where members like "
                f"these have shape {expected}: it must return one record per row of z, of the "
                "members' shape"
            )
        if not made.requires_grad:
            raise LeakproError(
                "generator: no gradient comes through it: it must compute records from z in "
                "torch, in floating point and without detaching them"
            )
        return made

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
            # Clamped rather than replaced, so that the logarithm is finite.
            outputs = outputs if outputs.shape[1] > 1 else torch.cat([1 - outputs, outputs], dim=1)
            outputs = outputs.clamp_min(torch.finfo(outputs.dtype).tiny).log()
        elif outputs.shape[1] == 1:
            outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=1)
        return margin(outputs, labels.to(outputs.device))


def _within(z: Any, longest: float) -> Any:
    """Bring vectors that are too long back to where the generator was trained."""
    norms = z.norm(dim=1, keepdim=True)
    return z * (longest / norms.clamp_min(longest))


def _require_finite(records: Any, margins: Any) -> None:
    if not bool(records.isfinite().all()):
        raise LeakproError(
            "generator: it returned NaN or infinite values for standard normal z: train it again, "
            "or let it return finite records"
        )
    if not bool(margins.isfinite().all()):
        raise LeakproError(
            "the model returned NaN or infinite values on what the generator made: bring these "
            "records to the scale of the members"
        )


def _gradient(total: Any, z: Any) -> Any:
    torch = sys.modules["torch"]
    try:
        return torch.autograd.grad(total, z)[0]
    except Exception as error:
        raise LeakproError(
            f"the gradient of the model through the generator cannot be taken: "
            f"{type(error).__name__}; its own error stands above: both must compute what they "
            "return without detaching it"
        ) from error
