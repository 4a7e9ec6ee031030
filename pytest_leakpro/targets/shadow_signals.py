"""What shadow models say about the audited records, and which of them saw which record.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store.scratch import scratch_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["FEWEST_MODELS", "ShadowSignals"]

FEWEST_MODELS = 4


class ShadowSignals:
    """Signals of shadow models: each trained as the target was, on other records of the same pool.

    Parameters
    ----------
    shadow : array_like or path of shape (K, n)
        The signal of each of K shadow models on each of the n audited records: members first, then
        non-members, in the order in which the target has them. Of a classifier the log-odds of the
        true class, ``log p - log(1 - p)``; of a regressor minus the squared error. A path to a
        ``.npy`` file is mapped, not read.
    included : array_like or path of shape (K, n)
        Whether the record was in that shadow model's training set.
    further : mapping of str to ndarray of shape (K, q, m), optional
        What else was read of the shadow models, by name, on the m members and non-members.

    Raises
    ------
    LeakproError
        For shapes that do not match, values that are not finite, fewer than four shadow models, or
        a record that was never in or never out.

    Examples
    --------
    >>> import numpy as np
    >>> included = np.arange(4)[:, None] % 2 == np.arange(30) % 2
    >>> ShadowSignals(shadow=included * 1.5, included=included)
    ShadowSignals(models=4, records=30)
    """

    def __init__(
        self,
        shadow: ArrayLike | PathLike[str] | str,
        included: ArrayLike | PathLike[str] | str,
        further: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        self.shadow: NDArray[Any] = _load(shadow, "shadow")
        inside = _load(included, "included")
        if self.shadow.ndim != 2 or self.shadow.dtype.kind not in "fiub":
            raise LeakproError(
                f"signals: shadow is of shape {self.shadow.shape} and type {self.shadow.dtype}: "
                "give numbers of shape (shadow models, records)"
            )
        if inside.shape != self.shadow.shape:
            raise LeakproError(
                f"signals: included has shape {inside.shape}, shadow {self.shadow.shape}: give "
                "both per shadow model and record"
            )
        if inside.dtype != bool:
            if not np.isin(inside, (0, 1)).all():
                raise LeakproError("signals: included holds values other than True and False")
            inside = inside.astype(bool)
        self.included: NDArray[np.bool_] = inside
        self.further: dict[str, NDArray[Any]] = dict(further or {})
        if self.n_models < FEWEST_MODELS:
            raise LeakproError(
                f"signals: {self.n_models} shadow models are too few: give at least {FEWEST_MODELS}"
            )
        n_wrong = sum(int(np.sum(~np.isfinite(row))) for row in self.shadow)
        if n_wrong:
            raise LeakproError(f"signals: {n_wrong:,} values of shadow are NaN or infinite")

    def __repr__(self) -> str:
        return f"ShadowSignals(models={self.n_models}, records={self.n_records})"

    @property
    def n_models(self) -> int:
        """Number of shadow models, K."""
        return int(self.shadow.shape[0])

    @property
    def n_records(self) -> int:
        """Number of records that they scored, n."""
        return int(self.shadow.shape[1])

    def require_both(self, counted: slice) -> None:
        """Check that each counted record was in some shadow models and out of others.

        Parameters
        ----------
        counted : slice
            The records that are scored.

        Raises
        ------
        LeakproError
        """
        n_in = self.included[:, counted].sum(axis=0)
        never = int(np.sum(n_in == 0)), int(np.sum(n_in == self.n_models))
        if any(never):
            raise LeakproError(
                f"signals: {never[0]:,} records were in no shadow model and {never[1]:,} in all: "
                "each record must have been in some and out of others"
            )

    def take(self, positions: NDArray[np.intp]) -> ShadowSignals:
        """Take some of the records, by position; what stands side by side is not copied."""
        n = len(positions)
        first = int(positions[0]) if n else 0
        if np.array_equal(positions, np.arange(first, first + n)):
            beside = slice(first, first + n)
            further = {name: values[:, :, beside] for name, values in self.further.items()}
            return self._part(self.shadow[:, beside], self.included[:, beside], further)
        shadow = scratch_array((self.n_models, n), self.shadow.dtype)
        included = scratch_array((self.n_models, n), bool)
        for index in range(self.n_models):
            shadow[index] = self.shadow[index, positions]
            included[index] = self.included[index, positions]
        further = {}
        for name, values in self.further.items():
            further[name] = scratch_array((*values.shape[:2], n), values.dtype)
            for index in range(self.n_models):
                further[name][index] = values[index][:, positions]
        return self._part(shadow, included, further)

    def with_further(self, names: Iterable[str]) -> ShadowSignals:
        """Give the same signals, with no more of what else was read than these names."""
        further = {name: self.further[name] for name in names if name in self.further}
        return self._part(self.shadow, self.included, further)

    @classmethod
    def _part(
        cls,
        shadow: NDArray[Any],
        included: NDArray[np.bool_],
        further: dict[str, NDArray[Any]],
    ) -> ShadowSignals:
        """Give part of what was checked as a whole."""
        part = cls.__new__(cls)
        part.shadow, part.included = np.asarray(shadow), np.asarray(included)
        part.further = further
        return part


def _load(given: Any, name: str) -> NDArray[Any]:
    if isinstance(given, (str, PathLike)):
        path = fspath(given)
        try:
            loaded: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise LeakproError(f"signals: {name} cannot be read from {path}: {error}") from error
        return loaded
    try:
        return np.asarray(given)
    except ValueError as error:
        raise LeakproError(f"signals: {name} is no array: {error}") from error
