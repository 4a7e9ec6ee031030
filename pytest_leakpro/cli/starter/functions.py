"""The top-level functions of a repository, read.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.reading import Reading

if TYPE_CHECKING:
    from pytest_leakpro.cli.starter.index import Definition, Index
    from pytest_leakpro.cli.starter.models import Models

__all__ = ["Function", "read_functions"]


@dataclass(frozen=True)
class Function:
    """A top-level function, read."""

    definition: Definition
    node: ast.FunctionDef
    reading: Reading
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def signature(self) -> str:
        """How people read it."""
        return f"{self.node.name}({', '.join((*self.required, *self.optional))})"


def read_functions(index: Index, models: Models) -> list[Function]:
    """Read every top-level function, until nothing new is learned of what they return."""
    trainers: set[int] = set()
    functions: list[Function] = []
    for _ in range(4):
        functions = [
            _read(definition, index, models, trainers)
            for definition in index.definitions
            if isinstance(definition.node, ast.FunctionDef)
        ]
        known = (len(trainers), len(models.returned), len(models.returned_parts))
        for function in functions:
            identity = id(function.node)
            if function.reading.trains:
                trainers.add(identity)
            result = function.reading.result()
            if result is not None and not result[0]:
                models.returned[identity] = result[1]
            elif result is not None and result[0][1:-1].isdecimal():
                models.returned_parts[identity] = (int(result[0][1:-1]), result[1])
        if known == (len(trainers), len(models.returned), len(models.returned_parts)):
            break
    return functions


def _read(definition: Definition, index: Index, models: Models, trainers: set[int]) -> Function:
    node = definition.node
    assert isinstance(node, ast.FunctionDef)
    positional = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    n_required = len(positional) - len(node.args.defaults)
    keywords = list(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
    required = [
        *positional[:n_required],
        *(argument.arg for argument, default in keywords if default is None),
    ]
    optional = [
        *positional[n_required:],
        *(argument.arg for argument, default in keywords if default is not None),
    ]
    reading = Reading(
        node.body,
        [*required, *optional],
        index.scope(definition.source),
        index,
        models,
        trainers,
    )
    return Function(definition, node, reading, tuple(required), tuple(optional))
