"""The cache of shadow models' signals: one array per model, by key and number, never pickled.

What is cached is personal data, as the signals tell who was a member: folders are closed to others
and kept out of version control.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pytest_leakpro.gate.errors import warn
from pytest_leakpro.store.atomic import write_bytes, write_text
from pytest_leakpro.store.private_folder import make_private
from pytest_leakpro.store.signal_file import KEY, file_name, names_of, packed, require_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["CacheEntry", "SignalCache", "of_age"]


class CacheEntry(NamedTuple):
    """What the cache holds under one key."""

    key: str
    about: dict[str, Any]
    files: int
    size: int
    age_seconds: float


def of_age(entries: Iterable[CacheEntry], older_than: float | None) -> list[CacheEntry]:
    """Give the entries to which nothing was added for so many seconds, all of them for None."""
    return [
        entry
        for entry in entries
        # A clock that was set back gives negative ages: all is all the same.
        if older_than is None or entry.age_seconds >= older_than
    ]


class SignalCache:
    """Signals of finished shadow models in a folder, one file each.

    Parameters
    ----------
    folder : Path
        Made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._writable = True

    def __repr__(self) -> str:
        return f"SignalCache({str(self.folder)!r})"

    @property
    def where(self) -> str:
        """The folder, as a text."""
        return str(self.folder)

    @property
    def keeps(self) -> bool:
        """Whether what is stored is kept, as far as is known."""
        return self._writable

    def load(self, key: str, index: int) -> NDArray[Any] | None:
        """Give the signals of one shadow model.

        Parameters
        ----------
        key : str
            Hexadecimal digest of all that the signals depend on.
        index : int
            Which shadow model, at least 0.

        Returns
        -------
        ndarray or None
            Mapped and read-only. None where there are none, or the file is damaged: it is then
            warned of and removed.
        """
        require_key(key, index)
        folder = self.folder / key
        try:
            names = names_of(index, (path.name for path in folder.iterdir()))
        except OSError:
            return None
        for name in names:
            try:
                signals: NDArray[Any] = np.load(folder / name, mmap_mode="r", allow_pickle=False)
                if file_name(key, index, signals) == name:
                    return signals
            except FileNotFoundError:  # cleared meanwhile by another process
                continue
            except Exception:  # noqa: S110
                # What is damaged fails in many ways: of a later version, of objects, huge.
                pass
            warn(f"the cache file {name[:18]}… of {key[:12]}… is damaged; it is computed again")
            with suppress(OSError):
                (folder / name).unlink(missing_ok=True)
        return None

    def store(
        self, key: str, index: int, signals: NDArray[Any], about: Mapping[str, Any]
    ) -> NDArray[Any]:
        """Keep the signals of one shadow model, in one step.

        Parameters
        ----------
        key, index
            As for `load`.
        signals : ndarray
        about : mapping
            Plain data that says what the entry is for.

        Returns
        -------
        ndarray
            The signals to go on with: those given, since `lock` keeps others from storing theirs.

        Raises
        ------
        LeakproError
            For objects, which could only be pickled.
        """
        require_key(key, index)
        content = packed(signals)
        if not self._writable:
            return signals
        folder = self.folder / key
        try:
            self._make_folder(folder)
            description = folder / "about.json"
            if not description.exists():
                write_text(description, json.dumps(dict(about), indent=2, sort_keys=True))
            write_bytes(folder / file_name(key, index, signals), content)
        except OSError as error:
            self._writable = False
            warn(f"the cache {self.folder} cannot be written, so nothing is kept: {error}")
        return signals

    @contextmanager
    def lock(self, key: str, index: int) -> Iterator[None]:
        """Hold one shadow model, so that two processes that need it train it once.

        The lock is the operating system's: a process that dies gives it up. Without a writable
        folder there is none, and each process trains its own.
        """
        from filelock import FileLock

        require_key(key, index)
        try:
            self._make_folder(self.folder / key)
            lock = FileLock(self.folder / key / f"{index}.lock")
            lock.acquire()
        except (OSError, NotImplementedError):  # the latter where a file system has no locks
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def scratch_folder(self) -> Path | None:
        """Give the folder, made, for files that end with the process; None where it cannot be."""
        try:
            if not self.folder.is_dir():
                self._make_folder(self.folder)
        except OSError:
            return None
        return self.folder

    def entries(self) -> list[CacheEntry]:
        """List what is kept, the newest first."""
        found = []
        for folder in self.folder.glob("*") if self.folder.is_dir() else ():
            if not KEY.fullmatch(folder.name):
                continue
            try:
                names = names_of(None, (path.name for path in folder.iterdir()))
            except OSError:
                continue
            files = [folder / name for name in names]
            try:
                about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            except (OSError, ValueError):
                about = {}
            try:
                stats = [file.stat() for file in files] or [folder.stat()]
            except FileNotFoundError:  # cleared meanwhile by another process
                continue
            newest = max(stat.st_mtime for stat in stats)
            size = sum(stat.st_size for stat in stats) if files else 0
            found.append(CacheEntry(folder.name, about, len(files), size, time.time() - newest))
        return sorted(found, key=lambda entry: entry.age_seconds)

    def clear(self, older_than: float | None = None) -> int:
        """Remove what is kept.

        Parameters
        ----------
        older_than : float, optional
            Only entries to which nothing was added for so many seconds; by default all.

        Returns
        -------
        int
            The number of entries removed.
        """
        entries = of_age(self.entries(), older_than)
        for entry in entries:
            shutil.rmtree(self.folder / entry.key, ignore_errors=True)
        return len(entries)

    def _make_folder(self, folder: Path) -> None:
        root = self.folder.parent if self.folder.parent.name == ".leakpro" else self.folder
        if root == self.folder and root.is_dir() and any(map(_is_foreign, root.iterdir())):
            # The user's own folder: only the entry in it is kept out of version control.
            root = folder
        make_private(
            root, *sorted({self.folder, folder} - {root}, key=lambda path: len(path.parts))
        )


def _is_foreign(path: Path) -> bool:
    return path.name != ".gitignore" and not KEY.fullmatch(path.name)
