"""Digests of functions, classes, modules and objects, with all of the user's code they reach.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copyreg
import functools
import random
import sys
import types
from contextlib import contextmanager
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.shadow import code_digest, object_state, reached
from pytest_leakpro.shadow.own_code import is_own, is_own_name, library_name, module_name_of
from pytest_leakpro.shadow.value_digest import (
    UndigestibleError,
    combine,
    digest_data,
    digest_scalar,
    digest_sequence,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Digester"]

_RANDOM = (random.Random, np.random.Generator, np.random.BitGenerator, np.random.RandomState)
_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)


class Digester:
    """Digests one object and everything that it reaches.

    Functions, classes and objects of the user's own are numbered in the order in which they are
    found and looked into once, so that code may call itself in any circle. Anything else is looked
    into wherever it stands, so that equal values are alike whether or not they are one object.

    Parameters
    ----------
    version : str or None
        What stands for the pieces that cannot be digested; None refuses them.
    opened : dict of int to int, optional
        The objects that are being looked into, with their depth.
    """

    def __init__(self, version: str | None, opened: dict[int, int] | None = None) -> None:
        self._version = version
        self._open = {} if opened is None else opened
        self._numbers: dict[int, int] = {}
        # Held, so that no other object takes their place in memory meanwhile.
        self._alive: list[Any] = []
        self._trail: list[str] = []

    def digest(self, value: Any) -> bytes:
        """Digest anything.

        Raises
        ------
        UndigestibleError
            If it holds what has no value, and no version stands for it.
        """
        scalar = digest_scalar(value)
        if scalar is not None:
            return scalar
        number = self._numbers.get(id(value))
        if number is not None:
            return combine("again", str(number).encode())
        depth = self._open.get(id(value))
        if depth is not None:
            return combine("circle", str(len(self._open) - depth).encode())
        self._open[id(value)] = len(self._open)
        try:
            return self._compound(value)
        except UndigestibleError as reason:
            if self._version is None:
                raise
            return self._refuse(value, str(reason))
        finally:
            del self._open[id(value)]

    def _compound(self, value: Any) -> bytes:
        torch = sys.modules.get("torch")
        if isinstance(value, _RANDOM) or (torch and isinstance(value, torch.Generator)):
            return self._refuse(value, "whose state changes as it is used")
        data = digest_data(value, self.digest)
        if data is not None:
            return data
        kind = type(value)
        if kind is list or kind is tuple:
            return digest_sequence(kind.__name__, value, self.digest)
        if kind is dict or kind is types.MappingProxyType:
            return self._pairs("dict", value.items())
        if kind is set or kind is frozenset:
            # Numbers depend on the order in which things are found, and a set has none: so each of
            # its elements is looked at for itself.
            each = [Digester(self._version, self._open).digest(element) for element in value]
            return combine(kind.__name__, *sorted(each))
        if kind is slice or kind is range:
            return combine(kind.__name__, *map(self.digest, (value.start, value.stop, value.step)))
        if isinstance(value, PurePath):
            return combine("path", self.digest(kind), str(value).encode("utf-8", "surrogatepass"))
        return self._code_like(value)

    def _code_like(self, value: Any) -> bytes:
        if isinstance(value, types.CodeType):
            return code_digest.digest_code(value, self.digest)
        if isinstance(value, types.ModuleType):
            return self._module(value)
        if isinstance(value, types.GenericAlias):  # a type in Python 3.10
            return self._reduced(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return combine("method", self.digest(value.__self__), self.digest(value.__func__))
        if isinstance(value, types.BuiltinFunctionType):
            return self._builtin(value)
        if isinstance(value, (staticmethod, classmethod)):
            return combine(type(value).__name__, self.digest(value.__func__))
        if isinstance(value, property):
            return combine("property", *map(self.digest, (value.fget, value.fset, value.fdel)))
        if isinstance(value, functools.cached_property):
            return combine("cached property", self.digest(value.func))
        if isinstance(value, _SLOTS):
            return combine("slot", value.__name__.encode())
        if isinstance(value, Enum):
            return combine("member", self.digest(type(value)), self.digest(value.value))
        return self._object(value)

    # Code

    def _function(self, function: types.FunctionType) -> bytes:
        if function in reached.BY_NAME:
            return self._refuse(function, "which reaches code by its name")
        own, module, code = is_own(function), module_name_of(function), function.__code__
        if not own and not is_own_name(function.__module__ or module) and reached.found(function):
            return combine("library", library_name(module, function.__qualname__).encode())
        self._number(function)
        codes = code_digest.all_codes(code) if own else []
        with self._at(function.__qualname__):
            parts = [
                self.digest(function.__defaults__),
                self.digest(function.__kwdefaults__),
                self._pairs("attributes", sorted(vars(function).items())),
                *(self._binding(*one, codes) for one in reached.closure(function)),
            ]
            if not own:
                # A wrapper that a library made, perhaps around the user's function.
                return combine("closure", library_name(module, code.co_name).encode(), *parts)
            parts.append(code_digest.digest_code(code, self.digest))
            for name, value in reached.global_values(function, codes):
                parts.append(self._binding(name, value, codes))
            for name, value in reached.imported_values(function, codes):
                parts.append(self._binding(name, value, codes))
        return combine("function", *parts)

    def _binding(self, name: str, value: Any, codes: list[types.CodeType]) -> bytes:
        """Digest what a name stands for; of the user's own modules, only what is read off them."""
        if isinstance(value, reached.Named):
            return combine("binding", name.encode(), *(part.encode() for part in value))
        parts = []
        with self._at(name):
            if codes and reached.is_looked_into(value):
                for chain in code_digest.attribute_chains(codes, name):
                    end = reached.along(value, chain)
                    parts += [
                        ".".join(chain).encode(),
                        self._binding(chain[-1] if chain else "", end, []),
                    ]
            else:
                parts.append(self.digest(value))
        return combine("binding", name.encode(), *parts)

    def _module(self, module: types.ModuleType) -> bytes:
        if not is_own(module):
            return combine("module", library_name(module.__name__).encode())
        self._number(module)
        names = sorted(name for name in vars(module) if not object_state.is_dunder(name))
        return self._pairs("own module", ((name, vars(module)[name]) for name in names))

    def _class(self, cls: type) -> bytes:
        if not is_own(cls):
            if "<locals>" in cls.__qualname__:
                return self._refuse(cls, "which a library made at run time")
            return combine("class", library_name(cls.__module__, cls.__qualname__).encode())
        self._number(cls)
        with self._at(cls.__qualname__):
            kinds = [self.digest(type(cls)), *map(self.digest, cls.__bases__)]
            attributes = self._pairs("attributes", object_state.class_attributes(cls))
        return combine("own class", cls.__qualname__.encode(), *kinds, attributes)

    def _builtin(self, function: types.BuiltinFunctionType) -> bytes:
        if function in reached.BY_NAME:
            return self._refuse(function, "which reaches code by its name")
        owner = function.__self__
        if owner is not None and not isinstance(owner, types.ModuleType):
            return combine("builtin method", self.digest(owner), function.__name__.encode())
        module = function.__module__ or getattr(owner, "__name__", "")
        if module and is_own_name(module):
            return self._refuse(function, "which is compiled")
        return combine("builtin", library_name(module, function.__qualname__).encode())

    # Objects

    def _object(self, value: Any) -> bytes:
        cls = type(value)
        if cls is object:
            return self._refuse(value, "which nothing tells from another")
        wrapped = getattr(value, "__wrapped__", None) if cls.__module__ == "functools" else None
        if wrapped is not None:
            return combine("cached function", self.digest(wrapped))
        if reached.found(value) and not is_own(cls):
            if is_own_name(value.__module__):
                return self._refuse(value, "whose code cannot be seen")
            name = getattr(value, "__qualname__", None) or value.__name__
            return combine("library", library_name(value.__module__, name).encode())
        if object_state.is_estimator(value):
            return self._instance(value, object_state.parameters_of(value))
        if object_state.is_torch_module(value):
            return self._instance(value, object_state.state_of(value))
        if is_own(cls) and object_state.is_transparent(cls):
            return self._instance(value, object_state.state_of(value))
        return self._reduced(value)

    def _instance(self, value: Any, state: Mapping[str, Any]) -> bytes:
        if is_own(type(value)):
            self._number(value)
        with self._at(f"a {type(value).__qualname__}"):
            plain = [
                self.digest(read(value))
                for kind, read in object_state.PLAIN_BASES.items()
                if isinstance(value, kind)
            ]
            pairs = self._pairs("state", sorted(state.items()))
            return combine("instance", self.digest(type(value)), pairs, *plain)

    def _reduced(self, value: Any) -> bytes:
        """Digest an object by the pieces that it would be copied from; nothing is pickled."""
        try:
            reducer = copyreg.dispatch_table.get(type(value))
            pieces: Any = reducer(value) if reducer is not None else value.__reduce_ex__(4)
        except Exception as error:
            return self._refuse(value, f"which has no value ({type(error).__name__})")
        if isinstance(pieces, str):
            return combine("named", self.digest(type(value)), pieces.encode())
        make, arguments, state, items, entries = (*pieces, None, None, None)[:5]
        with self._at(f"a {type(value).__qualname__}"):
            return combine(
                "pieces",
                *map(self.digest, (type(value), make, arguments, state, list(items or ()))),
                self._pairs("dict", entries or ()),
            )

    # Bookkeeping

    def _pairs(self, tag: str, pairs: Iterable[tuple[Any, Any]]) -> bytes:
        parts = []
        for key, entry in pairs:
            # Keys of the user's data are not shown.
            with self._at(key if tag != "dict" else ""):
                parts += [self.digest(key), self.digest(entry)]
        return combine(tag, *parts)

    def _number(self, value: Any) -> None:
        self._alive.append(value)
        self._numbers[id(value)] = len(self._numbers)

    @contextmanager
    def _at(self, place: Any) -> Iterator[None]:
        self._trail.append(str(place))
        try:
            yield
        finally:
            self._trail.pop()

    def _refuse(self, value: Any, why: str) -> bytes:
        kind = type(value)
        if self._version is not None:
            named = f"{kind.__module__}.{kind.__qualname__}"
            return combine("undigestible", named.encode(), self._version.encode())
        name = (
            value.__qualname__
            if isinstance(value, (type, *reached.FUNCTIONS))
            else f"a {kind.__qualname__}"
        )
        place = " > ".join(part for part in self._trail if part)
        raise UndigestibleError(f"{name}{f' in {place}' if place else ''}, {why}")
