"""Which expressions are models.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.cli.starter.index import Definition, Index, Scope

__all__ = ["Kind", "Models"]

_LIBRARIES = ("sklearn.", "xgboost.", "lightgbm.", "catboost.", "imblearn.")
# Parts of scikit-learn whose classes are no models.
_NO_MODELS = re.compile(
    r"sklearn\.(?:preprocessing|impute|decomposition|feature_extraction|feature_selection|compose"
    r"|metrics|datasets|manifold|cluster|random_projection|utils|base|inspection|exceptions"
    r"|model_selection|pipeline)\b"
)
_REGRESSORS = re.compile(
    r"\w*Regressor|(?!Logistic)\w*Regression(?:CV)?|(?:Bayesian|Kernel)?Ridge(?:CV)?"
    r"|(?:MultiTask)?Lasso\w*|\w*ElasticNet\w*|Lars(?:CV)?|(?:Linear|Nu)?SVR"
)
_NO_ESTIMATORS = {"DMatrix", "QuantileDMatrix", "Dataset", "Pool", "Booster", "Pipeline"}
_TORCH_MODULE = re.compile(
    r"torch\.nn\.(?:modules\.module\.)?Module|torch\.nn\.Sequential"
    r"|(?:pytorch_)?lightning(?:\.pytorch)?\.LightningModule"
)
_TORCH_MAKERS = re.compile(r"torch\.nn\.Sequential|torchvision\.models\.\w+")
# What gives back the model that it is called on.
_SAME_MODEL = {"fit", "to", "cuda", "cpu", "float", "double", "half", "eval", "train", "set_params"}


class Kind(NamedTuple):
    """What sort of model it is.

    Attributes
    ----------
    library : {"sklearn", "torch"}
        Whose rules it follows.
    regression : bool
        Whether it predicts numbers.
    """

    library: str
    regression: bool = False


class Models:
    """Knows the repository's own models, and what its functions return.

    Parameters
    ----------
    index : Index
        Of the repository.

    Attributes
    ----------
    returned : dict
        Kinds of the models that functions return, by the identity of their nodes; filled by who
        reads the functions.
    returned_parts : dict
        The same where a tuple is returned, with the model's place in it.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._classes: dict[int, Kind] = {}
        self.returned: dict[int, Kind] = {}
        self.returned_parts: dict[int, tuple[int, Kind]] = {}
        classes = [one for one in index.definitions if isinstance(one.node, ast.ClassDef)]
        for _ in range(4):  # a class may derive from one that stands further down
            for definition in classes:
                kind = self._kind_of_class(definition)
                if kind is not None:
                    self._classes[id(definition.node)] = kind
        self._parts = self._used_inside(classes)

    def modules(self) -> list[Definition]:
        """List the torch modules that are no part of another one."""
        return [
            one
            for one in self._index.definitions
            if self._classes.get(id(one.node), Kind("")).library == "torch"
            and id(one.node) not in self._parts
        ]

    def estimators(self) -> list[tuple[Definition, Kind]]:
        """List the repository's own estimators that are no base of another one."""
        return [
            (one, self._classes[id(one.node)])
            for one in self._index.definitions
            if self._classes.get(id(one.node), Kind("")).library == "sklearn"
            and id(one.node) not in self._parts
            and not one.name.startswith(("_", "Base", "Abstract"))
        ]

    def _kind_of_class(self, definition: Definition) -> Kind | None:
        assert isinstance(definition.node, ast.ClassDef)
        scope = self._index.scope(definition.source)
        bases = [scope.full_name(base) for base in definition.node.bases]
        for full in bases:
            if _TORCH_MODULE.fullmatch(full):
                return Kind("torch")
            own = self._index.find(full)
            if own is not None and id(own.node) in self._classes:
                return self._classes[id(own.node)]
            kind = _library_class(full)
            if kind is not None:
                return kind
        if not any(full.startswith("sklearn.base.") for full in bases):
            return None
        methods = {n.name for n in definition.node.body if isinstance(n, ast.FunctionDef)}
        if "fit" in methods and methods & {"predict_proba", "decision_function"}:
            return Kind("sklearn")
        regression = any(full.endswith(".RegressorMixin") for full in bases)
        return Kind("sklearn", True) if regression and {"fit", "predict"} <= methods else None

    def _used_inside(self, classes: list[Definition]) -> set[int]:
        used = set()
        for definition in classes:
            if id(definition.node) not in self._classes:
                continue
            scope = self._index.scope(definition.source)
            for node in ast.walk(definition.node):
                if isinstance(node, ast.Call):
                    part = self._index.find(scope.full_name(node.func))
                    if part is not None and part.node is not definition.node:
                        used.add(id(part.node))
        return used

    def made_by(self, call: ast.Call, scope: Scope) -> Kind | None:
        """Tell what sort of model a call makes, by a class or by a function that returns one."""
        full = scope.full_name(call.func)
        own = self._index.find(full)
        if own is not None:
            return self._classes.get(id(own.node)) or self.returned.get(id(own.node))
        if _TORCH_MAKERS.fullmatch(full):
            return Kind("torch")
        if full == "sklearn.base.clone":
            return Kind("sklearn")
        last = full.rpartition(".")[2]
        if full.startswith(("sklearn.pipeline.", "imblearn.pipeline.")) and last in {
            "Pipeline",
            "make_pipeline",
        }:
            return Kind("sklearn", self._holds_regressor(call, scope))
        if full.startswith("sklearn.model_selection.") and last.endswith("SearchCV"):
            return Kind("sklearn", self._holds_regressor(call, scope))
        return _library_class(full)

    def _holds_regressor(self, call: ast.Call, scope: Scope) -> bool:
        return any(
            isinstance(node, ast.Call)
            and node is not call
            and bool(_REGRESSORS.fullmatch(scope.full_name(node.func).rpartition(".")[2]))
            for node in ast.walk(call)
        )

    def kind(
        self, value: ast.AST, scope: Scope, variables: Mapping[str, Kind], depth: int = 0
    ) -> Kind | None:
        """Tell what sort of model an expression is; None where it is none.

        Parameters
        ----------
        value : ast.AST
            The expression.
        scope : Scope
            Of the file it stands in.
        variables : mapping of str to Kind
            The variables that are known to hold models.
        """
        if depth > 50:
            return None
        if isinstance(value, ast.Name):
            return variables.get(value.id)
        if isinstance(value, ast.Attribute) and value.attr == "best_estimator_":
            return self.kind(value.value, scope, variables, depth + 1)
        if isinstance(value, ast.IfExp):
            return self.kind(value.body, scope, variables, depth + 1)
        if not isinstance(value, ast.Call):
            return None
        made = self.made_by(value, scope)
        if made is not None:
            return made
        if isinstance(value.func, ast.Attribute) and value.func.attr in _SAME_MODEL:
            return self.kind(value.func.value, scope, variables, depth + 1)
        if scope.full_name(value.func) == "torch.compile" and value.args:
            return self.kind(value.args[0], scope, variables, depth + 1)
        return None


def _library_class(full: str) -> Kind | None:
    last = full.rpartition(".")[2]
    if not full.startswith(_LIBRARIES) or _NO_MODELS.match(full) or last in _NO_ESTIMATORS:
        return None
    return Kind("sklearn", bool(_REGRESSORS.fullmatch(last))) if last[:1].isupper() else None
