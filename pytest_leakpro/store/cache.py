"""The cache of shadow models' signals: arrays by key and number, never pickled.

What is cached is personal data, as the signals tell who was a member: folders are closed to others
and kept out of version control.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.store.atomic import write_bytes, write_text
from pytest_leakpro.store.private_folder import make_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["CacheEntry", "SignalCache"]

_KEY = re.compile(r"[0-9a-f]{64}")
_CHECKSUM = "checksum"


class CacheEntry(NamedTuple):
    """What the cache holds under one key."""

    key: str
    about: dict[str, Any]
    files: int
    size: int
    age_seconds: float


class SignalCache:
    """Arrays of finished shadow models, one file each.

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

    def load(self, key: str, index: int) -> dict[str, NDArray[Any]] | None:
        """Give the arrays of one shadow model.

        Parameters
        ----------
        key : str
            Hexadecimal digest of all that the arrays depend on.
        index : int
            Which shadow model, at least 0.

        Returns
        -------
        dict of ndarray or None
            None where there are none, or the file is damaged: it is then warned of and removed.
        """
        path = self._path(key, index)
        try:
            raw = path.read_bytes()
        except OSError:
            return None
        try:
            with np.load(io.BytesIO(raw), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            checksum = arrays.pop(_CHECKSUM).tobytes().decode("ascii")
            if checksum == _checksum(key, index, arrays):
                return arrays
        except Exception:  # noqa: S110
            # A damaged archive fails in many ways: it seems encrypted, of a later version, huge.
            pass
        warn(f"the cache file {path.name} of {key[:12]}… is damaged; it is computed again")
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return None

    def store(
        self, key: str, index: int, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]
    ) -> None:
        """Keep the arrays of one shadow model, in one step.

        Parameters
        ----------
        key, index
            As for `load`.
        arrays : mapping of str to ndarray
            Without object arrays.
        about : mapping
            Plain data that says what the entry is for.

        Raises
        ------
        LeakproError
            For an array of objects, which could only be pickled.
        """
        for name, array in arrays.items():
            if array.dtype.hasobject:
                raise LeakproError(f"the array {name!r} holds objects, which the cache never keeps")
        if not self._writable:
            return
        stamp = np.frombuffer(_checksum(key, index, arrays).encode("ascii"), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **{**arrays, _CHECKSUM: stamp})
        path = self._path(key, index)
        try:
            self._make_folder(path.parent)
            description = path.parent / "about.json"
            if not description.exists():
                write_text(description, json.dumps(dict(about), indent=2, sort_keys=True))
            write_bytes(path, buffer.getvalue())
        except OSError as error:
            self._writable = False
            warn(f"the cache {self.folder} cannot be written, so nothing is kept: {error}")

    @contextmanager
    def lock(self, key: str, index: int) -> Iterator[None]:
        """Hold one shadow model, so that two processes that need it train it once.

        The lock is the operating system's: a process that dies gives it up. Without a writable
        folder there is none, and each process trains its own.
        """
        from filelock import FileLock

        path = self._path(key, index)
        try:
            self._make_folder(path.parent)
            lock = FileLock(path.with_suffix(".lock"))
            lock.acquire()
        except (OSError, NotImplementedError):  # the latter where a file system has no locks
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def entries(self) -> list[CacheEntry]:
        """List what is kept, the newest first."""
        found = []
        for folder in self.folder.glob("*") if self.folder.is_dir() else ():
            if not _KEY.fullmatch(folder.name):
                continue
            files = list(folder.glob("*.npz"))
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
        entries = [
            entry
            for entry in self.entries()
            # A clock that was set back gives negative ages: all is all the same.
            if older_than is None or entry.age_seconds >= older_than
        ]
        for entry in entries:
            shutil.rmtree(self.folder / entry.key, ignore_errors=True)
        return len(entries)

    def _path(self, key: str, index: int) -> Path:
        if not _KEY.fullmatch(key) or index < 0:
            raise LeakproError(f"{key!r} is no key of the cache")
        return self.folder / key / f"{index}.npz"

    def _make_folder(self, folder: Path) -> None:
        root = self.folder.parent if self.folder.parent.name == ".leakpro" else self.folder
        if root == self.folder and root.is_dir() and any(map(_is_foreign, root.iterdir())):
            # The user's own folder: only the entry in it is kept out of version control.
            root = folder
        make_private(
            root, *sorted({self.folder, folder} - {root}, key=lambda path: len(path.parts))
        )


def _is_foreign(path: Path) -> bool:
    return path.name != ".gitignore" and not _KEY.fullmatch(path.name)


def _checksum(key: str, index: int, arrays: Mapping[str, NDArray[Any]]) -> str:
    # With the place, so that a file that was moved to another is not taken for it.
    total = hashlib.sha256(f"{key} {index}\n".encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {arrays[name].shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()
