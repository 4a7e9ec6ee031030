"""The labels of a batch, read off the gradient of the last layer.

With cross-entropy the gradient by the bias of class k is the mean over the batch of p_k minus the
share of records of class k. The mean of p_k is not seen; it is nearly linear in those shares, with
what the model gives records of each class on average.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

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

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["guess_labels"]

_PROBES = 512
_FIRM = 1e3
_CLEARLY = 0.5


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
    record: the only negative entry). Wainakh, Ventola, Müßig, Keim, Garcia Cordero, Zimmer, Grube,
    Kersting and Mühlhäuser (2022), User-level label leakage from gradients in federated learning,
    PoPETs (batches: counts).
    """
    found = _slopes(view)
    if found is None:
        return likely_labels(view)
    slopes, known_scale = found
    if view.n_records == 1:
        return np.array([int(np.argmin(slopes))])
    answers = _answers(view, rng)
    shares = _shares(slopes, answers, known_scale=known_scale)
    counts = _counts(shares / shares.sum(), slopes < 0, view.n_records)
    return np.repeat(np.arange(len(counts)), counts)


def _counts(shares: NDArray[np.float64], present: NDArray[np.bool_], n: int) -> NDArray[np.intp]:
    """Turn shares into counts; a class whose entry is negative has a record at least."""
    if np.count_nonzero(present) > n:  # not so where noise was added
        return apportion(shares, n)
    counts = present.astype(np.intp)
    for _ in range(n - counts.sum()):
        counts[np.argmax(shares * n - counts)] += 1
    return counts


def _slopes(view: UpdateView) -> tuple[NDArray[np.float64], bool] | None:
    """Give the gradient by the bias of the last layer, and whether its scale is right."""
    layer = last_linear(view)
    if layer is None or len(layer.weight) != view.n_classes:
        return None
    training = view.training
    sign = 1.0
    if training.local_steps > 1:
        assert training.learning_rate is not None
        sign = -1.0 / (training.local_steps * training.learning_rate)
    if layer.bias is not None:
        return sign * as_numpy(layer.bias).astype(np.float64), True
    # What enters the layer is mostly of one sign, so the sum of a row has the bias's.
    return sign * as_numpy(layer.weight).astype(np.float64).sum(1), False


def _answers(view: UpdateView, rng: np.random.Generator) -> NDArray[np.float64]:
    """Give the mean probabilities of records of each class, a row per class."""
    assert view.n_classes is not None
    inputs = drawn_records(view, _PROBES, rng)
    labels = None
    if view.population is not None:
        inputs, labels = (part[:_PROBES] for part in view.population)
        labels = as_numpy(labels).reshape(-1)
    outputs = as_numpy(model_outputs(view.model, inputs)).astype(np.float64)
    chances = np.exp(outputs - outputs.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    rows = np.repeat(chances.mean(0)[None], view.n_classes, axis=0)
    for label in () if labels is None else np.unique(labels):
        rows[label] = chances[labels == label].mean(0)
    return rows


def _shares(
    slopes: NDArray[np.float64], answers: NDArray[np.float64], *, known_scale: bool
) -> NDArray[np.float64]:
    """Solve slopes = answers' shares - shares for shares that are not negative and sum to 1.

    Where the slopes may be scaled (a clipped update, an unknown learning rate) a positive factor is
    solved for too; it is kept where it explains them clearly better.
    """
    k = len(slopes)
    system = answers.T - np.eye(k)
    fixed = np.vstack([system, _FIRM * np.ones(k)])
    shares, misfit = nnls(fixed, np.append(slopes, _FIRM))
    free = np.vstack([np.column_stack([system, -slopes]), _FIRM * np.append(np.ones(k), 0.0)])
    scaled, other = nnls(free, np.append(np.zeros(k), _FIRM))
    if (not known_scale or other < _CLEARLY * misfit) and scaled[-1] > 0:
        shares = scaled[:-1]
    return shares if shares.sum() > 0 else np.ones(k)
