"""The labels that a search goes from.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.federated.label_guesses import guess_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["label_orders"]


def label_orders(view: UpdateView, rng: np.random.Generator, m: int) -> Any | None:
    """Give the labels that a search goes from, for each of its starts.

    Parameters
    ----------
    view : UpdateView
    rng : numpy.random.Generator
        Draws the orders of labels that are guessed: with several local steps it matters which
        records come first.
    m : int
        How many starts.

    Returns
    -------
    tensor of shape (m, n_records, ...) or None
        The labels that the attacker knows, or else guesses; None where they are no classes.
    """
    torch = sys.modules["torch"]
    if view.labels is not None:
        return view.labels.expand(m, *view.labels.shape)
    if view.n_classes is None:
        return None
    guessed = guess_labels(view, rng)
    orders: NDArray[np.intp] = np.stack([rng.permutation(guessed) for _ in range(m)])
    return torch.as_tensor(orders, device=view.device)
