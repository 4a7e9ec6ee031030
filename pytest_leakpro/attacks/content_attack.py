"""What attacks have in common that tell what stands in training records, not who is among them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.attacks.base import Attack
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.federated_rounds import FederatedRounds
from pytest_leakpro.targets.regressor import Regressor

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["ContentAttack", "Found", "silent"]


def silent(text: str) -> None:
    """Say nothing, to nobody who waits."""
    del text


@dataclass(frozen=True, repr=False, eq=False)
class Found:
    """What an attack on the contents of records found.

    Attributes
    ----------
    evidence : Evidence
        What the metric is read off.
    notes : tuple of str
        For the user; nothing of a record's values.
    details : mapping
        For the record of the audit, as plain data; nothing of a record's values either.
    exposed : tuple of ndarray or None
        Members that it is about, as positions in the members that the user gave (ids with groups),
        and how much each is exposed: shown only to those who ask. None where it tells no single
        ones.
    pictures : tuple of ndarray or None
        Of images some members, and what was rebuilt next to each: written only to those who ask.
    """

    evidence: Evidence
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    exposed: tuple[NDArray[Any], NDArray[Any]] | None = None
    pictures: tuple[NDArray[Any], NDArray[Any]] | None = None


@dataclass(frozen=True)
class ContentAttack(Attack):
    """An attack on one finished model that tells what its training records hold.

    A subclass writes `find`. One that is a census of the artefact has no `access`: whoever gets the
    model sees it.
    """

    targets: ClassVar[tuple[type, ...]] = (Classifier, Regressor)

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        if isinstance(target, FederatedRounds):
            return "it attacks one finished model: give the last one as a Classifier"
        return super().mismatch(target)

    def parts_of(self, view: MembershipView, metric: MetricName) -> tuple[Hashable | None, ...]:
        """Give what is attacked one by one for a metric, such as columns; None is the whole.

        Parameters
        ----------
        view : MembershipView
            Not yet attacked.
        metric : MetricName
            With its argument.

        Raises
        ------
        LeakproError
            Where the argument names nothing that there is.
        """
        del view, metric
        return (None,)

    def sizes(self, view: MembershipView, part: Hashable | None = None) -> tuple[int, int]:
        """Tell the sizes of the evidence beforehand, as far as records and settings tell them.

        Parameters
        ----------
        view : MembershipView
            Not yet attacked.
        part : hashable, optional
            One of `parts_of`.
        """
        del part
        return view.n_members, view.n_nonmembers

    @abstractmethod
    def find(
        self,
        view: MembershipView,
        rng: np.random.Generator,
        part: Hashable | None = None,
        say: Callable[[str], None] = silent,
    ) -> Found:
        """Attack a model.

        Parameters
        ----------
        view : MembershipView
            The model, its members and non-members.
        rng : numpy.random.Generator
            Derived from the session's seed, the attack's name and the part's.
        part : hashable, optional
            One of `parts_of`.
        say : callable
            ``say(text)``, for those who wait.

        Returns
        -------
        Found
        """

    def run(self, view: MembershipView, rng: np.random.Generator) -> Evidence:
        """Attack the whole and give the evidence; see `Attack.run`."""
        return self.find(view, rng).evidence
