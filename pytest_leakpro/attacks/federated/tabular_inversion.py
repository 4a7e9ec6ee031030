"""Gradient inversion of tables, with categories relaxed and several restarts pooled.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.federated.blind_guess import typical_record
from pytest_leakpro.attacks.federated.label_orders import label_orders
from pytest_leakpro.attacks.federated.options import positive
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.restarts import descend
from pytest_leakpro.attacks.federated.side_by_side import Simulator, distances
from pytest_leakpro.attacks.federated.table_relaxation import TableRelaxation
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.client_training import read_count
from pytest_leakpro.targets.column_groups import read_tolerance
from pytest_leakpro.targets.containers import as_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_leakpro.targets.update_view import AuditedUpdates, UpdateView

__all__ = ["TabularInversion"]

_RATES = (0.03, 0.1, 0.3)
_WAYS = ("lowest", "best", "weighted", "median")
_ENOUGH = 1e-6  # categories are told by then; numbers are adapted to them afterwards
_EXACT = 1e-10
_SWEEPS = 3
_MOST_CHANGES = 256


@dataclass(frozen=True)
class _Tuning:
    """The step sizes that restarts go through, and which guess is given of theirs."""

    rates: tuple[float, ...] = _RATES
    way: str = _WAYS[0]


@dataclass(frozen=True, repr=False, eq=False)
class _Guesses:
    """Per way of making one guess of several restarts, what it gives."""

    records: Any
    labels: Any
    losses: Any
    rate: float

    def chosen(self, way: str) -> int:
        """Give the place of the guess of a way."""
        if way == "lowest":
            return int(self.losses.argmin())
        return min(_WAYS.index(way), len(self.records)) - 1  # of one start all ways are the same


@dataclass(frozen=True)
class TabularInversion(UpdateAttack):
    """Search for records whose update points the same way, from several starts, and pool them.

    Categories are relaxed by a softmax, numbers move freely within their bounds, and Adam turns the
    update's direction to the one that was sent. The guesses of all starts are assigned to those of
    the best one and pooled: weighted by how well they match, or alike. Of each pool, and of the
    best start alone, the likeliest categories are then taken, changed one by one where that matches
    better, and the numbers adapted to them. Where the attacker has a population, updates made of
    its records tell which step size and which of the three to take; else the step sizes go from
    start to start, and the guess that matches best is taken. Where typical records match no worse,
    they are given.

    Labels that the attacker does not know are counted first; those that are no classes are searched
    for with the records.

    Parameters
    ----------
    restarts : int
        Number of starts.
    steps : int
        Steps of Adam from each.
    practice : int
        Number of updates of population records to tune on; 0 for none.
    seconds : float, optional
        Time for each batch. What is found then depends on the machine, and the rebuilt records are
        marked as cut.

    References
    ----------
    Vero, Balunović, Dimitrov and Vechev (2023), TabLeak: tabular data leakage in federated
    learning, ICML, section 4; 30 starts of 1,500 steps there.
    Geiping, Bauermeister, Dröge and Moeller (2020), Inverting gradients: how easy is it to break
    privacy in federated learning?, NeurIPS, eq. 4 (the direction of gradients).
    """

    name: ClassVar[str] = "tabular_inversion"
    forms: ClassVar[tuple[str, ...]] = ("table",)
    rank: ClassVar[int] = 307

    restarts: int = 9
    steps: int = 400
    practice: int = 2
    seconds: float | None = None

    def __post_init__(self) -> None:
        for option, least in (("restarts", 1), ("steps", 1), ("practice", 0)):
            read_count(f"{self.name}: {option}", getattr(self, option), least)
        if self.seconds is not None:
            positive(self.name, "seconds", self.seconds)

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and not (
            target.has_classes or target.labels_known or target.has_population
        ):
            reason = (
                "the labels are no classes: give population=, which tells what labels can be, or "
                "say labels_known=True"
            )
        return reason

    def rebuild_all(self, view: AuditedUpdates, rng: np.random.Generator) -> Iterator[Rebuilt]:
        """Tune once, and search batch by batch; see `UpdateAttack.rebuild_all`."""
        streams = rng.spawn(len(view.updates) + 1)
        tuning = self._tuned(view.updates[0].view, streams.pop(), view.say)
        for entry, stream in zip(view.updates, streams, strict=True):
            yield self._rebuild(entry.view, stream, view.say, tuning)

    def rebuild(
        self, view: UpdateView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> Rebuilt:
        """Tune, and search; see `UpdateAttack.rebuild`."""
        return self._rebuild(view, rng, say, self._tuned(view, rng, say))

    def _tuned(
        self, view: UpdateView, rng: np.random.Generator, say: Callable[[str], None]
    ) -> _Tuning:
        practised = view.practice(rng, self.practice) if self.practice else []
        if not practised:
            return _Tuning()
        assert view.population is not None
        population = as_numpy(view.population[0])
        tolerance = read_tolerance(None, view.shape[0], population)
        columns = TableRelaxation.of(view).columns
        right = np.zeros(len(_WAYS))
        rates = []
        for place, one in enumerate(practised, 1):
            say(f"{self.name}: update {place} of {len(practised)} to tune on")
            found = self._search(one.view, rng, Watch(self.seconds, say), _RATES)
            if found is None:
                continue
            rates.append(found.rate)
            truth, guesses = as_numpy(one.inputs), as_numpy(found.records)
            for number, way in enumerate(_WAYS):
                shares = columns.right(truth, guesses[found.chosen(way)], tolerance)
                right[number] += shares.max(1).mean()
        if not rates:
            return _Tuning()
        # Each start keeps to one step size; where practice disagrees both are gone through.
        return _Tuning(tuple(sorted(set(rates))), _WAYS[int(right.argmax())])

    def _rebuild(
        self,
        view: UpdateView,
        rng: np.random.Generator,
        say: Callable[[str], None],
        tuning: _Tuning,
    ) -> Rebuilt:
        watch = Watch(self.seconds, say)
        found = self._search(view, rng, watch, tuning.rates)
        if found is None:
            return Rebuilt(cut=watch.cut, remark="what was sent is zero")
        chosen = found.chosen(tuning.way)
        typical = typical_record(view).expand(1, view.n_records, -1)
        blind = Simulator(view).distances(typical, found.labels[chosen : chosen + 1])
        if bool(blind <= found.losses[chosen]):
            return Rebuilt(typical[0].clone(), cut=watch.cut)
        return Rebuilt(found.records[chosen], cut=watch.cut)

    def _search(
        self, view: UpdateView, rng: np.random.Generator, watch: Watch, rates: Sequence[float]
    ) -> _Guesses | None:
        """Search from all starts and make the guesses of all ways; None of an update of zeros."""
        torch = sys.modules["torch"]
        if view.is_zero:
            return None
        devices = [view.device] if view.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(int(rng.integers(2**31)))  # of dropout
            return self._guesses(view, rng, watch, rates)

    def _guesses(
        self, view: UpdateView, rng: np.random.Generator, watch: Watch, rates: Sequence[float]
    ) -> _Guesses:
        torch = sys.modules["torch"]
        simulator, table = Simulator(view), TableRelaxation.of(view)
        m, n = self.restarts, view.n_records
        counted = label_orders(view, rng, m)
        variables = [table.starts(rng, m, n)]
        if counted is None:
            variables.append(_drawn_labels(view, rng, m))

        def objective(places: Sequence[Any]) -> Any:
            its_labels = places[1] if counted is None else counted
            made = simulator.updates(table.records(places[0]), its_labels, differentiable=True)
            return distances(view.update, made)

        sizes = torch.as_tensor(
            [rates[place % len(rates)] for place in range(m)], dtype=view.dtype, device=view.device
        )
        ended = descend(
            variables,
            objective,
            steps=self.steps,
            rates=sizes,
            watch=watch,
            what=self.name,
            confine=lambda places: table.confine(places[0]),
            enough=_ENOUGH,
        )
        losses = ended.losses
        labels = _settled(view, ended.places[1]) if counted is None else counted
        best = int(losses.argmin())
        records = table.records(ended.places[0]).detach()
        given = as_numpy(records).astype(np.float64), as_numpy(labels), as_numpy(losses)
        pools = [given[0][best]]
        if m > 1:
            pools += [table.pooled(*given, weighted=weighted) for weighted in (True, False)]
        guesses = torch.as_tensor(np.stack(pools), dtype=view.dtype, device=view.device)
        its_labels = labels[best].expand(len(guesses), *labels[best].shape).contiguous()
        firm = _improved(table.rounded(guesses), its_labels, simulator, table, watch)
        firm, losses = self._adapted(view, firm, its_labels, simulator, table, watch)
        return _Guesses(firm, its_labels, losses, float(sizes[best]))

    def _adapted(
        self,
        view: UpdateView,
        records: Any,
        labels: Any,
        simulator: Simulator,
        table: TableRelaxation,
        watch: Watch,
    ) -> tuple[Any, Any]:
        """Move the numbers of records whose categories are settled."""
        torch = sys.modules["torch"]

        def objective(places: Sequence[Any]) -> Any:
            made = simulator.updates(
                table.with_numbers(records, places[0]), labels, differentiable=True
            )
            return distances(view.update, made)

        if not table.columns.numbers:
            return records, simulator.distances(records, labels)
        start = table.variables(records)
        table.confine(start)
        rates = torch.full((len(records),), _RATES[0], dtype=view.dtype, device=view.device)
        ended = descend(
            [start],
            objective,
            steps=self.steps // 2,
            rates=rates,
            watch=watch,
            what=self.name,
            confine=lambda places: table.confine(places[0]),
            enough=_EXACT,
        )
        return table.with_numbers(records, ended.places[0]), ended.losses


def _drawn_labels(view: UpdateView, rng: np.random.Generator, m: int) -> Any:
    if view.population is None:
        raise LeakproError("the labels are no classes: give population=")
    known = view.population[1]
    return known[rng.integers(len(known), size=(m, view.n_records))].to(view.dtype)


def _settled(view: UpdateView, labels: Any) -> Any:
    """Bring labels that were searched for to those of the population, where these are few."""
    assert view.population is not None
    torch = sys.modules["torch"]
    values = torch.unique(view.population[1]).to(labels.dtype)
    if len(values) > 10:
        return labels.detach()
    return values[(labels.detach()[..., None] - values).abs().argmin(-1)]


def _improved(
    records: Any, labels: Any, simulator: Simulator, table: TableRelaxation, watch: Watch
) -> Any:
    """Change one category after the other where the update then matches better."""
    found = records.clone()
    for place in range(len(found)):
        lowest = simulator.distances(found[place][None], labels[place][None])[0]
        for _ in range(_SWEEPS):
            changed = _changes(found[place], table)
            if not len(changed) or watch.over("tabular_inversion: categories"):
                break
            losses = simulator.distances(
                changed, labels[place].expand(len(changed), *labels[place].shape)
            )
            if not bool(losses.min() < lowest):
                break
            lowest = losses.min()
            found[place] = changed[losses.argmin()]
    return found


def _changes(records: Any, table: TableRelaxation) -> Any:
    """Give the batches that differ from one in one category of one record."""
    places = [
        (row, group, category)
        for row in range(len(records))
        for group in table.columns.categories
        for category in group
        if not records[row, category] > 0
    ][:_MOST_CHANGES]
    changed = records.repeat(len(places), *[1] * records.dim())
    for number, (row, group, category) in enumerate(places):
        changed[number, row, list(group)] = 0
        changed[number, row, category] = 1
    return changed
