"""Inversion with a generator: records of each class among those that the attacker can make up.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.federated.options import positive
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.attacks.reconstruction.base_attack import ReconstructionAttack
from pytest_leakpro.attacks.reconstruction.latent_search import LatentSearch
from pytest_leakpro.attacks.reconstruction.nearness import Attempts
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import shown
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.augmentations import MovedPixels
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.client_training import read_count
from pytest_leakpro.targets.containers import as_numpy, is_tensor, row_shape
from pytest_leakpro.targets.record_numbers import numbers, numeric_columns
from pytest_leakpro.targets.torch_model import is_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.targets.augmentations import Augmentation
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["GeneratorInversion"]


@dataclass(frozen=True)
class GeneratorInversion(ReconstructionAttack):
    """Search what a conditional generator can make for what the model is surest of.

    The generator is the attacker's knowledge of what records look like; it is best trained on
    public records that stand for the classes in the model's own eyes, see
    `pytest_leakpro.attacks.reconstruction.pseudo_labels.pseudo_labelled`. Every attempt wants
    one class, all classes equally often, and maximises the margin by which the model tells that
    class from the next, for what is made and for a shifted copy of it (or one that a function in
    ``augmentations=`` makes, where records are tensors), so that it does not end in a pattern
    that only the model sees.

    The generator gets z, standard normal, of shape (n, latent_dim), and the classes, whole
    numbers of shape (n,) in the order of the model's outputs; it returns records of the members'
    shape and scale.

    Parameters
    ----------
    attempts : int, optional
        How many records to rebuild, at least 10; by default 400.
    steps : int, default 80
        Of each search.
    restarts : int, default 2
        From how many starts an attempt is searched for; the one of the largest margin stands.
    step_size : float, default 0.05
        Of Adam, in standard deviations of z.
    plausible : float, default 0.9
        z stays as near to 0 as this share of what the generator was trained on, above 0 and
        below 1.

    References
    ----------
    Yuan et al. (2023), Pseudo label-guided model inversion attack via conditional generative
    adversarial network, AAAI, sections 3.3 (max-margin loss) and 3.4 (augmentations).
    Zhang et al. (2020), The secret revealer: generative model-inversion attacks against deep
    neural networks, CVPR, section 3: a generator learnt from public data as prior.
    """

    name: ClassVar[str] = "generator_inversion"
    targets: ClassVar[tuple[type, ...]] = (Classifier,)
    access: ClassVar[Access] = Access.WHITE_BOX
    needs_also: ClassVar[str] = "generator="
    rank: ClassVar[int] = 421

    steps: int = 80
    restarts: int = 2
    step_size: float = 0.05
    plausible: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        for option in ("steps", "restarts"):
            read_count(f"{option} of the attack {self.name!r}", getattr(self, option))
        positive(self.name, "step_size", self.step_size)
        positive(self.name, "plausible", self.plausible)
        if self.plausible >= 1:
            raise LeakproError(f"plausible of the attack {self.name!r}: give a share below 1")

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and target.generator is None:
            reason = "it needs a generator of records like these: give generator="
        if reason is None and not is_module(target.model):
            reason = "it takes gradients of torch modules"
        if reason is None and not row_shape(target.inputs):
            reason = "it takes records of one shape"
        return reason

    def rebuild(
        self, view: MembershipView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Attempts:
        """Search for records of every class in turn; see `ReconstructionAttack.rebuild`."""
        inputs = view.records("nonmembers").inputs
        n_classes, n = view.nonmembers.n_classes, self.n_attempts(view)
        search = LatentSearch(
            view.generator,
            view.model,
            view.asking.output == "logits",
            row_shape(inputs) or (),
            _differentiable(view.augmentations, tensors=is_tensor(inputs)),
        )
        labels = np.resize(rng.permutation(n_classes), n)
        found = search.run(
            labels,
            rng,
            steps=self.steps,
            restarts=self.restarts,
            step_size=self.step_size,
            plausible=self.plausible,
            watch=Watch(None, say),
        )
        taken = shown(float((found.margins > 0).mean()), "percent")
        note = f"the model takes {taken} of what was rebuilt for the class that was wanted"
        records = numbers(as_numpy(found.records), numeric_columns(inputs))
        return Attempts(records, notes=(note,))


def _differentiable(
    augmentations: tuple[Augmentation, ...], *, tensors: bool
) -> tuple[Augmentation, ...]:
    """Leave out what makes no gradient, and mirrors: a mirrored figure may be another one."""
    return tuple(
        function
        for function in augmentations
        if (function.by != 0 if isinstance(function, MovedPixels) else tensors)
    )
