"""Functions that train, functions that make a model, and models that stand ready.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.arguments import fill_in
from pytest_leakpro.cli.starter.names import parameter_role
from pytest_leakpro.cli.starter.parts import Maker, ModelPart
from pytest_leakpro.cli.starter.reading import Reading, is_plain
from pytest_leakpro.cli.starter.sources import is_main_guard

if TYPE_CHECKING:
    from pytest_leakpro.cli.starter.functions import Function
    from pytest_leakpro.cli.starter.index import Definition, Index
    from pytest_leakpro.cli.starter.models import Models

__all__ = ["model_parts"]


def model_parts(functions: list[Function], index: Index, models: Models) -> list[ModelPart]:
    """List every way to a model, those that cannot be used as well, with what they lack."""
    makers = _makers(functions, models)
    batch_size = _batch_size(functions)
    parts = []
    for function in functions:
        part = _part(function, makers, batch_size)
        if part is not None:
            parts.append(part)
    parts += [
        ModelPart(one.source, one.name, "build", kind)
        for one, kind in models.estimators()
        if _make(one.name, _constructor_arguments(one)) == f"{one.name}()"
    ]
    for source in index.sources.files:
        reading = Reading(source.tree.body, (), index.scope(source), index, models, set())
        parts += [
            ModelPart(source, name, "variable", kind)
            for name, kind in reading.fitted_variables().items()
        ]
        guarded = [node for node in source.tree.body if is_main_guard(node)]
        for guard in guarded:
            reading = Reading(guard.body, (), index.scope(source), index, models, set())
            lacks = ("nothing that stands under it can be imported",)
            parts += [
                ModelPart(source, name, "variable", kind, f'{name} under "__main__"', lacks=lacks)
                for name, kind in reading.fitted_variables().items()
            ]
    return parts


def _part(function: Function, makers: list[Maker], batch_size: int | None) -> ModelPart | None:
    reading, node = function.reading, function.node
    result = reading.result()
    source = function.definition.source
    given = [name for name in function.required if name in reading.variables]
    lacks: tuple[str, ...] = ()
    if not is_plain(node):
        lacks = ("a decorator changes how it is called, or it yields",)
    if not reading.trains:
        # What makes an unfitted estimator; a network that nobody trains is no model yet.
        others = [name for name in function.required if parameter_role(name) != "seed"]
        if result is None or result[1].library != "sklearn" or others or result[0] or lacks:
            return None
        arguments = ("0",) * len(function.required)
        return ModelPart(
            source, node.name, "build", result[1], function.signature, arguments=arguments
        )
    keeps = result is None and bool(given)
    if result is None and not given:
        if not reading.variables:
            return None
        kind = next(iter(reading.variables.values()))
        how = "train" if function.required else "finish"
        lacks += ("it does not return the model that it trains",)
        return ModelPart(source, node.name, how, kind, function.signature, lacks=lacks)
    kind = result[1] if result is not None else reading.variables[given[0]]
    suffix = result[0] if result is not None else ""
    if not function.required:
        return ModelPart(
            source, node.name, "finish", kind, function.signature, result=suffix, lacks=lacks
        )
    if reading.splits:
        lacks += ("it splits the records itself, so nobody outside knows who is a member",)
    filled = fill_in(function, batch_size)
    maker = _nearest(makers, function) if filled.model else None
    if filled.model and maker is None:
        lacks += (f"nothing says how {filled.model} is made",)
    return ModelPart(
        source,
        node.name,
        "train",
        kind,
        function.signature,
        arguments=filled.arguments,
        setup=filled.setup,
        result=suffix,
        keeps=keeps,
        maker=maker,
        needs=filled.needs,
        direct=filled.direct and not suffix,
        seeded=filled.seeded,
        lacks=(*lacks, *filled.lacks),
    )


def _makers(functions: list[Function], models: Models) -> list[Maker]:
    """List what makes a model from nothing, or from the number of columns."""
    makers = []
    for definition in models.modules():
        call = _make(definition.name, _constructor_arguments(definition))
        if call is not None:
            makers.append(Maker(definition.source, definition.name, call))
    for function in functions:
        result = function.reading.result()
        if result is None or result[0] or function.reading.trains or not is_plain(function.node):
            continue
        call = _make(function.node.name, list(function.required))
        if call is not None:
            makers.append(Maker(function.definition.source, function.node.name, call))
    return makers


def _constructor_arguments(definition: Definition) -> list[str]:
    """List what a class cannot be made without."""
    for node in definition.node.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            names = [argument.arg for argument in node.args.args][1:]
            required = names[: max(0, len(names) - len(node.args.defaults))]
            keywords = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            return [*required, *(one.arg for one, default in keywords if default is None)]
    return []


def _make(name: str, required: list[str]) -> str | None:
    if not required:
        return f"{name}()"
    return f"{name}(X.shape[1])" if [parameter_role(one) for one in required] == ["width"] else None


def _nearest(makers: list[Maker], function: Function) -> Maker | None:
    """Choose the maker of the same file, else of what the file imports, else the only one."""
    usable = [maker for maker in makers if maker.source.module and not maker.source.script]
    here = function.definition.source
    names = {node.id for node in ast.walk(here.tree) if isinstance(node, ast.Name)}
    for group in (
        [maker for maker in usable if maker.source is here],
        [maker for maker in usable if maker.name in names],
        usable,
    ):
        if len(group) == 1:
            return group[0]
        if group:
            # Functions come last and are the surer sign of how a model is made.
            return group[-1] if group[-1].name[:1].islower() else None
    return None


def _batch_size(functions: list[Function]) -> int | None:
    """Give the batch size that the repository shuffles its records in."""
    for function in functions:
        for call in function.reading.calls:
            options = {one.arg: one.value for one in call.keywords if one.arg}
            name = function.reading.scope.full_name(call.func)
            size, shuffle = options.get("batch_size"), options.get("shuffle")
            if (
                name.endswith("DataLoader")
                and isinstance(size, ast.Constant)
                and isinstance(size.value, int)
                and isinstance(shuffle, ast.Constant)
                and shuffle.value is True
            ):
                return size.value
    return None
