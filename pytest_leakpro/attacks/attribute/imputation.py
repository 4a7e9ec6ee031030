"""What all else of a record tells of its secret, without the model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.attribute.answers import picked
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.record_matrix import record_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.attacks.attribute.candidates import Candidates
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.records import Records

__all__ = ["SMALLEST", "Imputation", "Teacher", "imputation_of", "taught_records"]

SMALLEST = 1e-3
"""No value is thought less likely than this."""

_MOST_TAUGHT = 10_000
_TREES = 100
_LEAF = 3
_MISSING = -1e30  # beyond all numbers, so that a tree may split it off


@dataclass(frozen=True, repr=False, eq=False)
class Teacher:
    """Teaches forests of trees to guess a secret from all else of a record and its label.

    Attributes
    ----------
    candidates : Candidates
        The secret's.
    known : Records
        The population, off which categories are coded.
    """

    candidates: Candidates
    known: Records

    def matrix(self, records: Records) -> NDArray[np.float64]:
        """Give all else of records and their labels as numbers, but the secret."""
        blotted = [
            replace(one, inputs=self.candidates.put(one.inputs, 0)) for one in (records, self.known)
        ]
        return np.nan_to_num(record_matrix(*blotted), nan=_MISSING)

    def chances(
        self, taught: NDArray[np.float64], codes: NDArray[np.intp], asked: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Learn which candidate records hold, and give its chances for others.

        Parameters
        ----------
        taught : ndarray of shape (m, d)
            Rows of `matrix`.
        codes : ndarray of int, shape (m,)
            Candidates that they hold, or are thought to.
        asked : ndarray of shape (n, d)
            Rows of `matrix`.

        Returns
        -------
        ndarray of shape (n, k)
            Rows sum to 1, but for rounding; each candidate alike where there is nothing to learn.
        """
        from sklearn.ensemble import RandomForestClassifier

        k = len(self.candidates)
        if len(codes) == 0:
            return np.full((len(asked), k), 1 / k)
        forest: Any = RandomForestClassifier(_TREES, min_samples_leaf=_LEAF, random_state=0)
        chances = np.zeros((len(asked), k))
        with one_thread():
            forest.fit(taught, codes)
            chances[:, forest.classes_] = forest.predict_proba(asked)
        return chances


@dataclass(frozen=True, repr=False, eq=False)
class Imputation:
    """The population as a teacher of what a secret is.

    Attributes
    ----------
    teacher : Teacher
        How forests are taught.
    taught : ndarray of shape (m, d)
        All else of the population's records.
    codes : ndarray of int, shape (m,)
        Which candidates they hold.
    """

    teacher: Teacher
    taught: NDArray[np.float64]
    codes: NDArray[np.intp]

    def chances(self, records: Records) -> NDArray[np.float64]:
        """Give the chances of each candidate by all else of a record, shape (n, k), above 0."""
        found = self.teacher.chances(self.taught, self.codes, self.teacher.matrix(records))
        return np.maximum(found, SMALLEST)

    def shares(self) -> NDArray[np.float64]:
        """Give how common the candidates are, shape (k,), above 0."""
        counts = np.bincount(self.codes, minlength=len(self.teacher.candidates))
        return np.asarray(np.maximum(counts / counts.sum(), SMALLEST))


def taught_records(view: MembershipView) -> Records:
    """Give the records that attacks learn from: the population, at most 10,000 of it."""
    known = view.records("population")
    if len(known) <= _MOST_TAUGHT:
        return known
    drawn = derive_rng(view.seed, "records to learn secrets from").permutation(len(known))
    return picked(known, np.sort(drawn[:_MOST_TAUGHT]))


def imputation_of(candidates: Candidates, known: Records) -> Imputation:
    """Prepare to impute a secret.

    Parameters
    ----------
    candidates : Candidates
        The secret's.
    known : Records
        See `taught_records`.
    """
    teacher = Teacher(candidates, known)
    codes = candidates.codes_of(known.inputs)
    held = codes >= 0
    return Imputation(teacher, teacher.matrix(known)[held], codes[held])
