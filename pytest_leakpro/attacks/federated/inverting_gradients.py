"""Gradient inversion of images by the angle of the update.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.federated.inversion import (
    ImageSearch,
    bounded,
    labels_of,
    practise,
)
from pytest_leakpro.attacks.federated.misfit import Misfit, roughness
from pytest_leakpro.attacks.federated.options import positive
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.searches import signed_descent
from pytest_leakpro.attacks.federated.settings import least_error
from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    import numpy as np

    from pytest_leakpro.attacks.federated.watch import Watch
    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["FedAvgInversion", "InvertingGradients", "StatisticsInversion"]

_WEIGHTS = (0.003, 0.03, 0.3)
_UNTUNED = 0.03
_PRACTICE = 1
_PRACTICE_STEPS = 120


@dataclass(frozen=True)
class InvertingGradients(ImageSearch):
    """Search by signed steps for images whose update points the same way, with little variation.

    Parameters
    ----------
    steps : int, default 600
        Of the search, at least 1.
    restarts, seconds
        As for `ImageSearch`.
    total_variation : "tune" or float
        Weight of the mean difference of neighbouring pixels; by default the best of 0.003, 0.03 and
        0.3 on an update that the attacker makes, of the population or of made-up images.
    step_size : float, default 0.1
        The first step, in units of half the range of values.
    statistics : float, default 0.1
        Weight of the statistics of batch normalisation, where these are sent.

    References
    ----------
    Geiping, Bauermeister, Dröge and Moeller (2020), Inverting gradients: how easy is it to break
    privacy in federated learning?, NeurIPS, section 5.
    """

    steps: int = 600
    total_variation: Any = "tune"
    step_size: float = 0.1
    statistics: float = 0.1

    name: ClassVar[str] = "inverting_gradients"
    rank: ClassVar[int] = 303

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.total_variation, str):
            if self.total_variation != "tune":
                raise LeakproError(
                    f"total_variation of the attack {self.name!r}: give 'tune' or a number"
                )
        else:
            positive(self.name, "total_variation", self.total_variation, or_zero=True)
        positive(self.name, "step_size", self.step_size)
        positive(self.name, "statistics", self.statistics, or_zero=True)

    def settle(self, view: UpdateView, rng: np.random.Generator) -> InvertingGradients:
        """Tune the weight of the variation; a function of the view's model and client."""
        if self.total_variation != "tune":
            return self
        practice = practise(view, rng, _PRACTICE)
        if not practice:
            return replace(self, total_variation=_UNTUNED)
        tried = [replace(self, total_variation=weight) for weight in _WEIGHTS]
        return least_error(tried, practice, rng, _PRACTICE_STEPS)

    def search(self, view: UpdateView, rng: np.random.Generator, watch: Watch) -> Rebuilt:
        """Search from every start; see `ImageSearch.search`."""
        torch = sys.modules["torch"]
        labels = labels_of(view, rng)
        misfit = Misfit(view, "cosine", statistics=self.statistics)
        half = 1.0
        if view.bounds is not None:
            half = float((view.bounds[1] - view.bounds[0]).mean()) / 2

        def objective(images: Any) -> Any:
            return misfit(images, labels) + self.total_variation / half * roughness(images)

        best = None
        for _ in range(self.restarts):
            drawn = rng.normal(size=(view.n_records, *view.shape))
            start = torch.as_tensor(drawn, dtype=view.dtype, device=view.device) * half
            if view.bounds is not None:
                start = start + (view.bounds[0] + view.bounds[1]) / 2
            found = signed_descent(
                objective,
                (bounded(view, start),),
                steps=self.steps,
                step_size=self.step_size * half,
                within=lambda images: bounded(view, images),
                watch=watch,
            )
            if best is None or found.value < best.value:
                best = found
            if watch.cut:
                break
        assert best is not None
        return Rebuilt(best.point[0], labels, cut=watch.cut)


@dataclass(frozen=True)
class StatisticsInversion(InvertingGradients):
    """Search for images of the right update and the right statistics of batch normalisation.

    Parameters
    ----------
    steps, restarts, seconds, total_variation, step_size, statistics
        As for `InvertingGradients`.

    References
    ----------
    Yin, Mallya, Vahdat, Alvarez, Kautz and Molchanov (2021), See through gradients: image batch
    recovery via GradInversion, CVPR, section 3.3.
    """

    statistics: float = 1.0

    name: ClassVar[str] = "statistics_inversion"
    needs_statistics: ClassVar[bool] = True
    needs_also: ClassVar[str] = "statistics"
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 304


@dataclass(frozen=True)
class FedAvgInversion(InvertingGradients):
    """Search for images that, trained on for several local steps, change the weights likewise.

    Parameters
    ----------
    steps, restarts, seconds, total_variation, step_size, statistics
        As for `InvertingGradients`.

    References
    ----------
    Geiping et al. (2020), Inverting gradients, NeurIPS, section 6.
    Dimitrov, Balunović, Konstantinov and Vechev (2022), Data leakage in federated averaging, TMLR.
    """

    name: ClassVar[str] = "fedavg_inversion"
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 305

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and target.training.local_steps == 1:
            reason = "the client takes one local step: take inverting_gradients"
        return reason
