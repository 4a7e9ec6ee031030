"""Of whom the structure of a model tells: leaves and parameters that few people made.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.content_attack import ContentAttack, Found, silent
from pytest_leakpro.gate.counts import Counts
from pytest_leakpro.gate.metrics.structural_risk import SMALLEST_GROUP, smallest_group
from pytest_leakpro.targets.callable_model import is_plain_callable
from pytest_leakpro.targets.inner_models import inner_models
from pytest_leakpro.targets.leaves import leaves_of
from pytest_leakpro.targets.small_groups import Grouping, groupings_of, has_embedding

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.inner_models import InnerModel
    from pytest_leakpro.targets.leaves import Leaves
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.units import Units

__all__ = ["StructuralRisk"]

_MOST_PLACES = 5


@dataclass(frozen=True)
class StructuralRisk(ContentAttack):
    """A census of the members in parts of a model that fewer than k people made.

    Such a part is a leaf of a tree (of any tree of an ensemble, each of which can be seen), the
    parameters of a class, a category of an encoder, a term of a vocabulary, a cluster, a row of an
    embedding. A leaf of one person is a rule that singles a person out; of a small leaf whose
    people all have one label, whoever is known to fall there has that label. Counted are the
    members that the user gave, and all of them that fall into a leaf, but of a scikit-learn forest
    whose bootstrap samples can be drawn again only those that a tree was grown on.

    SACRO-ML's k-anonymity looks at the smallest class of records that the leaves of all trees
    together do not tell apart; here each leaf of each tree counts, since each can be read, and the
    joint classes stand in the notes.

    References
    ----------
    Smith et al. (2024), Safe machine learning model release from trusted research environments:
    the SACRO-ML package, structural attacks: k-anonymity, class disclosure, residual degrees of
    freedom.
    """

    name: ClassVar[str] = "structural_risk"
    metrics: ClassVar[tuple[str, ...]] = ("structural_risk",)
    access: ClassVar[None] = None
    rank: ClassVar[int] = 401

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and is_plain_callable(target.model):
            return (
                "it looks at the structure of a fitted model, and a function has none: give the "
                "estimator or the module that it asks"
            )
        return reason

    def parts_of(self, view: MembershipView, metric: MetricName) -> tuple[int, ...]:
        """Give the size of the smallest group that is safe; see `ContentAttack.parts_of`."""
        del view
        return (smallest_group(metric),)

    def find(
        self,
        view: MembershipView,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is drawn
        part: Hashable | None = None,
        say: Callable[[str], None] = silent,  # noqa: ARG002 - it takes seconds
    ) -> Found:
        """Count the members in small parts; see `ContentAttack.find`."""
        k = part if isinstance(part, int) else SMALLEST_GROUP
        members = view.pool[0]
        units = members.units
        census = _Census(k, units)
        if not view.regression:
            codes = np.asarray(members.labels).astype(np.intp)
            census.add(Grouping.of_codes("", "classes", codes))
        for inner in inner_models(view.artefact, members.inputs):
            census.look_at(inner, members.labels, regression=view.regression)
        notes = [
            *census.notes,
            *_degrees_of_freedom(view.artefact, len(units), k),
            *census.left_out(regression=view.regression),
        ]
        at_risk = census.smallest < k
        exposed = np.flatnonzero(at_risk)
        return Found(
            Counts(int(at_risk.sum()), len(units)),
            tuple(notes),
            census.details,
            (units.ids[exposed], 1.0 / census.smallest[exposed]),
        )


@dataclass
class _Census:
    """What was counted so far.

    Attributes
    ----------
    k : int
        From which size on a group is safe.
    units : Units
        The members.
    """

    k: int
    units: Units
    notes: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    looked_at: bool = False
    unknown: list[str] = field(default_factory=list)
    out_of_reach: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.smallest = np.full(len(self.units), np.inf)
        self._told = 0

    def look_at(self, inner: InnerModel, labels: NDArray[Any], *, regression: bool) -> None:
        """Count the people of each leaf and group of one estimator."""
        where = inner.path or "the model"
        if not inner.known:
            self.unknown.append(f"{where} ({type(inner.model).__name__})")
        elif inner.inputs is None:
            self.out_of_reach.append(where)
        else:
            leaves = leaves_of(inner)
            if leaves is not None:
                self.add_leaves(leaves, labels, regression=regression)
            groupings = list(groupings_of(inner))
            for grouping in groupings:
                self.add(grouping)
            if not groupings and has_embedding(inner.model):
                self.out_of_reach.append(f"the embedding of {where}")

    def left_out(self, *, regression: bool) -> list[str]:
        """Say what was not looked at, and where there is nothing to look at."""
        said = []
        for parts, why in (
            (self.unknown, "is of no library whose structure is known"),
            (self.out_of_reach, "gets records that cannot be worked out"),
        ):
            if parts:
                more = f" and {len(parts) - _MOST_PLACES:,} more" * (len(parts) > _MOST_PLACES)
                said.append(f"not looked at: {', '.join(parts[:_MOST_PLACES])}{more}: {why}")
        if not (said or self.looked_at):
            besides = "" if regression else ", besides its classes,"
            said.append(
                f"the model has{besides} neither leaves nor parameters of single groups: nothing "
                "to count"
            )
        return said

    def add(self, grouping: Grouping) -> None:
        """Count the people of each group."""
        if grouping.noun != "classes":
            self.looked_at = True
        people, groups = _distinct(self.units.codes[grouping.records], grouping.groups)
        counts = np.bincount(groups) if len(groups) else np.zeros(0, np.intp)
        sizes = counts[groups]
        np.minimum.at(self.smallest, people, sizes)
        small = int(((counts > 0) & (counts < self.k)).sum())
        if not small:
            return
        within = len(np.unique(people[sizes < self.k]))
        where = f"{grouping.path}: " if grouping.path else ""
        self._tell(
            f"{where}{small:,} {grouping.noun} with fewer than {self.k} {self.units.noun}, "
            f"{within:,} in all"
        )
        self.details[grouping.path or grouping.noun] = {"small": small, "members": within}

    def add_leaves(self, leaves: Leaves, labels: NDArray[Any], *, regression: bool) -> None:
        """Count the people of each leaf of each tree."""
        self.looked_at = True
        n = len(self.units)
        smallest = np.full(n, np.inf)
        pure = np.zeros(n, dtype=bool)
        small = total = 0
        for tree in range(leaves.places.shape[1]):
            inside = slice(None) if leaves.in_bag is None else leaves.in_bag[:, tree]
            of = self.units.codes[inside]
            people, groups = _distinct(of, leaves.places[inside, tree])
            counts = np.bincount(groups)
            sizes = counts[groups]
            np.minimum.at(smallest, people, sizes)
            small += int(((counts > 0) & (counts < self.k)).sum())
            total += int((counts > 0).sum())
            if not regression:
                one = _of_one_label(leaves.places[inside, tree], labels[inside])
                pure[people[one[groups] & (sizes < self.k)]] = True
        np.minimum.at(self.smallest, np.arange(n), smallest)
        within, alone = int((smallest < self.k).sum()), int((smallest == 1).sum())
        self.details[leaves.path or "leaves"] = {
            "leaves": total,
            "small": small,
            "members": within,
            "alone": alone,
            "of_one_class": int(pure.sum()),
        }
        records = len(leaves.places)
        most = leaves.grown_on[1] if leaves.grown_on else 0
        if most > records:
            where = f"{leaves.path}: " if leaves.path else ""
            self._tell(
                f"{where}grown on {most:,} records, of which {records:,} were given: leaves hold "
                "more people than were counted"
            )
        if not within:
            return
        noun = self.units.noun
        said = (
            f"{within:,} of {n:,} members ({noun}) stand in a leaf of fewer than {self.k} "
            f"({small:,} of {total:,} leaves)"
        )
        if alone:
            said += f"; {alone:,} are alone in one"
        if pure.any():
            said += f"; {int(pure.sum()):,} in such a leaf of one class only"
        if leaves.places.shape[1] > 1:
            joint = self._joint(leaves)
            said += f"; {joint:,} share all their leaves with fewer than {self.k}"
            self.details[leaves.path or "leaves"]["joint"] = joint
        if leaves.in_bag is not None:
            said += "; of each tree those that it was grown on"
        elif leaves.by_draw or (leaves.grown_on and leaves.grown_on[0] < records):
            said += "; trees were grown on a part of the members, all that fall into a leaf count"
        self._tell(f"{leaves.path}: {said}" if leaves.path else said)

    def _joint(self, leaves: Leaves) -> int:
        """Count those whom an ensemble as a whole does not tell from fewer than k people."""
        _, groups = np.unique(leaves.places, axis=0, return_inverse=True)
        people, groups = _distinct(self.units.codes, np.ravel(groups))
        sizes = np.bincount(groups)[groups]
        return len(np.unique(people[sizes < self.k]))

    def _tell(self, text: str) -> None:
        self._told += 1
        if self._told <= _MOST_PLACES:
            self.notes.append(text)
        else:
            more = f"{self._told - _MOST_PLACES:,} more such parts stand in the record"
            self.notes[_MOST_PLACES:] = [more]


def _distinct(
    people: NDArray[np.intp], groups: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give each pair of a person and a group once."""
    if len(groups) == 0:
        return people, groups
    width = int(groups.max()) + 1
    pairs = np.unique(people * width + groups)
    return pairs // width, pairs % width


def _of_one_label(places: NDArray[np.intp], labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which leaves hold records of one label only."""
    labels = np.asarray(labels).astype(np.intp)
    size = int(places.max()) + 1
    least = np.full(size, np.iinfo(np.intp).max)
    most = np.full(size, -1)
    np.minimum.at(least, places, labels)
    np.maximum.at(most, places, labels)
    return np.asarray(least == most)


def _degrees_of_freedom(model: Any, n: int, k: int) -> list[str]:
    """Say where a linear model has nearly as many parameters as there are people."""
    last = [inner.model for inner in inner_models(model, None) if hasattr(inner.model, "coef_")]
    notes = []
    for part in last:
        coefficients = np.size(part.coef_) + np.size(getattr(part, "intercept_", 0.0))
        if n - coefficients < k:
            notes.append(
                f"{coefficients:,} coefficients were estimated from {n:,} members: fewer than {k} "
                "residual degrees of freedom"
            )
    return notes
