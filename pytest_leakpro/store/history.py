"""The history of runs: a file each, so that several writers never meet.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.store.documents import write_run
from pytest_leakpro.store.outlines import keep_outline, read_outline
from pytest_leakpro.store.private_folder import make_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["RUNS", "History"]

RUNS = "runs"
"""The folder of runs in the private one."""


class History:
    """The runs in a folder, each named after the time at which it ended.

    Parameters
    ----------
    private : Path
        The folder ``.leakpro`` of the repository.
    """

    def __init__(self, private: Path) -> None:
        self._private = private
        self.folder = private / RUNS

    def __repr__(self) -> str:
        return f"History({str(self.folder)!r})"

    def add(self, measurements: Iterable[Mapping[str, Any]], version: str, exit_status: int) -> str:
        """Keep a run.

        Parameters
        ----------
        measurements : iterable of mapping
            Records.
        version : str
            The package's version.
        exit_status : int
            Of the session.

        Returns
        -------
        str
            The run's name.

        Raises
        ------
        OSError
            Where it cannot be written.
        """
        kept = list(measurements)
        now = dt.datetime.now(dt.timezone.utc)
        # Random digits rather than a counter: two sessions may end at the same moment.
        name = f"{now:%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}"
        make_private(self._private, self.folder)
        path, start_time = self.folder / f"{name}.json", f"{now:%Y-%m-%dT%H:%M:%SZ}"
        write_run(path, kept, version, start_time=start_time, exit_status=exit_status)
        keep_outline(self._outline(name), path, {"start_time": start_time, "measurements": kept})
        return name

    def names(self) -> list[str]:
        """Give the names of all runs, the oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def outlines(
        self, names: Iterable[str] | None = None
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Give of each run what the history of its measurements needs.

        Parameters
        ----------
        names : iterable of str, optional
            Of runs, the oldest first; all by default.

        Returns
        -------
        outlines : list of dict
            With ``run`` (its name), ``start_time`` and ``measurements``; see `outline_of`.
        unread : list of str
            Names of the runs that could not be read.
        """
        outlines, unread = [], []
        for name in self.names() if names is None else names:
            outline = self._read_outline(name)
            if outline is None:
                unread.append(name)
            else:
                outlines.append({"run": name, **outline})
        return outlines, unread

    def _read_outline(self, name: str) -> dict[str, Any] | None:
        try:
            return read_outline(self._outline(name), self.folder / f"{name}.json")
        except LeakproError:
            return None

    def _outline(self, name: str) -> Path:
        return self._private / "outlines" / f"{name}.json"

    def find(self, wanted: str) -> Path:
        """Give the file of a run.

        Parameters
        ----------
        wanted : str
            A path, ``latest``, ``latest~2`` for the one two runs earlier, or how its name begins.

        Raises
        ------
        LeakproError
            Where there is none, or several begin so.
        """
        if Path(wanted).is_file():
            return Path(wanted)
        names = self.names()
        if not names:
            raise LeakproError(
                f"there is no file {printable(wanted)!r}, and no run in {self.folder}"
            )
        head, _, back = wanted.partition("~")
        if head == "latest" and (back.isdecimal() or not back):
            if int(back or 0) >= len(names):
                raise LeakproError(f"there are {len(names)} runs, so there is no {wanted}")
            return self.folder / f"{names[-1 - int(back or 0)]}.json"
        fitting = [name for name in names if name.startswith(wanted)]
        if len(fitting) != 1:
            found = f"{len(fitting)} runs begin" if fitting else "no run begins"
            hint = "" if fitting else nearest_match(wanted, names)
            raise LeakproError(f"{found} with {printable(wanted, 60)!r}{hint}")
        return self.folder / f"{fitting[0]}.json"
