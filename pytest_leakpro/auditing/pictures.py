"""Pictures of a client's records beside what attacks rebuilt of them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_leakpro.attacks.federated.judging import side_by_side
from pytest_leakpro.gate.errors import warn
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.store.pictures import save_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.targets.update_view import AuditedUpdates

__all__ = ["keep_pictures"]

_MOST_SHEETS = 8
_MOST_RECORDS = 32


def keep_pictures(
    session: SessionDefaults,
    target: str,
    attack: str,
    updates: AuditedUpdates,
    found: Sequence[Rebuilt],
) -> list[str]:
    """Write a sheet of pictures for each of the first batches; give a note that says where.

    Parameters
    ----------
    session : SessionDefaults
        With the folder ``.leakpro``; without one nothing is written.
    target, attack : str
        What they are of.
    updates : AuditedUpdates
        With the records.
    found : sequence of Rebuilt
        One per batch.
    """
    if session.private is None:
        return []
    names = []
    for entry, rebuilt in list(zip(updates.updates, found, strict=True))[:_MOST_SHEETS]:
        records, guesses = (part[:_MOST_RECORDS] for part in side_by_side(entry, rebuilt))
        about = session.about(target) | {"attack": attack, "batch": entry.batch}
        span = float(records.min()), float(records.max())
        try:
            names.append(save_pictures(Path(session.private), records, guesses, span, about))
        except OSError as error:
            warn(f"pictures of {printable(target, 60)} are not kept: {error}")
            return []
    where = ", ".join(f".leakpro/{name}" for name in names)
    return [f"records beside what {attack} rebuilt of them: {where}: personal data"]
