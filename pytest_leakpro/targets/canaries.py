"""Canaries: records that an auditor inserts in the training data at random, and remembers.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.containers import concatenate, is_tensor, length, take
from pytest_leakpro.targets.gradient_canaries import GradientCanaries
from pytest_leakpro.targets.labels import label_values
from pytest_leakpro.targets.record_numbers import numbers, numeric_columns, put_numbers
from pytest_leakpro.targets.records import MINIMUM, read_pair
from pytest_leakpro.targets.row_keys import row_keys
from pytest_leakpro.targets.text_canaries import TextCanaries
from pytest_leakpro.targets.tosses import check_seed, toss

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["Canaries"]

_WIDER = 3.0  # standard deviations, in which records lie that no distribution gave


class Canaries:
    """Records for the audit of a training: each is inserted with the toss of a coin.

    What a model tells about which of them were inserted bounds its epsilon from below, with one
    training run. Make the same canaries in the training script and in the test: they, and the
    tosses, follow from the records and the seed.

    Parameters
    ----------
    X, y : container of n records, of n labels
        The canaries, at least 10; as `Classifier` takes members.
    seed : int, default 0
        What the tosses follow from, at least 0.
    truth : path, optional
        A file that remembers which canaries were inserted. It is written where it does not exist;
        where it does, the tosses are read from it, and must be of these canaries. Keep it from
        whoever trains.
    kind : str, optional
        What to call them in records.

    Attributes
    ----------
    X, y : container
        The canaries.
    included : ndarray of bool, shape (n,)
        Which of them were inserted, each with probability 1/2.
    kind : str
        What they are.
    sources : ndarray of int or None
        Where the records stand that canaries were made of: `insert` leaves these out.

    Raises
    ------
    LeakproError
        Where arguments are not as described, or the file is damaged or of other canaries.

    References
    ----------
    Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1) training run, NeurIPS,
    section 1: examples inserted independently at random.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 3)), np.arange(100) % 2
    >>> canaries = Canaries.mislabelled(X, y, 20)
    >>> canaries
    Canaries(20, kind='mislabelled')
    >>> X_train, y_train = canaries.insert(X, y)
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        *,
        seed: int = 0,
        truth: str | PathLike[str] | None = None,
        kind: str = "given",
    ) -> None:
        self.X, self.y = read_pair((X, y), "canaries")
        self.seed = check_seed(seed)
        self.kind = kind
        self.sources: NDArray[np.intp] | None = None
        n = length(self.X)
        self.included = toss(n, self.seed, truth, self._digest)

    def __repr__(self) -> str:
        return f"Canaries({len(self)}, kind={self.kind!r})"

    def __len__(self) -> int:
        return len(self.included)

    @classmethod
    def mislabelled(
        cls,
        X: Any,
        y: Any,
        n: int,
        *,
        seed: int = 0,
        truth: str | PathLike[str] | None = None,
    ) -> Canaries:
        """Make canaries of real records with a wrong label each.

        Parameters
        ----------
        X, y : container
            The training data, or records like them. `insert` leaves out those that canaries were
            made of.
        n : int
            How many canaries, at least 10 and at most the number of records.
        seed, truth
            As for `Canaries`.

        Raises
        ------
        LeakproError
            Also where there is but one label.
        """
        X, y = read_pair((X, y), "the training data")
        drawn, rng = _drawn(length(X), n, seed, "mislabelled")
        labels = np.asarray(label_values(y, "the training data"))
        classes = np.unique(labels)
        if len(classes) < 2:
            raise LeakproError("canaries: there is but one label, so none is wrong")
        ranks = np.searchsorted(classes, labels[drawn])
        shift = rng.integers(1, len(classes), size=len(drawn))
        wrong = classes[(ranks + shift) % len(classes)]
        made = cls(take(X, drawn), _like(wrong, y), seed=seed, truth=truth, kind="mislabelled")
        made.sources = drawn
        return made

    @staticmethod
    def generate(
        n: int,
        template: str,
        *,
        seed: int = 0,
        multiplicity: int | Sequence[int] = 1,
        truth: str | PathLike[str] | None = None,
        locale: str | None = None,
    ) -> TextCanaries:
        """Make text canaries for language models by filling a template at random.

        Parameters
        ----------
        n : int
            How many canaries, at least 10.
        template : str
            With fields: ``{digits:9}`` is nine random digits, all others are filled by Faker
            (``pip install 'pytest-leakpro[text]'``): ``{name}``, ``{address}``, ``{ssn}``, ….
        seed : int, default 0
            What fillings and tosses follow from, at least 0. What Faker fills also depends on its
            version.
        multiplicity : int or sequence of int, default 1
            How often a canary is inserted, if it is: several are dealt out in turn.
        truth : path, optional
            As for `Canaries`.
        locale : str, optional
            Of Faker, such as ``"sv_SE"``.

        Returns
        -------
        TextCanaries
            ``insert(texts)`` gives the training texts with those that are included,
            ``candidates(n)`` other fillings to rank them among.

        Raises
        ------
        LeakproError
            Where the template has no field, one that nobody knows, or fewer than 2n fillings.

        Examples
        --------
        >>> canaries = Canaries.generate(100, "Her number is {digits:9}.", multiplicity=[1, 4])
        >>> canaries
        TextCanaries(100, multiplicities=[1, 4])
        """
        return TextCanaries.from_template(
            n, template, seed=seed, multiplicity=multiplicity, truth=truth, locale=locale
        )

    @classmethod
    def out_of_distribution(
        cls,
        X: Any,
        y: Any,
        n: int,
        *,
        seed: int = 0,
        truth: str | PathLike[str] | None = None,
    ) -> Canaries:
        """Make canaries that no distribution gave: numbers far and wide, labels at random.

        Parameters
        ----------
        X, y : container
            The training data, for kinds and scales of columns. Numbers are uniform over three
            standard deviations on either side of the mean, all else is taken from records at
            random.
        n : int
            How many canaries, at least 10 and at most the number of records.
        seed, truth
            As for `Canaries`.
        """
        X, y = read_pair((X, y), "the training data")
        drawn, rng = _drawn(length(X), n, seed, "out of distribution")
        columns = numeric_columns(X)
        known = numbers(X, columns)
        with np.errstate(invalid="ignore"):
            centre, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
        places = rng.uniform(-_WIDER, _WIDER, size=(len(drawn), len(columns)))
        made = put_numbers(take(X, drawn), columns, centre + spread * places)
        labels = np.unique(np.asarray(label_values(y, "the training data")))
        picked = labels[rng.integers(0, len(labels), size=len(drawn))]
        return cls(made, _like(picked, y), seed=seed, truth=truth, kind="out of distribution")

    @staticmethod
    def gradients(
        n: int, *, seed: int = 0, truth: str | PathLike[str] | None = None
    ) -> GradientCanaries:
        """Make canaries for who sees every step of a training with Opacus.

        Parameters
        ----------
        n : int
            How many gradients, at least 10 and at most the number of weights that are trained.
        seed, truth
            As for `Canaries`.

        Returns
        -------
        GradientCanaries
            For `pytest_leakpro.opacus.watch_training`.
        """
        return GradientCanaries(n, seed=seed, truth=truth)

    def insert(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Give training data with the canaries that are included, in random order.

        Parameters
        ----------
        X, y : container
            The training data: of mislabelled canaries the same that they were made of.

        Returns
        -------
        tuple
            (X, y) in the containers given.

        Raises
        ------
        LeakproError
            Where these are not the data that the canaries were made of.
        """
        X, y = read_pair((X, y), "the training data")
        if self.sources is not None:
            n = length(X)
            if self.sources.max() >= n or _keys(take(X, self.sources)) != _keys(self.X):
                raise LeakproError(
                    "canaries: insert() takes the records that they were made of, which these "
                    "are not: give the same X and y as to Canaries.mislabelled"
                )
            kept = np.setdiff1d(np.arange(n), self.sources)
            X, y = take(X, kept), take(y, kept)
        places = np.flatnonzero(self.included)
        both_X = concatenate([X, take(self.X, places)])
        both_y = concatenate([y, take(self.y, places)])
        order = derive_rng(self.seed, "canaries", "order").permutation(length(both_X))
        return take(both_X, order), take(both_y, order)

    def side(self, *, included: bool) -> tuple[Any, Any]:
        """Give the canaries that were inserted, or those that were not, as ``(X, y)``."""
        places = np.flatnonzero(self.included == included)
        return take(self.X, places), take(self.y, places)

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for keys in (_keys(self.X), [str(label) for label in label_values(self.y, "canaries")]):
            digest.update(repr(keys).encode())
        return digest.hexdigest()


def _keys(X: Any) -> list[Any]:
    return row_keys([X])[0]


def _drawn(
    n_records: int, n: Any, seed: Any, kind: str
) -> tuple[NDArray[np.intp], np.random.Generator]:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not MINIMUM <= n <= n_records:
        raise LeakproError(
            f"canaries: n is the number of canaries, from {MINIMUM} to {n_records}, the number of "
            "records"
        )
    rng = derive_rng(check_seed(seed), "canaries", kind)
    return np.sort(rng.choice(n_records, size=int(n), replace=False)), rng


def _like(labels: NDArray[Any], like: Any) -> Any:
    """Give labels in a container of the kind that others are in."""
    if is_tensor(like):
        return like.new_tensor(labels.tolist())
    if isinstance(like, list):
        return labels.tolist()
    if hasattr(like, "iloc"):
        return type(like)(labels, dtype=like.dtype, name=like.name)
    return labels
