"""What single attacks read off signals, side by side: the columns of the learned attack.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from pytest_leakpro.attacks.membership.playing import others
from pytest_leakpro.attacks.membership.signal_reader import signal_reader
from pytest_leakpro.stats.reference_ratio import log_ratio, reference_log_probability
from pytest_leakpro.stats.signal_laws import (
    Variance,
    log_likelihood,
    record_blocks,
    record_moments,
    unit_of,
)
from pytest_leakpro.store.scratch import scratch_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["ShadowFeatures"]

# A float32 holds them, and log ratios of laws that are all but points are larger.
_LARGEST = 1e30
_FAR = 4.0
_MOST_ROWS = 12


class ShadowFeatures:
    """Reads features of records, on a scale and at a resolution that shadow models settle.

    Per signal (log-odds and probability of the true class, or error and log error): the target's;
    mean and standard deviation over the models that saw the record, and over those that did not;
    the target's distance from both means; the moderated, global and per-example likelihood ratios.
    Of a classifier the log ratio of the target's probability to the models' mean, too. At last the
    class.

    Of every row of whatever else was read: the target's; standard deviations and the target's
    distances from the means, over the models without the record and over those with it; the
    moderated likelihood ratio. Where there are several rows their mean ratio, too; of more than
    twelve rows single columns are those of twelve, at even distances.

    Parameters
    ----------
    shadow : ndarray of shape (K, n)
        Signals of the shadow models.
    regression : bool
        Whether they are minus squared errors.
    further : mapping of str to ndarray of shape (K, q, n), optional
        What else was read of them, by name.
    """

    def __init__(
        self,
        shadow: NDArray[Any],
        *,
        regression: bool,
        further: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        names = ("error", "log-error") if regression else ("logit", "probability")
        self._readers = [signal_reader(name, shadow) for name in names]
        self._log_p = None if regression else signal_reader("loss", shadow)
        ends = np.array([[row.min(), row.max()] for row in shadow], dtype=float)
        # What lies further out than any shadow model's signal says no more, and may overflow.
        self._reach = _FAR * float(np.abs(ends).max())
        # One unit for all plays, as what is learned from one must hold for the others.
        self._units = [unit_of(float(np.abs(read(ends)).max())) for read in self._readers]
        self._sizes = {name: _sizes(values) for name, values in (further or {}).items()}

    @property
    def names(self) -> tuple[str, ...]:
        """What else is read, by name."""
        return tuple(self._sizes)

    @property
    def n_features(self) -> int:
        """Number of columns."""
        further = sum(6 * len(_single(len(q))) + (len(q) > 1) for q in self._sizes.values())
        return 10 * len(self._readers) + (self._log_p is not None) + further + 1

    def read(
        self,
        target: NDArray[Any],
        shadow: NDArray[Any],
        included: NDArray[np.bool_],
        classes: NDArray[Any],
        without: int,
        further: Mapping[str, tuple[NDArray[Any], NDArray[Any]]] | None = None,
    ) -> NDArray[np.float32]:
        """Read the features of all records.

        Parameters
        ----------
        target : ndarray of shape (n,)
            The attacked model's signals.
        shadow : ndarray of shape (K, n)
            The shadow models'.
        included : ndarray of bool, shape (K, n)
            Which shadow model saw which record.
        classes : ndarray of shape (n,)
            Of the records.
        without : int
            The shadow model that is left out, with one of the other kind per record; see `others`.
        further : mapping of str to pair of ndarray, optional
            What else was read of the attacked model, (q, n), and of the shadow models, (K, q, n);
            all of `names`.

        Returns
        -------
        ndarray of shape (n, n_features)
            Finite; mapped from a file where it is large.
        """
        n_records = len(target)
        target = np.clip(target, -self._reach, self._reach)
        features = scratch_array((n_records, self.n_features), np.float32)
        columns = iter(range(self.n_features))

        def add(column: NDArray[Any]) -> None:
            features[:, next(columns)] = np.clip(column, -_LARGEST, _LARGEST)

        # One signal after the other: what is kept of each, of every record, is large.
        for read, unit in zip(self._readers, self._units, strict=True):
            moments, counts = _moments(read, shadow, included, without, unit)
            _add_signal(add, read(target), moments, counts, unit)
            del moments, counts
        if self._log_p is not None:
            reference = np.empty(n_records)
            for block in record_blocks(shadow.shape):
                signals, inside = others(shadow[:, block], included[:, block], without)
                reference[block] = reference_log_probability(self._log_p(signals), inside)
            add(log_ratio(self._log_p(target), reference))
        for name, sizes in self._sizes.items():
            own, theirs = (further or {})[name]
            _add_reading(add, own, theirs, included, without, sizes)
        add(classes)
        return features


def _sizes(values: NDArray[Any]) -> list[float]:
    """Give the largest magnitude of each row that was read, of values of shape (K, q, n)."""
    rows = range(values.shape[1])
    return [max(float(np.abs(model[row]).max()) for model in values) for row in rows]


def _single(n_rows: int) -> NDArray[np.intp]:
    """Choose the rows that have columns of their own."""
    return np.linspace(0, n_rows - 1, min(n_rows, _MOST_ROWS)).astype(np.intp)


def _moments(
    read: Callable[[NDArray[Any]], NDArray[Any]],
    shadow: NDArray[Any],
    included: NDArray[np.bool_],
    without: int,
    unit: float,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Give moments of shape (2, 2, n) and counts, over models without the record and with it."""
    n_records = shadow.shape[1]
    moments = np.empty((2, 2, n_records))
    counts = np.empty((2, n_records), dtype=np.int32)
    for block in record_blocks(shadow.shape):
        signals, inside = others(shadow[:, block], included[:, block], without)
        counts[1, block] = inside.sum(axis=0)
        counts[0, block] = len(inside) - counts[1, block]
        values = read(signals)
        for kind in (0, 1):
            moments[kind, :, block] = record_moments(
                values, inside, bool(kind), counts[kind, block], unit
            )
    return moments, counts


def _add_reading(
    add: Callable[[NDArray[Any]], None],
    target: NDArray[Any],
    shadow: NDArray[Any],
    included: NDArray[np.bool_],
    without: int,
    sizes: list[float],
) -> None:
    """Add the columns of all rows of a reading; target of shape (q, n), shadow (K, q, n)."""
    single = set(_single(len(sizes)))
    total = np.zeros(target.shape[1])
    for row, size in enumerate(sizes):
        unit = unit_of(size)
        own = np.clip(target[row], -_FAR * size, _FAR * size)
        moments, counts = _moments(np.asarray, shadow[:, row], included, without, unit)
        ratio = _log_ratio(own, moments, counts, "moderated", unit)
        total += ratio / len(sizes)
        if row not in single:
            continue
        add(own * unit)
        for (mean, squares), count in zip(moments, counts, strict=True):
            add(np.sqrt(squares / (count - 1)))
            add(own * unit - mean)
        add(ratio)
    if len(sizes) > 1:
        add(total)


def _add_signal(
    add: Callable[[NDArray[Any]], None],
    target: NDArray[Any],
    moments: NDArray[Any],
    counts: NDArray[np.int32],
    unit: float,
) -> None:
    """Add the ten columns of one signal."""
    scaled = target * unit
    add(scaled)
    for (mean, squares), count in zip(moments, counts, strict=True):
        add(mean)
        add(np.sqrt(squares / (count - 1)))
        add(scaled - mean)
    for variance in get_args(Variance):
        add(_log_ratio(target, moments, counts, variance, unit))


def _log_ratio(
    target: NDArray[Any],
    moments: NDArray[Any],
    counts: NDArray[np.int32],
    variance: Variance,
    unit: float,
) -> NDArray[np.float64]:
    """Give the log-likelihood ratio of a signal, models with the record against those without."""
    ratio = np.zeros(len(target))
    for sign, (mean, squares), count in zip((-1, 1), moments, counts, strict=True):
        ratio += sign * log_likelihood(target, (mean, squares), count, variance, unit)
    return ratio
