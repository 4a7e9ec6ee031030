"""Training records from the conditions that a fully trained network's weights meet.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from pytest_leakpro.attacks.federated.options import positive
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.attacks.reconstruction.base_attack import (
    DEFAULT_ATTEMPTS,
    ReconstructionAttack,
)
from pytest_leakpro.attacks.reconstruction.homogeneous_network import (
    HomogeneousNetwork,
    homogeneous_network,
)
from pytest_leakpro.attacks.reconstruction.nearness import Attempts
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.containers import row_shape
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["KktReconstruction", "Stationarity"]

_MOST_ATTEMPTS = 1000
# How large outputs on training records are: at a loss of 1e-6, of 0.1, and stopped near ln 2. Each
# may be wrong by a factor, as multipliers find their size.
_MARGINS = (14.0, 2.0, 0.3)
_TRIAL_SHARE = 1 / 3
_PENALTY = 5.0
_MULTIPLIER_RATE = 0.01
# Below, directions of the first layer are what its random start left.
_RANK = 1e-3


@dataclass(frozen=True)
class KktReconstruction(ReconstructionAttack):
    """Records of which a network's weights are the weighted sum of gradients.

    Gradient descent on the logistic loss drives the weights of a homogeneous network towards a
    stationary point of the largest margin: a sum, over training records at the margin, of the
    gradients of its outputs there, times labels and multipliers of at least 0. Records and
    multipliers are searched for that make up the weights. A first layer that begins near 0 is such
    a sum after any number of steps, so stopping early does not help; one that begins large is not.
    How large outputs on training records are is told by what makes up the weights best, in short
    searches. How well candidates do says nothing of whether they are records: of a small network
    many others would do.

    Parameters
    ----------
    attempts : int, optional
        How many candidates, half of each class, at least 10; by default two per member, at least
        400 and at most 1,000.
    steps : int
        Of the search, at least 1.
    step_size : float
        The first one of candidates, above 0, as a share of how large they are at the start.
    sharpness : float
        Above 0: the derivative of ReLU is taken as a logistic function that is so steep at inputs
        of ordinary size.
    least_multiplier : float
        At least 0: multipliers below this share of the mean one are pushed up.
    layers : {"first", "all"}
        Whose weights are to be made up. Of later layers, which do not begin near 0, much is left of
        where they began.
    bounds : (float, float), optional
        The least and largest value in a record, where the attacker knows them.

    References
    ----------
    Haim, Vardi, Yehudai, Shamir and Irani (2022), Reconstructing training data from trained neural
    networks, NeurIPS, sections 3 and 4; the conditions are those of Lyu and Li (2020), Gradient
    descent maximizes the margin of homogeneous neural networks, ICLR, theorem 4.4.
    """

    name: ClassVar[str] = "kkt_reconstruction"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    access: ClassVar[Access] = Access.WHITE_BOX
    needs_also: ClassVar[str] = (
        "a torch network of fully connected layers with ReLU between them, two classes, and no "
        "bias after the first layer"
    )
    default: ClassVar[bool] = False
    rank: ClassVar[int] = 424

    steps: int = 1000
    step_size: float = 0.2
    sharpness: float = 10.0
    least_multiplier: float = 0.0
    layers: Literal["first", "all"] = "first"
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise LeakproError(
                f"steps of the attack {self.name!r}: give a whole number of at least 1"
            )
        positive(self.name, "step_size", self.step_size)
        positive(self.name, "sharpness", self.sharpness)
        positive(self.name, "least_multiplier", self.least_multiplier, or_zero=True)
        if self.layers not in ("first", "all"):
            raise LeakproError(f'layers of the attack {self.name!r}: give "first" or "all"')
        if self.bounds is not None and not (
            len(self.bounds) == 2 and self.bounds[0] < self.bounds[1]
        ):
            raise LeakproError(f"bounds of the attack {self.name!r}: give (least, largest)")

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is not None:
            return reason
        read = homogeneous_network(target.model, row_shape(target.inputs))
        return read if isinstance(read, str) else None

    def n_attempts(self, view: MembershipView) -> int:
        """Give the number of candidates; see `ReconstructionAttack.n_attempts`."""
        twice = 2 * len(view.records("members"))
        return self.attempts or min(max(DEFAULT_ATTEMPTS, twice), _MOST_ATTEMPTS)

    def rebuild(
        self, view: MembershipView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Attempts:
        """Search for candidates that make up the weights; see `ReconstructionAttack.rebuild`."""
        shape = row_shape(view.records("members").inputs)
        network = homogeneous_network(view.model, shape)
        if isinstance(network, str):
            raise LeakproError(f"the attack {self.name!r} does not match: {network}")
        if not np.abs(network.weights[0]).max() > 0:
            raise LeakproError(
                f"the attack {self.name!r}: all weights of the first layer are 0, as of a network "
                "that was not trained"
            )
        size = self.n_attempts(view)
        say(f"{size} candidates, {self.steps} steps")
        device = next(iter(view.model.parameters())).device
        with one_thread():
            records, missing, margin = self._search(network, size, rng, Watch(None, say), device)
        which = "first layer's" if self.layers == "first" else "network's"
        note = (
            f"{size} candidates make up the {which} weights but for {missing:.2%} of their "
            f"squared norm, with outputs near {margin:g}"
        )
        return Attempts(records, notes=(note,))

    def _search(
        self,
        network: HomogeneousNetwork,
        size: int,
        rng: np.random.Generator,
        watch: Watch,
        device: Any,
    ) -> tuple[NDArray[np.float64], float, float]:
        """Give the candidates, what is missing, and the margin with which least was missing."""
        # All slopes lie in the span of the first layer's rows: a search that begins there stays.
        _, sizes, span = np.linalg.svd(network.weights[0], full_matrices=False)
        span = span[sizes > _RANK * sizes[0]]
        reduced = HomogeneousNetwork(
            (network.weights[0] @ span.T, *network.weights[1:]), network.bias
        )
        state = Stationarity.of(reduced, size, layers=self.layers, device=device)
        unit = network.start / np.sqrt(len(span))
        back = state.tensor(span) * unit
        start = rng.normal(size=(size, len(span))), rng.uniform(0, 2, size)

        def descend(margin: float, steps: int) -> tuple[Any, float]:
            return self._descend(replace(state, margin=margin), back, unit, start, steps, watch)

        trial = math.ceil(_TRIAL_SHARE * self.steps)
        margin = min(_MARGINS, key=lambda margin: descend(margin, trial)[1])
        moved, missing = descend(margin, self.steps)
        found = (moved @ back).cpu().numpy()
        return np.asarray(found, dtype=np.float64), missing, margin

    def _descend(
        self,
        state: Stationarity,
        back: Any,
        unit: float,
        start: tuple[NDArray[np.float64], NDArray[np.float64]],
        steps: int,
        watch: Watch,
    ) -> tuple[Any, float]:
        """Descend by Adam, with a rate that falls to 0 along a cosine."""
        torch = sys.modules["torch"]
        moved, shares = (state.tensor(part).requires_grad_() for part in start)
        optimiser = torch.optim.Adam(
            [
                {"params": [moved], "lr": self.step_size},
                {"params": [shares], "lr": _MULTIPLIER_RATE},
            ]
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        value = math.inf
        with torch.enable_grad():
            for step in range(steps):
                missing = state(moved * unit, shares, self.sharpness)
                low = torch.relu(self.least_multiplier - shares)
                total = missing + _PENALTY * low.square().mean()
                if self.bounds is not None:
                    values = moved @ back
                    beyond = torch.relu(values - self.bounds[1])
                    beyond = beyond + torch.relu(self.bounds[0] - values)
                    total = total + beyond.square().sum() / (unit**2 * moved.numel())
                moved.grad, shares.grad = torch.autograd.grad(total, (moved, shares))
                optimiser.step()
                schedule.step()
                value = float(missing.detach())
                watch.tell(f"step {step} of {steps}, {value:.1%} missing")
        return moved.detach(), value


@dataclass(frozen=True, repr=False, eq=False)
class Stationarity:
    """How far weights are from a sum of gradients.

    Attributes
    ----------
    weights : tuple of tensor
        Of the layers.
    bias : tensor of shape (out,)
        The first layer's.
    signs : tensor of shape (m,)
        The candidates' labels, 1 or -1 in turn.
    every : bool
        Whether all layers count.
    margin : float
        The mean output, times the label, that multipliers are measured by.
    """

    weights: tuple[Any, ...]
    bias: Any
    signs: Any
    every: bool
    margin: float = _MARGINS[0]

    @classmethod
    def of(
        cls,
        network: HomogeneousNetwork,
        size: int,
        *,
        layers: str = "first",
        device: Any = "cpu",
        double: bool = False,
    ) -> Stationarity:
        """Take the weights of a network, for so many candidates."""
        torch = sys.modules["torch"]
        kind = {"dtype": torch.float64 if double else torch.float32, "device": device}
        weights = tuple(torch.as_tensor(weight, **kind) for weight in network.weights)
        bias = torch.as_tensor(network.bias, **kind)
        signs = 1.0 - 2.0 * (torch.arange(size, device=device) % 2).to(bias)
        return cls(weights, bias, signs, layers == "all")

    @property
    def multiplier(self) -> float:
        """The mean multiplier: times margins they add up to a layer's squared norm (Euler)."""
        norm = self.weights[0].square().sum() + self.bias.square().sum()
        return float(norm) / (len(self.signs) * self.margin)

    def tensor(self, values: NDArray[np.float64]) -> Any:
        """Give an array as a tensor beside the weights."""
        return sys.modules["torch"].as_tensor(values).to(self.bias)

    def __call__(self, records: Any, shares: Any, sharpness: float) -> Any:
        """Measure the squared norm of what is missing, over that of the weights.

        Parameters
        ----------
        records : tensor of shape (m, d)
            The candidates.
        shares : tensor of shape (m,)
            Their multipliers, over `multiplier`.
        sharpness : float
            Of the derivative of ReLU, relative to the size of its inputs; infinite for a step.

        Returns
        -------
        tensor
            One number: 0 at a stationary point, 1 where gradients vanish.
        """
        torch = sys.modules["torch"]
        entering, gates, current = [records], [], records @ self.weights[0].T + self.bias
        for weight in self.weights[1:]:
            gates.append(_gate(current, sharpness))
            entering.append(torch.relu(current))
            current = entering[-1] @ weight.T
        pull = (shares * self.multiplier * self.signs)[:, None]
        missing: Any = 0.0
        whole: Any = 0.0
        for place in range(len(self.weights) - 1, -1, -1):
            weight = self.weights[place]
            if place == 0 or self.every:
                missing = missing + (weight - pull.T @ entering[place]).square().sum()
                whole = whole + weight.square().sum()
            if place > 0:
                pull = (pull @ weight) * gates[place - 1]
        missing = missing + (self.bias - pull.sum(0)).square().sum()
        return missing / (whole + self.bias.square().sum())


def _gate(values: Any, sharpness: float) -> Any:
    torch = sys.modules["torch"]
    if np.isinf(sharpness):
        return (values > 0).to(values)
    size = values.detach().square().mean().sqrt().clamp_min(torch.finfo(values.dtype).tiny)
    return torch.sigmoid(values * (sharpness / size))
