"""What an attack is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.federated_rounds import FederatedRounds
from pytest_leakpro.targets.regressor import Regressor
from pytest_leakpro.targets.shadow_signals import FEWEST_MODELS
from pytest_leakpro.targets.trainers import trainer_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.gate.evidence import Evidence
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.readings import Reading

__all__ = ["Attack", "MembershipAttack"]


@dataclass(frozen=True)
class Attack(ABC):
    """One published attack: what it needs, and how it turns a target into evidence.

    A subclass is a frozen dataclass whose fields are the attack's hyper-parameters. Attacks in
    this package are found by looking through it; those of other packages through the entry-point
    group ``pytest_leakpro.attacks`` or the hook ``pytest_leakpro_attacks``, and run only when
    they are named.

    Attributes
    ----------
    name : str
        How it is asked for and reported.
    metrics : tuple of str
        The metrics that its evidence answers.
    targets : tuple of type
        The kinds of target that it attacks.
    access : Access or None
        The least that the attacker must see of a model; None for attacks on what is released.
    needs_population : bool
        Whether it needs records of the same distribution that are not scored.
    needs_also : str
        What else it needs, in words; empty for nothing.
    needs_shadow : bool
        Whether it needs shadow models.
    needs_recipe : bool
        Whether it trains models of its own as the target was trained.
    fewest_shadow_models : int
        With how many of them it can do.
    calibrated : bool
        Whether scores are calibrated per record, by shadow models or the like. A PASS of a suite
        without such an attack is marked as weak.
    default : bool
        Whether it may stand in the default suite of any target.
    default_with : str
        With what it does all the same, in words; see `runs_by_default`.
    rank : int
        Place in the registry: the smaller, the earlier it is chosen and the larger its weight.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    targets: ClassVar[tuple[type, ...]]
    access: ClassVar[Access | None] = Access.SCORES
    needs_population: ClassVar[bool] = False
    needs_also: ClassVar[str] = ""
    needs_shadow: ClassVar[bool] = False
    needs_recipe: ClassVar[bool] = False
    fewest_shadow_models: ClassVar[int] = FEWEST_MODELS
    calibrated: ClassVar[bool] = False
    default: ClassVar[bool] = True
    default_with: ClassVar[str] = ""
    rank: ClassVar[int] = 1000

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target.

        Parameters
        ----------
        target : object
            A target, not yet scored.

        Returns
        -------
        str or None
            None where it matches.
        """
        if not any(isinstance(target, kind) for kind in self.targets):
            return f"it does not attack a {type(target).__name__}"
        if self.access is not None:
            access: Access = target.access
            if not access.covers(self.access):
                return f"it needs access to {self.access.value}, the target gives {access.value}"
        if (self.needs_recipe or self.needs_shadow) and isinstance(target, FederatedRounds):
            return (
                "it trains models as the target was trained, and a training in rounds is not done "
                "again here: audit the last model, as Classifier(..., checkpoints=, train=)"
            )
        if self.needs_recipe and trainer_of(target) is None:
            return (
                "it trains models as the target was trained: give train=, a function "
                "(X, y, seed) -> fitted model"
            )
        return None

    def runs_by_default(self, target: Any) -> bool:
        """Tell whether it runs on a target, or is ranked for that, where none was asked for.

        Parameters
        ----------
        target : object
            A target that the attack matches.

        Returns
        -------
        bool
        """
        del target
        return self.default

    def wants_population(self, target: Any) -> bool:
        """Tell whether it needs a population where it attacks a target.

        Parameters
        ----------
        target : object
            One that it matches.
        """
        del target
        return self.needs_population

    @abstractmethod
    def run(self, view: Any, rng: np.random.Generator) -> Evidence:
        """Attack a target.

        Parameters
        ----------
        view : object
            What the target prepared: for membership attacks a `MembershipView`.
        rng : numpy.random.Generator
            Derived from the session's seed and the attack's name.

        Returns
        -------
        Evidence
        """


@dataclass(frozen=True)
class MembershipAttack(Attack):
    """An attack that gives every record a score: the higher, the more likely a member.

    A subclass writes `score`; the scores of one person's records are averaged here.
    """

    metrics: ClassVar[tuple[str, ...]] = ("tpr", "auc", "advantage", "epsilon")
    targets: ClassVar[tuple[type, ...]] = (Classifier, Regressor)

    def readings(self, view: MembershipView) -> tuple[Reading, ...]:
        """Give what is to be read of every model beyond its loss; by default nothing.

        Parameters
        ----------
        view : MembershipView
            Not yet scored. Attacks on one target that name a reading alike give the same one.
        """
        del view
        return ()

    @abstractmethod
    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Score every record.

        Parameters
        ----------
        view : MembershipView
            The model's outputs on members, non-members and, where there is one, the population.
        rng : numpy.random.Generator
            For attacks that draw.

        Returns
        -------
        members, nonmembers : ndarray of shape (n_records,)
            Finite scores, in the order of the view's records. Nothing may be fitted on them, nor
            on who is a member.
        """

    def run(self, view: MembershipView, rng: np.random.Generator) -> MembershipScores:
        """Score every record and average per person; see `Attack.run`."""
        members, nonmembers = view.per_unit(*self.score(view, rng))
        return MembershipScores(members, nonmembers, name=self.name)
