"""The law of a model's signal on records that it has not seen, given the record: a network.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.membership.boosted_law import Law

__all__ = ["fit_network"]

_HIDDEN = 64
_BATCH = 128
_RATE = 2e-3
_EPOCHS = 200
_PATIENCE = 15
_HELD_OUT = 0.2
_REACH = 5.0  # of standardised features
_ROWS = 1 << 15


def fit_network(
    features: NDArray[Any],
    signals: NDArray[Any],
    units: NDArray[np.intp],
    n_classes: int,
    floor: float,
    rng: np.random.Generator,
) -> Law:
    """Fit mean and spread of signals by a small network, of the greatest Gaussian likelihood.

    Two hidden layers of 64. Training ends when the likelihood of a fifth of the units, held out,
    has not risen for fifteen passes over the rest; the best state is kept.

    Parameters
    ----------
    features, signals, units, n_classes, floor
        As for `fit_boosting`.
    rng : numpy.random.Generator
        Gives the start, the order and who is held out: the same generator gives the same bits, on
        one thread of the CPU. The state of torch's own generator is left as it was.

    Returns
    -------
    callable
        From features of shape (m, d) to mean and standard deviation, each of shape (m,).

    Raises
    ------
    LeakproError
        If torch is not installed.
    """
    try:
        import torch
    except ImportError as exc:
        raise LeakproError(
            'qmia: regressor="torch" needs torch, which is not installed: pip install '
            '"pytest-leakpro[torch]", or take regressor="boosting"'
        ) from exc
    from torch import nn

    plain = features[:, :-1] if n_classes else features
    centre, scale = _location(plain)
    level, unit = float(signals.mean()), float(signals.std())

    def inputs(columns: NDArray[Any]) -> tuple[Any, Any]:
        values = columns[:, :-1] if n_classes else columns
        standard = np.clip((values - centre) / scale, -_REACH, _REACH)
        missing = np.isnan(standard)
        # Where a value is missing that is told apart from its being average.
        both = np.hstack([np.where(missing, 0.0, standard), missing]).astype(np.float32)
        classes = columns[:, -1].astype(np.int64) if n_classes else np.zeros(len(columns), np.int64)
        return torch.from_numpy(both), torch.from_numpy(classes)

    class Network(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.first = nn.Linear(width, _HIDDEN)
            # One row per class, added to the first layer: as wide as a class column each would be.
            self.of_class = nn.Embedding(max(n_classes, 1), _HIDDEN)
            nn.init.zeros_(self.of_class.weight)
            self.rest = nn.Sequential(
                nn.ReLU(), nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 2)
            )

        def forward(self, columns: Any, classes: Any) -> tuple[Any, Any]:
            mean, log_variance = self.rest(self.first(columns) + self.of_class(classes)).T
            # Signals have unit variance here; the limits keep the likelihood's gradient finite.
            return mean, log_variance.clamp(-7.0, 7.0)

    def misfit(net: Any, rows: Any) -> Any:
        mean, log_variance = net(columns[rows], classes[rows])
        return (log_variance + (wanted[rows] - mean) ** 2 / log_variance.exp()).mean() / 2

    held = _held_out(units, rng)
    columns, classes = inputs(features)
    wanted = torch.from_numpy(((signals - level) / unit).astype(np.float32))
    training, checking = (torch.from_numpy(np.flatnonzero(mask)) for mask in (~held, held))
    with one_thread(), torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(int(rng.integers(2**62)))
        net = Network(columns.shape[1])
        _train(net, misfit, training, checking)
        with torch.no_grad():
            residual = float(((net(columns[held], classes[held])[0] - wanted[held]) ** 2).mean())
    least = floor * residual or 1.0

    def law(columns: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = np.empty((2, len(columns)))
        with one_thread(), torch.no_grad():
            for start in range(0, len(columns), _ROWS):
                rows = slice(start, start + _ROWS)
                mean, log_variance = net(*inputs(columns[rows]))
                found[0, rows] = level + unit * mean.double().numpy()
                variance = log_variance.double().exp().numpy() + least
                found[1, rows] = unit * np.sqrt(variance)
        return found[0], found[1]

    return law


def _train(net: Any, misfit: Callable[[Any, Any], Any], training: Any, checking: Any) -> None:
    """Train until the misfit of the rows held out falls no more, and keep the best state."""
    import torch

    optimiser = torch.optim.Adam(net.parameters(), lr=_RATE, weight_decay=1e-4)
    best, kept, waited = np.inf, copy.deepcopy(net.state_dict()), 0
    for _ in range(_EPOCHS):
        order: Any = training[torch.randperm(len(training))]
        for batch in order.split(_BATCH):
            optimiser.zero_grad()
            misfit(net, batch).backward()
            optimiser.step()
        with torch.no_grad():
            now = float(misfit(net, checking))
        waited += 1
        if now < best:
            best, kept, waited = now, copy.deepcopy(net.state_dict()), 0
        elif waited == _PATIENCE:
            break
    net.load_state_dict(kept)


def _location(columns: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give means and standard deviations; 0 and 1 where a column has none."""
    known = ~np.isnan(columns)
    count = np.maximum(known.sum(axis=0), 1)
    values = np.where(known, columns, 0.0)
    centre = values.sum(axis=0) / count
    scale = np.sqrt(np.where(known, (columns - centre) ** 2, 0.0).sum(axis=0) / count)
    scale[~(scale > 0)] = 1.0
    return centre, scale


def _held_out(units: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw a fifth of the units, at least one; shape (n,)."""
    distinct, numbers = np.unique(units, return_inverse=True)
    chosen = np.zeros(len(distinct), dtype=bool)
    size = max(1, round(_HELD_OUT * len(distinct)))
    chosen[rng.permutation(len(distinct))[:size]] = True
    return np.asarray(chosen[numbers])
