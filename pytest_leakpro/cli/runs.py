"""Runs and baselines by the names that people give them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

__all__ = ["BASELINE", "PRIVATE", "WHICH", "measurements_of", "path_of"]

PRIVATE = ".leakpro"
BASELINE = "baseline"
WHICH = (
    "a file, a folder of runs, `baseline`, `latest` (`latest~1` for the one before), or how the "
    "name of a run in .leakpro/runs begins"
)
DEFAULT_BASELINE = "leakpro-baseline.json"


def measurements_of(wanted: str) -> list[dict[str, Any]]:
    """Read the measurements of a run or a baseline.

    Parameters
    ----------
    wanted : str
        See `WHICH`.

    Raises
    ------
    LeakproError
        Where there is none, or it cannot be read.
    """
    from pytest_leakpro.store.documents import read_measurements

    return read_measurements(path_of(wanted))


def path_of(wanted: str) -> Path:
    """Find a file or a folder by the name that somebody gives it; see `measurements_of`."""
    from pytest_leakpro.cli.pytest_files import configured, pytest_root
    from pytest_leakpro.store.history import History

    if Path(wanted).exists():
        return Path(wanted)
    root = pytest_root(Path.cwd())
    if wanted == BASELINE:
        path = root / (configured(root, "leakpro_baseline") or DEFAULT_BASELINE)
        if not path.exists():
            raise LeakproError(
                f"there is no baseline {printable(str(path))}: "
                "pytest --leakpro --leakpro-update-baseline writes it"
            )
        return path
    return History(root / PRIVATE).find(wanted)
