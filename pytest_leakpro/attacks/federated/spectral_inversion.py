"""Gradient inversion of images on the scale of their spectrum.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np

from pytest_leakpro.attacks.federated.image_prior import image_prior
from pytest_leakpro.attacks.federated.inversion import (
    ImageSearch,
    bounded,
    labels_of,
    practise,
)
from pytest_leakpro.attacks.federated.last_features import last_features
from pytest_leakpro.attacks.federated.linear_layers import last_linear
from pytest_leakpro.attacks.federated.misfit import Misfit
from pytest_leakpro.attacks.federated.options import positive
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.searches import quasi_newton
from pytest_leakpro.attacks.federated.settings import least_error
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.end_layers import model_outputs

if TYPE_CHECKING:
    from pytest_leakpro.attacks.federated.misfit import Distance
    from pytest_leakpro.attacks.federated.watch import Watch
    from pytest_leakpro.targets.update_view import Practice, UpdateView

__all__ = ["SpectralInversion"]

_FAINT = 0.1  # so that records of one class do not start alike
_PRACTICE = 2
_PRACTICE_STEPS = 40
_DRAWN = 16
_STATISTICS = 0.1
_TERMS = ((1.0, 0.0), (0.0, 1.0))  # weights of the update and of the last features
_LEAST_PRIOR = 1e-12
_NOISY = 1e3
_UNSCALED = 0.02
_EXPLAINED = 1e-3
_TINY = 1e-30


@dataclass(frozen=True)
class SpectralInversion(ImageSearch):
    """Search by L-BFGS for the most likely images, as coefficients of one size.

    Images have a Gaussian prior whose power falls with frequency. What is minimised is the squared
    error of the update, beside that of what entered the last layer, which the gradient of that
    layer gives record by record, and of the statistics of batch normalisation where these are sent.
    How much each counts, and how much the prior does, is tuned on updates that the attacker makes:
    of the population, or without one of images drawn from the prior.

    Parameters
    ----------
    steps, restarts, seconds
        As for `ImageSearch`.
    terms : "tune" or pair of float
        Weights of the update's error and of the last features'.
    both : bool, default True
        Whether, where what was found by the one term does not explain the update and no noise was
        added, the other is tried as well, and what explains it better kept.
    prior : "tune" or float
        Weight of the prior; by default by the part of the update that a defence added.
    masked : "tune" or bool
        Whether entries that were sent as exactly 0 count for nothing.
    distance : {"tune", "squared", "cosine"}
        Of updates; by default squared, and the cosine where the client scales what it sends.

    References
    ----------
    Zhu, Liu and Han (2019), Deep leakage from gradients, NeurIPS (L-BFGS on the squared error).
    Balunović, Dimitrov, Staab and Vechev (2022), Bayesian framework for gradient leakage, ICLR (the
    likely records under a prior and the law of a defence's noise).
    Kariyappa et al. (2023), Cocktail party attack, ICML (images from what enters the last layer).
    """

    terms: Any = "tune"
    prior: Any = "tune"
    masked: Any = "tune"
    distance: Literal["tune", "squared", "cosine"] = "tune"
    both: bool = True

    name: ClassVar[str] = "spectral_inversion"
    rank: ClassVar[int] = 302

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.terms != "tune":
            if not isinstance(self.terms, (tuple, list)) or len(self.terms) != 2:
                raise LeakproError(f"terms of the attack {self.name!r}: give 'tune' or two numbers")
            for weight in self.terms:
                positive(self.name, "terms", weight, or_zero=True)
            if not any(self.terms):
                raise LeakproError(f"terms of the attack {self.name!r}: one must be above 0")
        if self.prior != "tune":
            positive(self.name, "prior", self.prior, or_zero=True)
        if self.masked != "tune" and not isinstance(self.masked, bool):
            raise LeakproError(f"masked of the attack {self.name!r}: give 'tune', True or False")
        if not isinstance(self.both, bool):
            raise LeakproError(f"both of the attack {self.name!r}: give True or False")
        if self.distance not in ("tune", "squared", "cosine"):
            raise LeakproError(
                f"distance of the attack {self.name!r}: give 'tune', 'squared' or 'cosine'"
            )

    def settle(self, view: UpdateView, rng: np.random.Generator) -> SpectralInversion:
        """Tune what is to be tuned; a function of the view's model and client, not its update."""
        if "tune" not in (self.terms, self.prior, self.masked, self.distance):
            return self
        practice = practise(view, rng, _PRACTICE)
        plain = replace(
            self,
            terms=_TERMS[0] if self.terms == "tune" else self.terms,
            prior=_LEAST_PRIOR if self.prior == "tune" else self.prior,
            masked=False if self.masked == "tune" else self.masked,
            distance="squared" if self.distance == "tune" else self.distance,
            both=False,
        )
        if not practice:
            return replace(plain, both=self.both)
        zeros = _share_of_zeros(practice)
        tried = [plain]
        if self.masked == "tune" and zeros > 0.5:
            tried.append(replace(plain, masked=True))
        if self.distance == "tune":
            tried = [replace(one, distance=_distance(practice, one)) for one in tried]
        if self.terms == "tune":
            tried = [replace(one, terms=terms) for one in tried for terms in _TERMS]
        if self.prior == "tune":
            tried = [replace(one, prior=one.prior + _noise(practice, one)) for one in tried]
        best = least_error(tried, practice[:1], rng, _PRACTICE_STEPS)
        if self.prior == "tune" and best.prior > _NOISY * _LEAST_PRIOR:
            tried = [replace(best, prior=best.prior * factor) for factor in (1.0, 0.1, 10.0)]
            best = least_error(tried, practice, rng, _PRACTICE_STEPS)
        return replace(best, both=self.both)

    def search(self, view: UpdateView, rng: np.random.Generator, watch: Watch) -> Rebuilt:
        """Search from every start; see `ImageSearch.search`."""
        labels = labels_of(view, rng)
        images = self._searched(view, labels, rng, watch)
        noisy = self.prior > _NOISY * _LEAST_PRIOR  # the update is off then, whatever is found
        if not self.both or noisy or watch.cut:
            return Rebuilt(images, labels, cut=watch.cut)
        off = self._off(view, images, labels)
        if off > _EXPLAINED:
            for terms in _TERMS:
                if terms == tuple(self.terms):
                    continue
                other = replace(self, terms=terms)._searched(view, labels, rng, watch)
                if self._off(view, other, labels) < off:
                    images = other
        return Rebuilt(images, labels, cut=watch.cut)

    def _searched(
        self, view: UpdateView, labels: Any, rng: np.random.Generator, watch: Watch
    ) -> Any:
        """Give the images that make the objective least."""
        torch = sys.modules["torch"]
        misfit = self._misfit(view, labels, rng)
        prior = image_prior(misfit.view)

        def objective(coefficients: Any) -> Any:
            off = misfit(prior.images(coefficients), labels)
            return off + self.prior * coefficients.square().sum()

        best = None
        for _ in range(self.restarts):
            start = _FAINT * prior.draw(view.n_records, rng)
            found = quasi_newton(objective, (start,), steps=self.steps, watch=watch)
            if best is None or found.value < best.value:
                best = found
            if watch.cut:
                break
        assert best is not None
        with torch.no_grad():
            return bounded(view, prior.images(best.point[0]).to(view.dtype))

    def _off(self, view: UpdateView, images: Any, labels: Any) -> float:
        """Tell how far the update of images is from the one that was sent."""
        misfit = Misfit(view, cast("Distance", self.distance), masked=self.masked)
        return float(misfit(images, labels).detach())

    def _misfit(self, view: UpdateView, labels: Any, rng: np.random.Generator) -> Misfit:
        update, features = self.terms
        statistics = _STATISTICS if view.statistics is not None else 0.0
        entered, layer, spread = None, None, 1.0
        if features:
            found = last_features(view, labels, rng)
            if found is None:
                update = update or 1.0
            else:
                entered = found.values.to(view.dtype)
                last = last_linear(view)
                assert last is not None
                layer, spread = last.layer, _spread(view, last.layer, rng)
        return Misfit(
            view,
            cast("Distance", self.distance),
            update,
            features,
            statistics,
            self.masked,
            layer,
            entered,
            spread,
        )


def _spread(view: UpdateView, layer: Any, rng: np.random.Generator) -> float:
    """Tell by how much what enters a layer differs between images that the prior draws."""
    prior = image_prior(view)
    entering: list[Any] = []
    hook = layer.register_forward_pre_hook(lambda _, given: entering.append(given[0].detach()))
    try:
        model_outputs(view.model, prior.images(prior.draw(_DRAWN, rng)))
    finally:
        hook.remove()
    spread = float(entering[-1].reshape(_DRAWN, -1).var(0).mean())
    return spread if spread > 0 else 1.0


def _share_of_zeros(practice: list[Practice]) -> float:
    parts = [part for one in practice for part in one.view.update]
    zeros = sum(int((part == 0).sum()) for part in parts)
    return float(zeros / sum(part.numel() for part in parts))


def _compared(one: Practice, *, masked: bool) -> tuple[Any, Any]:
    """Give what the client would have sent without a defence, and what it sent, as vectors."""
    torch = sys.modules["torch"]
    plain = one.view.simulate(one.inputs, one.labels, differentiable=False)
    before, after = (
        torch.cat([part.detach().double().reshape(-1) for part in parts])
        for parts in (plain, one.view.update)
    )
    seen = (after != 0) if masked else slice(None)
    return before[seen], after[seen]


def _distance(practice: list[Practice], settings: SpectralInversion) -> Distance:
    """Tell whether the client scales what it sends."""
    for one in practice:
        plain, sent = _compared(one, masked=settings.masked)
        scale = float((plain @ sent) / (plain @ plain).clamp_min(_TINY))
        if abs(scale - 1) > _UNSCALED:
            return "cosine"
    return "squared"


def _noise(practice: list[Practice], settings: SpectralInversion) -> float:
    """Give the variance that a defence adds to an entry, relative to the update's square."""
    ratios = []
    for one in practice:
        plain, sent = _compared(one, masked=settings.masked)
        scale = 1.0
        if settings.distance == "cosine":
            scale = float((plain @ sent) / (plain @ plain).clamp_min(_TINY))
        added = (sent - scale * plain).square().sum()
        total = float(sent.square().sum()) * len(sent)
        ratios.append(float(added) / total if total > 0 else 0.0)
    return float(np.mean(ratios))
