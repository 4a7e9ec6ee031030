"""SeqMIA: a recurrent network reads how several metrics of a record went.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.trajectory_attack import TrajectoryAttack
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.torch_training import seeded

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SequenceAttack"]

_HIDDEN = 32
_ROUNDS = 10, 40
_STEPS = 400  # that few records take more rounds for
_BATCH_SIZE = 256
_RATE = 3e-3
_DECAY = 1e-4


@dataclass(frozen=True)
class SequenceAttack(TrajectoryAttack):
    """Let an attention-based recurrent network read five metrics of a record, step by step.

    The metrics are the loss (as log-odds of the true class), the largest posterior (likewise),
    entropy, modified entropy, and the standard deviation of the posteriors. With each come its
    distances from the means of the shadow models that saw the record and that did not, and the
    spreads of both. The paper's network sees the metrics alone.

    References
    ----------
    Li, Li, Backes and Zhang (2024), SeqMIA: sequential-metric based membership inference attack,
    ACM CCS, section 4.
    """

    name: ClassVar[str] = "seqmia"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    rank: ClassVar[int] = 16
    only_losses: ClassVar[bool] = False
    uses_torch: ClassVar[bool] = True

    folds: int = 3
    most_rows: int = 30_000

    def teach(
        self,
        features: NDArray[np.float32],
        classes: NDArray[Any],
        saw: NDArray[np.bool_],
        seed: int,
    ) -> _Network:
        """Train the network; see `TrajectoryAttack.teach`."""
        del classes
        return _Network(features, saw, seed)


class _Network:
    """A recurrent network, whose states at all steps are weighed by attention."""

    def __init__(self, features: NDArray[np.float32], saw: NDArray[np.bool_], seed: int) -> None:
        import torch
        from torch import nn

        flat = features.reshape(-1, features.shape[2])
        self._middle = flat.mean(axis=0)
        self._width = np.maximum(flat.std(axis=0), 1e-6)
        inputs = self._tensor(features)
        wanted = torch.from_numpy(saw.astype(np.float32))
        loss_of = nn.BCEWithLogitsLoss()
        with seeded(seed, "cpu"):
            self._parts = nn.ModuleDict(
                {
                    "recurrent": nn.GRU(features.shape[2], _HIDDEN, batch_first=True),
                    "attention": nn.Sequential(
                        nn.Linear(_HIDDEN, _HIDDEN), nn.Tanh(), nn.Linear(_HIDDEN, 1, bias=False)
                    ),
                    "verdict": nn.Sequential(
                        nn.Linear(2 * _HIDDEN, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 1)
                    ),
                }
            )
            optimiser = torch.optim.AdamW(self._parts.parameters(), lr=_RATE, weight_decay=_DECAY)
            n_steps = -(-len(inputs) // _BATCH_SIZE)
            rounds = min(max(-(-_STEPS // n_steps), _ROUNDS[0]), _ROUNDS[1])
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, rounds * n_steps)
            for _ in range(rounds):
                for rows in torch.split(torch.randperm(len(inputs)), _BATCH_SIZE):
                    loss = loss_of(self._verdicts(inputs[rows]), wanted[rows])
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
                    schedule.step()

    def log_odds(self, features: NDArray[np.float32], classes: NDArray[Any]) -> NDArray[np.float64]:
        """Score records; see `Judge.log_odds`."""
        import torch

        del classes
        with torch.no_grad():
            verdicts = self._verdicts(self._tensor(features))
        scores: NDArray[np.float64] = verdicts.numpy().astype(np.float64)
        return scores

    def _tensor(self, features: NDArray[np.float32]) -> Any:
        import torch

        scaled = (features - self._middle) / self._width
        return torch.from_numpy(np.ascontiguousarray(scaled, dtype=np.float32))

    def _verdicts(self, inputs: Any) -> Any:
        """Give the log-odds of sequences of shape (rows, T, channels)."""
        import torch

        states, _ = self._parts["recurrent"](inputs)
        weights = torch.softmax(self._parts["attention"](states), 1)
        context = (weights * states).sum(1)
        return self._parts["verdict"](torch.cat([context, states[:, -1]], 1))[:, 0]
