"""What membership attacks work on: both sides, scored through the model once.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.model_reader import Meter, ModelReader
from pytest_leakpro.targets.readings import Reading, read_further
from pytest_leakpro.targets.scoring import score

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import ArrayLike, NDArray

    from pytest_leakpro.targets.augmentations import Augmentation
    from pytest_leakpro.targets.model_adapter import ModelAdapter
    from pytest_leakpro.targets.preparation import Preparation
    from pytest_leakpro.targets.reading import Reader
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.shadow_signals import ShadowSignals
    from pytest_leakpro.targets.signals import Signals
    from pytest_leakpro.targets.slices import Slice, Slices

__all__ = ["MembershipView", "Sight"]


@dataclass(frozen=True, repr=False, eq=False)
class Sight:
    """What an attacker can ask of a model, and what it knows.

    Attributes
    ----------
    adapter : ModelAdapter
        The model to ask.
    reader : Reader
        Turns what the model returns into signals.
    model : object
        The model as the user gave it.
    model_reader : ModelReader
        Reads it, and others of its recipe, on whatever records.
    access : Access
        What the attacker sees.
    train : callable or None
        The recipe, for attackers who train models of their own.
    augmentations : tuple of callable
        Functions ``X -> X'`` that make copies of records, for attackers who ask about these too.
    checkpoints : tuple
        The model's, for attackers who saw its training; the model itself is the last.
    generator : object
        What the attacker draws records like these with, None where it has nothing of the kind.
    secrets : tuple
        The columns that are no business of the attacker's, as the user named them.
    """

    adapter: ModelAdapter
    reader: Reader
    model: Any = None
    model_reader: ModelReader = field(default_factory=ModelReader)
    access: Access = Access.SCORES
    train: Any = None
    augmentations: tuple[Augmentation, ...] = ()
    checkpoints: tuple[Any, ...] = ()
    generator: Any = None
    secrets: tuple[Hashable, ...] = ()


class MembershipView:
    """Members and non-members as an attack sees them.

    Signals are read through the model when they are first asked for, and kept: all attacks share
    one pass over the model.

    Parameters
    ----------
    preparation : Preparation
        The sides.
    sight : Sight
        What the attacker can ask and knows.
    batch_size : int or None
        At most how many records to send at once.
    n_members_given : int
        Number of member records as the user gave them.
    slices : Slices or None
        What to slice the units by.
    seed : int
        The session's, from which what attacks share is drawn.

    Attributes
    ----------
    blocks_pass : tuple of str
        Why no verdict may be a PASS.
    shadow : ShadowSignals or None
        What shadow models say about the same records, once they are trained: members, then
        non-members, then the population.
    readings : tuple of Reading
        What else is read of shadow models, for the attacks that are to run.
    access : Access
        What the attacker sees.
    train : callable or None
        The recipe, for attackers who train models of their own.
    augmentations : tuple of callable
        Make copies of records, for attackers who ask about these too.
    checkpoints : tuple
        The model's, for attackers who saw its training; the model itself is the last.
    kept : dict
        What one attack worked out and others take over, by name; follows from the view alone.
    seed : int
        As given.
    slices : tuple of Slice
        The subgroups that are measured one by one.
    """

    def __init__(
        self,
        preparation: Preparation,
        sight: Sight,
        batch_size: int | None = None,
        *,
        n_members_given: int = 0,
        slices: Slices | None = None,
        seed: int = 0,
    ) -> None:
        self.seed = seed
        self._records = {
            records.side: records
            for records in (preparation.members, preparation.nonmembers, preparation.population)
            if records is not None
        }
        self._pool = preparation.unsampled or (preparation.members, preparation.nonmembers)
        self._n_members_given = n_members_given
        self._batch_size = batch_size
        self._begin(sight)
        self._notes = tuple(preparation.notes)
        self.blocks_pass: tuple[str, ...] = tuple(preparation.blocks_pass)
        self.slices: tuple[Slice, ...] = ()
        if slices is not None:
            self.slices, said = slices.of(self)
            self._notes += said

    def _begin(self, sight: Sight) -> None:
        """Ask nothing yet."""
        self._sight = sight
        self.access, self.train = sight.access, sight.train
        self.augmentations, self.checkpoints = sight.augmentations, sight.checkpoints
        self.kept: dict[str, Any] = {}
        self.shadow: ShadowSignals | None = None
        self.readings: tuple[Reading, ...] = ()
        self._values: dict[str, NDArray[np.float64]] = {}
        self._signals: dict[str, Signals] = {}
        self._columns: int | None = None
        self._output: str | None = None
        self._further: dict[str, NDArray[np.float64]] = {}
        self._costs: dict[str, int] = {}
        self._charges: dict[str, int] = {}
        self._meter = Meter()

    def seen_by(self, sight: Sight) -> MembershipView:
        """Give the same records as another attacker sees them, of whom nothing was asked yet."""
        other = copy(self)
        other._begin(sight)
        return other

    def __repr__(self) -> str:
        return (
            f"MembershipView(members={self.n_members}, nonmembers={self.n_nonmembers}, "
            f"queries={self.queries})"
        )

    @property
    def members(self) -> Signals:
        """What the model says about the members."""
        return self._read("members")

    @property
    def nonmembers(self) -> Signals:
        """What the model says about the non-members."""
        return self._read("nonmembers")

    @property
    def population(self) -> Signals | None:
        """What the model says about records that attacks may be fitted on; None if there are none.

        They stand on neither side and are not counted.
        """
        return self._read("population") if self.has_population else None

    @property
    def has_population(self) -> bool:
        """Whether there is a population; does not ask the model."""
        return "population" in self._records

    @property
    def regression(self) -> bool:
        """Whether the model predicts numbers; does not ask it."""
        return self._sight.model_reader.regression

    @property
    def n_members(self) -> int:
        """Number of member units (records, or persons with groups) that are counted."""
        return len(self._records["members"].units)

    @property
    def n_nonmembers(self) -> int:
        """Number of non-member units that are counted."""
        return len(self._records["nonmembers"].units)

    @property
    def output(self) -> str | None:
        """``"probabilities"``, ``"logits"`` or ``"predictions"``; None before scoring."""
        return self._output

    @property
    def queries(self) -> int:
        """Number of records sent to the model so far."""
        return self._meter.queries

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the records and how the output is read, for the user."""
        return self._notes

    def member_ids(self) -> NDArray[Any]:
        """Say who the member units are, shape (n_members,).

        Returns
        -------
        ndarray
            Positions in the members as the user gave them, or person ids with groups.
        """
        return self._records["members"].units.ids.copy()

    def unit_codes(self, side: str) -> NDArray[np.intp]:
        """Give the number of each record's unit, from 0, shape (n_records,).

        For attacks that draw folds: the records of one person must stay together.

        Parameters
        ----------
        side : {"members", "nonmembers", "population"}
            Which side.
        """
        return self._records[side].units.codes.copy()

    def per_unit(
        self, scores_members: ArrayLike, scores_nonmembers: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average scores of records over the records of each unit.

        Parameters
        ----------
        scores_members, scores_nonmembers : array_like
            One score per record, in the order of the signals.

        Returns
        -------
        tuple of ndarray
            Shapes (n_members,) and (n_nonmembers,); the scores as they are without groups.

        Raises
        ------
        LeakproError
            If there is not one score per record.
        """
        return (
            self._mean("members", scores_members),
            self._mean("nonmembers", scores_nonmembers),
        )

    def _mean(self, side: str, scores: ArrayLike) -> NDArray[np.float64]:
        values = np.asarray(scores, dtype=np.float64)
        records = self._records[side]
        if values.shape != (len(records),):
            raise LeakproError(
                f"{side}: an attack gave scores of shape {values.shape} for {len(records):,} "
                "records: it must give one score per record"
            )
        return records.units.mean(values)

    @property
    def model(self) -> Any:
        """The model itself, for attackers who see its weights.

        Raises
        ------
        LeakproError
            Where they do not.
        """
        if self.access is not Access.WHITE_BOX:
            raise LeakproError(
                f"an attack wants the model's weights, and the attacker has access to "
                f"{self.access.value}: an attack that declares white-box access gets them"
            )
        return self._sight.model

    @property
    def artefact(self) -> Any:
        """The model as it is handed over, whatever this attacker sees: for a census of it."""
        return self._sight.model

    @property
    def generator(self) -> Any:
        """What the attacker draws records like these with; None where it has no such thing."""
        return self._sight.generator

    @property
    def secrets(self) -> tuple[Hashable, ...]:
        """The columns named in ``secret=``."""
        return self._sight.secrets

    @property
    def asking(self) -> ModelReader:
        """Reads this model and others of its recipe as the sides are read; counts what it asks.

        Use `ask` for the target; this is for models of the attacker's own.
        """
        output = self._settle_output()
        known = output if output in ("probabilities", "logits") else self._sight.model_reader.output
        return replace(self._sight.model_reader, output=known)

    def ask(self, records: Records) -> Signals:
        """Ask the model about any records, such as perturbed ones; every record is a query.

        Parameters
        ----------
        records : Records
            With labels; for example a side's with other ``inputs``.

        Returns
        -------
        Signals
            `LabelSignals` where the attacker sees labels only.
        """
        self._charges["asked"] = self._charges.get("asked", 0) + len(records)
        return replace(self.asking, meter=self._meter).signals(self._sight.model, records)

    def further(self, reading: Reading) -> NDArray[np.float64]:
        """Read more than the loss, of members and then non-members, shape (q, n_records).

        Read once, and kept for other attacks.
        """
        name = reading.name
        if name not in self._further:
            before = self._meter.queries
            sides = [self._records["members"], self._records["nonmembers"]]
            reader = replace(self.asking, meter=self._meter)
            model = list(self.checkpoints) or self._sight.model
            self._further[name] = read_further(reading, model, reader, sides)
            self._costs[name] = self._meter.queries - before
        self._charges[name] = self._costs[name]
        return self._further[name]

    def queries_of(self) -> int:
        """Give what was asked since the last call, by who asked: what was kept counts again."""
        charged = sum(self._charges.values())
        self._charges = {}
        return charged

    def _read(self, side: str) -> Signals:
        self._charges[side] = len(self._records[side])
        if side not in self._signals:
            records = self._records[side]
            output = self._settle_output()
            values = self._score(side)
            self._signals[side] = self._sight.reader.signals(records, values, output)
            self._output = output
            del self._values[side]
        return self._signals[side]

    def _settle_output(self) -> str:
        output = self._output or self._sight.reader.output
        if output is None:
            # From both sides, so that it does not depend on which an attack asks for first.
            output, notes = self._sight.reader.tell(
                {side: self._score(side) for side in ("members", "nonmembers")}
            )
            self._output = output
            self._notes += notes
        return output

    def _score(self, side: str) -> NDArray[np.float64]:
        if side not in self._values:
            records = self._records[side]
            values = score(self._sight.adapter, records, self._batch_size)
            self._meter.queries += len(records)
            if self._columns not in (None, values.shape[1]):
                raise LeakproError(
                    f"the model returned {values.shape[1]} columns for the {side} and "
                    f"{self._columns} for the other side: it must return the same columns for "
                    "every record"
                )
            self._columns = values.shape[1]
            self._values[side] = values
        return self._values[side]

    @property
    def pool(self) -> tuple[Records, Records]:
        """Members and non-members before sampling: what shadow models are trained on."""
        return self._pool

    @property
    def n_members_given(self) -> int:
        """Number of member records as the user gave them."""
        return self._n_members_given

    def records(self, side: str) -> Records:
        """Give the records of a side, for attacks that train or perturb.

        Parameters
        ----------
        side : {"members", "nonmembers", "population"}
            Which side.
        """
        return self._records[side]
