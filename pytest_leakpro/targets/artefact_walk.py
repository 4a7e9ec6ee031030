"""Everything array-like that a fitted object holds, and where it stands.

Nothing is called that the object's authors wrote: attributes are read from where they are kept,
never through properties, and nothing is pickled.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import array
import functools
import sys
import types
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.artefact_boosters import booster_parts
from pytest_leakpro.targets.artefact_leaves import Leaf, leaves_of
from pytest_leakpro.targets.artefact_place import Place
from pytest_leakpro.targets.containers import is_frame, is_series, is_sparse, is_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Artefact", "read_artefact"]

_MOST_OBJECTS = 3_000_000
# CPython's mark of classes that were made by a class statement.
_HEAP_TYPE = 1 << 9
_ATOMS = (
    type(None), bool, int, float, complex, type, range, slice, type(Ellipsis), type(NotImplemented),
    types.ModuleType, types.BuiltinFunctionType, types.CodeType, types.FrameType,
    types.GeneratorType, types.CoroutineType, types.WrapperDescriptorType,
    types.MethodWrapperType, types.MethodDescriptorType, np.generic, np.ufunc, np.dtype,
)  # fmt: skip
# They hold a process together, and lead from one object to all others.
_FOREIGN = (
    "logging",
    "threading",
    "_thread",
    "weakref",
    "asyncio",
    "multiprocessing",
    "concurrent",
)
# Compiled things without attributes that hold no data of a fit, or whose data is read elsewhere.
_HARMLESS = (
    *_FOREIGN, "builtins", "numpy", "scipy", "sklearn", "torch", "pandas", "ctypes", "datetime",
    "decimal", "fractions", "functools", "operator", "itertools", "re", "pathlib", "enum", "random",
    "collections", "types", "typing", "inspect", "joblib", "contextlib",
)  # fmt: skip


@dataclass(repr=False, eq=False)
class Artefact:
    """What was seen of a fitted object.

    Attributes
    ----------
    leaves : list of Leaf
        Arrays of numbers and lists of strings, each once.
    objects : list of tuple
        ``(place, object)`` for all that transforms records.
    closed : Counter
        Names of compiled types that cannot be looked into, and how many such objects there are.
    functions : int
        How many functions refer to global variables, which are not followed.
    cut : bool
        Whether there were too many objects to see all of them.
    """

    leaves: list[Leaf] = field(default_factory=list)
    objects: list[tuple[Place, Any]] = field(default_factory=list)
    closed: Counter[str] = field(default_factory=Counter)
    functions: int = 0
    cut: bool = False

    def __repr__(self) -> str:
        return f"Artefact(leaves={len(self.leaves)}, closed={sum(self.closed.values())})"


def read_artefact(model: Any) -> Artefact:
    """Walk through a fitted object.

    Lists of numbers or strings are read as one array, keys of dictionaries too. Closures, partial
    arguments and the objects of bound methods are part of the artefact; global variables, modules
    and classes are not.

    Parameters
    ----------
    model : object
        An estimator, a torch module, a booster, a function, or whatever else holds a model.

    Returns
    -------
    Artefact
    """
    return _Walk().run(model)


class _Walk:
    def __init__(self) -> None:
        self.found = Artefact()
        # The objects themselves, so that no id is given again while it stands here.
        self._seen: dict[int, Any] = {}
        self._buffers: set[tuple[Any, ...]] = set()

    def run(self, model: Any) -> Artefact:
        stack: list[tuple[Place, Any]] = [(Place(), model)]
        while stack:
            place, thing = stack.pop()
            if isinstance(thing, _ATOMS) or id(thing) in self._seen:
                continue
            if len(self._seen) >= _MOST_OBJECTS:
                self.found.cut = True
                break
            self._seen[id(thing)] = thing
            try:
                stack.extend(reversed(list(self._visit(place, thing))))
            except Exception:
                # Whatever an object does when it is looked at, the rest is looked at all the same.
                self._close(thing)
        return self.found

    def _visit(self, place: Place, thing: Any) -> Iterator[tuple[Place, Any]]:
        """Keep what a thing holds itself, and give the things that it holds."""
        kind = type(thing)
        if kind.__module__.partition(".")[0] in _FOREIGN:
            return
        if _is_data(thing):
            yield from self._keep(place, thing)
            if kind.__module__ in ("builtins", "numpy", "collections") or is_tensor(thing):
                return
        if isinstance(thing, types.FunctionType):
            yield from self._function(place, thing)
        elif isinstance(thing, types.MethodType):
            yield place, thing.__self__
            yield place, thing.__func__
        elif isinstance(thing, functools.partial):
            yield place, thing.func
            yield place.attribute("args"), thing.args
            yield place.attribute("keywords"), thing.keywords
        parts = booster_parts(thing)
        if parts is not None:
            yield place, parts
        yield from self._attributes(place, thing)

    def _keep(self, place: Place, thing: Any) -> Iterator[tuple[Place, Any]]:
        leaves, rest = leaves_of(place, thing)
        for leaf in leaves:
            if leaf.own or self._is_new(leaf.values):
                self.found.leaves.append(leaf)
        yield from rest

    def _is_new(self, values: Any) -> bool:
        """Tell whether this stretch of memory was not seen under another name."""
        if not isinstance(values, np.ndarray) or values.dtype == object:
            return True
        where = values.__array_interface__
        key = (where["data"][0], values.shape, values.strides, values.dtype.str)
        if key in self._buffers:
            return False
        self._buffers.add(key)
        return True

    def _function(self, place: Place, thing: types.FunctionType) -> Iterator[tuple[Place, Any]]:
        names = thing.__code__.co_freevars
        for name, cell in zip(names, thing.__closure__ or (), strict=False):
            with suppress(ValueError):  # not filled yet
                yield place.attribute(name), cell.cell_contents
        yield place.attribute("__defaults__"), thing.__defaults__
        yield place.attribute("__kwdefaults__"), thing.__kwdefaults__
        known = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, *_ATOMS)
        outside = thing.__globals__
        self.found.functions += any(
            name in outside and not isinstance(outside[name], known)
            for name in thing.__code__.co_names
        )

    def _attributes(self, place: Place, thing: Any) -> Iterator[tuple[Place, Any]]:
        held = dict(_held(thing))
        if not _is_data(thing):
            if not held and not _has_attributes(thing):
                self._close(thing)
            if callable(getattr(type(thing), "transform", None)):
                self.found.objects.append((place, thing))
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(thing, torch.nn.Module):
            # As the state dictionary names them.
            for kind in ("_parameters", "_buffers", "_modules"):
                for name, part in (held.pop(kind, None) or {}).items():
                    yield place.attribute(name), part
        for name, part in held.items():
            yield place.attribute(name), part

    def _close(self, thing: Any) -> None:
        kind = type(thing)
        if kind.__module__.partition(".")[0] not in _HARMLESS:
            self.found.closed[f"{kind.__module__}.{kind.__qualname__}"] += 1


_CONTAINERS = (
    str, bytes, bytearray, dict, list, tuple, set, frozenset, deque, types.MappingProxyType,
    np.ndarray, memoryview, array.array,
)  # fmt: skip


def _is_data(thing: Any) -> bool:
    return (
        isinstance(thing, _CONTAINERS)
        or is_tensor(thing)
        or is_sparse(thing)
        or is_frame(thing)
        or is_series(thing)
        or _is_extension_array(thing)
    )


def _is_extension_array(thing: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(thing, pandas.api.extensions.ExtensionArray)


def _has_attributes(thing: Any) -> bool:
    """Tell whether attributes could be there: a compiled type has none that can be looked at."""
    return any(kind.__flags__ & _HEAP_TYPE for kind in type(thing).__mro__) and any(
        "__dict__" in vars(kind) or "__slots__" in vars(kind) for kind in type(thing).__mro__
    )


def _held(thing: Any) -> Iterator[tuple[str, Any]]:
    """Give the attributes of an instance, from its dictionary and its slots."""
    if is_sparse(thing) or is_frame(thing) or is_series(thing) or _is_extension_array(thing):
        return
    try:
        own = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        own = None
    if type(own) is dict:
        yield from ((name, part) for name, part in own.items() if isinstance(name, str))
    for kind in type(thing).__mro__:
        descriptors: tuple[type, ...] = (types.MemberDescriptorType,)
        if kind.__module__.startswith("sklearn."):
            # Trees and the like are compiled: their arrays are no entries of a dictionary.
            descriptors += (types.GetSetDescriptorType,)
        elif not kind.__flags__ & _HEAP_TYPE:
            continue
        for name, descriptor in vars(kind).items():
            if isinstance(descriptor, descriptors) and not name.startswith("__"):
                try:
                    part = descriptor.__get__(thing, type(thing))  # type: ignore[attr-defined]
                except Exception:  # noqa: S112 - a slot that was never filled
                    continue
                yield name, _plain_memory(part)


def _plain_memory(part: Any) -> Any:
    """Give the memory of compiled code as an array, whose type has no name of its own."""
    if type(part).__name__ in ("_memoryviewslice", "memoryview"):
        return np.asarray(part)
    return part
