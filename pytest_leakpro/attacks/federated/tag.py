"""Gradient inversion of texts: mixtures of the batch's tokens, then tokens.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.federated.blind_guess import typical_record
from pytest_leakpro.attacks.federated.label_orders import label_orders
from pytest_leakpro.attacks.federated.options import positive
from pytest_leakpro.attacks.federated.quality import assigned
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.restarts import descend
from pytest_leakpro.attacks.federated.side_by_side import Simulator, distances
from pytest_leakpro.attacks.federated.token_polish import EXACT, polished
from pytest_leakpro.attacks.federated.token_recovery import laid_out
from pytest_leakpro.attacks.federated.token_rows import (
    Bag,
    bag_of,
    predicted_tokens,
)
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.client_training import read_count
from pytest_leakpro.targets.containers import as_numpy
from pytest_leakpro.targets.end_layers import embedding_of, model_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["Tag"]

_RATES = (0.1, 0.3)


@dataclass(frozen=True)
class Tag(UpdateAttack):
    """Search for texts whose update points the same way as the one that was sent.

    The tokens of the batch are read off the rows of the embedding's gradient (`embedding_rows`).
    Each place of each text is then a mixture of them, which stands where the embedding's output
    would, and Adam moves the mixtures. At the end each place takes its likeliest token, or all
    places together the tokens of the batch, each as often as is thought; and tokens are swapped,
    replaced and moved as long as the update of the texts matches better, that of the embedding
    included. Of a language model, tokens that the last layer's biases say it should have predicted
    are tried too: what comes last in a text may move no row of the embedding. Where typical texts
    match no worse, they are given. What the model does not depend on, as the order of tokens whose
    embeddings are averaged, no update tells.

    Labels are known, or one class per text, which are then counted; or, of a language model, the
    texts themselves, of shape (n, length), with a loss that shifts them: that is taken for granted
    of a model that gives outputs for every place.

    Parameters
    ----------
    restarts : int
        Number of starts.
    steps : int
        Steps of Adam from each.
    changes : int
        How many changes of tokens are tried at a time.
    alpha : float
        Weight of absolute beside squared differences of updates.
    seconds : float, optional
        Time for each batch. What is found then depends on the machine, and the rebuilt texts are
        marked as cut.

    References
    ----------
    Zhu, Liu and Han (2019), Deep leakage from gradients, NeurIPS, section 3 (texts, by their
    embeddings).
    Deng, Wang, Li, Wang, Shang, Liu, Rajasekaran and Ding (2021), TAG: gradient attack on
    transformer-based language models, Findings of EMNLP, section 3 (squared and absolute
    differences); embeddings move freely there, here within the tokens of the batch.
    Balunović, Dimitrov, Jovanović and Vechev (2022), LAMP: extracting text from gradients with
    language model priors, NeurIPS, section 4 (alternating with changes of tokens).
    """

    name: ClassVar[str] = "tag"
    forms: ClassVar[tuple[str, ...]] = ("tokens",)
    rank: ClassVar[int] = 308

    restarts: int = 4
    steps: int = 200
    changes: int = 256
    alpha: float = 0.05
    seconds: float | None = None

    def __post_init__(self) -> None:
        for option, least in (("restarts", 1), ("steps", 1), ("changes", 1)):
            read_count(f"{self.name}: {option}", getattr(self, option), least)
        if not (isinstance(self.alpha, (int, float)) and self.alpha >= 0):
            raise LeakproError("tag: alpha is a number of at least 0")
        if self.seconds is not None:
            positive(self.name, "seconds", self.seconds)

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is not None:
            return reason
        if len(target.shape) != 1 or embedding_of(target.model, target.shape) is None:
            return "the model does not begin with an embedding (torch.nn.Embedding) of the tokens"
        if target.labels_known or target.has_classes:
            return None
        known = target.population
        equal = known is None or (
            known.labels.shape == known.inputs.shape and bool((known.labels == known.inputs).all())
        )
        if not equal or not _predicts_tokens(target.model, target.shape):
            return (
                "the labels are neither classes, one per text, nor the texts themselves: say "
                "labels_known=True where the attacker knows them, or let the loss shift the texts"
            )
        return None

    def rebuild(
        self, view: UpdateView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Rebuilt:
        """Search, and change token by token; see `UpdateAttack.rebuild`."""
        torch = sys.modules["torch"]
        layer = embedding_of(view.model, view.shape)
        if layer is None or view.is_zero:
            return Rebuilt(remark="what was sent is zero")
        search = _Search(self, view, layer, rng, Watch(self.seconds, say))
        devices = [view.device] if view.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(int(rng.integers(2**31)))  # of dropout
            texts = search.texts()
        return Rebuilt(texts, cut=search.watch.cut)


class _Search:
    """The search of one batch."""

    def __init__(
        self, attack: Tag, view: UpdateView, layer: Any, rng: np.random.Generator, watch: Watch
    ) -> None:
        torch = sys.modules["torch"]
        self.attack, self.view, self.layer, self.rng = attack, view, layer, rng
        self.watch = watch
        self.bag = bag_of(view, layer)
        tokens = np.arange(layer.num_embeddings) if self.bag is None else self.bag.tokens
        self.labels = None
        further = [] if layer.padding_idx is None else [layer.padding_idx]
        if view.labels is not None or not _predicts_tokens(view.model, view.shape):
            self.labels = label_orders(view, rng, attack.restarts)
        else:
            further += [*predicted_tokens(view)]
        if self.bag is not None:
            further += [*self.bag.others]
        tokens = np.append(tokens, np.setdiff1d(further, tokens).astype(np.intp))
        self.candidates = tokens
        self.known = torch.as_tensor(tokens, device=view.device)
        self.simulator = Simulator(view)

    def texts(self) -> Any:
        """Give the texts that match best."""
        torch = sys.modules["torch"]
        view, over = self.view, partial(self.watch.over, "tag: tokens")
        starts = [
            (texts, place)
            for place, chances in enumerate(self._mixtures())
            for texts in self._read(chances)
        ]
        if self.bag is not None:
            starts.append((laid_out(self.bag, view), 0))
        ranked = sorted(
            starts, key=lambda start: float(self._distance(start[0][None], start[1])[0])
        )
        ended = []
        for texts, place in ranked[: max(1, self.attack.restarts)]:
            ended.append(
                polished(
                    texts,
                    self.candidates,
                    partial(self._distance, place=place),
                    self.rng,
                    most=self.attack.changes,
                    over=over,
                )
            )
            if ended[-1][1] < EXACT or over():
                break
        best, lowest = min(ended, key=lambda end: end[1])
        typical = as_numpy(typical_record(view)).repeat(view.n_records, axis=0)
        if self._distance(typical[None], 0)[0] <= lowest:
            best = typical
        return torch.as_tensor(best, device=view.device)

    def _mixtures(self) -> NDArray[np.float64]:
        """Give each start's chances of each token at each place, of shape (m, n, length, k)."""
        torch = sys.modules["torch"]
        view, attack = self.view, self.attack
        simulator = Simulator(view, self._call)
        shape = (attack.restarts, view.n_records, *view.shape, len(self.candidates))
        logits = self.rng.normal(size=shape)
        if self.bag is not None:
            logits[..., : len(self.bag.counts)] += np.log(self.bag.counts)
        start = torch.as_tensor(logits, dtype=view.dtype, device=view.device)

        def objective(places: Sequence[Any]) -> Any:
            chances = torch.softmax(places[0], -1)
            labels = self.labels
            if labels is None:
                labels = self.known[chances.detach().argmax(-1)]
            made = simulator.updates(chances, labels, differentiable=True)
            return distances(view.update, made, alpha=attack.alpha)

        rates = [_RATES[place % len(_RATES)] for place in range(attack.restarts)]
        ended = descend(
            [start],
            objective,
            steps=attack.steps,
            rates=torch.as_tensor(rates, dtype=view.dtype, device=view.device),
            watch=self.watch,
            what=attack.name,
            done=self._exact,
        )
        chances: NDArray[np.float64] = as_numpy(torch.softmax(ended.places[0], -1))
        return chances.astype(np.float64)

    def _exact(self, places: Sequence[Any]) -> bool:
        """Tell whether the likeliest tokens of some start explain what was sent."""
        return any(
            float(self._distance(texts[None], place)[0]) < EXACT
            for place, texts in enumerate(self.candidates[as_numpy(places[0].argmax(-1))])
        )

    def _call(self, chances: Any, ask: Callable[[Any], Any]) -> Any:
        """Ask the model about mixtures of tokens in place of tokens, of shape (n, length, k)."""
        torch = sys.modules["torch"]

        def replace(layer: Any, entering: Any, leaving: Any) -> Any:
            del entering, leaving
            rows = layer.weight[self.known]
            if layer.padding_idx is not None:  # its row is not trained
                fixed = (self.known == layer.padding_idx)[:, None]
                rows = torch.where(fixed, rows.detach(), rows)
            return chances @ rows

        hook = self.layer.register_forward_hook(replace)
        try:
            return ask(self.known[chances.argmax(-1)])
        finally:
            hook.remove()

    def _read(self, chances: NDArray[np.float64]) -> list[NDArray[np.intp]]:
        """Give the likeliest token of each place, and the likeliest places of the bag's tokens."""
        read = [self.candidates[chances.argmax(-1)]]
        if self.bag is not None:
            read.append(_spread(chances, self.bag))
        return read

    def _distance(self, texts: NDArray[np.intp], place: int) -> NDArray[Any]:
        """Give the distance of the update of each of many batches, with the labels of a start."""
        torch = sys.modules["torch"]
        inputs = torch.as_tensor(texts, device=self.view.device)
        labels = inputs
        if self.labels is not None:
            labels = self.labels[place].expand(len(inputs), *self.labels.shape[1:])
        return as_numpy(self.simulator.distances(inputs, labels, alpha=self.attack.alpha))


def _spread(chances: NDArray[np.float64], bag: Bag) -> NDArray[np.intp]:
    """Lay each token of a bag, as often as it is there, where it is likeliest."""
    flat = np.log(chances.reshape(-1, chances.shape[-1]) + 1e-12)
    tokens = np.repeat(np.arange(len(bag.tokens)), bag.counts)
    return bag.tokens[tokens[assigned(-flat[:, tokens])]].reshape(chances.shape[:-1])


def _predicts_tokens(model: Any, shape: tuple[int, ...]) -> bool:
    """Tell whether a model gives outputs for every place of a text, rather than for each text."""
    torch = sys.modules["torch"]
    device = next(iter(model.parameters())).device
    outputs = model_outputs(model, torch.zeros((2, *shape), dtype=torch.long, device=device))
    return bool(outputs.dim() > 2 or len(outputs) != 2)
