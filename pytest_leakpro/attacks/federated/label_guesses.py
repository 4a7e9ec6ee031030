"""The labels of a batch, read off the gradient of the last layer.

With cross-entropy, probabilities p and what enters the last layer h, that gradient is the mean over
the batch of (p - e_label) h^T, and by the bias of p - e_label. On average over the records of one
class it is what the model answers to such records; so of a batch it is nearly linear in the shares
of the classes, with one known matrix for each.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from pytest_leakpro.attacks.federated.blind_guess import (
    apportion,
    drawn_records,
    likely_labels,
)
from pytest_leakpro.attacks.federated.linear_layers import last_linear
from pytest_leakpro.targets.containers import as_numpy
from pytest_leakpro.targets.end_layers import model_outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.federated.linear_layers import EndLayer
    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["guess_labels"]

_PROBES = 1000
_FIRM = 1e3
_CLEARLY = 0.5
_MOST_ENTRIES = 20_000_000


def guess_labels(view: UpdateView, rng: np.random.Generator) -> NDArray[np.intp]:
    """Guess how many records of each class an update is of.

    Parameters
    ----------
    view : UpdateView
        With classes as labels.
    rng : numpy.random.Generator
        Draws records to ask the model about, where there is no population.

    Returns
    -------
    ndarray of shape (n_records,)
        Labels in ascending order. Where the model does not end in a fully connected layer they are
        those that a batch may well have anyway.

    References
    ----------
    Zhao, Mopuri and Bilen (2020), iDLG: Improved deep leakage from gradients, section 3 (one
    record: the only row of another sign). Wainakh, Ventola, Müßig, Keim, Garcia Cordero, Zimmer,
    Grube, Kersting and Mühlhäuser (2022), User-level label leakage from gradients in federated
    learning, PoPETs (counts, from the mean impact of each class).
    """
    layer = last_linear(view)
    if layer is None or len(layer.weight) != view.n_classes:
        return likely_labels(view)
    slopes = _slopes(view, layer)
    if view.n_records == 1 and len(slopes) == 2:
        # The rows are opposite: only the bias's sign tells them apart, or without one that of the
        # sum, since what enters the layer is mostly of one sign.
        signs = slopes.sum(1) if layer.bias is None else slopes[:, -1]
        return np.array([int(np.argmin(signs))])
    if view.n_records == 1:
        alike = slopes @ slopes.T
        return np.array([int(np.argmin(alike.sum(1) - 2 * np.diag(alike)))])
    answers = _Answers.of(view, layer, rng)
    shares = _shares(slopes @ answers.projection, answers.matrices())
    present = slopes[:, -1] < 0
    if layer.bias is None:
        present = np.zeros_like(present)
    counts = _counts(shares / shares.sum(), present, view.n_records)
    return np.repeat(np.arange(len(counts)), counts)


def _slopes(view: UpdateView, layer: EndLayer) -> NDArray[np.float64]:
    """Give the gradient of the last layer, the bias as its last column (zeros without one)."""
    training = view.training
    factor = 1.0
    if training.local_steps > 1:
        assert training.learning_rate is not None
        factor = -1.0 / (training.local_steps * training.learning_rate)
    weight = as_numpy(layer.weight).astype(np.float64)
    bias = np.zeros(len(weight)) if layer.bias is None else as_numpy(layer.bias)
    return factor * np.column_stack([weight, bias])


@dataclass(frozen=True, repr=False, eq=False)
class _Answers:
    """What the model answers to records of each class.

    Attributes
    ----------
    chances : ndarray of shape (n, K)
        Probabilities.
    features : ndarray of shape (n, r)
        What enters the last layer, and a one for the bias, projected.
    labels : ndarray of shape (n,), or None
        Where they are known.
    projection : ndarray of shape (d + 1, r)
        To a few directions, where there are many classes.
    """

    chances: NDArray[np.float64]
    features: NDArray[np.float64]
    labels: NDArray[np.intp] | None
    projection: NDArray[np.float64]

    @classmethod
    def of(cls, view: UpdateView, layer: EndLayer, rng: np.random.Generator) -> _Answers:
        """Ask the model about the population, or else about records that are drawn."""
        inputs, labels = drawn_records(view, _PROBES, rng), None
        if view.population is not None:
            inputs, known = (part[:_PROBES] for part in view.population)
            labels = as_numpy(known).reshape(-1)
        entering = []
        hook = layer.layer.register_forward_pre_hook(
            lambda _, given: entering.append(as_numpy(given[0]))
        )
        try:
            outputs = as_numpy(model_outputs(view.model, inputs)).astype(np.float64)
        finally:
            hook.remove()
        chances = np.exp(outputs - outputs.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        features = np.column_stack([entering[0], np.ones(len(outputs))]).astype(np.float64)
        if layer.bias is None:
            features[:, -1] = 0
        width, room = features.shape[1], max(8, _MOST_ENTRIES // chances.shape[1] ** 2)
        projection = np.eye(width)
        if room < width:
            projection = rng.normal(size=(width, room - 1)) / np.sqrt(width)
            projection[-1] = 0
            projection = np.column_stack([projection, np.eye(width)[-1]])
        return cls(chances, features @ projection, labels, projection)

    def matrices(self) -> NDArray[np.float64]:
        """Give the mean gradient of each class, of shape (K, K, r); of one not seen that of all."""
        count = self.chances.shape[1]
        every = np.arange(len(self.chances))
        found = np.empty((count, count, self.features.shape[1]))
        for label in range(count):
            of_it = every if self.labels is None else np.flatnonzero(self.labels == label)
            chosen = of_it if len(of_it) else every
            features = self.features[chosen]
            found[label] = self.chances[chosen].T @ features / len(chosen)
            found[label, label] -= features.mean(0)
        return found


def _shares(slopes: NDArray[np.float64], matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve slopes = sum of share times matrix for shares that are not negative and sum to 1.

    Where the slopes may be scaled (a clipped update, an unknown learning rate) a positive factor is
    solved for too; it is kept where it explains them clearly better.
    """
    count = len(matrices)
    system, wanted = matrices.reshape(count, -1).T, slopes.reshape(-1)
    firm = _FIRM * (np.abs(system).max() or 1.0)
    fixed = np.vstack([system, firm * np.ones(count)])
    shares, misfit = nnls(fixed, np.append(wanted, firm))
    free = np.vstack([np.column_stack([system, -wanted]), firm * np.append(np.ones(count), 0.0)])
    scaled, other = nnls(free, np.append(np.zeros(len(wanted)), firm))
    if other < _CLEARLY * misfit and scaled[-1] > 0:
        shares = scaled[:-1]
    return shares if shares.sum() > 0 else np.ones(count)


def _counts(shares: NDArray[np.float64], present: NDArray[np.bool_], n: int) -> NDArray[np.intp]:
    """Turn shares into counts; a class whose bias has a negative entry has a record at least."""
    if np.count_nonzero(present) > n:  # not so where noise was added
        return apportion(shares, n)
    counts = present.astype(np.intp)
    for _ in range(n - counts.sum()):
        counts[np.argmax(shares * n - counts)] += 1
    return counts
