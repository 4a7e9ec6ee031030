"""The cache of shadow models' signals in an object store, which several machines share.

What is cached is personal data: whoever can read the bucket can tell who was a member.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import io
import json
import os
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.store.cache import CacheEntry, of_age
from pytest_leakpro.store.cache_url import require_usable, shown_url
from pytest_leakpro.store.object_store import object_store, require_driver
from pytest_leakpro.store.signal_file import KEY, file_name, names_of, packed, require_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pytest_leakpro.store.object_store import ObjectStore

__all__ = ["CloudCache"]

_ABOUT = "about.json"


class CloudCache:
    """Signals of finished shadow models as objects below a URL, one each.

    Objects are named by their content, written whole and never changed, so nobody waits for
    anybody. Two machines that train the same model at the same time mostly store the same object.
    Where rounding differs between their processors, all who read take the one whose name comes
    first, and a machine that stores goes on with what is there already, or else with that first
    one. So a run differs from later ones only where another machine wrote between its own last
    look and its end, which takes two that finish the same model within one round trip.

    What cannot be reached is warned of once per process, and then left alone.

    Parameters
    ----------
    url : str
        As ``s3://bucket/prefix``.
    given_up : iterable of str
        What another process found to fail: ``"read"``, ``"write"``.

    Raises
    ------
    LeakproError
        For a URL that names no place, or whose driver is not installed.
    """

    def __init__(self, url: str, given_up: Iterable[str] = ()) -> None:
        require_usable(url)
        require_driver(url)
        self.url = url
        self._listed: dict[str, frozenset[str]] = {}
        self._objects.given_up.update(given_up)

    def __repr__(self) -> str:
        return f"CloudCache({self.where!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Connections stay here; workers need not wait for what was found not to answer.
        return CloudCache, (self.url, tuple(self._objects.given_up))

    @property
    def where(self) -> str:
        """The URL, as it may be printed."""
        return shown_url(self.url)

    @property
    def keeps(self) -> bool:
        """Whether what is stored is kept, as far as is known."""
        return "write" not in self._objects.given_up

    def load(self, key: str, index: int) -> NDArray[Any] | None:
        """Give the signals of one shadow model.

        Objects are listed once per key, and again after `lock` or `store`.

        Parameters
        ----------
        key : str
            Hexadecimal digest of all that the signals depend on.
        index : int
            Which shadow model, at least 0.

        Returns
        -------
        ndarray or None
            Read-only. None where there are none, or none that are whole: damaged objects are
            warned of and left, since others may be reading.
        """
        require_key(key, index)
        return self._first_whole(key, index)

    def store(
        self, key: str, index: int, signals: NDArray[Any], about: Mapping[str, Any]
    ) -> NDArray[Any]:
        """Keep the signals of one shadow model, unless another machine has done so meanwhile.

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
            The signals to go on with: those that others read.

        Raises
        ------
        LeakproError
            For objects, which could only be pickled.
        """
        require_key(key, index)
        content, name = packed(signals), file_name(key, index, signals)
        if not self.keeps:
            return signals
        self._listed.pop(key, None)
        there = self._first_whole(key, index)
        if there is not None or not self.keeps:
            return signals if there is None else there
        try:
            if _ABOUT not in self._names(key):
                description = json.dumps(dict(about), indent=2, sort_keys=True)
                self._objects.write(f"{key}/{_ABOUT}", description.encode())
            self._objects.write(f"{key}/{name}", content)
        except Exception as error:
            self._give_up(error, "write")
            return signals
        self._listed.pop(key, None)
        first = self._first_whole(key, index, (name, signals))
        return signals if first is None else first

    def lock(self, key: str, index: int) -> AbstractContextManager[None]:
        """Hold nothing, and look again at what is there.

        Object stores have no locks, and need none here: at worst a model is trained twice.
        """
        require_key(key, index)
        self._listed.pop(key, None)
        return nullcontext()

    def scratch_folder(self) -> Path | None:
        """Give None: there is no disk."""
        return None

    def entries(self) -> list[CacheEntry]:
        """List what is kept, the newest first; LeakproError where it cannot be reached."""
        try:
            return sorted(self._entries(), key=lambda entry: entry.age_seconds)
        except Exception as error:
            raise self._error(error, "read") from None

    def clear(self, older_than: float | None = None) -> int:
        """Remove what is kept, and nothing else that stands there.

        Parameters
        ----------
        older_than : float, optional
            Only entries to which nothing was added for so many seconds; by default all.

        Returns
        -------
        int
            The number of entries removed.

        Raises
        ------
        LeakproError
            Where it cannot be reached, or may not be removed.
        """
        entries = of_age(self.entries(), older_than)
        try:
            for entry in entries:
                self._objects.remove(f"{entry.key}/{name}" for name in self._ours(entry.key))
        except Exception as error:
            raise self._error(error, "cleared") from None
        self._listed.clear()
        return len(entries)

    @property
    def _objects(self) -> ObjectStore:
        return object_store(self.url, os.getpid())

    def _first_whole(
        self, key: str, index: int, mine: tuple[str, NDArray[Any]] | None = None
    ) -> NDArray[Any] | None:
        """Give the first whole object by name; `mine` need not be read."""
        for name in names_of(index, self._names(key)):
            if mine is not None and name == mine[0]:
                return mine[1]
            signals = self._read(key, index, name)
            if signals is not None:
                return signals
        return None

    def _names(self, key: str) -> frozenset[str]:
        listed = self._listed.get(key)
        if listed is None:
            listed = frozenset()
            if "read" not in self._objects.given_up:
                try:
                    listed = frozenset(self._objects.listing(key))
                except Exception as error:
                    self._give_up(error, "read")
            self._listed[key] = listed
        return listed

    def _read(self, key: str, index: int, name: str) -> NDArray[Any] | None:
        if "read" in self._objects.given_up:
            return None
        place = f"{key}/{name}"
        try:
            content = self._objects.read(place)
        except Exception as error:
            self._give_up(error, "read")
            return None
        if content is None:  # cleared meanwhile by somebody else
            return None
        try:
            signals: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
            if file_name(key, index, signals) == name:
                signals.flags.writeable = False
                return signals
        except Exception:  # noqa: S110
            # What is damaged fails in many ways: of a later version, of objects, huge.
            pass
        if place not in self._objects.damaged:
            self._objects.damaged.add(place)
            warn(f"the cache object {name[:18]}… of {key[:12]}… is damaged and is not used")
        return None

    def _entries(self) -> list[CacheEntry]:
        found = []
        for key, listed in self._objects.listing().items():
            if not listed.is_folder or not KEY.fullmatch(key):
                continue
            objects = self._objects.listing(key)
            files = [objects[name] for name in names_of(None, objects)]
            if not files and _ABOUT not in objects:
                continue
            try:
                about = json.loads(self._objects.read(f"{key}/{_ABOUT}") or b"{}")
            except ValueError:
                about = {}
            now = time.time()
            # Where the store tells no time nothing is old: it is not cleared by mistake.
            newest = max(
                now if file.modified is None else file.modified
                for file in files or [objects[_ABOUT]]
            )
            size = sum(file.size for file in files)
            found.append(CacheEntry(key, about, len(files), size, now - newest))
        return found

    def _ours(self, key: str) -> list[str]:
        objects = self._objects.listing(key)
        return [*names_of(None, objects), *({_ABOUT} & objects.keys())]

    def _give_up(self, error: Exception, what: str) -> None:
        given_up = self._objects.given_up
        if what in given_up:
            return
        if what == "read":
            given_up.update(("read", "write"))
            so = "read, so nothing is taken from it nor kept in it"
        else:
            given_up.add("write")
            so = "written, so nothing is kept"
        warn(f"the cache {self.where} cannot be {so}: {self._objects.reason(error)}")

    def _error(self, error: Exception, what: str) -> LeakproError:
        return LeakproError(
            f"the cache {self.where} cannot be {what}: {self._objects.reason(error)}"
        )
