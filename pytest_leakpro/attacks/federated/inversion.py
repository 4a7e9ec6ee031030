"""What attacks that search for images by their update have in common.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.federated.image_prior import image_prior
from pytest_leakpro.attacks.federated.label_guesses import guess_labels
from pytest_leakpro.attacks.federated.options import positive
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.targets.client_training import read_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_leakpro.targets.update_view import AuditedUpdates, Practice, UpdateView

__all__ = ["ImageSearch", "bounded", "labels_of", "practise"]


@dataclass(frozen=True)
class ImageSearch(UpdateAttack):
    """A search for images whose update is the one that was sent.

    Parameters
    ----------
    steps : int
        Of the search, at least 1.
    restarts : int, default 1
        From how many starts it is made; what explains the update best is kept.
    seconds : float, optional
        A time budget per batch; where it cuts a search short the result says so.
    """

    steps: int = 300
    restarts: int = 1
    seconds: float | None = None

    forms: ClassVar[tuple[str, ...]] = ("images",)

    def __post_init__(self) -> None:
        for option in ("steps", "restarts"):
            read_count(f"{option} of the attack {self.name!r}", getattr(self, option))
        if self.seconds is not None:
            positive(self.name, "seconds", self.seconds)

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and len(target.shape) != 3:
            reason = "it takes images with channels, of shape (n, c, h, w)"
        if reason is None and not (target.has_classes or target.labels_known):
            reason = "it guesses labels that are classes, and these are none: say labels_known=True"
        return reason

    def steps_on(self, view: UpdateView) -> int:
        """Tell how often an update is differentiated; see `UpdateAttack.steps_on`."""
        del view
        return self.steps * self.restarts

    def settle(self, view: UpdateView, rng: np.random.Generator) -> ImageSearch:
        """Tune the settings on updates that the attacker makes; by default there are none."""
        del view, rng
        return self

    def rebuild(
        self, view: UpdateView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Rebuilt:
        """Search from every start; see `UpdateAttack.rebuild`."""
        if view.is_zero:
            return Rebuilt()
        watch = Watch(self.seconds, say)
        return self.settle(view, rng).search(view, rng, watch)

    def rebuild_all(self, view: AuditedUpdates, rng: np.random.Generator) -> Iterator[Rebuilt]:
        """Rebuild every batch, with settings that are tuned once for batches of one size."""
        tuning, *streams = rng.spawn(len(view.updates) + 1)
        settled: dict[int, ImageSearch] = {}
        for entry, stream in zip(view.updates, streams, strict=True):
            if entry.view.is_zero:
                yield Rebuilt()
                continue
            n = entry.view.n_records
            if n not in settled:
                settled[n] = self.settle(entry.view, tuning)
            watch = Watch(self.seconds, view.say)
            yield settled[n].search(entry.view, stream, watch)

    @abstractmethod
    def search(self, view: UpdateView, rng: np.random.Generator, watch: Watch) -> Rebuilt:
        """Search for the records of one update, with settings as they are."""


def labels_of(view: UpdateView, rng: np.random.Generator) -> Any:
    """Give the labels, guessed where the attacker does not know them."""
    torch = sys.modules["torch"]
    if view.labels is not None:
        return view.labels
    return torch.as_tensor(guess_labels(view, rng), device=view.device)


def bounded(view: UpdateView, images: Any) -> Any:
    """Bring images within the bounds, where there are any."""
    if view.bounds is None:
        return images
    low, high = (side.to(images.dtype) for side in view.bounds)
    return images.clamp(low, high)


def practise(view: UpdateView, rng: np.random.Generator, count: int) -> list[Practice]:
    """Make updates to tune a search on.

    Parameters
    ----------
    view : UpdateView
        Of its update nothing is looked at.
    rng : numpy.random.Generator
        Draws the images.
    count : int
        How many updates.

    Returns
    -------
    list of Practice
        Of images of the population; where it is smaller than a batch, of images drawn from their
        prior, of as many classes as there can be. Empty where labels are no classes.
    """
    torch = sys.modules["torch"]
    if view.population is not None and len(view.population[0]) >= view.n_records:
        return view.practice(rng, count)
    made = []
    prior = image_prior(view)
    for _ in range(count if view.n_classes is not None else 0):
        assert view.n_classes is not None
        images = bounded(view, prior.images(prior.draw(view.n_records, rng)))
        labels = np.resize(rng.permutation(view.n_classes), view.n_records)
        mine = images, torch.as_tensor(labels, device=view.device)
        made += replace(view, population=mine).practice(rng, 1)
    return made
