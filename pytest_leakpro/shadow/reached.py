"""What the names in a function's code stand for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import builtins
import importlib
import sys
from importlib.util import resolve_name
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.shadow.code_digest import global_names, imports
from pytest_leakpro.shadow.object_state import is_dunder
from pytest_leakpro.shadow.own_code import is_own, is_own_name, library_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BY_NAME",
    "FUNCTIONS",
    "Named",
    "along",
    "closure",
    "found",
    "global_values",
    "imported_values",
    "is_looked_into",
]

FUNCTIONS = (FunctionType, BuiltinFunctionType)
# They reach code and values that nothing in the bytecode mentions.
BY_NAME = (eval, exec, globals, __import__, importlib.import_module, importlib.reload)
_WATCHED = (builtins, importlib)


class Named(NamedTuple):
    """What is known by a name alone.

    Attributes
    ----------
    kind : str
        What it is, such as ``"missing"``.
    name : str
        What it is called.
    """

    kind: str
    name: str


def closure(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the variables that a function closes over, with what they hold."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, _content(name, cell)


def _content(name: str, cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return Named("empty", name)


def global_values(function: FunctionType, codes: list[CodeType]) -> Iterator[tuple[str, Any]]:
    """Yield the globals and builtins that a function looks up, with what they are."""
    for name in global_names(codes):
        if name in function.__globals__:
            # __file__, __name__ and their like say where the code is, not what it does.
            place = is_dunder(name)
            yield name, Named("dunder", name) if place else function.__globals__[name]
        else:
            yield name, getattr(builtins, name, Named("missing", name))


def imported_values(function: FunctionType, codes: list[CodeType]) -> Iterator[tuple[str, Any]]:
    """Yield the variables that import statements within a function bind, with what they are.

    Modules of the user's own are imported, as training would import them.
    """
    package = function.__globals__.get("__package__") or ""
    for one in imports(codes):
        name = resolve_name("." * one.level + one.module, package) if one.level else one.module
        watched = name in {module.__name__ for module in _WATCHED}
        if not watched and not is_own_name(name):
            # By name, so that it makes no difference whether it has been imported already.
            yield one.variable, Named("library", library_name(name, one.attribute or ""))
            continue
        try:
            value: Any = importlib.import_module(name)
            if one.attribute is not None and not hasattr(value, one.attribute):
                importlib.import_module(f"{name}.{one.attribute}")
        except ImportError:
            yield one.variable, Named("missing", name)
            continue
        if one.attribute is not None:
            value = getattr(value, one.attribute)
        elif one.top:
            value = sys.modules[name.partition(".")[0]]
        yield one.variable, value


def is_looked_into(value: Any) -> bool:
    """Tell whether what is read off a value counts, rather than the value as a whole."""
    return isinstance(value, ModuleType) and (value in _WATCHED or is_own(value))


def along(module: ModuleType, chain: tuple[str, ...]) -> Any:
    """Follow attributes from a module through the user's own modules to what they lead to."""
    value: Any = module
    for name in chain:
        if not is_looked_into(value):
            break
        if is_dunder(name):
            return Named("dunder", name)
        value = getattr(value, name, Named("missing", name))
    return value


def found(value: Any) -> bool:
    """Tell whether something stands under its own name in the module that it is from."""
    try:
        module = value.__module__
        name = getattr(value, "__qualname__", None) or value.__name__
    except Exception:
        # Objects may answer anything to a question for an attribute.
        return False
    if not isinstance(module, str) or not isinstance(name, str) or "<" in name:
        return False
    place: Any = sys.modules.get(module)
    for part in name.split("."):
        place = getattr(place, part, None)
    return place is value
