"""Scores per record, kept only when asked for: they tell who was a member.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import io
import re
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.store.atomic import write_bytes
from pytest_leakpro.store.private_folder import make_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["SavedScores", "load_scores", "save_scores"]

_NAME = re.compile(r"[0-9a-f]{32}")
_RECORDS = "records"


class SavedScores(NamedTuple):
    """Scores of the suite's attacks.

    Attributes
    ----------
    records : str
        Digest of the records that were scored, in their order.
    suite : mapping of str to (members, nonmembers)
        One score per unit, by attack.
    """

    records: str
    suite: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]


def save_scores(private: Path, scores: SavedScores) -> str:
    """Keep scores in the folder ``.leakpro``; give the name under which they are found.

    Raises
    ------
    OSError
        Where they cannot be written.
    """
    # A random name: one that followed from the scores would tell of them wherever it is written.
    name = secrets.token_hex(16)
    arrays: dict[str, NDArray[Any]] = {_RECORDS: np.frombuffer(scores.records.encode(), np.uint8)}
    names = list(scores.suite)
    arrays["suite"] = np.array(names, dtype=np.str_)
    for number, attack in enumerate(names):
        arrays[f"members{number}"], arrays[f"nonmembers{number}"] = scores.suite[attack]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    make_private(private, private / "scores")
    write_bytes(private / "scores" / f"{name}.npz", buffer.getvalue())
    return name


def load_scores(private: Path, name: str) -> SavedScores | None:
    """Give saved scores; None where they are not here, or damaged (which is warned of).

    Raises
    ------
    LeakproError
        For a name that none can have.
    """
    if not _NAME.fullmatch(name):
        raise LeakproError(f"{name[:40]!r} is no name of saved scores")
    path = private / "scores" / f"{name}.npz"
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as file:
            suite = {
                str(attack): (file[f"members{number}"], file[f"nonmembers{number}"])
                for number, attack in enumerate(file["suite"])
            }
            return SavedScores(file[_RECORDS].tobytes().decode("ascii"), suite)
    except Exception:  # a damaged archive fails in many ways
        warn(f"the scores {path.name} are damaged, so the comparison with them is not paired")
        return None
