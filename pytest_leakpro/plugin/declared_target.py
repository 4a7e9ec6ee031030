"""The target of a declared audit: ``module:factory``, imported and called when the audit runs.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.shadow.own_code import is_own

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["make_target"]


def make_target(target: str, folder: Path, rootdir: Path, where: str) -> Any:
    """Import a factory, and call it without arguments.

    Parameters
    ----------
    target : str
        ``"module:factory"``; the factory may be dotted.
    folder : Path
        Of the file that declares it.
    rootdir : Path
        Of the session.
    where : str
        File and line, for messages.

    Returns
    -------
    object
        What the factory returns.

    Raises
    ------
    LeakproError
        Where there is no such module or factory, or the name means another module already.
    Exception
        Whatever the module or the factory raises.
    """
    module_name, _, attribute = target.partition(":")
    base = _import_root(folder)
    for entry in (rootdir, base):  # the latter comes to stand first
        if str(entry) not in sys.path:
            sys.path.insert(0, str(entry))
    wrong = f'{where}: the target "{target}"'
    module = _imported(module_name, base, rootdir, wrong)
    factory = _found(module, attribute, wrong)
    _check_call(factory, wrong)
    made = factory()
    if made is None:
        raise LeakproError(f"{wrong} returned None; return what is to be audited")
    return made


def _import_root(folder: Path) -> Path:
    """Leave the packages that a folder is in, as pytest does for a conftest."""
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder


def _imported(name: str, base: Path, rootdir: Path, wrong: str) -> ModuleType:
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        # A module that is there and lacks one of its own imports shows its own traceback.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        looked = " and ".join(dict.fromkeys([str(base), str(rootdir)]))
        raise LeakproError(
            f"{wrong} cannot be imported: {error}. It was looked for in {looked} and where "
            "Python finds its modules"
        ) from None
    _check_origin(name.partition(".")[0], base, wrong)
    return module


def _check_origin(name: str, base: Path, wrong: str) -> None:
    """Refuse a module of the same name from another folder: the audit would be of another model."""
    module = sys.modules.get(name)
    expected = PathFinder.find_spec(name, [str(base)])
    loaded = getattr(module, "__file__", None)
    if module is None or not loaded or not is_own(module):
        return
    if expected is None or not expected.has_location or expected.origin is None:
        return  # no module of that name is there, or only a folder
    if Path(expected.origin).resolve() != Path(loaded).resolve():
        raise LeakproError(
            f'{wrong} means {expected.origin}, but a module "{name}" was imported before from '
            f"{loaded}; give the two different names"
        )


def _found(module: ModuleType, attribute: str, wrong: str) -> Any:
    value: Any = module
    said = f'the module "{module.__name__}"'
    for part in attribute.split("."):
        try:
            value, owner = getattr(value, part), value
        except AttributeError:
            hint = nearest_match(part, _factories(value, module.__name__))
            raise LeakproError(f'{wrong} is not there: {said} has no "{part}"{hint}') from None
        said = f'"{getattr(owner, "__name__", "")}.{part}"'
    return value


def _factories(owner: Any, module: str) -> list[str]:
    return [
        name
        for name, value in getattr(owner, "__dict__", {}).items()
        if callable(value)
        and not name.startswith("_")
        and getattr(value, "__module__", None) == module
    ]


def _check_call(factory: Callable[[], Any], wrong: str) -> None:
    if not callable(factory):
        raise LeakproError(
            f"{wrong} is a {type(factory).__name__}; it has to be a function that returns what is "
            "to be audited"
        )
    try:
        inspect.signature(factory).bind()
    except ValueError:  # some that are written in C have no signature
        return
    except TypeError as error:
        raise LeakproError(f"{wrong} is called without arguments, but: {error}") from None
