"""How near guesses come to records, after the best assignment of one to the other.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["assigned", "label_hits", "qualities", "squared_errors", "value_range"]


def qualities(
    view: UpdateView,
    truth: NDArray[Any],
    guess: NDArray[Any],
    tolerance: NDArray[np.float64] | None,
) -> dict[str, NDArray[np.float64]]:
    """Measure the quality of each record's guess.

    Parameters
    ----------
    view : UpdateView
        Tells what records are.
    truth : ndarray of shape (n, ...)
        The records.
    guess : ndarray of shape (m, ...)
        At least as many guesses, in any order.
    tolerance : ndarray of shape (d,) or None
        Of a table: by how much a number may be off.

    Returns
    -------
    dict of str to ndarray of shape (n,)
        Of images ``mse``, ``psnr`` (dB, infinite where nothing differs) and, where scikit-image is
        installed, ``ssim`` (Wang et al. 2004); of tables ``mse`` and ``columns``, the share that is
        right; of tokens ``tokens``, the share that stands in its place, and ``rouge``, the F1 of
        the longest common subsequence (Lin 2004, ROUGE-L). All of one assignment: that of the
        smallest squared error, or of the most columns or tokens.
    """
    if view.form == "tokens":
        return _of_tokens(truth, guess)
    truth, guess = truth.astype(np.float64), guess.astype(np.float64)
    guess = np.nan_to_num(guess, nan=0.0, posinf=1e12, neginf=-1e12)
    errors = squared_errors(truth, guess)
    if view.form == "table":
        assert view.columns is not None
        assert tolerance is not None
        right = view.columns.right(truth, guess, tolerance)
        # Of guesses with as many columns right, the nearer one.
        chosen = assigned(-right + 1e-6 * errors / (1 + errors.max()))
        places = np.arange(len(truth))
        return {"mse": errors[places, chosen], "columns": right[places, chosen]}
    chosen = assigned(errors)
    mse = errors[np.arange(len(truth)), chosen]
    width = value_range(view, truth)
    with np.errstate(divide="ignore"):
        found = {"mse": mse, "psnr": 10 * np.log10(width**2 / mse)}
    if find_spec("skimage") is not None and min(truth.shape[-2:]) >= 3:
        found["ssim"] = _structural_similarity(truth, guess[chosen], width)
    return found


def assigned(cost: NDArray[Any]) -> NDArray[np.intp]:
    """Assign guesses to records at the least cost.

    Parameters
    ----------
    cost : ndarray of shape (n, m)
        Of each guess for each record, m at least n.

    Returns
    -------
    ndarray of shape (n,)
        The guess of each record, none twice.

    References
    ----------
    Kuhn (1955), The Hungarian method for the assignment problem, Naval Research Logistics 2.
    """
    rows, columns = linear_sum_assignment(cost)
    chosen: NDArray[np.intp] = columns[np.argsort(rows)]
    return chosen


def value_range(view: UpdateView, truth: NDArray[Any]) -> float:
    """Give the width of the range of pixels: of the bounds; else 1, 255, or what they span."""
    if view.bounds is not None:
        return float(view.bounds[1].max() - view.bounds[0].min())
    least, most = float(truth.min()), float(truth.max())
    if least >= 0 and most <= 1:
        return 1.0
    if least >= 0 and most <= 255:
        return 255.0
    return most - least or 1.0


def label_hits(truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.float64]:
    """Tell which labels are right where the order is not sought: each guess serves one record.

    Parameters
    ----------
    truth : ndarray of shape (n,)
    guess : ndarray of shape (m,)

    Returns
    -------
    ndarray of shape (n,)
        0 or 1.
    """
    hits = np.zeros(len(truth))
    for label in np.unique(truth):
        places = np.flatnonzero(truth == label)
        hits[places[: np.count_nonzero(guess == label)]] = 1
    return hits


def squared_errors(truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.float64]:
    """Give the mean squared error of each guess for each record, of shape (n, m)."""
    flat = truth.reshape(len(truth), -1)
    others = guess.reshape(len(guess), -1)
    # Row by row: the difference of products of large numbers would lose what is nearly equal.
    return np.stack([np.square(others - row).mean(1) for row in flat])


def _structural_similarity(
    truth: NDArray[Any], guess: NDArray[Any], width: float
) -> NDArray[np.float64]:
    from skimage.metrics import structural_similarity

    axis = 0 if truth.ndim == 4 else None
    window = min(7, min(truth.shape[-2:]) // 2 * 2 - 1)
    found = [
        structural_similarity(
            one, two, data_range=width, channel_axis=axis, win_size=max(3, window)
        )
        for one, two in zip(truth, guess, strict=True)
    ]
    # Of nearly equal images rounding alone lifts it beyond its range.
    within: NDArray[np.float64] = np.clip(found, -1.0, 1.0)
    return within


def _of_tokens(truth: NDArray[Any], guess: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    places = (truth[:, None, :] == guess[None, :, :]).mean(-1)
    chosen = assigned(-places)
    rouge = [_rouge(one, two) for one, two in zip(truth, guess[chosen], strict=True)]
    return {"tokens": places[np.arange(len(truth)), chosen], "rouge": np.array(rouge)}


def _rouge(one: NDArray[Any], two: NDArray[Any]) -> float:
    """Give the F1 of the longest common subsequence; both are of one length."""
    lengths = np.zeros(len(two) + 1, dtype=int)
    for token in one:
        above = lengths.copy()
        matched = np.where(two == token, above[:-1] + 1, 0)
        lengths[1:] = np.maximum(above[1:], matched)
        np.maximum.accumulate(lengths, out=lengths)
    return float(lengths[-1] / len(one))
