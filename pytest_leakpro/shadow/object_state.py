"""What objects and classes consist of, apart from code.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from enum import Enum, EnumMeta
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "PLAIN_BASES",
    "class_attributes",
    "is_dunder",
    "is_estimator",
    "is_torch_module",
    "is_transparent",
    "parameters_of",
    "state_of",
]

# How to read a subclass of these without calling what it overrides.
PLAIN_BASES: dict[type, Callable[[Any], Any]] = {
    dict: lambda value: list(dict.items(value)),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: list(tuple.__iter__(value)),
    set: lambda value: frozenset(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    bytearray: lambda value: bytearray.__getitem__(value, slice(None)),
    int: int.__int__,
    float: float.__float__,
}
_HEAP_TYPE = 1 << 9
# Where a class stands, what it is annotated with, and what Python derives from the rest.
_OF_NO_CONSEQUENCE = {
    "__abstractmethods__",
    "__annotate__",
    "__annotate_func__",
    "__annotations__",
    "__annotations_cache__",
    "__dataclass_fields__",
    "__dataclass_params__",
    "__dict__",
    "__doc__",
    "__firstlineno__",
    "__module__",
    "__orig_bases__",
    "__parameters__",
    "__qualname__",
    "__static_attributes__",
    "__type_params__",
    "__weakref__",
    "_abc_impl",
}
_TORCH_CONTENT = {"training", "_parameters", "_buffers", "_modules"}
_TORCH_COPIES = {"_flat_weights", "_flat_weight_refs"}


def is_dunder(name: str) -> bool:
    """Tell whether a name is one of the language's, as ``__file__`` is."""
    return name.startswith("__") and name.endswith("__")


def class_attributes(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield what a class defines itself and that may decide what it does, by name."""
    attributes = sorted(vars(cls).items())
    if isinstance(cls, EnumMeta):
        members: dict[str, Enum] = dict(cls.__members__)
        yield from ((name, member.value) for name, member in members.items())
        attributes = [
            (name, value)
            for name, value in attributes
            if isinstance(value, (FunctionType, property, staticmethod, classmethod))
        ]
    for name, value in attributes:
        if name not in _OF_NO_CONSEQUENCE:
            yield name, value


def is_transparent(cls: type) -> bool:
    """Tell whether all that objects of a class hold can be seen in attributes and plain bases."""
    return all(
        kind is object or kind in PLAIN_BASES or kind.__flags__ & _HEAP_TYPE for kind in cls.__mro__
    )


def is_estimator(value: Any) -> bool:
    """Tell whether this behaves as an estimator of scikit-learn."""
    base = sys.modules.get("sklearn.base")
    if base is not None and isinstance(value, base.BaseEstimator):
        return True
    kind = type(value)
    return callable(getattr(kind, "get_params", None)) and hasattr(kind, "__sklearn_tags__")


def parameters_of(estimator: Any) -> dict[str, Any]:
    """Give an estimator's parameters, and the settings that a clone keeps; not what it learned."""
    kept = ("_sklearn_output_config", "_metadata_request")
    settings = {name: vars(estimator)[name] for name in kept if name in vars(estimator)}
    return {**estimator.get_params(deep=False), **settings}


def is_torch_module(value: Any) -> bool:
    """Tell whether this is a torch module."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def state_of(value: Any) -> dict[str, Any]:
    """Give the attributes of an object, in its dictionary or in slots."""
    state = dict(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for slot in [slots] if isinstance(slots, str) else slots:
            private = slot.startswith("__") and not slot.endswith("__")
            name = f"_{kind.__name__.lstrip('_')}{slot}" if private else slot
            if name not in {"__dict__", "__weakref__"} and hasattr(value, name):
                state[name] = getattr(value, name)
    if not is_torch_module(value):
        return state
    internal = set(vars(sys.modules["torch"].nn.Module())) - _TORCH_CONTENT
    # Hooks are kept under numbers that count up over the life of the process.
    hooks = {name: list(state[name].values()) for name in internal if _is_filled(state.get(name))}
    own = {key: v for key, v in state.items() if key not in internal | _TORCH_COPIES}
    return own | hooks


def _is_filled(hooks: Any) -> bool:
    return isinstance(hooks, dict) and bool(hooks)
