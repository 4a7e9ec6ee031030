"""Models of the attacker's own, each trained on half of the records: who saw which is known.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.shadow.executor import default_workers
from pytest_leakpro.shadow.pool import units_and_places
from pytest_leakpro.shadow.stacked_training import train_group
from pytest_leakpro.shadow.way import way_for
from pytest_leakpro.stats.seeding import derive_number, derive_rng
from pytest_leakpro.targets.adapters import adapt_classifier
from pytest_leakpro.targets.containers import concatenate, take
from pytest_leakpro.targets.model_reader import ModelReader, final_model
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.reading import ClassReader
from pytest_leakpro.targets.scoring import score
from pytest_leakpro.targets.signals import ClassSignals, RegressionSignals
from pytest_leakpro.targets.torch_model import is_module
from pytest_leakpro.targets.torch_trainer import TorchTrainer
from pytest_leakpro.targets.torch_training import new_modules
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["Surrogates", "counted_records", "keeps_label", "surrogates_of", "true_margins"]

# Below it, starting processes takes longer than what they would train.
_WORTH_PROCESSES_SECONDS = 2.0
# Of a population, so that models trained on parts of it differ.
_LARGEST_SHARE = 0.8
# What a model that gives away nothing but labels is as good as sure of.
_SURE = 3.0


@dataclass(frozen=True, repr=False, eq=False)
class Surrogates:
    """The attacker's models, in pairs: what one of a pair saw, the other did not.

    Attributes
    ----------
    models : tuple
        K of them. The attacker trained them, and may ask them for all they say.
    included : ndarray of bool, shape (K, n)
        Which saw which of the counted records; none did where they learned from a population.
    reader : ModelReader
        How they are read.
    """

    models: tuple[Any, ...]
    included: NDArray[np.bool_]
    reader: ModelReader

    def __repr__(self) -> str:
        return f"Surrogates({len(self)}, records={self.included.shape[1]})"

    def __len__(self) -> int:
        return len(self.models)

    def margins(self, index: int, records: Records) -> NDArray[np.float64]:
        """Ask one of them how far records are from another label; see `true_margins`."""
        signals = self.reader.signals(self.models[index], records)
        if isinstance(signals, ClassSignals):
            return true_margins(signals.log_probabilities, records.labels)
        return _SURE * (2 * signals.negative_loss - 1)


def true_margins(scores: NDArray[np.float64], labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give by how much the true class leads the strongest other, shape (n,).

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        Log-probabilities, or logits.
    labels : ndarray of int, shape (n,)

    Returns
    -------
    ndarray
        Above 0 where the true class is predicted.
    """
    rows = np.arange(len(labels))
    others = scores.copy()
    others[rows, labels] = -np.inf
    return np.asarray(scores[rows, labels] - others.max(axis=1), dtype=np.float64)


def counted_records(view: MembershipView) -> Records:
    """Give members and then non-members as one side, for attacks that treat them alike."""
    members, nonmembers = view.records("members"), view.records("nonmembers")
    n_records = len(members) + len(nonmembers)
    return replace(
        members,
        side="members and non-members",
        inputs=concatenate([members.inputs, nonmembers.inputs]),
        labels=np.concatenate([members.labels, nonmembers.labels]),
        units=record_units(n_records),
        y=concatenate([members.y, nonmembers.y]),
        positions=np.arange(n_records),
    )


def keeps_label(view: MembershipView, query: Records) -> NDArray[np.bool_]:
    """Ask the target whether it predicts the label of crafted records, shape (n,)."""
    signals = view.ask(query)
    assert not isinstance(signals, RegressionSignals)
    return signals.correct


def surrogates_of(view: MembershipView, n_models: int, *, apart: bool = False) -> Surrogates:
    """Train surrogates, or take those that another attack on this view trained.

    Halves are drawn from members and non-members together: who was a member of the target plays
    no part. The records of one person stay together.

    Parameters
    ----------
    view : MembershipView
        With its recipe.
    n_models : int
        How many, an even number.
    apart : bool
        Whether to train on parts of the population rather than on the records themselves.

    Returns
    -------
    Surrogates

    Raises
    ------
    LeakproError
        Where there is no recipe, a model cannot be trained, or cannot be read.
    """
    name = f"surrogates {n_models} {'population' if apart else 'pool'}"
    if name not in view.kept:
        view.kept[name] = _trained(view, n_models, apart=apart)
    found = view.kept[name]
    assert isinstance(found, Surrogates)
    return found


def _trained(view: MembershipView, n_models: int, *, apart: bool) -> Surrogates:
    if view.train is None:
        raise LeakproError(
            "the attack trains models as the target was trained: give train=, a function "
            "(X, y, seed) -> fitted model"
        )
    members, nonmembers = view.records("members"), view.records("nonmembers")
    included = np.zeros((n_models, len(members) + len(nonmembers)), dtype=bool)
    if apart:
        population = view.records("population")
        X, y = population.inputs, population.y
        rows = _parts(population, n_models, len(view.pool[0]), view.seed)
    else:
        halves, places = _halves(view, n_models)
        X, y = (
            concatenate([getattr(side, part) for side in view.pool]) for part in ("inputs", "y")
        )
        rows = [np.flatnonzero(halves[index]) for index in range(n_models)]
        included = np.stack([halves[index][places] for index in range(n_models)])
    seeds = [derive_number(view.seed, "surrogate", str(index)) for index in range(n_models)]
    models = tuple(map(final_model, _train(view.train, X, y, rows, seeds)))
    for model in models:
        if is_module(model):
            model.eval()  # gradients are taken without the adapter that sees to it
    return Surrogates(models, included, _reader_for(models[0], view, counted_records(view)))


def _halves(view: MembershipView, n_models: int) -> tuple[Assignment, NDArray[np.intp]]:
    """Draw halves of the pool, and say where in it the counted records stand."""
    codes, places = units_and_places(view)
    n_units = sum(len(side.units) for side in view.pool)
    seed = derive_number(view.seed, "surrogate-halves")
    return Assignment(n_units, n_models, n_models // 2, seed, codes=codes), places


def _parts(population: Records, n_models: int, n_wanted: int, seed: int) -> list[NDArray[np.intp]]:
    """Draw parts of a population, by persons, as large as what the target saw where it can be."""
    n_units = len(population.units)
    share = min(_LARGEST_SHARE, n_wanted / len(population))
    size = max(1, round(share * n_units))
    rows = []
    for index in range(n_models):
        chosen = np.zeros(n_units, dtype=bool)
        rng = derive_rng(seed, "surrogate-part", str(index))
        chosen[rng.permutation(n_units)[:size]] = True
        rows.append(np.flatnonzero(chosen[population.units.codes]))
    return rows


def _train(
    train: Any, X: Any, y: Any, rows: Sequence[NDArray[np.intp]], seeds: Sequence[int]
) -> list[Any]:
    if isinstance(train, TorchTrainer):
        way = way_for(train, new_modules(train.module, [0, 0], "cpu")[0], len(seeds))
        if way.stacked:
            return _train_stacked(train, way.name, way.group, (X, y), rows, seeds)
    started = time.monotonic()
    models = [_train_one(train, X, y, rows[0], seeds[0])]
    slow = time.monotonic() - started > _WORTH_PROCESSES_SECONDS
    left = list(zip(rows[1:], seeds[1:], strict=True))
    workers = min(default_workers(), len(left))
    if not slow or workers < 2 or getattr(train, "device", "cpu") != "cpu":
        return models + [_train_one(train, X, y, chosen, seed) for chosen, seed in left]
    from joblib import Parallel, delayed

    return models + list(
        Parallel(n_jobs=workers)(
            delayed(_train_one)(train, X, y, chosen, seed) for chosen, seed in left
        )
    )


def _train_stacked(
    trainer: TorchTrainer,
    way: str,
    group: int,
    data: tuple[Any, Any],
    rows: Sequence[NDArray[np.intp]],
    seeds: Sequence[int],
) -> list[Any]:
    models: list[Any] = []
    with one_thread():
        for start in range(0, len(seeds), group):
            part = slice(start, start + group)
            modules, finite = train_group(trainer, way, data, rows[part], seeds[part])
            if not all(finite):
                raise LeakproError(
                    "a surrogate model's loss or weights became NaN or infinite: a lower lr may "
                    "help"
                )
            models += modules
    return models


def _train_one(train: Any, X: Any, y: Any, rows: NDArray[np.intp], seed: int) -> Any:
    with one_thread():
        try:
            model = train(take(X, rows), take(y, rows), seed)
        except Exception as error:
            raise LeakproError(
                f"a surrogate model: train raised {type(error).__name__} on {len(rows):,} records; "
                "its own error stands above; it must accept any part of the records, in the "
                "containers in which they were given"
            ) from error
    if model is None:
        raise LeakproError(
            "a surrogate model: train returned nothing; it must return the fitted model"
        )
    return model


def _reader_for(model: Any, view: MembershipView, records: Records) -> ModelReader:
    """Settle once how such models are read: by all they say, or by labels where that is all."""
    known = view.asking.output if view.asking.output in ("probabilities", "logits") else None
    reader = replace(view.asking, labels_only=False, output=known, meter=None)
    few = replace(
        records,
        inputs=take(records.inputs, np.arange(min(len(records), 256))),
        labels=records.labels[:256],
    )
    try:
        adapter = adapt_classifier(model, known)
        if adapter.output is None and known is None:
            values = score(adapter, few, reader.batch_size)
            known = ClassReader(reader.classes, None).tell({"records": values})[0]
            reader = replace(reader, output=known)
        reader.signals(model, few)
    except LeakproError:
        reader = replace(reader, labels_only=True)
        reader.signals(model, few)  # what is wrong with its labels, too, is said
    return reader
