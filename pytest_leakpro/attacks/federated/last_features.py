"""What entered the last layer, record by record, from the gradient of that layer.

The gradient by the last weights is the sum over the records of d_i h_i', where h_i is what entered
the layer for record i and d_i the derivative of the loss by its outputs. So its rows span the h_i,
and since d_i follows from h_i by the layer and the loss, the mixture is determined as well: a small
system of equations, which is solved exactly where records are fewer than classes.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.federated.linear_layers import last_linear

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["LastFeatures", "last_features"]

_MOST_RECORDS = 32
_STARTS = 4
_STEPS = 100
_SPREAD = 0.3
_EXACT = 1e-12
_PLAUSIBLE = 1e-3
_TINY = 1e-12


@dataclass(frozen=True, repr=False, eq=False)
class LastFeatures:
    """What entered the last layer.

    Attributes
    ----------
    values : tensor of shape (n, d)
        A row per record, in the order of the labels.
    misfit : float
        Squared error of the layer's gradient that remains, relative to its largest direction.
    """

    values: Any
    misfit: float


def last_features(view: UpdateView, labels: Any, rng: np.random.Generator) -> LastFeatures | None:
    """Separate what entered the last layer into records.

    Parameters
    ----------
    view : UpdateView
        Of one local step.
    labels : tensor of shape (n,)
        Of the records, known or guessed.
    rng : numpy.random.Generator
        Draws where the search for the mixture begins.

    Returns
    -------
    LastFeatures or None
        None where the model does not end in a fully connected layer of as many outputs as classes,
        there are no fewer records than classes, or the gradient is not of that form (other labels,
        much noise, several local steps).

    References
    ----------
    Kariyappa et al. (2023), Cocktail party attack: breaking aggregation-based privacy in federated
    learning using independent component analysis, ICML (there the mixture is found by assuming the
    features independent, here from the loss).
    """
    torch = sys.modules["torch"]
    found = last_linear(view)
    if (
        found is None
        or view.training.local_steps > 1
        or view.n_classes != len(found.weight)
        or len(labels) >= min(len(found.weight), _MOST_RECORDS + 1)
    ):
        return None
    n = len(labels)
    gradient, weights = found.weight.double(), found.layer.weight.detach().double()
    offset = None if found.layer.bias is None else found.layer.bias.detach().double()
    if found.bias is not None:
        gradient = torch.column_stack([gradient, found.bias.double()])
        weights = torch.column_stack([weights, offset])
        offset = None
    left, sizes, right = torch.linalg.svd(gradient, full_matrices=False)
    if not bool(torch.isfinite(sizes).all()) or sizes[0] <= 0:
        return None
    left, right = left[:, :n] * (sizes[:n] / sizes[0]), right[:n]
    answers = right @ weights.T
    last = right[:, -1] if found.bias is not None else None

    def slopes(outputs: Any) -> Any:
        if offset is not None:
            outputs = outputs + offset
        return torch.func.grad(lambda out: view.loss(out, labels))(outputs)

    def misses(point: Any) -> Any:
        mixture, scale = point[:, :n], 1.0
        if point.shape[1] > n:
            scale = point[0, n].exp()
        off = (scale * slopes(mixture @ answers).T @ mixture / sizes[0] - left).reshape(-1)
        return off if last is None else torch.cat([off, mixture @ last - 1])

    best: tuple[float, Any] = (float("inf"), None)
    for trial in range(_STARTS):
        # A clipped update is scaled, and so is one of an unknown learning rate.
        free = trial % 2 == 1
        outputs = torch.zeros(n, len(weights), dtype=torch.float64, device=weights.device)
        if trial > 1 or len(labels.unique()) < n:  # records of one class start apart
            drawn = torch.as_tensor(rng.normal(size=outputs.shape), device=weights.device)
            outputs = outputs + _SPREAD * drawn
        first, factor = slopes(outputs), torch.ones((), dtype=torch.float64)
        if free and found.bias is not None:
            plain, sent = first.sum(0), gradient[:, -1]
            factor = ((plain @ sent) / (plain @ plain)).clamp_min(_TINY)
        start = torch.linalg.pinv(first.T) @ (left * sizes[0]) / factor
        if free:
            start = torch.column_stack([start, factor.log().expand(n)])
        reached = _least_squares(misses, start)
        if reached[0] < best[0]:
            best = reached
        if best[0] < _EXACT:
            break
    misfit, mixture = best
    if not misfit < _PLAUSIBLE:
        return None
    values = mixture[:, :n] @ right
    return LastFeatures(values if last is None else values[:, :-1], misfit)


def _least_squares(misses: Callable[[Any], Any], point: Any) -> tuple[float, Any]:
    """Solve by Levenberg and Marquardt's method, with Marquardt's scaling."""
    torch = sys.modules["torch"]
    damping, off = 1e-3, misses(point)
    value, since = float(off.square().sum()), 0
    for _ in range(_STEPS):
        if value < _EXACT * 1e-4 or since > 8 or damping > 1e10:
            break
        slope = torch.func.jacrev(misses)(point).reshape(len(off), -1)
        normal = slope.T @ slope
        scale = torch.diag(normal.diagonal() + 1e-12)
        step = torch.linalg.solve(normal + damping * scale, slope.T @ off).reshape(point.shape)
        tried = misses(point - step)
        reached = float(tried.square().sum())
        since = 0 if reached < 0.9 * value else since + 1
        if reached < value:
            point, off, value, damping = point - step, tried, reached, max(damping / 5, 1e-12)
        else:
            damping *= 4
    return value, point
