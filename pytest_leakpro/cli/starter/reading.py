"""What one function, or the top level of a module, does with models.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.index import own_nodes
from pytest_leakpro.cli.starter.models import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_leakpro.cli.starter.index import Index, Scope
    from pytest_leakpro.cli.starter.models import Models

__all__ = ["SPLITTERS", "Reading", "is_plain"]

SPLITTERS = ("train_test_split", "random_split")
_CACHES = {"cache", "lru_cache", "wraps", "no_type_check", "memoize", "profile", "timer", "timeit"}


class Reading:
    """The statements of one body, read in the light of what is known of the repository.

    Parameters
    ----------
    body : iterable of ast.stmt
        The statements.
    parameters : iterable of str
        Names that hold what the caller gives.
    scope : Scope
        Of the file.
    index : Index
        Of the repository.
    models : Models
        What is known of its models.
    trainers : set of int
        Identities of functions that are known to train.
    """

    def __init__(
        self,
        body: Iterable[ast.stmt],
        parameters: Iterable[str],
        scope: Scope,
        index: Index,
        models: Models,
        trainers: set[int],
    ) -> None:
        self.nodes = list(own_nodes(body))
        self.parameters = set(parameters)
        self.scope = scope
        self._index = index
        self._models = models
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.called = {
            found.name: found
            for found in (index.find(scope.full_name(call.func)) for call in self.calls)
            if found is not None
        }
        self.assigned = list(self._assignments())
        optimises = any(_attribute(call) == "backward" for call in self.calls)
        torch = optimises or (scope.mentions("torch") and not scope.mentions("sklearn"))
        self.variables = self._find_models("torch" if torch else "sklearn")
        self.fits = [call for call in self.calls if self._is_fit(call)]
        self.trains = (
            optimises
            or bool(self.fits)
            or any(id(one.node) in trainers for one in self.called.values())
        )
        self.splits = [
            call
            for call in self.calls
            if scope.full_name(call.func).rpartition(".")[2] in SPLITTERS
        ]

    def kind(self, value: ast.AST) -> Kind | None:
        """Tell what sort of model an expression is."""
        return self._models.kind(value, self.scope, self.variables)

    def fitted_variables(self) -> dict[str, Kind]:
        """Give the variables that hold a fitted model."""
        fitted = {}
        receivers = {
            call.func.value.id
            for call in self.fits
            if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
        }
        for target, value in self.assigned:
            if not isinstance(target, ast.Name) or target.id not in self.variables:
                continue
            if target.id in receivers or (isinstance(value, ast.Call) and value in self.fits):
                fitted[target.id] = self.variables[target.id]
        return fitted

    def returned(self) -> list[ast.expr]:
        """List what is returned."""
        return [
            node.value
            for node in self.nodes
            if isinstance(node, ast.Return) and node.value is not None
        ]

    def result(self) -> tuple[str, Kind] | None:
        """Tell what picks the model out of what is returned, and what sort it is."""
        found = [self._pick(value) for value in self.returned()]
        known = [one for one in found if one is not None]
        if not known or any(one is None or one[0] != known[0][0] for one in found):
            return None
        return known[-1]

    def _pick(self, value: ast.expr) -> tuple[str, Kind] | None:
        kind = self.kind(value)
        if kind is not None:
            return "", kind
        if isinstance(value, ast.Tuple):
            for place, element in enumerate(value.elts):
                kind = self.kind(element)
                if kind is not None:
                    return f"[{place}]", kind
        if isinstance(value, ast.Dict):
            for key, element in zip(value.keys, value.values, strict=True):
                kind = self.kind(element)
                name = key.value if isinstance(key, ast.Constant) else None
                if kind is not None and isinstance(name, str) and name.isidentifier():
                    return f'["{name}"]', kind
        return None

    def _assignments(self) -> Iterable[tuple[ast.expr, ast.expr]]:
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    yield target, node.value
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
                yield node.target, node.value

    def _find_models(self, library: str) -> dict[str, Kind]:
        variables = {
            name: Kind(library, self._loses_squares())
            for name in self._parameters_that_are_models()
        }
        for _ in range(4):  # later lines may build upon earlier ones
            for target, value in self.assigned:
                if isinstance(target, ast.Name):
                    kind = self._models.kind(value, self.scope, variables)
                    if kind is not None:
                        regression = kind.library == "torch" and self._loses_squares()
                        variables[target.id] = Kind(kind.library, kind.regression or regression)
                elif isinstance(target, ast.Tuple) and isinstance(value, ast.Call):
                    self._take_part(target, value, variables)
        return variables

    def _take_part(self, target: ast.Tuple, value: ast.Call, variables: dict[str, Kind]) -> None:
        """Follow a model through ``model, losses = fit_loop(…)``."""
        own = self._index.find(self.scope.full_name(value.func))
        place, kind = self._models.returned_parts.get(id(own.node) if own else 0, (0, None))
        if kind is not None and place < len(target.elts):
            element = target.elts[place]
            if isinstance(element, ast.Name):
                variables[element.id] = kind

    def _parameters_that_are_models(self) -> set[str]:
        from pytest_leakpro.cli.starter.names import parameter_role

        found = {name for name in self.parameters if parameter_role(name) == "model"}
        for call in self.calls:
            if _attribute(call) in {"fit", "parameters"}:
                assert isinstance(call.func, ast.Attribute)
                value = call.func.value
                if isinstance(value, ast.Name) and value.id in self.parameters:
                    found.add(value.id)
        return found

    def _is_fit(self, call: ast.Call) -> bool:
        if _attribute(call) not in {"fit", "partial_fit"}:
            return False
        assert isinstance(call.func, ast.Attribute)
        if self.kind(call.func.value) is not None:
            return True
        # A trainer of Lightning and its like is given the model.
        given = [self.kind(argument) for argument in call.args[:1]]
        return any(kind is not None and kind.library == "torch" for kind in given)

    def _loses_squares(self) -> bool:
        losses = {"MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "mse_loss", "l1_loss"}
        return any(
            self.scope.full_name(call.func).rpartition(".")[2] in losses for call in self.calls
        )


def _attribute(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def is_plain(node: ast.FunctionDef) -> bool:
    """Tell whether a function can be called as it is written, and gives what it returns."""
    if any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in own_nodes(node.body)):
        return False
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = str(getattr(target, "attr", getattr(target, "id", "")))
        if name not in _CACHES and not name.startswith("cache"):
            return False
    return True
