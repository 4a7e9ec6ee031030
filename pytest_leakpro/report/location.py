"""Where a test stands in the repository.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.inert import lookalikes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["path_in_repository"]

_LONGEST = 400


def path_in_repository(record: Mapping[str, Any], prefix: str) -> str:
    """Give the path of a record's test.

    Parameters
    ----------
    record : mapping
        One measurement.
    prefix : str
        The way from the root of the repository to pytest's root directory, with slashes.

    Returns
    -------
    str
        From the root of the repository, with slashes and without a leading ``./``.
    """
    path = posixpath.normpath(posixpath.join(prefix, record["location"]["path"]))
    return lookalikes(path, _LONGEST)
