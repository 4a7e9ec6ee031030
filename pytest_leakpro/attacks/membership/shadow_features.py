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
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["ShadowFeatures"]

# A float32 holds them, and log ratios of laws that are all but points are larger.
_LARGEST = 1e30
_FAR = 4.0


class ShadowFeatures:
    """Reads features of records, on a scale and at a resolution that shadow models settle.

    Per signal (log-odds and probability of the true class, or error and log error): the target's;
    mean and standard deviation over the models that saw the record, and over those that did not;
    the target's distance from both means; the moderated, global and per-example likelihood ratios.
    Of a classifier the log ratio of the target's probability to the models' mean, too. At last the
    class.

    Parameters
    ----------
    shadow : ndarray of shape (K, n)
        Signals of the shadow models.
    regression : bool
        Whether they are minus squared errors.
    """

    def __init__(self, shadow: NDArray[Any], *, regression: bool) -> None:
        names = ("error", "log-error") if regression else ("logit", "probability")
        self._readers = [signal_reader(name, shadow) for name in names]
        self._log_p = None if regression else signal_reader("loss", shadow)
        ends = np.array([[row.min(), row.max()] for row in shadow], dtype=float)
        # What lies further out than any shadow model's signal says no more, and may overflow.
        self._reach = _FAR * float(np.abs(ends).max())
        # One unit for all plays, as what is learned from one must hold for the others.
        self._units = [unit_of(float(np.abs(read(ends)).max())) for read in self._readers]

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return 10 * len(self._readers) + (self._log_p is not None) + 1

    def read(
        self,
        target: NDArray[Any],
        shadow: NDArray[Any],
        included: NDArray[np.bool_],
        classes: NDArray[Any],
        without: int,
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
            _add_signal(add, read(target), moments, counts, unit)
            del moments, counts
        if self._log_p is not None:
            reference = np.empty(n_records)
            for block in record_blocks(shadow.shape):
                signals, inside = others(shadow[:, block], included[:, block], without)
                reference[block] = reference_log_probability(self._log_p(signals), inside)
            add(log_ratio(self._log_p(target), reference))
        add(classes)
        return features


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
        ratio = np.zeros(len(target))
        for sign, (mean, squares), count in zip((-1, 1), moments, counts, strict=True):
            ratio += sign * log_likelihood(target, (mean, squares), count, variance, unit)
        add(ratio)
