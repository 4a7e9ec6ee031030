"""What a training function is called with.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.names import parameter_role, part_named

if TYPE_CHECKING:
    from pytest_leakpro.cli.starter.functions import Function

__all__ = ["Filled", "fill_in"]

_DATASET = "dataset = TensorDataset(torch.as_tensor(X), torch.as_tensor(y))"


@dataclass(frozen=True)
class Filled:
    """The arguments of a call that trains on ``X`` and ``y``.

    Attributes
    ----------
    arguments : tuple of str
        In terms of ``X``, ``y``, ``seed`` and ``model``.
    setup : tuple of str
        Statements that make what else the arguments name.
    needs : frozenset of str
        Names of libraries that they are written with.
    model : str
        The parameter that takes the model; empty where there is none.
    direct : bool
        Whether the function can be called as ``(X, y, seed)``.
    seeded : bool
        Whether it takes a seed.
    lacks : tuple of str
        Parameters that only the user can fill in.
    """

    arguments: tuple[str, ...]
    setup: tuple[str, ...]
    needs: frozenset[str]
    model: str
    direct: bool
    seeded: bool
    lacks: tuple[str, ...]


def fill_in(function: Function, batch_size: int | None) -> Filled:
    """Find out what each required parameter of a training function takes.

    Parameters
    ----------
    function : Function
        That trains.
    batch_size : int or None
        In which the repository's loaders batch; None where that is not known.

    Returns
    -------
    Filled
    """
    roles = _roles(function)
    keyword_only = {argument.arg for argument in function.node.args.kwonlyargs}
    arguments, lacks = [], []
    setup: list[str] = []
    needs: set[str] = set()
    for name in function.required:
        value = {"X": "X", "y": "y", "seed": "seed", "model": "model", "width": "X.shape[1]"}.get(
            roles.get(name, "")
        )
        if value is None:
            value, wanted, made = _data_object(function, name, batch_size)
            needs |= wanted
            setup += [line for line in made if line not in setup]
        if value is None:
            lacks.append(f"nothing says what {name} is")
            continue
        arguments.append(f"{name}={value}" if name in keyword_only else value)
    seeds = [name for name in function.optional if parameter_role(name) == "seed"]
    arguments += [f"{name}=seed" for name in seeds[:1]]
    data_given = needs or {"X", "y"} <= {roles.get(name) for name in function.required}
    if not data_given and not lacks:
        lacks.append("nothing says which of its parameters are X and y")
    positional = [
        argument.arg for argument in (*function.node.args.posonlyargs, *function.node.args.args)
    ]
    first = [roles.get(name) or parameter_role(name) for name in positional[:3]]
    return Filled(
        tuple(arguments),
        tuple(setup),
        frozenset(needs),
        next((name for name in function.required if roles.get(name) == "model"), ""),
        first == ["X", "y", "seed"] and len(arguments) == 3,
        bool(seeds) or "seed" in {roles.get(name) for name in function.required},
        tuple(lacks),
    )


def _roles(function: Function) -> dict[str, str]:
    reading = function.reading
    roles = {}
    for name in function.required:
        role = "model" if name in reading.variables else parameter_role(name)
        if role:
            roles[name] = role
    for call in reading.fits:  # what is fitted on is X and y, whatever it is called
        for argument, role in zip(call.args[:2], ("X", "y"), strict=False):
            if isinstance(argument, ast.Name) and argument.id in function.required:
                roles.setdefault(argument.id, role)
    for role in ("X", "y"):  # the same role twice means that the second is something else
        named = [name for name in function.required if roles.get(name) == role]
        for name in named[1:]:
            del roles[name]
    unknown = [name for name in function.required if name not in roles]
    if len(unknown) == 2 and not {"X", "y"} & set(roles.values()):
        objects = [name for name in unknown if _uses(function, name)]
        if not objects:
            roles |= dict(zip(unknown, ("X", "y"), strict=True))
    return roles


def _uses(function: Function, name: str) -> set[str]:
    """Say how a parameter is used that may hold both X and y."""
    uses = set()
    for node in function.reading.nodes:
        if isinstance(node, (ast.For, ast.comprehension)) and _iterates(node.iter, name):
            target = node.target
            if isinstance(target, ast.Tuple) and isinstance(target.elts[-1], ast.Tuple):
                target = target.elts[-1]  # of enumerate
            if isinstance(target, ast.Tuple) and len(target.elts) == 2:
                uses.add("loader")
        elif isinstance(node, ast.Call) and node.args and _is_name(node.args[0], name):
            if function.reading.scope.full_name(node.func).endswith("DataLoader"):
                uses.add("dataset")
        elif isinstance(node, ast.Attribute) and _is_name(node.value, name):
            uses.add(f".{node.attr}")
        elif isinstance(node, ast.Subscript) and _is_name(node.value, name):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            uses.add(f"[{key}" if isinstance(key, str) else "[]")
    return uses


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _iterates(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Call) and node.args:  # enumerate(loader), tqdm(loader)
        return _iterates(node.args[0], name)
    return _is_name(node, name)


def _data_object(
    function: Function, name: str, batch_size: int | None
) -> tuple[str | None, set[str], tuple[str, ...]]:
    """Write an object that holds X and y in the way in which a parameter is used."""
    uses = _uses(function, name)
    if uses == {"dataset"}:
        return "dataset", {"torch", "TensorDataset"}, (_DATASET,)
    if "loader" in uses and batch_size is not None and not any("[" in use for use in uses):
        loader = f"loader = DataLoader(dataset, batch_size={batch_size}, shuffle=True)"
        return "loader", {"torch", "TensorDataset", "DataLoader"}, (_DATASET, loader)
    styles = {use[0] for use in uses}
    if len(styles) != 1 or not styles <= {".", "["}:
        return None, set(), ()
    parts = {use[1:]: part_named(use[1:]) for use in sorted(uses)}
    values = {}
    for key, part in parts.items():
        if part is None or part.side not in {"", "train"} or not key.isidentifier():
            return None, set(), ()
        values[key] = "(X, y)" if part.kind == "whole" else part.kind
    if set(values.values()) not in ({"X", "y"}, {"(X, y)"}):
        return None, set(), ()
    if styles == {"."}:
        fields = ", ".join(f"{key}={value}" for key, value in values.items())
        return f"SimpleNamespace({fields})", {"SimpleNamespace"}, ()
    fields = ", ".join(f'"{key}": {value}' for key, value in values.items())
    return f"{{{fields}}}", {"dict"}, ()
