"""Objects of the user's own code by the names that are typed: ``train.py:trainer``.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HOW_TO_NAME", "call_own", "load_named"]

_PACKAGE = Path(__file__).parents[1]
_LIBRARY = Path(traceback.__file__).parent
HOW_TO_NAME = "FILE.py:NAME or package.module:NAME"


def load_named(text: str, what: str, is_meant: Callable[[Any], bool]) -> Any:
    """Import a module of the user's and take something out of it.

    Parameters
    ----------
    text : str
        A file or a module, a colon and a name in it.
    what : str
        What is looked for, for messages: ``"the trainer"``.
    is_meant : callable
        Tells which objects of the module to suggest where the name is not there.

    Returns
    -------
    object
        Whatever has the name.

    Raises
    ------
    LeakproError
        Where there is no such file, module or name, or the import fails.
    """
    place, colon, name = text.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise LeakproError(f"{what} is {printable(text, 200)!r}: give {HOW_TO_NAME}")
    is_file = place.endswith(".py")
    module = _module_of_file(Path(place)) if is_file else _module_of_name(place)
    if not hasattr(module, name):
        meant = [
            own
            for own, value in vars(module).items()
            if not own.startswith("_") and not isinstance(value, ModuleType) and is_meant(value)
        ]
        raise LeakproError(
            f"{printable(place, 200)} has no {printable(name, 60)!r}{nearest_match(name, meant)}"
        )
    return getattr(module, name)


def call_own(function: Callable[[], Any], what: str) -> Any:
    """Call something of the user's, and name the place where it fails.

    Raises
    ------
    LeakproError
        With the user's error as its cause.
    """
    try:
        return function()
    except (Exception, SystemExit) as error:
        text = printable(f"{type(error).__name__}: {error}", 400)
        raise LeakproError(f"{what} failed{_place_of(error)}: {text}") from error


def _place_of(error: BaseException) -> str:
    """Name the last line of the user's own that an error came through."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_file()
        and not {"site-packages", "dist-packages"} & set(Path(frame.filename).parts)
        and not Path(frame.filename).is_relative_to(_PACKAGE)
        and not Path(frame.filename).is_relative_to(_LIBRARY)
    ]
    if not frames:
        return ""
    return f" in {printable(frames[-1].filename, 200)}, line {frames[-1].lineno}"


def _module_of_file(path: Path) -> ModuleType:
    if not path.is_file():
        near = nearest_match(path.name, (one.name for one in path.parent.glob("*.py")))
        raise LeakproError(f"there is no file {printable(str(path), 200)}{near}")
    path = path.resolve()
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    # Under its own name others of the user's files import it, unless a library has that name.
    name = path.stem if known is None else f"tuned_{path.stem}"
    _importable(path.parent)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    loader, module = spec.loader, importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        call_own(lambda: loader.exec_module(module), f"importing {printable(path.name, 60)}")
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _module_of_name(name: str) -> ModuleType:
    _importable(Path.cwd())
    try:
        module = call_own(
            lambda: importlib.import_module(name), f"importing {printable(name, 100)}"
        )
    except LeakproError as error:
        cause = error.__cause__
        # What it imports itself may be missing, too: then the error says so.
        if isinstance(cause, ModuleNotFoundError) and f"{name}.".startswith(f"{cause.name}."):
            raise LeakproError(
                f"there is no module {printable(name, 100)} that can be imported from "
                f"{printable(str(Path.cwd()), 200)}: for a file give FILE.py:NAME"
            ) from cause
        raise
    assert isinstance(module, ModuleType)
    return module


def _importable(folder: Path) -> None:
    """Let a folder be imported from, as Python does for a script or with -m."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
