"""What classifiers and regressors have in common as targets of membership attacks.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from copy import copy
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.attackers import Attacker, parse_attackers, strongest_access
from pytest_leakpro.targets.augmentations import read_augmentations
from pytest_leakpro.targets.callable_model import CallableModel
from pytest_leakpro.targets.hidden_scores import guard_of
from pytest_leakpro.targets.membership_view import MembershipView, Sight
from pytest_leakpro.targets.preparation import Preparation
from pytest_leakpro.targets.records import MINIMUM, Records, read_pair, require_alike
from pytest_leakpro.targets.secret_columns import check_generator, read_secret
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from pytest_leakpro.targets.slices import Slices
from pytest_leakpro.targets.trainers import trainer_of
from pytest_leakpro.targets.units import Units, group_units, record_units

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from typing_extensions import Self

    from pytest_leakpro.targets.model_adapter import ModelAdapter
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.reading import Reader

__all__ = ["MembershipTarget", "parse_access"]


class MembershipTarget:
    """A model with records that were, and records that were not, in its training data.

    Parameters
    ----------
    adapter : ModelAdapter
        The model.
    reader : Reader
        Turns what the model returns into signals.
    read_labels : callable
        Reads y of one side, given its name.
    members, nonmembers : pair or torch.utils.data.Dataset
        The two sides.
    population : pair, torch.utils.data.Dataset or None
        Records that stand on neither side.
    groups : pair or triple or None
        Person ids of the members, the non-members, and the population.
    slices : mapping, sequence or None
        What to slice the records by.
    audit_size : int or None
        At most how many units of each side to score, at least 10.
    allow_overlap : bool
        Whether to go on when more than 1 % of the records stand on both sides.
    access : str or None
        What the attacker sees; scores by default.
    attackers : sequence of str or None
        Several attackers instead, who are compared.
    batch_size : int or None
        At most how many records to send to the model at once.
    name : str or None
        What to call the target.
    train : callable, False or None
        ``(X, y, seed) -> fitted model``; None: a clone of a scikit-learn estimator; False: none.
    n_train : int or None
        How many records the model was trained on, where it saw more than the members.
    signals : ShadowSignals or None
        Signals of shadow models that were trained elsewhere.
    trainer_version : str or None
        Names what cannot be told of `train` for the cache.
    augmentations : "default", None or sequence of callable
        Functions ``X -> X'`` with which the attacker may augment records.
    checkpoints : tuple
        Models that the training left on its way, the model itself last; empty where none are given.
    secret : column or sequence of them, or None
        The columns whose values an attacker must not learn.
    generator : torch.nn.Module or None
        Draws records like these, for attackers who have such a thing.

    Attributes
    ----------
    train, n_train, signals, trainer_version, checkpoints, generator
        As given.
    secrets : tuple
        The secret columns.
    slices : Slices or None
        Subgroups that are measured one by one.
    named : bool
        Whether the user gave the target its name.
    augmentations : tuple of callable
        Those that there are; of images by default some.
    view_kind : type
        What attacks work on.
    pool_positions : tuple of ndarray or None
        Where members and non-members stand in the pool of a recipe, which drew them from it.
    """

    view_kind: ClassVar[type[MembershipView]] = MembershipView

    model: Any

    def __init__(
        self,
        adapter: ModelAdapter,
        reader: Reader,
        read_labels: Callable[[Any, str], NDArray[Any]],
        members: Any,
        nonmembers: Any,
        *,
        population: Any,
        groups: Any,
        slices: Any,
        audit_size: int | None,
        allow_overlap: bool,
        access: str | None,
        attackers: Any,
        batch_size: int | None,
        name: str | None,
        train: Any,
        n_train: int | None,
        signals: ShadowSignals | None,
        trainer_version: str | None,
        augmentations: Any = "default",
        checkpoints: tuple[Any, ...] = (),
        secret: Any = None,
        generator: Any = None,
    ) -> None:
        self.checkpoints = checkpoints
        self.generator = check_generator(generator)
        self.attackers = _check_attackers(attackers, access)
        self.access = parse_access(access, attackers)
        self.attacker_name = self.access.value
        if self.access is Access.WHITE_BOX and guard_of(self.model):
            raise LeakproError(
                "access 'white-box': a model that hides its scores is met through its interface, "
                "which shows no weights: say access='scores', or give the model without the defence"
            )
        if self.access is Access.WHITE_BOX and isinstance(adapter, CallableModel):
            raise LeakproError(
                f"access 'white-box': the model ({adapter.name}) is a callable, which has no "
                "weights: give the torch module or scikit-learn estimator that it asks, or say "
                "access='scores'"
            )
        self.named = _check_name(name) is not None
        self.pool_positions: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
        self.name = name or adapter.name
        self._audit_size = _check_count("audit_size", audit_size, MINIMUM)
        self._batch_size = _check_count("batch_size", batch_size, 1)
        if not isinstance(allow_overlap, bool):
            raise LeakproError(
                f"allow_overlap is a {type(allow_overlap).__name__}: give True or False"
            )
        self._allow_overlap = allow_overlap
        self.train = _check_train(train)
        self.n_train = _check_count("n_train", n_train, MINIMUM)
        self.trainer_version = _check_version(trainer_version)
        self._adapter = adapter
        self._reader = reader
        given = {"members": members, "nonmembers": nonmembers}
        if population is not None:
            given["population"] = population
        self._read_labels = read_labels
        sides = _read_sides(given, read_labels, _split_groups(groups, population is not None))
        self._members, self._nonmembers = sides["members"], sides["nonmembers"]
        self._population = sides.get("population")
        self.secrets = read_secret(secret, self._members.inputs)
        self.slices = Slices.read(slices, self._members, self._nonmembers)
        self.augmentations = read_augmentations(augmentations, self._members.inputs)
        self.signals = _check_signals(signals, len(self._members) + len(self._nonmembers))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.name!r}, members={self._members.shape}, "
            f"nonmembers={self._nonmembers.shape}, access={self.access.value!r})"
        )

    @property
    def inputs(self) -> Any:
        """The members' X, for attacks that must know what kind of records there are."""
        return self._members.inputs

    @property
    def n_members(self) -> int:
        """Number of members (persons with groups), as given."""
        return len(self._members.units)

    @property
    def n_nonmembers(self) -> int:
        """Number of non-members (persons with groups), as given."""
        return len(self._nonmembers.units)

    @property
    def n_population(self) -> int:
        """Number of records (persons with groups) of the population, 0 where there is none."""
        return 0 if self._population is None else len(self._population.units)

    @property
    def has_population(self) -> bool:
        """Whether the attacker was given records that stand on neither side."""
        return self._population is not None

    @property
    def device(self) -> str | None:
        """Where the model computes, None where that cannot be told."""
        device: str | None = getattr(self._adapter, "device", None)
        return device

    def seen_by(self, attacker: Attacker) -> MembershipTarget:
        """Give the same target as another attacker sees it.

        Parameters
        ----------
        attacker : Attacker
            Without knowledge of the recipe nothing is trained for it, and signals of shadow models
            that were brought along are not its own. Those are losses: who sees labels only has
            no use for them either.
        """
        seen = copy(self)
        seen.access, seen.attackers, seen.attacker_name = attacker.access, (), str(attacker)
        seen._adapter, seen._reader = self._sight(attacker.access)
        if not attacker.recipe or (attacker.access is Access.LABEL and self.signals is not None):
            seen.train, seen.signals = False, None
        return seen

    def with_records(self, members: Any, nonmembers: Any) -> Self:
        """Give the same model with other records on both sides, and no way to train another one.

        Parameters
        ----------
        members, nonmembers : pair
            The two sides, of which no groups or slices are known.
        """
        other = copy(self)
        sides = _read_sides({"members": members, "nonmembers": nonmembers}, self._read_labels, {})
        other._members, other._nonmembers = sides["members"], sides["nonmembers"]
        other.train, other.signals, other.slices, other.pool_positions = False, None, None, None
        return other

    def _sight(self, access: Access) -> tuple[ModelAdapter, Reader]:
        """Give what asks the model, and what reads it, for who has this access."""
        raise NotImplementedError

    @property
    def model_reader(self) -> ModelReader:
        """Reads other models of the same recipe as this one is read."""
        raise NotImplementedError

    def prepare(
        self, seed: int, *, population_share: float | None = None, told: bool = False
    ) -> MembershipView:
        """Choose the records to score. Does not ask the model anything.

        The outcome depends on the seed and the records only.

        Parameters
        ----------
        seed : int
            At least 0.
        population_share : float or None
            The share of the non-members to set aside where there is no population, above 0 and
            below 1.
        told : bool
            Whether the warnings were given already.

        Returns
        -------
        MembershipView
            What attacks work on.

        Raises
        ------
        LeakproError
            If too many records stand on both sides, or a side becomes too small.

        Warns
        -----
        PytestLeakproWarning
            If records stand on both sides, few enough to be dropped.
        """
        preparation = Preparation(self._members, self._nonmembers, self._population)
        preparation.separate(allow_overlap=self._allow_overlap)
        if population_share is not None:
            preparation.set_aside(population_share, seed)
        if self._audit_size is not None:
            preparation.sample(self._audit_size, seed)
        for text in () if told else preparation.warnings:
            warn(f"{self.name}: {text}")
        return self.view_kind(
            preparation,
            self.sight,
            self._batch_size,
            n_members_given=len(self._members),
            slices=self.slices,
            seed=seed,
        )

    @property
    def sight(self) -> Sight:
        """What the attacker can ask and knows."""
        return Sight(
            self._adapter,
            self._reader,
            self.model,
            self.model_reader,
            self.access,
            trainer_of(self),
            self.augmentations,
            self.checkpoints,
            self.generator,
            self.secrets,
        )


def parse_access(access: Any, attackers: Any) -> Access:
    """Settle the access of a target: as given, or that of the attacker who sees most."""
    if attackers is None:
        return Access.parse("scores" if access is None else access)
    return strongest_access(parse_attackers(attackers))


def _read_sides(
    given: dict[str, Any], read_labels: Callable[[Any, str], NDArray[Any]], ids: dict[str, Any]
) -> dict[str, Records]:
    sides: dict[str, Records] = {}
    for side, pair in given.items():
        inputs, y = read_pair(pair, side)
        labels = read_labels(y, side)
        units = _units(ids, len(labels), side)
        sides[side] = Records(side, inputs, labels, units, y, np.arange(len(labels)))
        require_alike(sides["members"], sides[side])
    return sides


def _check_attackers(attackers: Any, access: Any) -> tuple[Attacker, ...]:
    if attackers is None:
        return ()
    if access is not None:
        raise LeakproError("access= and attackers=: give one of them; access= is one attacker")
    return parse_attackers(attackers)


def _check_name(name: Any) -> str | None:
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise LeakproError(f"name is {_say(name)}: give a text to call the target by")
    return name


def _check_train(train: Any) -> Any:
    if train is None or train is False or (callable(train) and not isinstance(train, type)):
        return train
    raise LeakproError(
        f"train is {_say(train)}: give a function (X, y, seed) -> fitted model, or False for none"
    )


def _check_version(version: Any) -> str | None:
    if version is None or isinstance(version, str):
        return version
    raise LeakproError(f"trainer_version is {_say(version)}: give a text that names the recipe")


def _check_signals(signals: Any, n_records: int) -> ShadowSignals | None:
    if signals is None:
        return None
    if not isinstance(signals, ShadowSignals):
        raise LeakproError(f"signals is {_say(signals)}: give ShadowSignals(shadow=…, included=…)")
    if signals.n_records != n_records:
        raise LeakproError(
            f"signals: shadow models scored {signals.n_records:,} records, but there are "
            f"{n_records:,}: give one column per member, then one per non-member, in their order"
        )
    return signals


def _check_count(option: str, value: Any, least: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise LeakproError(f"{option} is {_say(value)}: give a whole number of at least {least}")
    return int(value)


def _say(value: Any) -> str:
    if isinstance(value, str) and not value.strip():
        return "an empty text"
    plain = isinstance(value, (bool, int, float))
    return repr(value) if plain else f"a {type(value).__name__}"


def _split_groups(groups: Any, has_population: bool) -> dict[str, Any]:
    if groups is None:
        return {}
    if not isinstance(groups, (tuple, list)) or len(groups) not in (2, 3):
        raise LeakproError(
            "groups: give a pair (person ids of the members, person ids of the nonmembers), or a "
            "triple that adds those of the population"
        )
    if len(groups) == 3 and not has_population:
        raise LeakproError("groups: a third set of ids, but there is no population: leave it out")
    return dict(zip(("members", "nonmembers", "population"), groups, strict=False))


def _units(ids: dict[str, Any], n_records: int, side: str) -> Units:
    grouped = side in ids
    units = group_units(ids[side], n_records, side) if grouped else record_units(n_records)
    if len(units) < MINIMUM:
        raise LeakproError(
            f"{side}: {len(units)} {units.noun} are too few (tiny): with fewer than {MINIMUM} no "
            "bound says anything; a useful audit takes hundreds"
        )
    return units
