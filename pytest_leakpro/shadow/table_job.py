"""One shadow generator: trained, its release read, and the readings kept.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import listed, quoted
from pytest_leakpro.shadow.job import Job
from pytest_leakpro.targets.containers import is_frame, take
from pytest_leakpro.targets.mixed_table import MixedColumns
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.shadow.table_reader import TableReader

__all__ = ["TableJob"]

_NAMED = 5


@dataclass(frozen=True, repr=False, kw_only=True)
class TableJob(Job):
    """What all shadow generators of one audit share; see `Job`.

    Attributes
    ----------
    reader : TableReader
        How their releases are read.
    """

    noun: ClassVar[str] = "shadow generator"
    recipe: ClassVar[str] = "generate"

    reader: TableReader

    @property
    def width(self) -> int:
        """How many numbers are kept of one release."""
        return self.reader.width

    def train_and_read(self, train: Callable[..., Any], index: int) -> NDArray[np.float64]:
        """Make one release, and read it; see `Job.train_and_read`."""
        positions = self.positions(index)
        where = self.named(index)
        with one_thread():
            source = take(self.X, positions).reset_index(drop=True)
            try:
                release = train(source, self.seeds[index])
            except Exception as error:
                raise LeakproError(
                    f"{where}: generate raised {type(error).__name__} on {len(positions):,} rows; "
                    "its own error stands above; it must accept any part of the rows of original "
                    "and control, in a DataFrame with all their columns"
                ) from error
            try:
                self._check(release)
                return self.reader.read(release)
            except LeakproError as error:
                raise LeakproError(
                    f"{where}: what generate returned cannot be read: {error}"
                ) from error

    def _check(self, release: Any) -> None:
        if release is None:
            raise LeakproError("it is nothing; generate must return the release, a DataFrame")
        if not is_frame(release):
            raise LeakproError(
                f"it is a {type(release).__name__}; generate must return a pandas DataFrame with "
                "the columns of its source"
            )
        if not len(release):
            raise LeakproError("it has no rows")
        wanted = list(self.reader.usable)
        lacking = [name for name in wanted if name not in release.columns]
        if lacking:
            said = listed([*map(quoted, lacking)], _NAMED)
            hint = nearest_match(str(lacking[0]), [str(name) for name in release.columns])
            raise LeakproError(f"it lacks the columns {said} of its source{hint}")
        if not release.columns.is_unique:
            raise LeakproError("it has several columns of one name")
        MixedColumns({"original": self.reader.example, "the release": release[wanted]})
