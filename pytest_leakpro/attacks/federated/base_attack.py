"""What attacks on one client's update have in common.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.base import Attack
from pytest_leakpro.attacks.federated.judging import judge
from pytest_leakpro.targets.federated_update import FederatedUpdate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
    from pytest_leakpro.gate.reconstructions import Reconstructions
    from pytest_leakpro.targets.update_view import AuditedUpdates, UpdateView

__all__ = ["UpdateAttack"]


@dataclass(frozen=True)
class UpdateAttack(Attack):
    """An attack that rebuilds the records of a batch, or their labels, from one update.

    A subclass writes `rebuild`, which sees nothing of the truth.

    Attributes
    ----------
    forms : tuple of str
        The kinds of records that it rebuilds.
    needs_malicious : bool
        Whether the server must send a model of its own making.
    needs_statistics : bool
        Whether it needs those of batch normalisation.
    """

    metrics: ClassVar[tuple[str, ...]] = ("reconstruction",)
    targets: ClassVar[tuple[type, ...]] = (FederatedUpdate,)
    access: ClassVar[None] = None
    forms: ClassVar[tuple[str, ...]] = ("images", "table", "tokens")
    needs_malicious: ClassVar[bool] = False
    needs_statistics: ClassVar[bool] = False

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is not None:
            return reason
        if target.form not in self.forms:
            return f"it rebuilds {' and '.join(self.forms)}, and the records are {target.form}"
        if self.needs_malicious and not target.participant.malicious:
            return "it sends a model of its own making: say behaviour='malicious'"
        if self.needs_statistics and not target.knows_statistics:
            return "it needs the statistics of batch normalisation: give statistics='sent'"
        if "label_recovery" in self.metrics and target.labels_known:
            return "the attacker knows the labels (labels_known=True)"
        return None

    def steps_on(self, view: UpdateView) -> int:
        """Tell how often the attack differentiates an update: what takes its time.

        Parameters
        ----------
        view : UpdateView
            Not yet attacked.
        """
        del view
        return 0

    @abstractmethod
    def rebuild(
        self, view: UpdateView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Rebuilt:
        """Rebuild the records, or the labels, of one update.

        Parameters
        ----------
        view : UpdateView
            What the attacker sees and knows.
        rng : numpy.random.Generator
            For whatever is drawn.
        say : callable
            ``say(text)``, for those who wait.

        Returns
        -------
        Rebuilt
        """

    def rebuild_all(self, view: AuditedUpdates, rng: np.random.Generator) -> Iterator[Rebuilt]:
        """Rebuild the records of every batch, one by one.

        Parameters
        ----------
        view : AuditedUpdates
            Of each update only its view is looked at.
        rng : numpy.random.Generator
            Every batch has one of its own, derived from it.

        Yields
        ------
        Rebuilt
            In the order of the batches.
        """
        streams = rng.spawn(len(view.updates))
        for entry, stream in zip(view.updates, streams, strict=True):
            yield self.rebuild(entry.view, stream, view.say)

    def run(self, view: AuditedUpdates, rng: np.random.Generator) -> Reconstructions:
        """Rebuild every batch and compare with the truth; see `Attack.run`."""
        return judge(view, list(self.rebuild_all(view, rng)), rng, name=self.name)
