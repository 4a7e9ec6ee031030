"""Where records are loaded and split.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.names import Part, parameter_role
from pytest_leakpro.cli.starter.parts import DataPart
from pytest_leakpro.cli.starter.reading import Reading, is_plain
from pytest_leakpro.cli.starter.shapes import DEPTH, Element, bound_parts, returned_shape

if TYPE_CHECKING:
    from pytest_leakpro.cli.starter.functions import Function
    from pytest_leakpro.cli.starter.index import Index
    from pytest_leakpro.cli.starter.models import Models
    from pytest_leakpro.cli.starter.shapes import Shape

__all__ = ["data_parts"]


def data_parts(functions: list[Function], index: Index, models: Models) -> list[DataPart]:
    """List every way to the records, those that cannot be used as well, with what they lack."""
    by_node = {id(function.node): function for function in functions}
    parts = []
    for function in functions:
        shape = returned_shape(function, by_node, index, 0)
        part = None if shape is None else _part(function, shape, by_node)
        if part is None and function.reading.splits:
            lacks = ("it does not return the two sides of its split",)
            part = DataPart(function.definition.source, function.node.name, lacks=lacks)
        if part is not None:
            parts.append(part)
    for source in index.sources.files:
        reading = Reading(source.tree.body, (), index.scope(source), index, models, set())
        names: dict[Part, str] = {}
        for target, value in reading.assigned:
            for name, element in bound_parts(target, value, reading):
                if element.part is not None:
                    names.setdefault(element.part, name)
        members, nonmembers = _side(names, "train"), _side(names, "test", "validation")
        if members and nonmembers:
            imported = tuple(dict.fromkeys((*members, *nonmembers)))
            parts.append(DataPart(source, "", "", imported, _pair(members), _pair(nonmembers)))
    return parts


def _side(names: dict[Part, str], *sides: str) -> tuple[str, ...]:
    for side in sides:
        if Part(side, "X") in names and Part(side, "y") in names:
            return names[Part(side, "X")], names[Part(side, "y")]
        if Part(side, "whole") in names:
            return (names[Part(side, "whole")],)
    return ()


def _pair(names: tuple[str, ...]) -> str:
    return f"({', '.join(names)})" if len(names) == 2 else names[0]


def _part(function: Function, shape: Shape, by_node: dict[int, Function]) -> DataPart | None:
    source, name = function.definition.source, function.node.name
    lacks: tuple[str, ...] = ()
    others = [one for one in function.required if parameter_role(one) != "seed"]
    if others:
        lacks += (f"it must be called with {', '.join(others)}",)
    elif function.required:
        lacks += ("its seed has no default",)
    if not is_plain(function.node):
        lacks += ("a decorator changes what it gives, or it yields",)
    names: dict[Part, str] = {}
    targets, model = [], None
    for key, element in _with_sides(shape):
        target = "_"
        if element.model is not None and model is None:
            target, model = "model", element.model
        elif element.part is not None and element.part not in names:
            side, kind = element.part
            target = f"{kind}_{side}" if side else kind
            if kind == "whole":  # not "train": that is what functions are called
                target = {"train": "training", "test": "holdout"}.get(side, side)
            access = {"tuple": target, "object": f"data.{key}", "mapping": f'data["{key}"]'}
            names[element.part] = access[shape.style] + (".dataset" if element.loader else "")
        targets.append(target)
    members, nonmembers = _side(names, "train"), _side(names, "test", "validation")
    pooled = _side(names, "")
    used = {*members, *nonmembers} or {*pooled}
    kept = [
        one if one == "model" or any(_stem(use) == one for use in used) else "_" for one in targets
    ]
    left = ", ".join(kept) if shape.style == "tuple" else "data"
    seeded = _is_seeded(function, by_node, 0)
    if members and nonmembers:
        return DataPart(
            source,
            name,
            left,
            (),
            _pair(members),
            _pair(nonmembers),
            seeded=seeded,
            datasets=_gives_datasets(function, by_node, (*members, *nonmembers)),
            model=model,
            lacks=lacks,
        )
    if len(pooled) == 2 and model is None and not function.reading.trains:
        return DataPart(
            source, name, left, (), ", ".join(pooled), pooled=True, seeded=seeded, lacks=lacks
        )
    return None


def _with_sides(shape: Shape) -> list[tuple[str, Element]]:
    """Take two pairs whose names do not say so for the two sides, training first."""
    elements = list(shape.elements)
    if [element.part for _, element in elements] != [Part("", "whole")] * 2:
        return elements
    sides = (Part("train", "whole"), Part("test", "whole"))
    return [(key, Element(part)) for (key, _), part in zip(elements, sides, strict=True)]


def _gives_datasets(
    function: Function, by_node: dict[int, Function], accesses: tuple[str, ...]
) -> bool:
    """Tell whether the sides are data sets of torch, as far as the code says so."""
    inner = [by_node.get(id(one.node)) for one in function.reading.called.values()]
    splits = [call for one in (function, *inner) if one is not None for call in one.reading.splits]
    return any(access.endswith(".dataset") for access in accesses) or any(
        function.reading.scope.full_name(call.func).endswith("random_split") for call in splits
    )


def _stem(access: str) -> str:
    return access.removesuffix(".dataset")


def _is_seeded(function: Function, by_node: dict[int, Function], depth: int) -> bool:
    """Tell whether the same split comes in every call."""
    for call in function.reading.splits:
        options = {one.arg: one.value for one in call.keywords}
        given = [options[name] for name in ("random_state", "generator") if name in options]
        unshuffled = options.get("shuffle")
        if isinstance(unshuffled, ast.Constant) and unshuffled.value is False:
            continue
        if not given or (isinstance(given[0], ast.Constant) and given[0].value is None):
            return False
    if depth > DEPTH:
        return True
    inner = [by_node.get(id(one.node)) for one in function.reading.called.values()]
    return all(_is_seeded(one, by_node, depth + 1) for one in inner if one is not None)
