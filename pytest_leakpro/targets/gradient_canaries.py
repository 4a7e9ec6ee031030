"""Canaries for those who see every step of a training: gradients that no other record has.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.tosses import check_seed, toss

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["GradientCanaries", "InsertedGradients", "clip_factors"]

_TOO_LARGE = 10.0  # times the norm to which gradients are clipped
_LEAST_NOISE = 1e-3  # with less, ratios of likelihoods have no finite size


class GradientCanaries:
    """Gradients for the audit of DP-SGD: each takes part in a training by the toss of a coin.

    Each stands for a record whose gradient is one entry of one weight, larger than the norm to
    which gradients are clipped: the most that one record can do. See `Canaries.gradients`.

    Parameters
    ----------
    n : int
        How many, at least 10.
    seed : int, default 0
        What tosses and places follow from.
    truth : path, optional
        A file that remembers the tosses; see `Canaries`.

    Attributes
    ----------
    included : ndarray of bool, shape (n,)
        Which of them take part, each with probability 1/2.
    """

    kind = "gradient"

    def __init__(self, n: int, *, seed: int = 0, truth: str | PathLike[str] | None = None) -> None:
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
            raise LeakproError("canaries: n is the number of canaries, such as 1000")
        self.seed = check_seed(seed)
        self.included: NDArray[np.bool_] = toss(
            int(n), self.seed, truth, lambda: f"gradient {n} {self.seed}"
        )

    def __repr__(self) -> str:
        return f"GradientCanaries({len(self)})"

    def __len__(self) -> int:
        return len(self.included)

    def places(self, size: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Give the entry of each canary, and its sign.

        Parameters
        ----------
        size : int
            How many entries all trained weights have together.

        Returns
        -------
        tuple of ndarray of shape (n,)
            Positions, no two alike, and 1 or -1.

        Raises
        ------
        LeakproError
            Where there are more canaries than entries.
        """
        if size < len(self):
            raise LeakproError(
                f"canaries: {len(self):,} gradients, and the model has but {size:,} weights that "
                "are trained: make fewer canaries"
            )
        rng = derive_rng(self.seed, "canaries", "places")
        return rng.choice(size, len(self), replace=False), rng.choice([-1.0, 1.0], len(self))


class InsertedGradients:
    """Inserts gradients step by step, and looks for them in what each step releases.

    Parameters
    ----------
    canaries : GradientCanaries
        What is inserted.
    weights : sequence of tensor
        The trained ones, which have per-record gradients as ``grad_sample``.
    sample_rate : float
        Chance of a record to be in a step, in (0, 1].
    norm : float
        To which the gradients of records are clipped, above 0.
    noise_multiplier : float
        That the accountant counts on: the scale on which entries are read, at least 0.

    References
    ----------
    Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1) training run, NeurIPS, section
    6 (white-box canaries of a single entry); Nasr et al. (2023), Tight auditing of differentially
    private machine learning, USENIX Security, section 5.
    """

    def __init__(
        self,
        canaries: GradientCanaries,
        weights: Sequence[Any],
        sample_rate: float,
        norm: float,
        noise_multiplier: float,
    ) -> None:
        sizes = [int(weight.numel()) for weight in weights]
        places, self._signs = canaries.places(sum(sizes))
        ends = np.cumsum(sizes)
        self._weight = np.searchsorted(ends, places, side="right")
        self._entry = places - (ends - sizes)[self._weight]
        self._weights = list(weights)
        self._included = canaries.included
        self._rate, self._norm = sample_rate, norm
        self._noise = max(noise_multiplier, _LEAST_NOISE)
        self._rng = derive_rng(canaries.seed, "canaries", "steps")
        self._known = np.zeros(len(canaries))
        self._inserted = False
        self.scores: NDArray[np.float64] = np.zeros(len(canaries))
        """How much likelier each is to have taken part, in nats, shape (n,)."""

    def insert(self) -> int:
        """Add the canaries that are drawn for this step to the gradients of its records.

        Returns
        -------
        int
            How many were added; none where this step has some already.
        """
        self._know_records()
        if self._inserted:
            return 0
        self._inserted = True
        drawn = np.flatnonzero(self._included & (self._rng.random(len(self.scores)) < self._rate))
        torch = sys.modules["torch"]
        for number, weight in enumerate(self._weights):
            samples = _last(weight)
            rows = torch.zeros(
                (len(drawn), *samples.shape[1:]), dtype=samples.dtype, device=samples.device
            )
            flat = rows.view(len(drawn), -1) if len(drawn) else rows
            for row, canary in enumerate(drawn):
                if self._weight[canary] == number:
                    flat[row, self._entry[canary]] = _TOO_LARGE * self._norm * self._signs[canary]
            _put_last(weight, torch.cat([samples, rows]))
        return len(drawn)

    def _know_records(self) -> None:
        """Work out what records add to the entries: who audits knows all but the canaries."""
        samples = [_all(weight) for weight in self._weights]
        n = len(samples[0])
        if n == 0:
            return
        factor = clip_factors(samples, self._norm).double()
        for number, part in enumerate(samples):
            mine = self._weight == number
            if mine.any():
                entries = part.reshape(n, -1)[:, self._entry[mine]].double()
                self._known[mine] += (factor @ entries).cpu().numpy()

    def observe(self, scale: float) -> None:
        """Read the entries that a step released.

        Parameters
        ----------
        scale : float
            By what the noisy sum was divided.
        """
        released = np.empty(len(self.scores))
        for number, weight in enumerate(self._weights):
            mine = self._weight == number
            if mine.any():
                flat = weight.grad.detach().reshape(-1)
                released[mine] = flat[self._entry[mine]].double().cpu().numpy() * scale
        seen = (released - self._known) * self._signs / self._norm
        # The likelihood ratio of having been drawn at this rate against not being there.
        ratio = (2 * seen - 1) / (2 * self._noise**2)
        with np.errstate(divide="ignore"):  # the logarithm of 1 - 1
            self.scores += np.logaddexp(np.log1p(-self._rate), np.log(self._rate) + ratio)
        self._known[:] = 0.0
        self._inserted = False


def clip_factors(samples: Sequence[Any], norm: float) -> Any:
    """Give by what the gradient of each record is multiplied so that it has at most a norm.

    Parameters
    ----------
    samples : sequence of tensor of shape (n, …)
        Of each weight the gradients of n records, at least one.
    norm : float
        Above 0.

    Returns
    -------
    tensor of shape (n,)
        As Opacus works it out, in (0, 1].
    """
    n = len(samples[0])
    squares: Any = sum(part.reshape(n, -1).square().sum(1) for part in samples)
    return (norm / (squares.sqrt() + 1e-6)).clamp(max=1.0)


def _all(weight: Any) -> Any:
    samples = weight.grad_sample
    if not isinstance(samples, list):
        return samples.detach()
    return sys.modules["torch"].cat([part.detach() for part in samples])


def _last(weight: Any) -> Any:
    samples = weight.grad_sample
    return samples[-1] if isinstance(samples, list) else samples


def _put_last(weight: Any, samples: Any) -> None:
    if isinstance(weight.grad_sample, list):
        weight.grad_sample[-1] = samples
    else:
        weight.grad_sample = samples
