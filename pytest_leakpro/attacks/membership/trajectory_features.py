"""What is read off trajectories: the target's, and how it stands to those of the shadow models.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.membership.playing import others_further
from pytest_leakpro.attacks.membership.signal_reader import signal_reader
from pytest_leakpro.store.scratch import scratch_array

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["N_COLUMNS", "TrajectoryFeatures"]

N_COLUMNS = 5
"""Per metric and step: the target's value; its distance from the mean of the models that saw the
record, and of those that did not; the standard deviations of both."""

_SAMPLED = 20_000
_ENDS = (0.05, 0.95)
_FURTHEST = 8.0  # in widths of the middle nine tenths
_CELLS = 1 << 22


class TrajectoryFeatures:
    """Reads trajectories of records on a scale that shadow models settle.

    Parameters
    ----------
    shadow : ndarray of shape (K, q, n)
        Trajectories of the shadow models, q metrics times steps.
    n_metrics : int
        How many metrics there are.
    regression : bool
        Whether they are minus squared errors, of which logarithms are taken.
    """

    def __init__(self, shadow: NDArray[Any], n_metrics: int, *, regression: bool) -> None:
        self._n_metrics = n_metrics
        some = np.linspace(0, shadow.shape[2] - 1, min(shadow.shape[2], _SAMPLED)).astype(np.intp)
        self._logs = [
            signal_reader("log-error", shadow[:, row, some]) if regression else None
            for row in range(shadow.shape[1])
        ]
        ends = np.stack(
            [
                np.quantile(self._read(row, shadow[:, row, some]), _ENDS)
                for row in range(shadow.shape[1])
            ]
        )
        self._middle = ends.mean(axis=1)
        width = ends[:, 1] - ends[:, 0]
        self._width = np.where(width > 0, width, 1.0)

    @property
    def n_rows(self) -> int:
        """Number of rows that are read, metrics times steps."""
        return len(self._middle)

    @property
    def n_steps(self) -> int:
        """Number of steps, T."""
        return self.n_rows // self._n_metrics

    @property
    def n_channels(self) -> int:
        """Number of columns at each step."""
        return N_COLUMNS * self._n_metrics

    def read(
        self, target: NDArray[Any], shadow: NDArray[Any], included: NDArray[np.bool_], without: int
    ) -> NDArray[np.float32]:
        """Read the features of all records.

        Parameters
        ----------
        target : ndarray of shape (n_rows, n)
            The attacked model's trajectories.
        shadow : ndarray of shape (K, q, n)
            The shadow models', of which the first rows are read.
        included : ndarray of bool, shape (K, n)
            Which shadow model saw which record; each record in two others and out of two.
        without : int
            The shadow model that is left out, with one of the other kind per record; see
            `pytest_leakpro.attacks.membership.playing.others`.

        Returns
        -------
        ndarray of shape (n, T, n_channels)
            Finite; mapped from a file where it is large.
        """
        n_rows, n_records = target.shape
        shadow = shadow[:, :n_rows]
        features = scratch_array((n_records, self.n_steps, self.n_channels), np.float32)
        for block in _blocks(shadow.shape):
            signals, inside = others_further(shadow[:, :, block], included[:, block], without)
            columns = features[block].reshape(-1, self.n_steps, self._n_metrics, N_COLUMNS)
            for row in range(n_rows):
                metric, step = divmod(row, self.n_steps)
                own = self._scaled(row, target[row, block])
                columns[:, step, metric, 0] = own
                values = self._scaled(row, signals[:, row])
                for place, kind in ((1, inside), (2, ~inside)):
                    count = kind.sum(axis=0)
                    mean = np.where(kind, values, 0.0).sum(axis=0) / count
                    squares = np.where(kind, (values - mean) ** 2, 0.0).sum(axis=0)
                    columns[:, step, metric, place] = own - mean
                    columns[:, step, metric, place + 2] = np.sqrt(squares / (count - 1))
            features[block] = columns.reshape(-1, self.n_steps, self.n_channels)
        return features

    def _read(self, row: int, values: NDArray[Any]) -> NDArray[Any]:
        read = self._logs[row]
        return values if read is None else read(values)

    def _scaled(self, row: int, values: NDArray[Any]) -> NDArray[np.float64]:
        scaled = (self._read(row, values) - self._middle[row]) / self._width[row]
        return np.asarray(np.clip(scaled, -_FURTHEST, _FURTHEST), dtype=np.float64)


def _blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Give slices of records that bound what is held at a time."""
    n_models, n_rows, n_records = shape
    size = max(1, _CELLS // (n_models * n_rows))
    for start in range(0, n_records, size):
        yield slice(start, min(start + size, n_records))
