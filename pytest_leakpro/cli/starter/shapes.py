"""What functions return, and which part of the data each element of it is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from pytest_leakpro.cli.starter.names import Part, part_named

if TYPE_CHECKING:
    from pytest_leakpro.cli.starter.functions import Function
    from pytest_leakpro.cli.starter.index import Index
    from pytest_leakpro.cli.starter.models import Kind
    from pytest_leakpro.cli.starter.reading import Reading

__all__ = ["DEPTH", "Element", "Shape", "bound_parts", "returned_shape"]

DEPTH = 4


class Element(NamedTuple):
    """One of several things that are returned.

    Attributes
    ----------
    part : Part or None
        Which part of the data; None where that is not known.
    loader : bool
        Whether it is a loader of torch, whose data set holds the records.
    model : Kind or None
        What sort of model it is, where it is one.
    """

    part: Part | None
    loader: bool = False
    model: Kind | None = None


class Shape(NamedTuple):
    """What a function returns.

    Attributes
    ----------
    style : {"tuple", "object", "mapping"}
        How its elements are got at.
    elements : tuple of (str, Element)
        By name, empty in a tuple.
    """

    style: str
    elements: tuple[tuple[str, Element], ...]


def returned_shape(
    function: Function, by_node: dict[int, Function], index: Index, depth: int
) -> Shape | None:
    """Tell what a function returns, also where another one of the repository makes it."""
    values = function.reading.returned()
    if not values or depth > DEPTH:
        return None
    return _shape(values[-1], function, by_node, index, depth)


def _shape(
    value: ast.expr, function: Function, by_node: dict[int, Function], index: Index, depth: int
) -> Shape | None:
    reading = function.reading
    if depth > DEPTH:
        return None
    if isinstance(value, (ast.Tuple, ast.List)):
        elements = [_element(one, reading) for one in value.elts]
        return Shape("tuple", tuple(("", element) for element in elements))
    if isinstance(value, ast.Dict):
        pairs = []
        for key, one in zip(value.keys, value.values, strict=True):
            if not isinstance(key, ast.Constant) or not _is_plain_text(key.value):
                return None
            pairs.append((str(key.value), _named_element(str(key.value), one, reading)))
        return Shape("mapping", tuple(pairs))
    if isinstance(value, ast.Name):
        for target, assigned in reversed(reading.assigned):
            if isinstance(target, ast.Name) and target.id == value.id:
                return _shape(assigned, function, by_node, index, depth + 1)
        return None
    if not isinstance(value, ast.Call):
        return None
    full = reading.scope.full_name(value.func)
    split = _split_parts(value, full)
    if split is not None:
        return Shape("tuple", tuple(("", Element(part)) for part in split))
    if full.startswith("sklearn.datasets."):
        return _dataset_of_sklearn(value, full)
    own = index.find(full)
    if own is None:
        return None
    if isinstance(own.node, ast.ClassDef):
        return _fields(own.node, value, reading)
    inner = by_node.get(id(own.node))
    return None if inner is None else returned_shape(inner, by_node, index, depth + 1)


def _is_plain_text(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _fields(node: ast.ClassDef, call: ast.Call, reading: Reading) -> Shape | None:
    """Read the fields of a data class or named tuple off its annotations."""
    fields = [
        one.target.id
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    ]
    if not fields:
        return None
    values = dict(zip(fields, call.args, strict=False))
    values |= {one.arg: one.value for one in call.keywords if one.arg in fields}
    return Shape(
        "object",
        tuple((name, _named_element(name, values.get(name), reading)) for name in fields),
    )


def _dataset_of_sklearn(call: ast.Call, full: str) -> Shape | None:
    asks = any(
        one.arg == "return_X_y" and isinstance(one.value, ast.Constant) and one.value.value is True
        for one in call.keywords
    )
    if asks or full.startswith("sklearn.datasets.make_"):
        return Shape("tuple", (("", Element(Part("", "X"))), ("", Element(Part("", "y")))))
    return None


def _split_parts(call: ast.Call, full: str) -> list[Part] | None:
    """Give the parts that a call splits its arguments into, in the order in which they come."""
    last = full.rpartition(".")[2]
    if last == "train_test_split" and 1 <= len(call.args) <= 4:
        kinds = ["whole"] if len(call.args) == 1 else ["X", "y", *["other"] * 2][: len(call.args)]
        return [Part(side, kind) for kind in kinds for side in ("train", "test")]
    if last == "random_split" and len(call.args) > 1:
        shares = call.args[1]
        if isinstance(shares, (ast.List, ast.Tuple)) and 2 <= len(shares.elts) <= 3:
            sides = ["train", "test"] if len(shares.elts) == 2 else ["train", "validation", "test"]
            return [Part(side, "whole") for side in sides]
    return None


def bound_parts(target: ast.expr, value: ast.expr, reading: Reading) -> list[tuple[str, Element]]:
    """Give the variables that an assignment binds to parts of the data."""
    if isinstance(target, ast.Name):
        return [(target.id, _named_element(target.id, value, reading))]
    if not isinstance(target, (ast.Tuple, ast.List)):
        return []
    split = None
    if isinstance(value, ast.Call):
        split = _split_parts(value, reading.scope.full_name(value.func))
    bound = []
    for place, element in enumerate(target.elts):
        if not isinstance(element, ast.Name):
            continue
        named = part_named(element.id)
        if split is not None and place < len(split) and (named is None or not named.side):
            named = split[place]
        bound.append((element.id, Element(named)))
    return bound


def _element(value: ast.expr, reading: Reading) -> Element:
    """Tell what one element of a returned tuple is."""
    kind = reading.kind(value)
    if kind is not None:
        return Element(None, model=kind)
    if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == 2:
        inner = [_element(one, reading).part for one in value.elts]
        if all(inner) and [one.kind for one in inner if one] == ["X", "y"]:
            first = inner[0]
            assert first is not None
            return Element(Part(first.side, "whole"))
    if isinstance(value, ast.Name):
        known = [
            element
            for target, assigned in reading.assigned
            for name, element in bound_parts(target, assigned, reading)
            if name == value.id and element.part is not None
        ]
        return known[-1] if known else Element(part_named(value.id))
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        # X_train.to_numpy() is still what it was.
        return _element(value.func.value, reading) if not value.args else _first(value, reading)
    if isinstance(value, ast.Call):
        return _first(value, reading)
    if isinstance(value, (ast.Attribute, ast.Subscript)):
        return _element(value.value, reading)
    return Element(None)


def _first(call: ast.Call, reading: Reading) -> Element:
    """Take a call for what its only argument is, as ``np.asarray(y_train)``."""
    if len(call.args) == 1:
        return _element(call.args[0], reading)
    return Element(None)


def _named_element(name: str, value: ast.expr | None, reading: Reading) -> Element:
    """Tell what a field, key or variable holds, by its name first."""
    is_loader = (
        isinstance(value, ast.Call)
        and reading.scope.full_name(value.func).rpartition(".")[2] == "DataLoader"
    )
    kind = None if value is None else reading.kind(value)
    if kind is not None:
        return Element(None, model=kind)
    return Element(part_named(name), loader=is_loader)
