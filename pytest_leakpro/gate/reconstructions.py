"""Reconstructions: how well records were rebuilt, beside guesses that saw no update.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.criterion import MEASURES
from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.evidence import Evidence
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Reconstructions"]

_FEWEST_DRAWN = 10  # records, below which a histogram would tell of single ones


@dataclass(frozen=True, repr=False, eq=False)
class Reconstructions(Evidence):
    """How well each record of one or several batches was rebuilt from what a client sent.

    Parameters
    ----------
    quality : mapping of str to array_like of shape (n,)
        By measure one number per record: ``mse`` (the smaller, the better), ``psnr`` (dB; infinite
        for an exact copy), ``ssim`` in [-1, 1]; shares in [0, 1]: ``columns`` and ``tokens`` that
        are right, ``rouge`` (F1 of ROUGE-L), ``label`` (1 where it was recovered).
    baseline : mapping of str to array_like of shape (n,)
        The same measures of reconstructions of the same records that saw no update.
    batches : array_like of int or str, of shape (n,), optional
        Which batch each record is of; all of one by default.
    name : str, optional
        What the summary calls them.

    Attributes
    ----------
    named : bool
        Whether `name` was given: it is then part of the identity in a baseline.

    Raises
    ------
    LeakproError
        Where measures are unknown, missing on one side, of unequal lengths or out of their range.

    Notes
    -----
    What one update gives away of its records depends on all of them, so the independent unit is the
    batch. One batch is a census of that update: value and bounds are one number.

    References
    ----------
    Zhu, Liu and Han (2019), Deep leakage from gradients, NeurIPS; Geiping et al. (2020), Inverting
    gradients: how easy is it to break privacy in federated learning?, NeurIPS.

    Examples
    --------
    >>> Reconstructions(quality={"ssim": [0.9, 0.2]}, baseline={"ssim": [0.1, 0.0]})
    Reconstructions(records=2, batches=1, quality=['ssim'])
    """

    quality: Mapping[str, NDArray[Any]]
    baseline: Mapping[str, NDArray[Any]]
    batches: NDArray[Any]
    name: str
    named: bool
    kind: ClassVar[str] = "reconstructions"
    noun: ClassVar[str] = "reconstructions"
    size_names: ClassVar[tuple[str, str]] = ("batches", "control_batches")

    def __init__(
        self,
        quality: Mapping[str, ArrayLike],
        baseline: Mapping[str, ArrayLike],
        batches: ArrayLike | None = None,
        *,
        name: str | None = None,
    ) -> None:
        import numpy as np

        sides = {"quality": _side(quality, "quality"), "baseline": _side(baseline, "baseline")}
        _check_sides(sides["quality"], sides["baseline"])
        records = len(next(iter(sides["quality"].values())))
        places = np.zeros(records, int) if batches is None else _places(batches, records)
        places.setflags(write=False)
        for side, measures in sides.items():
            object.__setattr__(self, side, MappingProxyType(measures))
        object.__setattr__(self, "batches", places)
        object.__setattr__(self, "name", name or "reconstructions")
        object.__setattr__(self, "named", name is not None)

    def __repr__(self) -> str:
        return (
            f"Reconstructions(records={self.n_records}, batches={self.n_batches}, "
            f"quality={sorted(self.quality)})"
        )

    @property
    def n_records(self) -> int:
        """Number of records, of all batches together."""
        return len(self.batches)

    @property
    def n_batches(self) -> int:
        """Number of batches."""
        return int(self.batches.max()) + 1

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of batches, and 0: the baseline is of the same records."""
        return self.n_batches, 0

    @property
    def census(self) -> bool:
        """Whether there is but one batch, so that all of that update was looked at."""
        return self.n_batches == 1

    def per_batch(self, values: ArrayLike) -> NDArray[Any]:
        """Average one number per record over the records of each batch.

        Parameters
        ----------
        values : array_like of shape (n,)
            In the order of the records.

        Returns
        -------
        numpy.ndarray of shape (number of batches,)
        """
        import numpy as np

        totals = np.bincount(self.batches, weights=np.asarray(values, float))
        shares: NDArray[Any] = totals / np.bincount(self.batches)
        return shares

    def histogram(self, measure: str) -> dict[str, str] | None:
        """Count the records by their quality, in bins that are the same whatever was found.

        Parameters
        ----------
        measure : str
            One that both sides have.

        Returns
        -------
        dict or None
            The record's curve: where each bin begins (x) and how many records are in it (y); the
            first holds all below it too. None for fewer than ten records.
        """
        import numpy as np

        if self.n_records < _FEWEST_DRAWN:
            return None
        cuts = MEASURES[measure].cuts
        places = np.searchsorted(cuts, self.quality[measure], side="right") - 1
        counts = np.bincount(np.maximum(places, 0), minlength=len(cuts))
        return {
            "kind": "quality",
            "x": " ".join(f"{cut:g}" for cut in cuts),
            "y": " ".join(map(str, counts)),
        }

    def summary(self) -> dict[str, Any]:
        """Give the number of records; see `Evidence.summary`.

        How many were rebuilt depends on the criterion: see `Metric.summary`.
        """
        return {"kind": self.kind, "attempts": {"main": self.n_records}, "curve": None}


def _side(measures: Any, side: str) -> dict[str, NDArray[Any]]:
    if not isinstance(measures, Mapping):
        raise LeakproError(
            f"Reconstructions: {side} is a {type(measures).__name__}: give a mapping from measure "
            f"to one number per record, as {side}={{'ssim': [...]}}"
        )
    if not measures:
        raise LeakproError(
            f"Reconstructions: {side} holds no measure: give at least one of {', '.join(MEASURES)}"
        )
    for measure in measures:
        if measure not in MEASURES:
            shown = printable(str(measure), 40)
            raise LeakproError(
                f"Reconstructions: {side} has an unknown measure "
                f"{shown!r}{nearest_match(shown, MEASURES)}"
            )
    read = {measure: _numbers(values, measure, side) for measure, values in measures.items()}
    lengths = {measure: len(values) for measure, values in read.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{count} of {measure}" for measure, count in lengths.items())
        raise LeakproError(
            f"Reconstructions: {side} has {said}: give every measure of the same records"
        )
    return read


def _numbers(values: Any, measure: str, side: str) -> NDArray[Any]:
    import numpy as np

    where = f"Reconstructions: the {measure} of the {side}"
    try:
        read = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise LeakproError(f"{where} are not all numbers: give one per record") from None
    if read.ndim != 1 or len(read) == 0:
        raise LeakproError(f"{where} has shape {read.shape}: give one number per record")
    known = MEASURES[measure]
    exact = (read == np.inf) if measure == "psnr" else np.zeros(len(read), bool)
    wrong = int(np.count_nonzero(~(np.isfinite(read) | exact)))
    if wrong:
        raise LeakproError(
            f"{where}: {wrong} of {len(read)} are NaN or infinite; give a record that could not be "
            "rebuilt the quality of a failure, such as its baseline's"
        )
    outside = int(np.count_nonzero((read < known.least) | (read > known.most)))
    if outside:
        raise LeakproError(
            f"{where}: {outside} of {len(read)} lie outside {known.least:g} to {known.most:g}, "
            "the range of this measure"
        )
    read.setflags(write=False)
    return read


def _check_sides(quality: Mapping[str, Any], baseline: Mapping[str, Any]) -> None:
    for side, missing in (
        ("baseline", quality.keys() - baseline),
        ("quality", baseline - quality.keys()),
    ):
        if missing:
            raise LeakproError(
                f"Reconstructions: {side} lacks {', '.join(sorted(missing))}: give the same "
                "measures of the attack and of reconstructions that saw no update"
            )
    main, other = (len(next(iter(side.values()))) for side in (quality, baseline))
    if main != other:
        raise LeakproError(
            f"Reconstructions: quality is of {main} records and baseline of {other}: rebuild the "
            "same records without the update"
        )


def _places(batches: Any, records: int) -> NDArray[Any]:
    """Give each batch a number, in the order in which they come."""
    import numpy as np

    if isinstance(batches, (str, bytes)) or not isinstance(batches, Iterable):
        raise LeakproError(
            f"Reconstructions: batches is a {type(batches).__name__}: give one id per record"
        )
    ids = [_id(entry) for entry in batches]
    if len(ids) != records:
        raise LeakproError(
            f"Reconstructions: batches has {len(ids)} ids for {records} records: give one each"
        )
    order: dict[int | str, int] = {}
    return np.array([order.setdefault(entry, len(order)) for entry in ids], int)


def _id(entry: Any) -> int | str:
    if isinstance(entry, str):
        return str(entry)
    try:
        if not isinstance(entry, bool):
            return operator.index(entry)
    except TypeError:
        pass
    raise LeakproError(
        f"Reconstructions: an id in batches is a {type(entry).__name__}: "
        "give whole numbers or texts"
    )
