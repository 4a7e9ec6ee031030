"""Which tokens a batch of texts holds, from the rows of the embedding's gradient.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.token_rows import Bag, bag_of
from pytest_leakpro.targets.containers import as_numpy
from pytest_leakpro.targets.end_layers import embedding_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["EmbeddingRows", "laid_out"]


@dataclass(frozen=True)
class EmbeddingRows(UpdateAttack):
    """Read the tokens of a batch off the rows of the embedding's gradient that are not zero.

    A row of the embedding moves only where its token stands in the batch, so the tokens are known
    exactly; how often each occurs is guessed by the length of its row, which is exact of one text
    whose places all count alike. The order is not known: tokens are laid out by where they mostly
    stand in texts of the population, and without one the most frequent first. `tag` finds the order
    where the model depends on it.

    Where the output layer shares the embedding's weight, or noise was added, all rows move. The
    tokens of the batch, and those that it predicts, then move further than others by far: the rows
    before the widest gap are taken, which is a guess. A padding token's row never moves, and such
    places are filled with others.

    References
    ----------
    Melis, Song, De Cristofaro and Shmatikov (2019), Exploiting unintended feature leakage in
    collaborative learning, IEEE S&P, section 4.1 (leakage from the embedding layer).
    """

    name: ClassVar[str] = "embedding_rows"
    forms: ClassVar[tuple[str, ...]] = ("tokens",)
    rank: ClassVar[int] = 309

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is not None:
            return reason
        layer = embedding_of(target.model, target.shape)
        if layer is None:
            return "the model does not begin with an embedding (torch.nn.Embedding) of the tokens"
        if not layer.weight.requires_grad:
            return "the embedding of the tokens is not trained, so nothing is sent of it"
        return None

    def rebuild(
        self,
        view: UpdateView,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is drawn
        say: Callable[[str], None],  # noqa: ARG002 - it takes no time
    ) -> Rebuilt:
        """Read the rows; see `UpdateAttack.rebuild`."""
        torch = sys.modules["torch"]
        layer = embedding_of(view.model, view.shape)
        bag = None if layer is None else bag_of(view, layer)
        if bag is None:
            return Rebuilt(remark="nothing was sent of the embedding")
        return Rebuilt(torch.as_tensor(laid_out(bag, view), device=view.device))


def laid_out(bag: Bag, view: UpdateView) -> NDArray[np.intp]:
    """Lay the tokens of a bag out as texts.

    Returns
    -------
    ndarray of shape (n_records, length)
        Each place of all texts in turn, by the tokens' mean place in the population; those that it
        does not hold come last, the most frequent first.
    """
    length = int(np.prod(view.shape))
    usual = np.full(len(bag.tokens), float(length))
    if view.population is not None:
        texts = as_numpy(view.population[0]).reshape(-1, length)
        places = np.broadcast_to(np.arange(length), texts.shape).reshape(-1)
        size = max(int(texts.max()), int(bag.tokens.max())) + 1
        seen = np.bincount(texts.reshape(-1), minlength=size)[bag.tokens]
        sums = np.bincount(texts.reshape(-1), weights=places, minlength=size)[bag.tokens]
        usual = np.where(seen > 0, sums / np.maximum(seen, 1), usual)
    order = np.lexsort((bag.tokens, -bag.counts, usual))
    row = np.repeat(bag.tokens[order], bag.counts[order])
    texts = row.reshape(length, view.n_records).T
    return np.ascontiguousarray(texts).reshape(view.n_records, *view.shape)
