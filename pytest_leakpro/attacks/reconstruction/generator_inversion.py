"""Inversion with a generator: records of each class among those that the attacker can make up.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.federated.options import positive
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.attacks.reconstruction.base_attack import ReconstructionAttack
from pytest_leakpro.attacks.reconstruction.latent_climb import LatentClimb
from pytest_leakpro.attacks.reconstruction.latent_prior import LatentPrior
from pytest_leakpro.attacks.reconstruction.nearness import Attempts
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import shown
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.augmentations import MovedPixels
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.client_training import read_count
from pytest_leakpro.targets.containers import (
    is_sparse,
    is_tensor,
    row_shape,
)
from pytest_leakpro.targets.record_numbers import numbers, numeric_columns
from pytest_leakpro.targets.torch_model import is_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.attacks.reconstruction.latent_mutation import LatentMutation
    from pytest_leakpro.targets.augmentations import Augmentation
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["GeneratorInversion"]

_BATCH = 256  # starts that are searched from at once


@dataclass(frozen=True)
class GeneratorInversion(ReconstructionAttack):
    """Search what a conditional generator can make for what the model is surest of.

    The generator is the attacker's knowledge of what records look like; it is best trained on
    public records that stand for the classes in the model's own eyes, see
    `pytest_leakpro.attacks.reconstruction.pseudo_labels.pseudo_labelled`. Every attempt wants
    one class, all classes equally often, and raises the margin by which the model tells that class
    from the next, for what is made and for a shifted copy of it (or one that a function in
    ``augmentations=`` makes, where records are tensors), so that it does not end in a pattern
    that only the model sees. Attempts are free: nothing of the members is looked at.

    The generator gets z, standard normal, of shape (n, latent_dim), and the classes, whole
    numbers of shape (n,) in the order of the model's outputs; it returns records of the members'
    shape and scale.

    Parameters
    ----------
    attempts : int, optional
        How many records to rebuild, at least 10; by default 400.
    steps : int, default 80
        Of each search, at most.
    restarts : int, default 2
        From how many starts an attempt is searched for at most, until one reaches a margin that is
        enough; otherwise the largest one stands.
    step_size : float, default 0.05
        Of Adam, in standard deviations of a coordinate of z.
    plausible : float, default 0.9
        z stays as near to 0 as this share of what the generator was trained on, above 0 and
        below 1.
    enough : float, default 10
        The margin, in log-odds, beyond which nothing more is wanted. Without an end all attempts
        at a class end at the one record that the model is surest of; so each stops at what the
        model is as sure of nearest to its start, and different records come out.

    References
    ----------
    Yuan et al. (2023), Pseudo label-guided model inversion attack via conditional generative
    adversarial network, AAAI: the max-margin loss, and augmentations of what is made.
    Zhang et al. (2020), The secret revealer: generative model-inversion attacks against deep
    neural networks, CVPR: a generator learnt from public data as prior.
    """

    name: ClassVar[str] = "generator_inversion"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    access: ClassVar[Access] = Access.WHITE_BOX
    needs_also: ClassVar[str] = "a generator"
    default_with: ClassVar[str] = "generator="
    rank: ClassVar[int] = 421

    steps: int = 80
    restarts: int = 2
    step_size: float = 0.05
    plausible: float = 0.9
    enough: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for option in ("steps", "restarts"):
            read_count(f"{option} of the attack {self.name!r}", getattr(self, option))
        for option in ("step_size", "plausible", "enough"):
            positive(self.name, option, getattr(self, option))
        if self.plausible >= 1:
            raise LeakproError(f"plausible of the attack {self.name!r}: give a share below 1")

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and target.generator is None:
            reason = "it needs a generator of records like these: give generator="
        if reason is None and not is_module(target.generator):
            reason = "it searches by generators that are torch modules"
        if reason is None and not _numbers_alone(target.inputs):
            reason = "it takes records of one shape that hold numbers alone"
        return reason or self._cannot_ask(target)

    def _cannot_ask(self, target: Any) -> str | None:
        return None if is_module(target.model) else "it takes gradients of torch modules"

    def rebuild(
        self, view: MembershipView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Attempts:
        """Search for records of every class in turn; see `ReconstructionAttack.rebuild`."""
        torch = sys.modules["torch"]
        inputs = view.records("nonmembers").inputs
        prior = LatentPrior(view.generator, row_shape(inputs) or (), self.plausible)
        n_classes, n = view.nonmembers.n_classes, self.n_attempts(view)
        wanted = prior.tensor(np.resize(rng.permutation(n_classes), n))
        best = torch.full((n,), -np.inf, dtype=torch.float64, device=wanted.device)
        records: Any = None
        search, watch = self._search(view, prior), Watch(None, say)
        with prior.asked(rng):
            for start in range(self.restarts):
                tell = partial(_tell, watch, f"start {start + 1} of {self.restarts}")
                # split() gives one empty part of nothing.
                for rows in filter(len, torch.nonzero(best < self.enough)[:, 0].split(_BATCH)):
                    z = prior.draw(len(rows), rng)
                    made, margins = search.run(z, wanted[rows], rng, tell)
                    records = made.new_empty((n, *prior.shape)) if records is None else records
                    better = margins > best[rows]
                    records[rows[better]], best[rows[better]] = made[better], margins[better]
        taken = shown(float((best > 0).to(torch.float64).mean()), "percent")
        return Attempts(
            numbers(records, numeric_columns(inputs)),
            notes=(f"the model takes {taken} of what was rebuilt for the class that was wanted",),
        )

    def _search(self, view: MembershipView, prior: LatentPrior) -> LatentClimb | LatentMutation:
        """Give what searches from given starts."""
        tensors = is_tensor(view.records("nonmembers").inputs)
        return LatentClimb(
            prior,
            view.model,
            view.asking.output == "logits",
            _differentiable(view.augmentations, tensors=tensors),
            self.steps,
            self.step_size,
            self.enough,
        )


def _tell(watch: Watch, start: str, text: str) -> None:
    watch.tell(f"{start}, {text}")


def _numbers_alone(inputs: Any) -> bool:
    shape = row_shape(inputs) or ()
    return shape != () and not is_sparse(inputs) and len(numeric_columns(inputs)) == prod(shape)


def _differentiable(
    augmentations: tuple[Augmentation, ...], *, tensors: bool
) -> tuple[Augmentation, ...]:
    """Leave out what makes no gradient, and mirrors: a mirrored figure may be another one."""
    return tuple(
        function
        for function in augmentations
        if (function.by != 0 if isinstance(function, MovedPixels) else tensors)
    )
