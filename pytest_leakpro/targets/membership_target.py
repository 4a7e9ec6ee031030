"""What classifiers and regressors have in common as targets of membership attacks.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.membership_view import MembershipView
from pytest_leakpro.targets.preparation import Preparation
from pytest_leakpro.targets.records import MINIMUM, Records, read_pair, require_alike
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from pytest_leakpro.targets.trainers import trainer_of
from pytest_leakpro.targets.units import Units, group_units, record_units

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_adapter import ModelAdapter
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.reading import Reader

__all__ = ["MembershipTarget"]


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
    audit_size : int or None
        At most how many units of each side to score, at least 10.
    allow_overlap : bool
        Whether to go on when more than 1 % of the records stand on both sides.
    access : str
        What the attacker sees.
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
    checkpoints : tuple
        Models that the training left on its way, the model itself last; empty where none are given.

    Attributes
    ----------
    train, n_train, signals, trainer_version, checkpoints
        As given.
    named : bool
        Whether the user gave the target its name.
    pool_positions : tuple of ndarray or None
        Where members and non-members stand in the pool of a recipe, which drew them from it.
    """

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
        audit_size: int | None,
        allow_overlap: bool,
        access: str,
        batch_size: int | None,
        name: str | None,
        train: Any,
        n_train: int | None,
        signals: ShadowSignals | None,
        trainer_version: str | None,
        checkpoints: tuple[Any, ...] = (),
    ) -> None:
        self.access = Access.parse(access)
        self.checkpoints = checkpoints
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
        ids = _split_groups(groups, population is not None)
        sides: dict[str, Records] = {}
        for side, pair in given.items():
            inputs, y = read_pair(pair, side)
            labels = read_labels(y, side)
            units = _units(ids, len(labels), side)
            sides[side] = Records(side, inputs, labels, units, y, np.arange(len(labels)))
            require_alike(sides["members"], sides[side])
        self._members, self._nonmembers = sides["members"], sides["nonmembers"]
        self._population = sides.get("population")
        self.signals = _check_signals(signals, len(self._members) + len(self._nonmembers))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.name!r}, members={self._members.shape}, "
            f"nonmembers={self._nonmembers.shape}, access={self.access.value!r})"
        )

    @property
    def n_members(self) -> int:
        """Number of members (persons with groups), as given."""
        return len(self._members.units)

    @property
    def n_nonmembers(self) -> int:
        """Number of non-members (persons with groups), as given."""
        return len(self._nonmembers.units)

    @property
    def has_population(self) -> bool:
        """Whether the attacker was given records that stand on neither side."""
        return self._population is not None

    @property
    def device(self) -> str | None:
        """Where the model computes, None where that cannot be told."""
        device: str | None = getattr(self._adapter, "device", None)
        return device

    @property
    def model_reader(self) -> ModelReader:
        """Reads other models of the same recipe as this one is read."""
        raise NotImplementedError

    def prepare(self, seed: int, *, population_share: float | None = None) -> MembershipView:
        """Choose the records to score. Does not ask the model anything.

        The outcome depends on the seed and the records only.

        Parameters
        ----------
        seed : int
            At least 0.
        population_share : float or None
            The share of the non-members to set aside where there is no population, above 0 and
            below 1.

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
        for text in preparation.warnings:
            warn(f"{self.name}: {text}")
        return MembershipView(
            preparation,
            self._adapter,
            self._reader,
            self._batch_size,
            n_members_given=len(self._members),
            raw_model=self.model,
            model_reader=self.model_reader,
            access=self.access,
            train=trainer_of(self),
            checkpoints=self.checkpoints,
        )


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
