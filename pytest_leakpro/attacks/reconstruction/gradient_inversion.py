"""Records that a network takes for a class, climbed to from random starts.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.reconstruction.base_attack import ReconstructionAttack
from pytest_leakpro.attacks.reconstruction.nearness import Attempts
from pytest_leakpro.attacks.reconstruction.record_space import RecordSpace
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.record_numbers import numbers
from pytest_leakpro.targets.torch_model import evaluating, is_module, tensor_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["GradientInversion"]

_BATCH = 512


@dataclass(frozen=True)
class GradientInversion(ReconstructionAttack):
    """Gradient ascent on the probability of each class, from random starts.

    Starts are drawn from a normal law with the population's means and deviations; steps are Adam's,
    within the range of the population, and of images with a little total variation. What is found
    looks like a class: whether it is a record, `reconstruction[near]` tells.

    Parameters
    ----------
    attempts : int, optional
        How many, spread over the classes, at least 10; 400 by default.
    steps : int
        Of each, at least 1.
    step_size : float
        Above 0, in standard deviations of the population.
    variation : float
        Weight of the total variation of images, at least 0.
    stop_at : float
        The mean cross-entropy, at least 0, at which a batch has arrived.

    References
    ----------
    Fredrikson, Jha and Ristenpart (2015), Model inversion attacks that exploit confidence
    information, CCS, algorithm 1 (MI-FACE).
    """

    name: ClassVar[str] = "gradient_inversion"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    access: ClassVar[Access] = Access.WHITE_BOX
    needs_population: ClassVar[bool] = True
    needs_also: ClassVar[str] = "a torch module"
    rank: ClassVar[int] = 423

    steps: int = 200
    step_size: float = 0.05
    variation: float = 0.001
    stop_at: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise LeakproError(
                f"steps of the attack {self.name!r}: give a whole number of at least 1"
            )
        for option, least in (("step_size", 1e-12), ("variation", 0.0), ("stop_at", 0.0)):
            value = getattr(self, option)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value < least:
                raise LeakproError(
                    f"{option} of the attack {self.name!r}: give a finite number of at least "
                    f"{least:g}"
                )

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and not is_module(target.model):
            return "it takes gradients of a torch module"
        return reason

    def rebuild(
        self, view: MembershipView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Attempts:
        """Climb in batches, class by class in turn; see `ReconstructionAttack.rebuild`."""
        torch = sys.modules["torch"]
        module = view.model
        space = RecordSpace.of(view)
        inputs = view.records("population").inputs
        first = tensor_for(module, inputs)[:1]
        if not first.is_floating_point():
            raise LeakproError(
                f"the attack {self.name!r} moves records along gradients, and these hold whole "
                "numbers, of which there are none"
            )
        known = numbers(inputs, space.columns)
        centre, spread = known.mean(axis=0), known.std(axis=0)
        low, high = known.min(axis=0), known.max(axis=0)
        assert view.population is not None
        classes = view.population.n_classes
        size = self.n_attempts(view)
        say(f"{size} climbs of up to {self.steps} steps")
        starts = np.clip(centre + spread * rng.normal(size=(size, len(centre))), low, high)
        labels = np.arange(size) % classes
        unit = np.where(spread > 0, spread, 1.0)
        limits = tuple(torch.as_tensor(edge / unit).to(first) for edge in (low, high))
        scale = torch.as_tensor(unit).to(first)
        found = []
        with evaluating(module):
            for begin in range(0, size, _BATCH):
                part = slice(begin, begin + _BATCH)
                moved = torch.as_tensor(starts[part] / unit).to(first)
                wanted = torch.as_tensor(labels[part], device=first.device)
                climbed = self._climb(module, moved, wanted, scale, limits, first.shape[1:], view)
                found.append(climbed)
        return Attempts(np.concatenate(found))

    def _climb(
        self,
        module: Any,
        moved: Any,
        wanted: Any,
        scale: Any,
        limits: tuple[Any, ...],
        shape: Any,
        view: MembershipView,
    ) -> NDArray[np.float64]:
        torch = sys.modules["torch"]
        probabilities = view.output == "probabilities"
        moved.requires_grad_(True)
        optimiser = torch.optim.Adam([moved], lr=self.step_size)
        with torch.enable_grad():
            for _ in range(self.steps):
                optimiser.zero_grad()
                records = (moved * scale).reshape(-1, *shape)
                losses = _cross_entropy(module(records), wanted, probabilities=probabilities)
                if float(losses.detach().mean()) <= self.stop_at:
                    break
                total = losses.sum() + self.variation * _total_variation(records)
                moved.grad = torch.autograd.grad(total, moved)[0]
                optimiser.step()
                with torch.no_grad():
                    moved.copy_(torch.minimum(torch.maximum(moved, limits[0]), limits[1]))
        records = (moved * scale).detach().cpu().numpy()
        return np.asarray(records, dtype=np.float64)


def _cross_entropy(returned: Any, wanted: Any, *, probabilities: bool) -> Any:
    torch = sys.modules["torch"]
    scores = returned.logits if hasattr(returned, "logits") else returned
    scores = scores.reshape(len(wanted), -1)
    if probabilities:
        if scores.shape[1] == 1:
            scores = torch.cat([1 - scores, scores], dim=1)
        scores = scores.clamp_min(torch.finfo(scores.dtype).tiny).log()
    elif scores.shape[1] == 1:
        scores = torch.cat([torch.zeros_like(scores), scores], dim=1)
    return torch.nn.functional.cross_entropy(scores, wanted, reduction="none")


def _total_variation(records: Any) -> Any:
    """Give the sum of absolute differences of neighbours, of images; 0 of rows."""
    if records.ndim < 3:
        return records.new_zeros(())
    across = (records[..., 1:] - records[..., :-1]).abs().sum()
    down = (records[..., 1:, :] - records[..., :-1, :]).abs().sum()
    return across + down
