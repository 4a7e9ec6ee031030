"""What can be guessed of a batch by who saw no update: the baseline of reconstructions.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["apportion", "drawn_records", "likely_label_hits", "likely_labels", "typical_record"]


def typical_record(view: UpdateView) -> Any:
    """Give one record that is near to many.

    Parameters
    ----------
    view : UpdateView
        Nothing of its update is looked at.

    Returns
    -------
    tensor of shape (1, ...)
        The mean of the population; of one-hot columns the most frequent category, at each place of
        a text the most frequent token. Without a population the middle of the bounds, or zeros.
    """
    torch = sys.modules["torch"]
    if view.population is None:
        return _middle(view)
    inputs = view.population[0]
    if view.form == "tokens":
        return inputs.mode(dim=0, keepdim=True).values
    typical = inputs.mean(0, keepdim=True)
    for group in view.columns.categories if view.columns is not None else ():
        most = inputs[:, list(group)].argmax(1).bincount(minlength=len(group)).argmax()
        typical[:, list(group)] = torch.nn.functional.one_hot(most, len(group)).to(typical.dtype)
    return typical


def _middle(view: UpdateView) -> Any:
    torch = sys.modules["torch"]
    shape = (1, *view.shape)
    if view.form == "tokens":
        return torch.zeros(shape, dtype=torch.long, device=view.device)
    middle = torch.zeros(shape, dtype=view.dtype, device=view.device)
    if view.bounds is not None:
        middle = middle + (view.bounds[0] + view.bounds[1]) / 2
    for group in view.columns.categories if view.columns is not None else ():
        middle[:, list(group)] = 0
        middle[:, group[0]] = 1
    return middle


def drawn_records(view: UpdateView, n: int, rng: np.random.Generator) -> Any:
    """Give as many different records as there are in a batch.

    Parameters
    ----------
    view : UpdateView
        Nothing of its update is looked at.
    n : int
        How many.
    rng : numpy.random.Generator
        Draws them: from the population; without one evenly within the bounds, or from a standard
        normal law, categories and tokens evenly.

    Returns
    -------
    tensor of shape (n, ...)
    """
    torch = sys.modules["torch"]
    if view.population is not None:
        inputs = view.population[0]
        return inputs[rng.choice(len(inputs), size=n, replace=len(inputs) < n)]
    shape = (n, *view.shape)
    if view.form == "tokens":
        assert view.n_tokens is not None
        return torch.as_tensor(rng.integers(view.n_tokens, size=shape), device=view.device)
    if view.bounds is None:
        drawn = torch.as_tensor(rng.normal(size=shape), dtype=view.dtype, device=view.device)
    else:
        even = torch.as_tensor(rng.random(shape), dtype=view.dtype, device=view.device)
        drawn = view.bounds[0] + (view.bounds[1] - view.bounds[0]) * even
    for group in view.columns.categories if view.columns is not None else ():
        chosen = torch.as_tensor(rng.integers(len(group), size=n), device=view.device)
        drawn[:, list(group)] = torch.nn.functional.one_hot(chosen, len(group)).to(drawn.dtype)
    return drawn


def likely_labels(view: UpdateView) -> NDArray[np.intp]:
    """Give the labels that a batch may well have: in the population's proportions, or even.

    Returns
    -------
    ndarray of shape (n_records,)
    """
    counts = apportion(_label_shares(view), view.n_records)
    return np.repeat(np.arange(len(counts)), counts)


def likely_label_hits(view: UpdateView, truth: NDArray[Any]) -> NDArray[np.float64]:
    """Give how often each label is hit by such a guess, on average over ways to break its ties.

    So it does not matter which classes stand first.

    Parameters
    ----------
    view : UpdateView
        Nothing of its update is looked at.
    truth : ndarray of shape (n,)
        The labels.

    Returns
    -------
    ndarray of shape (n,)
        In [0, 1]; of records of one class the same.
    """
    wanted = _label_shares(view) * view.n_records
    counts = np.floor(wanted + 1e-9)
    left = int(view.n_records - counts.sum())
    remainders = np.round(wanted - counts, 9)
    last = np.sort(remainders)[-left] if left else np.inf
    sure, tied = remainders > last, remainders == last
    chance = sure + tied * (left - np.count_nonzero(sure)) / max(1, np.count_nonzero(tied))
    hits = np.empty(len(truth))
    for label in np.unique(truth):
        mine = truth == label
        n = np.count_nonzero(mine)
        fewer, more = min(n, counts[label]), min(n, counts[label] + 1)
        hits[mine] = (fewer + chance[label] * (more - fewer)) / n
    return hits


def _label_shares(view: UpdateView) -> NDArray[np.float64]:
    assert view.n_classes is not None
    shares = np.ones(view.n_classes)
    if view.population is not None:
        labels = view.population[1].cpu().numpy().reshape(-1)
        shares = np.bincount(labels, minlength=view.n_classes).astype(float)
    found: NDArray[np.float64] = shares / shares.sum()
    return found


def apportion(shares: NDArray[Any], n: int) -> NDArray[np.intp]:
    """Turn shares into counts that sum to n, by largest remainders.

    Parameters
    ----------
    shares : ndarray of shape (k,)
        Not negative, of sum 1.
    n : int
        The sum of the counts.
    """
    wanted = shares * n
    counts = np.floor(wanted + 1e-9).astype(np.intp)
    for place in np.argsort(-(wanted - counts), kind="stable")[: n - counts.sum()]:
        counts[place] += 1
    return counts
