"""Inference: the secret column of a person whose other columns are known.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from abc import abstractmethod
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.synthetic.base_attack import (
    GuessingAttack,
    UnattackableError,
    right_guesses,
)
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.guesses import Guesses
from pytest_leakpro.stats.gower import MixedRows, nearest_rows
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.mixed_table import MixedTable
    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["InferenceByModel", "InferenceByNeighbours"]

_MOST_DUMMIES = 32
_ROUNDS = 50


@dataclass(frozen=True)
class InferenceAttack(GuessingAttack):
    """Guess a secret column from the columns that the attacker knows.

    Parameters
    ----------
    attempts : int, optional
        How many records of the source, and of the control, to attack; see `GuessingAttack`.
    tolerance : float
        How far off the guess of a number may be, as a share of the truth; at least 0. Categories
        must be the same, dates the same to a day.

    References
    ----------
    Giomi et al. (2023), A unified framework for quantifying privacy risk in synthetic data,
    PoPETs, section 4.3. There the tolerance is a share of the guess.
    """

    metrics: ClassVar[tuple[str, ...]] = ("inference",)
    tolerance: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.tolerance, (int, float)) or not 0 <= self.tolerance < 1:
            raise LeakproError(
                f"tolerance of the attack {self.name!r}: give a share of at least 0 and below 1"
            )

    def columns_of(self, view: ReleaseView) -> tuple[Hashable, ...]:
        """Give the secrets; see `ReleaseAttack.columns_of`."""
        return view.roles.secrets

    def run(
        self, view: ReleaseView, rng: np.random.Generator, column: Hashable | None = None
    ) -> Guesses:
        """Guess the secret of records of the source, and of the control."""
        assert column is not None
        known = view.roles.known_for(column)
        if not known:
            raise UnattackableError("the attacker knows no column to infer others from")
        original, control = self.attacked(view, rng)
        tables = view.original.take(original), view.control.take(control)
        main, outside = (
            int(right_guesses(table, guess, column, self.tolerance).sum())
            for table, guess in zip(tables, self._guesses(view, tables, known, column), strict=True)
        )
        # Who sees no release guesses by how common the values are.
        drawn = view.synthetic.take(rng.integers(len(view.synthetic), size=len(original)))
        naive = int(right_guesses(tables[0], drawn, column, self.tolerance).sum())
        return Guesses(
            main=(main, len(original)),
            control=(outside, len(control)),
            naive=(naive, len(original)),
            name=self.name,
        )

    @abstractmethod
    def _guesses(
        self,
        view: ReleaseView,
        tables: Sequence[MixedTable],
        known: tuple[Hashable, ...],
        column: Hashable,
    ) -> list[MixedTable]:
        """Give for each table one with the guesses in the column."""


@dataclass(frozen=True)
class InferenceByNeighbours(InferenceAttack):
    """Guess the secret of the nearest row of the release, of several the first.

    References
    ----------
    Giomi et al. (2023), section 4.3.
    """

    name: ClassVar[str] = "inference"
    rank: ClassVar[int] = 220

    def _guesses(
        self,
        view: ReleaseView,
        tables: Sequence[MixedTable],
        known: tuple[Hashable, ...],
        column: Hashable,  # noqa: ARG002 - the whole row is taken over
    ) -> list[MixedTable]:
        asked = MixedRows.joined([table.rows(known) for table in tables])
        _, found = nearest_rows(asked, view.rows("synthetic", known), 1, threads=view.threads)
        ends = np.cumsum([len(table) for table in tables])[:-1]
        return [view.synthetic.take(part) for part in np.split(found[:, 0], ends)]


@dataclass(frozen=True)
class InferenceByModel(InferenceAttack):
    """Guess the secret by a model that is trained on the release.

    Parameters
    ----------
    attempts, tolerance
        As for `InferenceAttack`.
    estimator : scikit-learn estimator, optional
        A classifier for a secret of categories, else a regressor; cloned, never changed. By
        default boosted trees. It is given numbers on a scale from 0 to 1 and categories as one
        column each (of more than 32 as their number); what is missing has a column that says so.
        A secret that is missing is never learned from.

    References
    ----------
    Giomi et al. (2023), section 4.3, with a model in place of the nearest row.
    """

    name: ClassVar[str] = "inference_model"
    rank: ClassVar[int] = 221
    default: ClassVar[bool] = False
    estimator: Any = None

    def _guesses(
        self,
        view: ReleaseView,
        tables: Sequence[MixedTable],
        known: tuple[Hashable, ...],
        column: Hashable,
    ) -> list[MixedTable]:
        released = view.synthetic
        told = ~released.missing(column)
        if not told.any():
            raise UnattackableError(f"{str(column)!r} is missing throughout the release")
        secret = released.values[column][told]
        inputs = [_inputs(table, released, known) for table in (released.take(told), *tables)]
        category = released.kinds[column] == "category"
        if len(np.unique(secret)) == 1:
            guesses = [np.full(len(table), secret[0]) for table in tables]
        else:
            model = self._model(category)
            with one_thread():  # for the same guesses on any number of cores
                model.fit(inputs[0], secret)
                guesses = [np.asarray(model.predict(part)) for part in inputs[1:]]
        return [
            _with_guesses(table, column, guess)
            for table, guess in zip(tables, guesses, strict=True)
        ]

    def _model(self, category: bool) -> Any:
        from sklearn.base import clone, is_classifier
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        if self.estimator is None:
            kind = HistGradientBoostingClassifier if category else HistGradientBoostingRegressor
            return kind(max_iter=_ROUNDS, random_state=0)
        if is_classifier(self.estimator) != category:
            raise LeakproError(
                f"estimator of the attack {self.name!r}: the secret is "
                f"{'a category: give a classifier' if category else 'a number: give a regressor'}"
            )
        try:
            return clone(self.estimator)
        except TypeError:
            return deepcopy(self.estimator)


def _inputs(
    table: MixedTable, released: MixedTable, columns: Sequence[Hashable]
) -> NDArray[np.float64]:
    parts: list[NDArray[np.float64]] = []
    for name in columns:
        missing = table.missing(name)
        if released.missing(name).any():
            parts.append(missing.astype(np.float64))
        if table.kinds[name] != "category":
            parts.append(np.where(missing, 0.0, table.scaled(name)))
            continue
        codes = table.values[name]
        present = np.unique(released.values[name])
        present = present[present >= 0]
        if len(present) <= _MOST_DUMMIES:
            parts += [(codes == code).astype(np.float64) for code in present]
        else:
            parts.append(codes.astype(np.float64))
    return np.column_stack(parts) if parts else np.zeros((len(table), 1))


def _with_guesses(table: MixedTable, column: Hashable, guesses: NDArray[Any]) -> MixedTable:
    return replace(table, values={**table.values, column: guesses})
