"""Which code is the user's own, and the version of what is not.

A library's function is known by its name and version. The user's own code has no version, so that
its content has to be looked at.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from functools import cache, lru_cache
from importlib import metadata, util
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["is_own", "is_own_name", "library_name", "module_name_of"]

_INSTALLED = ("site-packages", "dist-packages")
_PLUGIN = __name__.partition(".")[0]


def is_own(value: FunctionType | type | ModuleType) -> bool:
    """Tell whether a function, class or module is the user's own rather than a library's."""
    if isinstance(value, FunctionType):
        # What functools.wraps writes onto a library's wrapper is the name of the user's function;
        # the globals are those of the module in which the code stands.
        file = value.__globals__.get("__file__")
        name = module_name_of(value)
        return _is_own_file(file) if isinstance(file, str) else is_own_name(name)
    if isinstance(value, ModuleType):
        return _is_own_module(value)
    return is_own_name(module_name_of(value))


def module_name_of(value: Any) -> str:
    """Name the module that a function's code stands in, or that an object says it is from."""
    if isinstance(value, FunctionType):
        return str(value.__globals__.get("__name__", value.__module__))
    return str(getattr(value, "__module__", None) or "")


def is_own_name(name: str) -> bool:
    """Tell whether the module of this name is the user's own; it is not imported for that."""
    if name.partition(".")[0] == _PLUGIN:
        return False
    module = sys.modules.get(name)
    if module is not None:
        return _is_own_module(module)
    top = name.partition(".")[0]
    try:
        spec = util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        # Made at run time: nothing vouches for its content.
        return True
    return _is_own_origin(spec.origin, spec.submodule_search_locations)


def library_name(module: str, qualname: str = "") -> str:
    """Name something of a library, with the version of the distribution that it is from.

    Parameters
    ----------
    module : str
        Where it is.
    qualname : str
        What it is called there; empty for the module itself.

    Returns
    -------
    str
        ``"numpy.linalg.norm numpy 2.4.0"``; without a version for what belongs to Python.
    """
    name = f"{module}.{qualname}" if qualname else module
    top = module.partition(".")[0]
    version = _version(top)
    return f"{name} {top} {version}" if version else name


def _is_own_module(module: ModuleType) -> bool:
    if module.__name__.partition(".")[0] == _PLUGIN:
        return False
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return _is_own_file(file)
    spec = getattr(module, "__spec__", None)
    return _is_own_origin(getattr(spec, "origin", None), getattr(module, "__path__", None))


def _is_own_origin(origin: str | None, folders: Any) -> bool:
    if origin in {"built-in", "frozen"}:
        return False
    if origin is not None:
        return _is_own_file(origin)
    folders = list(folders or ())
    return not folders or any(map(_is_own_file, folders))


def _is_own_file(file: str) -> bool:
    path = _normal(file)
    if any(part in _INSTALLED for part in Path(path).parts):
        return False
    plugin = sys.modules[_PLUGIN].__file__ or ""
    libraries = (*_library_folders(), os.path.dirname(_normal(plugin)))  # noqa: PTH120
    return not any(path.startswith(folder + os.sep) for folder in libraries)


def _normal(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))


@lru_cache(maxsize=1)
def _library_folders() -> tuple[str, ...]:
    keys = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(key) for key in keys}
    # Neither exists in some embedded and virtualenv-made interpreters.
    for places in ("getsitepackages", "getusersitepackages"):
        found: Any = getattr(site, places, tuple)()
        folders |= {found} if isinstance(found, str) else set(found)
    return tuple(sorted(_normal(folder) for folder in folders if folder))


@cache
def _version(top: str) -> str:
    """Give the version of a top-level package; the same whether or not it is imported yet."""
    if top in sys.stdlib_module_names:
        return ""
    try:
        return metadata.version(top)
    except (metadata.PackageNotFoundError, ValueError):
        distributions = sorted(set(_distributions().get(top, ())))
    if distributions:
        return " ".join(f"{name} {metadata.version(name)}" for name in distributions)
    return str(getattr(sys.modules.get(top), "__version__", ""))


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())
