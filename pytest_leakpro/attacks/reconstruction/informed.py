"""The last record, by who knows all others.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.reconstruction.base_attack import DEFAULT_ATTEMPTS, ReconstructionAttack
from pytest_leakpro.attacks.reconstruction.last_record import (
    final_estimator,
    gradients_of,
    means_of,
)
from pytest_leakpro.attacks.reconstruction.nearness import Attempts
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.containers import is_sparse
from pytest_leakpro.targets.record_numbers import numbers, numeric_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.attacks.reconstruction.last_record import Gradients, Means
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["InformedAttack"]

_FAR_FROM_OPTIMUM = 0.1


@dataclass(frozen=True)
class InformedAttack(ReconstructionAttack):
    """The record that is missing where an attacker knows all others, in closed form.

    At the optimum of a convex objective the gradients of all records and the penalty add up to
    nothing, so the others' sum tells the last one's gradient, and with an intercept that gradient
    is the record and its error. Of means over records (a scaler's, Gaussian naive Bayes's) the last
    record is what is missing from the sum. Done for linear, ridge and logistic regression, Poisson,
    gamma and Tweedie regression, ridge classifiers, Gaussian naive Bayes, discriminant analysis,
    nearest centroids, and whatever stands behind a `StandardScaler` or `PCA`.

    The attacker is the one that differential privacy is defined by, and knows more than most do. So
    the attack runs where it is named only.

    Parameters
    ----------
    attempts : int, optional
        How many members to rebuild, at least 10; by default all, at most 400.

    References
    ----------
    Balle, Cherubin and Hayes (2022), Reconstructing training data with informed adversaries, IEEE
    S&P, section IV: generalised linear models.
    """

    name: ClassVar[str] = "informed"
    access: ClassVar[Access] = Access.WHITE_BOX
    default: ClassVar[bool] = False
    needs_also: ClassVar[str] = "a convex model of scikit-learn, or means; all other records"
    rank: ClassVar[int] = 420

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is not None:
            return reason
        if target.n_train is not None and target.n_train > len(target.inputs):
            return (
                "it knows all records but one, and the model was trained on more than the members "
                f"given (n_train={target.n_train:,})"
            )
        return None

    def n_attempts(self, view: MembershipView) -> int:
        """Give how many members are rebuilt; see `ReconstructionAttack`."""
        most = min(len(view.records("members")), len(view.records("nonmembers")))
        return min(self.attempts or DEFAULT_ATTEMPTS, most)

    def rebuild(
        self,
        view: MembershipView,
        rng: np.random.Generator,
        say: Callable[[str], None],  # noqa: ARG002 - it takes no time
    ) -> Attempts:
        """Rebuild each attempted member from all others; see `ReconstructionAttack.rebuild`."""
        everybody = view.pool[0]
        dropped = view.n_members_given - len(everybody)
        if dropped > 0:
            raise LeakproError(
                f"the attack {self.name!r} knows all records but one, and {dropped:,} of the "
                "members were dropped, since they stand among the non-members too: fix the split"
            )
        X = _matrix(everybody.inputs)
        held, undo = _what_is_held(view.model, X, everybody.labels)
        size = self.n_attempts(view)
        attempted = np.sort(rng.choice(len(view.records("members")), size, replace=False))
        decoys = np.sort(rng.choice(len(view.records("nonmembers")), size, replace=False))
        # Where the attempted ones stand among all.
        place = {position: row for row, position in enumerate(everybody.positions)}
        rows = np.array(
            [place[position] for position in view.records("members").positions[attempted]]
        )
        features = X if undo is None else undo.apply(X)
        found = held.rebuild(features, rows)
        notes = [f"{size:,} members, each by an attacker who knows all others"]
        if held.residual > _FAR_FROM_OPTIMUM:
            notes.append(
                "the members are no optimum of the model's objective: it was trained on others "
                "too, weighted them, or had not converged, so that less is found"
            )
        rebuilt = found if undo is None else undo.back(found)
        return Attempts(rebuilt, attempted, decoys, notes=tuple(notes))


@dataclass(frozen=True, repr=False, eq=False)
class _Steps:
    """The steps of a pipeline before its last, there and back."""

    steps: list[tuple[str, Any]]

    def apply(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        for _, step in self.steps:
            X = np.asarray(step.transform(X), dtype=np.float64)
        return X

    def back(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        for _, step in reversed(self.steps):
            X = np.asarray(step.inverse_transform(X), dtype=np.float64)
        return X

    def lost(self, X: NDArray[np.float64]) -> bool:
        """Whether records do not come back as they were."""
        some = X[:20]
        try:
            return not np.allclose(self.back(self.apply(some)), some, rtol=1e-6, atol=1e-8)
        except (AttributeError, ValueError, TypeError):
            return True


def _matrix(inputs: Any) -> NDArray[np.float64]:
    if is_sparse(inputs):
        return np.asarray(inputs.toarray(), dtype=np.float64)
    columns = numeric_columns(inputs)
    return numbers(inputs, columns)


def _what_is_held(
    model: Any, X: NDArray[np.float64], y: NDArray[Any]
) -> tuple[Gradients | Means, _Steps | None]:
    """Find what of a model tells of its last record, and the steps before it."""
    steps, final = final_estimator(model)
    if np.isnan(X).any():
        raise LeakproError("the attack 'informed': records with missing values have no closed form")
    before = _Steps([])
    found: Gradients | Means | None
    for number, (_, step) in enumerate(steps):
        found = means_of(step, before.apply(X), y)
        if found is not None and not before.lost(X):
            return found, before
        before = _Steps(steps[: number + 1])
    try:
        features = before.apply(X)
    except (ValueError, TypeError, KeyError):
        features = None
    if features is not None:
        found = gradients_of(final, features, y) or means_of(final, features, y)
        if found is not None and not before.lost(X):
            return found, before
    names = " and ".join(type(step).__name__ for step in (*(step for _, step in steps), final))
    raise LeakproError(
        f"the attack 'informed' has no closed form of {names}: it knows linear, ridge and logistic "
        "regression, Poisson, gamma and Tweedie regression, Gaussian naive Bayes, discriminant "
        "analysis, nearest centroids, and whatever stands behind StandardScaler or PCA, of numbers "
        "that the steps before can be undone of"
    )
