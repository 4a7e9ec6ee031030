"""A cache by where it is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from pytest_leakpro.store.cache import SignalCache
from pytest_leakpro.store.cache_url import is_url, local_path
from pytest_leakpro.store.cloud_cache import CloudCache

__all__ = ["AnyCache", "open_cache"]

AnyCache: TypeAlias = SignalCache | CloudCache


def open_cache(where: str | Path) -> AnyCache:
    """Give the cache in a folder, or behind a URL; nothing is made or connected yet.

    Parameters
    ----------
    where : str or Path
        A folder, or a URL such as ``s3://bucket/prefix``; a Path is always a folder.

    Raises
    ------
    LeakproError
        For a URL that cannot be used; see `CloudCache`.
    """
    if isinstance(where, Path) or not is_url(where):
        return SignalCache(Path(where))
    folder = local_path(where)
    return CloudCache(where) if folder is None else SignalCache(folder)
