"""The most exposed members, kept only when asked for: they are personal data.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from pytest_leakpro.store.atomic import write_text
from pytest_leakpro.store.private_folder import make_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["save_vulnerable"]


def save_vulnerable(private: Path, members: Iterable[Any], about: Mapping[str, Any]) -> str:
    """Keep members in the folder ``.leakpro``; give the path of the file within it.

    Parameters
    ----------
    private : Path
        The folder ``.leakpro``.
    members : iterable
        Their positions, or ids; the most exposed first. What JSON does not know becomes text.
    about : mapping of str to str or int
        Which audit they are of. The next run of the same audit writes the same file.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    identity = json.dumps(dict(about), sort_keys=True)
    name = f"vulnerable/{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"
    document = {**about, "members": [_plain(member) for member in members]}
    make_private(private, private / "vulnerable")
    write_text(private / name, json.dumps(document, indent=2, allow_nan=False) + "\n")
    return name


def _plain(member: Any) -> Any:
    if isinstance(member, float) and not math.isfinite(member):
        return str(member)
    return member if isinstance(member, (int, float, str)) else str(member)
