"""Watches a training with Opacus, and tells whether it keeps the epsilon that is claimed of it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.canary_scores import CanaryScores
from pytest_leakpro.gate.errors import LeakageError, LeakproError
from pytest_leakpro.targets.gradient_canaries import (
    GradientCanaries,
    InsertedGradients,
    clip_factors,
)

try:
    import torch
    from opacus.optimizers import DPOptimizer
except ImportError as error:
    raise LeakproError(
        f"pytest_leakpro.opacus needs Opacus 1.5 or later ({error}): pip install "
        "'pytest-leakpro[opacus]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WatchedTraining", "epsilon_of", "watch_training"]

_FEWEST_STEPS = 20  # of which a constant batch size is no chance
_TOLERANCE = 1e-3
_MOST_CHECKED = 50  # steps whose gradients are worked out again
_CHANCE = 1e-6
_LITTLE_NOISE = 0.3


def watch_training(
    model: Any, optimizer: Any, loader: Any, *, canaries: GradientCanaries | None = None
) -> WatchedTraining:
    """Watch what a training does: call it once, before the first step.

    Parameters
    ----------
    model : torch.nn.Module
        As ``PrivacyEngine.make_private`` gave it.
    optimizer : opacus.optimizers.DPOptimizer
        Likewise. Its steps are looked at, and left as they are.
    loader : torch.utils.data.DataLoader
        What the batches come from.
    canaries : GradientCanaries, optional
        Gradients to insert, from `Canaries.gradients`: each of those that are included is in a step
        with the chance that a record has. The model that comes out was trained on them: audit a
        training of its own.

    Returns
    -------
    WatchedTraining
        Ask it when the training is over.

    Raises
    ------
    LeakproError
        Where the optimizer is not one of Opacus, or keeps no gradients of single records that
        canaries could join.

    Examples
    --------
    >>> training = watch_training(model, optimizer, loader)  # doctest: +SKIP
    >>> fit(model, optimizer, loader)  # doctest: +SKIP
    >>> training.check(claimed_epsilon=3.0, delta=1e-5)  # doctest: +SKIP
    """
    return WatchedTraining(model, optimizer, loader, canaries)


class WatchedTraining:
    """What a training with Opacus did, step by step.

    Attributes
    ----------
    steps : int
        How many optimisation steps there were.
    batch_sizes : list of int
        Of each step; those of accumulated batches are summed.
    noise_multiplier : float
        The smallest that was seen: the standard deviation of the noise that was added over the
        norm to which records were clipped. 0 where none was added.
    unclipped : int
        In how many of the steps that were worked out again the gradients were not clipped record by
        record.
    """

    def __init__(
        self, model: Any, optimizer: Any, loader: Any, canaries: GradientCanaries | None = None
    ) -> None:
        if not isinstance(optimizer, DPOptimizer):
            raise LeakproError(
                f"the optimizer is a {type(optimizer).__name__}, which clips no gradients and adds "
                "no noise: give the one that PrivacyEngine.make_private returned"
            )
        self.model, self.loader = model, loader
        self.steps = 0
        self.batch_sizes: list[int] = []
        self.unclipped = 0
        self._records = 0
        self._checked = 0
        self._noise = _Spread()
        self._claimed = float(optimizer.noise_multiplier)
        self._largest = 0.0
        self._inserted = None if canaries is None else _inserting(canaries, optimizer, loader)
        self._canaries = canaries
        self._watch(optimizer)

    def __repr__(self) -> str:
        return f"WatchedTraining(steps={self.steps})"

    @property
    def n_records(self) -> int:
        """Number of training records."""
        return len(self.loader.dataset)

    @property
    def noise_multiplier(self) -> float:
        """Standard deviation of the noise over the norm to which records were clipped."""
        return self._noise.deviation / self._largest if self._largest > 0 else 0.0

    @property
    def sample_rate(self) -> float:
        """Share of the records in a step, on average, in (0, 1]."""
        mean = sum(self.batch_sizes) / max(1, len(self.batch_sizes))
        return min(1.0, mean / self.n_records)

    def _watch(self, optimizer: Any) -> None:
        clip: Callable[[], None] = optimizer.clip_and_accumulate
        step: Callable[..., bool | None] = optimizer.pre_step

        def clip_and_accumulate() -> None:
            self._records += len(optimizer.grad_samples[0]) if optimizer.grad_samples else 0
            if self._inserted is not None and optimizer.grad_samples:
                self._inserted.insert()
            looked = self._checked < _MOST_CHECKED
            before = [_copy(part.summed_grad) for part in optimizer.params] if looked else []
            samples = [_flat(optimizer, part) for part in optimizer.params] if looked else []
            clip()
            if looked:
                self._look_at_clipping(optimizer, before, samples)

        def pre_step(*given: Any, **named: Any) -> bool | None:
            done = step(*given, **named)
            if done:
                self.steps += 1
                self.batch_sizes.append(self._records)
                self._records = 0
                self._look_at_release(optimizer)
            return done

        optimizer.clip_and_accumulate = clip_and_accumulate
        optimizer.pre_step = pre_step

    def _look_at_clipping(self, optimizer: Any, before: list[Any], samples: list[Any]) -> None:
        """Work out the sum of clipped gradients again."""
        self._checked += 1
        n = len(samples[0]) if samples else 0
        limit = float(optimizer.max_grad_norm)
        self._largest = max(self._largest, limit)
        if n == 0:
            return
        factor = clip_factors(samples, limit)
        off, size = 0.0, 0.0
        for part, start, sample in zip(optimizer.params, before, samples, strict=True):
            wanted = torch.einsum("i,i...", factor, sample)
            added = part.summed_grad if start is None else part.summed_grad - start
            off += float((added - wanted).pow(2).sum())
            size += float(wanted.pow(2).sum())
        if math.sqrt(off) > _TOLERANCE * max(math.sqrt(size), limit):
            self.unclipped += 1

    def _look_at_release(self, optimizer: Any) -> None:
        """Measure the noise, what stands in the gradient beyond the clipped sum; read canaries."""
        scale = 1.0
        if optimizer.loss_reduction == "mean":
            scale = float(optimizer.expected_batch_size) * optimizer.accumulated_iterations
        for part in optimizer.params:
            if part.grad is None or part.summed_grad is None:
                continue
            noise = part.grad * scale - part.summed_grad.view_as(part.grad)
            self._noise.add(float(noise.double().pow(2).sum()), noise.numel())
        if self._inserted is not None and optimizer.params[0].grad is not None:
            self._inserted.observe(scale)

    def canary_scores(
        self, delta: float, *, assume: str | None = None, name: str = "training"
    ) -> CanaryScores:
        """Give what the steps told of the canaries, to be audited for ``epsilon``.

        The attacker is the one of differential privacy: it sees every step, knows all other records
        and the set-up, and not which canaries took part.

        Parameters
        ----------
        delta : float
            With which epsilon is asked for, in [0, 1).
        assume : {"gaussian"}, optional
            See `CanaryScores`.
        name : str
            What the summary calls the training.

        Returns
        -------
        CanaryScores
            Give it to `pytest_leakpro.assert_leakage_below`.

        Raises
        ------
        LeakproError
            Where the training has no canaries, or no step was seen.
        """
        if self._inserted is None or self._canaries is None:
            raise LeakproError(
                "this training has no canaries: give watch_training(…, canaries=) some of "
                "Canaries.gradients(1000)"
            )
        if self.steps == 0:
            raise LeakproError("no step was seen: call watch_training before the training")
        return CanaryScores(
            self._inserted.scores,
            self._canaries.included,
            delta=delta,
            assume=assume,
            name=name,
        )

    def faults(self) -> tuple[str, ...]:
        """Say what keeps the training from being differentially private as accounted for.

        Returns
        -------
        tuple of str
            Empty where nothing was found.
        """
        found = []
        if self.steps == 0:
            found.append("no step was seen: call watch_training before the training")
        norms = [
            name
            for name, module in self.model.named_modules()
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)
        ]
        if norms:
            found.append(
                f"batch normalisation ({', '.join(norms[:3])}) mixes the records of a batch, so "
                "that one record changes the gradients of others: use GroupNorm "
                "(ModuleValidator.fix)"
            )
        if self.unclipped:
            found.append(
                f"in {self.unclipped} of {self._checked} steps the gradients were not clipped "
                "record by record to max_grad_norm: one record moves the sum by more than the "
                "noise is for"
            )
        if self.steps and self._noise.is_below(self._claimed * self._largest):
            found.append(
                f"the noise has a multiplier of {self.noise_multiplier:.3g}, and the accountant "
                f"counts on {self._claimed:.3g}: noise is scaled by max_grad_norm before the sum "
                "is divided by the batch size"
            )
        several = len(self.batch_sizes) >= _FEWEST_STEPS and self.sample_rate < 1
        # The last of an epoch may be smaller.
        if several and len(set(self.batch_sizes[:-1])) <= 2:
            found.append(
                f"all batches have {self.batch_sizes[0]} records: the accountant assumes that "
                "each record is drawn by the toss of a coin (poisson_sampling=True)"
            )
        return tuple(found)

    def epsilon(self, delta: float) -> float:
        """Give the epsilon of the steps that were run with the noise that was added.

        Parameters
        ----------
        delta : float
            In (0, 1).

        Returns
        -------
        float
            By dp-accounting's privacy loss distributions; infinite where no noise was added. It
            holds where `faults` has none.
        """
        noise = self.noise_multiplier
        # The measured multiplier is uncertain by the number of entries that it was measured on.
        if abs(noise - self._claimed) <= 4 * self._noise.error * self._claimed:
            noise = self._claimed
        return epsilon_of(noise, self.sample_rate, self.steps, delta)

    def check(self, claimed_epsilon: float, delta: float) -> float:
        """Assert that the training keeps what is claimed, as far as its set-up tells.

        Parameters
        ----------
        claimed_epsilon : float
            Above 0.
        delta : float
            In (0, 1).

        Returns
        -------
        float
            The epsilon worked out again, at most the claimed one but for half a percent.

        Raises
        ------
        LeakageError
            Naming every fault, or the epsilon that the steps cost.
        """
        faults = list(self.faults())
        spent = self.epsilon(delta) if self.steps else 0.0
        if spent > claimed_epsilon * 1.005:
            faults.append(
                f"{self.steps:,} steps with a noise multiplier of {self.noise_multiplier:.3g} and "
                f"a sampling rate of {self.sample_rate:.3g} cost epsilon = {spent:.3g}"
            )
        if faults:
            said = "\n".join(f"  - {fault}" for fault in faults)
            raise LeakageError(
                f"the training does not keep epsilon <= {claimed_epsilon:g} at delta = {delta:g}:\n"
                f"{said}"
            )
        return spent


def epsilon_of(noise_multiplier: float, sample_rate: float, steps: int, delta: float) -> float:
    """Give the epsilon of DP-SGD with Poisson sampling, worked out by dp-accounting.

    Parameters
    ----------
    noise_multiplier : float
        Standard deviation of the noise over the clipping norm, at least 0.
    sample_rate : float
        Chance that a record is in a step, in (0, 1].
    steps : int
        How many, at least 0.
    delta : float
        In (0, 1).

    Returns
    -------
    float
        At least 0, infinite without noise. With a multiplier below 0.3 by Renyi divergences, an
        upper bound: losses are so large there that distributions of them take minutes.

    References
    ----------
    Doroshenko et al. (2022), Connect the dots: tighter discrete approximations of privacy loss
    distributions, PoPETs; Mironov, Talwar and Zhang (2019), Renyi differential privacy of the
    sampled Gaussian mechanism. Neighbours by adding or removing a record.
    """
    if steps == 0:
        return 0.0
    if noise_multiplier <= 0:
        return math.inf
    import dp_accounting
    from dp_accounting.pld import PLDAccountant
    from dp_accounting.rdp import RdpAccountant

    accountant = PLDAccountant() if noise_multiplier >= _LITTLE_NOISE else RdpAccountant()
    event = dp_accounting.GaussianDpEvent(noise_multiplier)
    if sample_rate < 1:
        event = dp_accounting.PoissonSampledDpEvent(sample_rate, event)
    accountant.compose(dp_accounting.SelfComposedDpEvent(event, steps))
    return float(accountant.get_epsilon(delta))


def _inserting(canaries: Any, optimizer: Any, loader: Any) -> InsertedGradients:
    if not isinstance(canaries, GradientCanaries):
        raise LeakproError(
            f"canaries is a {type(canaries).__name__}: a training takes Canaries.gradients(n); "
            "records as canaries stand in the training data"
        )
    if "FastGradientClipping" in type(optimizer).__name__:
        raise LeakproError(
            "canaries: this optimizer keeps no gradients of single records (ghost clipping): "
            'make_private(…, grad_sample_mode="hooks") for the audit'
        )
    rate = getattr(loader, "sample_rate", None)
    if rate is None:
        size = loader.batch_size or optimizer.expected_batch_size
        rate = min(1.0, size / len(loader.dataset))
    return InsertedGradients(
        canaries,
        optimizer.params,
        float(rate),
        float(optimizer.max_grad_norm),
        float(optimizer.noise_multiplier),
    )


class _Spread:
    """The standard deviation of noise with mean 0, from sums of squares."""

    def __init__(self) -> None:
        self.squares, self.count = 0.0, 0

    def add(self, squares: float, count: int) -> None:
        self.squares += squares
        self.count += count

    @property
    def deviation(self) -> float:
        return math.sqrt(self.squares / self.count) if self.count else 0.0

    @property
    def error(self) -> float:
        """Relative standard error of the deviation."""
        return math.sqrt(1 / (2 * self.count)) if self.count else math.inf

    def is_below(self, wanted: float) -> bool:
        """Whether the noise is less than wanted, beyond chance (one in a million)."""
        if wanted <= 0 or not self.count:
            return False
        from scipy.stats import chi2

        return bool(chi2.cdf(self.squares / wanted**2, self.count) < _CHANCE)


def _copy(value: Any) -> Any:
    return None if value is None else value.detach().clone()


def _flat(optimizer: Any, part: Any) -> Any:
    return optimizer._get_flat_grad_sample(part).detach().to(part.dtype)
