"""Pictures of records beside what attacks rebuilt of them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import warn
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.store.pictures import save_pictures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from pytest_leakpro.auditing.session import SessionDefaults

__all__ = ["keep_pictures"]

_MOST_SHEETS = 8
_MOST_RECORDS = 32


def keep_pictures(
    session: SessionDefaults,
    target: str,
    attack: str,
    sheets: Iterable[tuple[NDArray[Any], NDArray[Any]]],
) -> list[str]:
    """Write sheets of pictures, the first few; give a note that says where.

    Parameters
    ----------
    session : SessionDefaults
        With the folder ``.leakpro``; without one nothing is written.
    target, attack : str
        What they are of.
    sheets : iterable of pair of ndarray
        Records, and what was rebuilt of each, both of shape (n, c, h, w), (n, h, w, c) or
        (n, h, w).
    """
    if session.private is None:
        return []
    names = []
    for place, pair in enumerate(islice(sheets, _MOST_SHEETS)):
        records, guesses = (part[:_MOST_RECORDS] for part in pair)
        about = session.about(target) | {"attack": attack, "batch": place}
        span = float(records.min()), float(records.max())
        try:
            names.append(save_pictures(Path(session.private), records, guesses, span, about))
        except OSError as error:
            warn(f"pictures of {printable(target, 60)} are not kept: {error}")
            return []
    where = ", ".join(f".leakpro/{name}" for name in names)
    return [f"records beside what {attack} rebuilt of them: {where}: personal data"]
