"""The layer that embeds a text's tokens, and the tokens that its gradient names.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.federated.blind_guess import apportion
from pytest_leakpro.attacks.federated.linear_layers import last_linear
from pytest_leakpro.targets.containers import as_numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["Bag", "bag_of", "predicted_tokens"]


@dataclass(frozen=True, repr=False, eq=False)
class Bag:
    """The tokens of a batch, in no order.

    Attributes
    ----------
    tokens : ndarray of shape (k,)
        In ascending order, none twice.
    counts : ndarray of shape (k,)
        How often each is thought to stand there; together as many as there are places.
    exact : bool
        Whether the tokens are known rather than guessed; the counts are a guess in any case.
    others : ndarray of shape (l,)
        Where they are guessed, further tokens that may be there.
    """

    tokens: NDArray[np.intp]
    counts: NDArray[np.intp]
    exact: bool
    others: NDArray[np.intp]


def _slot(view: UpdateView, layer: Any) -> int | None:
    """Give the place of an embedding's weight among those that are sent."""
    names = {id(value): name for name, value in view.model.named_parameters()}
    name = names[id(layer.weight)]
    return view.names.index(name) if name in view.names else None


def _untied(model: Any, layer: Any) -> bool:
    """Tell whether no other layer of a model uses the weight of its embedding."""
    users = [part for part in model.modules() if getattr(part, "weight", None) is layer.weight]
    return len(users) == 1


def _places(view: UpdateView) -> int:
    """Give the number of places of a batch."""
    return view.n_records * int(np.prod(view.shape))


def bag_of(view: UpdateView, layer: Any) -> Bag | None:
    """Read the tokens of a batch off the rows of the embedding's gradient.

    Parameters
    ----------
    view : UpdateView
        Of texts.
    layer : torch.nn.Embedding
        The one that takes them.

    Returns
    -------
    Bag or None
        None where the embedding is not trained, or nothing was sent of it. Where more rows are not
        zero than the batch has places, as where the output layer shares the weight or noise was
        added, those of the longest rows, one for each place, that stand before the widest gap
        between their lengths, on a scale of ratios.
    """
    slot = _slot(view, layer)
    if slot is None:
        return None
    lengths = np.linalg.norm(as_numpy(view.update[slot]).astype(np.float64), axis=1)
    places = _places(view)
    present = np.flatnonzero(lengths)
    exact = len(present) <= places and _untied(view.model, layer)
    if not len(present):
        return None
    others = np.empty(0, dtype=np.intp)
    if not exact:
        longest = np.argsort(-lengths, kind="stable")[:places]
        present = _outstanding(lengths[longest], longest)
        others = np.setdiff1d(longest, present)
    shares = lengths[present] / lengths[present].sum()
    if view.training.local_steps == 1:
        counts = 1 + apportion(_beyond_one(shares, places), places - len(present))
    else:
        counts = 1 + apportion(shares, places - len(present))
    return Bag(present, counts, exact, others)


def _beyond_one(shares: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    """Give the shares of what is left once every token has its one place."""
    left = np.maximum(shares * places - 1, 0)
    total = left.sum()
    return left / total if total > 0 else shares


def _outstanding(lengths: NDArray[np.float64], tokens: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give the tokens before the widest gap of their rows' lengths, which fall."""
    logs = np.log(np.maximum(lengths, 1e-30 + 1e-12 * lengths[0]))
    cut = 1 + int(np.argmax(logs[:-1] - logs[1:])) if len(logs) > 1 else 1
    return np.sort(tokens[:cut])


def predicted_tokens(view: UpdateView) -> NDArray[np.intp]:
    """Give the tokens that a language model should have predicted, as its last layer's biases tell.

    The gradient by the bias of a token is the mean chance that the model gives it, minus how often
    it came; so only tokens that came have a negative one.

    Returns
    -------
    ndarray of shape (k,)
        In ascending order, at most one for each place of the batch; empty where the model does not
        end in a fully connected layer with a bias.
    """
    layer = last_linear(view)
    if layer is None or layer.bias is None:
        return np.empty(0, dtype=np.intp)
    slopes = as_numpy(layer.bias).astype(np.float64)
    if view.training.local_steps > 1:
        slopes = -slopes
    order = np.argsort(slopes, kind="stable")[: _places(view)]
    return np.sort(order[slopes[order] < 0])
