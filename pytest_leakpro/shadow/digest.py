"""Digests of recipes and records: the same in every process, another when training could change.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import builtins
import datetime as dt
import decimal
import enum
import functools
import importlib
import importlib.util
import pathlib
import random
import re
import sys
import types
import uuid
from typing import Any

import numpy as np

from pytest_leakpro.shadow.code_digest import (
    all_codes,
    attribute_chains,
    digest_code,
    global_names,
    imports,
)
from pytest_leakpro.shadow.own_code import is_own, is_own_name, library_name, module_name_of
from pytest_leakpro.shadow.value_digest import (
    UndigestibleError,
    combine,
    digest_data,
    digest_scalar,
    digest_sequence,
)

__all__ = ["UndigestibleError", "digest_records", "digest_trainer", "library_versions"]

_BY_TEXT = (
    dt.date,
    dt.time,
    dt.timedelta,
    decimal.Decimal,
    pathlib.PurePath,
    uuid.UUID,
    range,
    slice,
)
_STATEFUL = (random.Random, np.random.Generator, np.random.RandomState, types.GeneratorType)
_OF_NO_CONSEQUENCE = {
    "__annotate__",
    "__annotations__",
    "__dict__",
    "__doc__",
    "__firstlineno__",
    "__module__",
    "__qualname__",
    "__static_attributes__",
    "__weakref__",
}
_NUMERICAL = ("numpy", "scipy", "sklearn", "torch", "xgboost", "lightgbm", "pandas")


def digest_trainer(train: Any, version: str | None = None) -> str:
    """Digest a recipe.

    Parameters
    ----------
    train : callable or estimator
        A function with all of the user's own code that it reaches, its closure and defaults; or a
        scikit-learn estimator's parameters (not what it has learned).
    version : str, optional
        The user's name for what cannot be told otherwise.

    Returns
    -------
    str
        Hexadecimal.

    Raises
    ------
    UndigestibleError
        Where something has no value that could be told from another, and there is no version.
    """
    digest = _Digester(version)(train)
    return combine("trainer", (version or "").encode(), digest).hex()


def digest_records(X: Any, y: Any) -> str:
    """Digest a data set in any of the containers that records come in.

    Raises
    ------
    UndigestibleError
        Where it holds objects without a value.
    """
    digester = _Digester(None)
    return combine("records", digester(X), digester(y)).hex()


def library_versions() -> dict[str, str]:
    """Give the versions of Python and of the numerical libraries that are imported."""
    versions = {"python": ".".join(map(str, sys.version_info[:2]))}
    for name in _NUMERICAL:
        module = sys.modules.get(name)
        if module is not None:
            versions[name] = str(getattr(module, "__version__", ""))
    return versions


class _Digester:
    """Digests anything that training reaches, cycles included."""

    def __init__(self, version: str | None) -> None:
        self._version = version
        # By identity, with the object, so that no other takes its place in memory meanwhile.
        self._seen: dict[int, tuple[int, Any]] = {}

    def __call__(self, value: Any) -> bytes:
        scalar = digest_scalar(value)
        if scalar is not None:
            return scalar
        known = self._seen.get(id(value))
        if known is not None:
            return combine("seen", str(known[0]).encode())
        self._seen[id(value)] = (len(self._seen), value)
        try:
            return self._digest(value)
        except UndigestibleError:
            if self._version is None:
                raise
            kind = type(value)
            return combine("named", f"{kind.__module__}.{kind.__qualname__}".encode())

    def _digest(self, value: Any) -> bytes:
        data = digest_data(value, self)
        if data is not None:
            return data
        kind = type(value)
        if kind in (list, tuple):
            return digest_sequence(kind.__name__, value, self)
        if isinstance(value, dict):
            pairs = [part for pair in value.items() for part in map(self, pair)]
            return combine("dict", self(kind) if kind is not dict else b"", *pairs)
        if kind in (set, frozenset):
            # Each by itself: the order of a set must not decide which counts as seen before.
            return combine(kind.__name__, *sorted(_Digester(self._version)(v) for v in value))
        for digest in (self._code_like, self._value_like, self._object):
            found = digest(value)
            if found is not None:
                return found
        raise UndigestibleError(f"a {kind.__module__}.{kind.__qualname__}")

    def _code_like(self, value: Any) -> bytes | None:
        if isinstance(value, types.FunctionType):
            if is_own(value):
                return self._function(value)
            return combine(
                "library", library_name(module_name_of(value), value.__qualname__).encode()
            )
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.ModuleType):
            if is_own(value):
                raise UndigestibleError(f"the module {value.__name__} as a whole")
            return combine("library", library_name(value.__name__).encode())
        if isinstance(value, types.MethodType):
            return combine("method", self(value.__func__), self(value.__self__))
        if isinstance(value, functools.partial):
            return combine("partial", self(value.func), self(value.args), self(value.keywords))
        if isinstance(value, (staticmethod, classmethod)):
            return combine(type(value).__name__, self(value.__func__))
        if isinstance(value, property):
            return combine("property", self(value.fget), self(value.fset), self(value.fdel))
        if isinstance(value, types.CodeType):
            return digest_code(value, self)
        if isinstance(value, (types.BuiltinFunctionType, np.ufunc)):
            owner = getattr(value, "__self__", None)
            if owner is not None and not isinstance(owner, (types.ModuleType, type)):
                return combine("method", value.__name__.encode(), self(owner))
            module = getattr(value, "__module__", None) or "builtins"
            return combine("library", library_name(module, value.__name__).encode())
        return None

    def _value_like(self, value: Any) -> bytes | None:
        if isinstance(value, enum.Enum):
            return combine("enum", self(type(value)), value.name.encode())
        if isinstance(value, re.Pattern):
            return combine("pattern", self(value.pattern), str(value.flags).encode())
        if isinstance(value, _BY_TEXT):
            return combine("value", self(type(value)), repr(value).encode())
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, (torch.device, torch.dtype)):
            return combine("torch", repr(value).encode())
        return None

    def _object(self, value: Any) -> bytes | None:
        kind = type(value)
        if isinstance(value, _STATEFUL):
            raise UndigestibleError(f"a {kind.__name__}, whose state changes as it is used")
        base = sys.modules.get("sklearn.base")
        if base is not None and isinstance(value, base.BaseEstimator):
            return combine("estimator", self(kind), self(value.get_params(deep=False)))
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.nn.Module):
            state = dict(value.state_dict())
            return combine("module", self(kind), repr(value).encode(), self(state))
        state = dict(getattr(value, "__dict__", {}))
        slots = [name for name in _slots(kind) if hasattr(value, name)]
        state |= {name: getattr(value, name) for name in slots}
        if not hasattr(value, "__dict__") and not slots and kind.__flags__ & (1 << 9) == 0:
            # An object of a C type: what it holds cannot be seen.
            return None
        if not state and kind.__module__ != "builtins" and not is_own(kind):
            return None
        return combine("object", self(kind), self(state))

    def _function(self, function: types.FunctionType) -> bytes:
        codes = all_codes(function.__code__)
        cells = [self._cell(cell) for cell in function.__closure__ or ()]
        reached = [
            combine("global", name.encode(), self._global(function, codes, name))
            for name in global_names(codes)
        ]
        reached += [self._import(function, codes, one) for one in imports(codes)]
        return combine(
            "function",
            digest_code(function.__code__, self),
            self(function.__defaults__),
            self(function.__kwdefaults__),
            combine("closure", *cells),
            *reached,
        )

    def _cell(self, cell: Any) -> bytes:
        try:
            return self(cell.cell_contents)
        except ValueError:  # not filled yet
            return combine("empty cell")

    def _global(self, function: types.FunctionType, codes: Any, name: str) -> bytes:
        if name in function.__globals__:
            value = function.__globals__[name]
            if isinstance(value, types.ModuleType):
                return self._module(value, attribute_chains(codes, name))
            return self(value)
        return combine("builtin" if hasattr(builtins, name) else "undefined")

    def _module(self, module: types.ModuleType, chains: list[tuple[str, ...]]) -> bytes:
        """Digest what is read off a module: all of a library's is in its version."""
        if not is_own(module):
            return combine("library", library_name(module.__name__).encode())
        parts = []
        for chain in chains:
            value: Any = module
            for place, attribute in enumerate(chain):
                value = getattr(value, attribute, None)
                if not isinstance(value, types.ModuleType):
                    chain = chain[: place + 1]
                    break
            parts.append(combine("attribute", ".".join(chain).encode(), self(value)))
        return combine("own module", *parts)

    def _import(self, function: types.FunctionType, codes: Any, one: Any) -> bytes:
        name = one.module
        if one.level:
            package = str(function.__globals__.get("__package__") or "")
            name = importlib.util.resolve_name("." * one.level + name, package)
        if not is_own_name(name):
            return combine("library", library_name(name, one.attribute or "").encode())
        try:
            module = importlib.import_module(name)
            if one.attribute is not None:
                value = getattr(module, one.attribute)
                if not isinstance(value, types.ModuleType):
                    return self(value)
                module = value
            elif one.top:
                module = sys.modules[name.partition(".")[0]]
        except (ImportError, AttributeError) as error:
            raise UndigestibleError(f"the import of {name}: {error}") from error
        return self._module(module, attribute_chains(codes, one.variable))

    def _class(self, kind: type) -> bytes:
        if not is_own(kind):
            return combine("library", library_name(kind.__module__, kind.__qualname__).encode())
        parts: list[bytes] = [kind.__qualname__.encode(), self(type(kind))]
        parts += [self(base) for base in kind.__bases__]
        for name, value in sorted(vars(kind).items()):
            if name not in _OF_NO_CONSEQUENCE and not isinstance(
                value, (types.GetSetDescriptorType, types.MemberDescriptorType)
            ):
                parts.append(combine("member", name.encode(), self(value)))
        return combine("class", *parts)


def _slots(kind: type) -> list[str]:
    names: list[str] = []
    for one in kind.__mro__:
        own = one.__dict__.get("__slots__", ())
        names += [own] if isinstance(own, str) else list(own)
    return [name for name in names if name not in {"__dict__", "__weakref__"}]
