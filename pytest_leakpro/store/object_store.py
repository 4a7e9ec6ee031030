"""Objects behind a URL, through fsspec: listed, read, written and removed whole.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.store.cache_url import S3, scheme_of, scrubbed, shown_url

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Listed", "ObjectStore", "object_store", "require_driver"]

_CLOUD = "pip install 'pytest-leakpro[cloud]'"
# A server that answers nothing is given up after 3 x 8 s, twice where it takes the connection.
_PATIENCE = {
    "connect_timeout": 5,
    "read_timeout": 8,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}
_S3FS_ATTEMPTS = 2
# Each driver calls it otherwise.
_MODIFIED = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")
_LONGEST_REASON = 300


class Listed(NamedTuple):
    """One thing in a listing; `modified` in seconds since 1970, None where nobody says."""

    is_folder: bool
    size: int
    modified: float | None


class ObjectStore:
    """What stands below one URL, as one process sees it.

    Parameters
    ----------
    url : str

    Attributes
    ----------
    given_up : set of str
        ``"read"`` and ``"write"``, where that failed: it is not tried again, as each attempt may
        take a minute.
    damaged : set of str
        Objects that were warned of.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.given_up: set[str] = set()
        self.damaged: set[str] = set()

    def __repr__(self) -> str:
        return f"ObjectStore({shown_url(self.url)!r})"

    def listing(self, folder: str = "") -> dict[str, Listed]:
        """Give what stands directly below, or in a folder, by name; empty where there is none."""
        driver, root = self._opened
        place = f"{root}/{folder}" if folder else root
        driver.invalidate_cache(place)
        try:
            found = driver.ls(place, detail=True)
        except FileNotFoundError as error:
            if _is_missing_bucket(error):
                raise
            return {}
        return {
            entry["name"].rstrip("/").rpartition("/")[2]: Listed(
                entry["type"] == "directory", int(entry.get("size") or 0), _modified(entry)
            )
            for entry in found
        }

    def read(self, name: str) -> bytes | None:
        """Give an object, None where there is none."""
        driver, root = self._opened
        try:
            return bytes(driver.cat_file(f"{root}/{name}"))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write an object, in one step where the store can."""
        driver, root = self._opened
        driver.pipe_file(f"{root}/{name}", content)

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects."""
        driver, root = self._opened
        driver.rm([f"{root}/{name}" for name in names])

    def reason(self, error: Exception) -> str:
        """Say in one line, without credentials, what the driver raised."""
        text = scrubbed(" ".join(f"{type(error).__name__}: {error}".split()), self.url)
        return printable(text, _LONGEST_REASON)

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        import fsspec

        scheme = scheme_of(self.url)
        options: dict[str, Any] = {}
        if scheme in S3:
            chosen = fsspec.config.conf.get(scheme, {}).get("config_kwargs", {})
            # Objects are small: in pieces each would cost a question for its size.
            options = {"config_kwargs": {**_PATIENCE, **chosen}, "max_concurrency": 1}
        driver, root = fsspec.core.url_to_fs(self.url, skip_instance_cache=True, **options)
        if scheme in S3:
            driver.retries = _S3FS_ATTEMPTS
        return driver, root.rstrip("/")


@lru_cache(maxsize=32)
def object_store(url: str, process: int) -> ObjectStore:  # noqa: ARG001 - part of the key
    """Give this process's store of a URL, with what was learnt of it.

    Parameters
    ----------
    url : str
    process : int
        The process's own number: connections do not survive a fork.
    """
    return ObjectStore(url)


def require_driver(url: str) -> None:
    """Check that what speaks a URL's protocol is installed; nothing is connected.

    Raises
    ------
    LeakproError
        Where it is not, or nobody knows the protocol.
    """
    scheme = scheme_of(url)
    try:
        import fsspec
    except ImportError:
        raise LeakproError(
            f"the cache {shown_url(url)} takes fsspec, which is not installed: {_CLOUD}"
        ) from None
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        text = str(error).rstrip(".")
        how = _CLOUD if scheme in S3 else f"{_CLOUD} and that package"
        raise LeakproError(
            f"the cache {shown_url(url)} takes a package that cannot be imported ({text}): {how}"
        ) from None
    except ValueError:
        hint = nearest_match(scheme, fsspec.available_protocols())
        hint = "" if hint.startswith(" (known") else hint
        raise LeakproError(
            f"the cache {shown_url(url)} has a protocol that fsspec does not know{hint}: write "
            "s3://bucket/prefix, or the path of a folder"
        ) from None


def _is_missing_bucket(error: FileNotFoundError) -> bool:
    """Tell a bucket that does not exist from a prefix under which nothing was written yet."""
    response = getattr(error.__cause__, "response", None)
    return isinstance(response, dict) and response.get("Error", {}).get("Code") == "NoSuchBucket"


def _modified(entry: dict[str, Any]) -> float | None:
    for name in _MODIFIED:
        value = entry.get(name)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value.replace("Z", "+00:00"))
            except ValueError:
                continue
        if isinstance(value, datetime):
            aware = value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)
            return aware.timestamp()
        if isinstance(value, (int, float)):
            return float(value)
    return None
