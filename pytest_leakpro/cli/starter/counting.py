"""How many records there are: asked of the repository's own loader, in another process.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SECONDS", "Counted", "count_records"]

SECONDS = 60.0

# Runs the statements that the test will run, and looks at what they give.
_SCRIPT = """
import json, sys
code, report, *folders = sys.argv[1:]
if sys.path and sys.path[0] == "":
    del sys.path[0]  # a test would not see it either
sys.path[:0] = folders
names = {}
exec(code, names)

def size(value):
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape else len(value)

def look(value):
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.utils.data.Dataset):
        return "dataset", len(value)
    if isinstance(value, (tuple, list)) and len(value) == 2:
        if size(value[0]) == size(value[1]):
            return "pair", size(value[0])
    return ("table" if hasattr(value, "columns") else type(value).__name__), 0

sides = [look(names[name]) for name in ("members", "nonmembers") if name in names]
with open(report, "w", encoding="utf-8") as file:
    json.dump(sides, file)
"""


@dataclass(frozen=True)
class Counted:
    """What a loader gave.

    Attributes
    ----------
    sizes : tuple of int
        Records of each side, or of the pool; empty where they could not be counted.
    kinds : tuple of str
        ``"pair"``, ``"dataset"``, ``"table"``, or the name of another type.
    problem : str
        Why there are none.
    """

    sizes: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    problem: str = ""


def count_records(
    code: str, folders: Sequence[Path], root: Path, seconds: float = SECONDS
) -> Counted:
    """Run statements that assign ``members`` (and ``nonmembers``), and count these.

    Parameters
    ----------
    code : str
        As in the test.
    folders : sequence of Path
        What stands on the path before all else.
    root : Path
        The folder to run in.
    seconds : float
        The longest time that it may take.

    Returns
    -------
    Counted
    """
    with tempfile.TemporaryDirectory(prefix="leakpro-") as scratch:
        report, errors = Path(scratch, "sizes.json"), Path(scratch, "errors")
        command = [sys.executable, "-c", _SCRIPT, code, str(report), *map(str, folders)]
        # Files rather than pipes: what the loader started might hold a pipe open for ever.
        with errors.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - the user's own loader, as the test runs it
                command,
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg"},
                start_new_session=True,
            )
            try:
                code_of_exit = process.wait(seconds)
            except subprocess.TimeoutExpired:
                return Counted(problem=f"it took longer than {seconds:g} s")
            finally:
                _end(process)
        if code_of_exit == 0 and report.is_file():
            return _read(report)
        said = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = printable(said[-1], 200) if said else f"exit code {code_of_exit}"
        return Counted(problem=f"it failed: {last}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process with all that it started, where the system can tell which these are."""
    if process.poll() is None:
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    process.wait()


def _read(report: Path) -> Counted:
    try:
        sides: Any = json.loads(report.read_text(encoding="utf-8"))
        kinds = tuple(str(kind) for kind, _ in sides)
        sizes = tuple(int(size) for _, size in sides)
    except (OSError, ValueError, TypeError):
        return Counted(problem="its result could not be read")
    if not kinds or not set(kinds) <= {"pair", "dataset"} or min(sizes) < 1:
        return Counted((), kinds, f"it gives {' and '.join(sorted(set(kinds))) or 'nothing'}")
    return Counted(sizes, kinds)
