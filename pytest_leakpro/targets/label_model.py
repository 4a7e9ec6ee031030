"""Models asked for nothing but the label that they predict.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.adapters import require_model
from pytest_leakpro.targets.callable_model import CallableModel
from pytest_leakpro.targets.containers import as_numpy, is_tensor, length
from pytest_leakpro.targets.hidden_scores import bare
from pytest_leakpro.targets.label_signals import LabelSignals
from pytest_leakpro.targets.labels import class_indices, label_values
from pytest_leakpro.targets.outputs import as_matrix
from pytest_leakpro.targets.sklearn_model import has_method, sklearn_labels
from pytest_leakpro.targets.torch_model import TorchModel, is_module

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_adapter import ModelAdapter
    from pytest_leakpro.targets.records import Records

__all__ = ["LabelModel", "LabelReader", "adapt_labels"]


class LabelModel:
    """A model of which only predicted labels leave this adapter, as column indices.

    Parameters
    ----------
    model : ModelAdapter
        What is asked.
    classes : tuple or None
        The labels in the order of the columns; None: labels are column indices.
    output : {"probabilities", "logits"} or None
        How a single column of numbers is read.
    """

    def __init__(
        self, model: ModelAdapter, classes: tuple[Any, ...] | None, output: str | None
    ) -> None:
        self._model = model
        self._output = output
        self.name = model.name
        self.classes = classes
        self.output: str | None = "labels"
        self.batch_size = model.batch_size
        self.pairwise = False

    def __repr__(self) -> str:
        return f"LabelModel({self.name})"

    @property
    def device(self) -> str | None:
        """Where the model computes, None where that cannot be told."""
        device: str | None = getattr(self._model, "device", None)
        return device

    def __call__(self, inputs: Any) -> NDArray[np.intp]:
        """Give the column index of every record's predicted label, shape (n,)."""
        returned = self._model(inputs)
        if not is_tensor(returned) and hasattr(returned, "logits"):
            returned = returned.logits
        if is_tensor(returned):
            returned = as_numpy(returned)
        if not isinstance(self._model, TorchModel) and np.ndim(returned) == 1:
            return class_indices(label_values(returned, "predictions"), self.classes, "predictions")
        values = as_matrix(returned, length(inputs), "predictions")
        if values.shape[1] > 1:
            return np.asarray(values.argmax(axis=1), dtype=np.intp)
        if self._output is None:
            raise LeakproError(
                "the model returned a single column, of which the label cannot be told: say "
                "output='probabilities' (above a half it is the second class) or output='logits' "
                "(above zero)"
            )
        cut = 0.5 if self._output == "probabilities" else 0.0
        return np.asarray(values[:, 0] > cut, dtype=np.intp)


def adapt_labels(
    model: Any, classes: tuple[Any, ...] | None = None, output: str | None = None
) -> LabelModel:
    """Adapt a model for an attacker who sees labels only.

    Parameters
    ----------
    model : estimator with `predict`, torch.nn.Module or callable
        A callable returns labels, or one column per class.
    classes : tuple, optional
        The labels in the order of the columns.
    output : {"probabilities", "logits"}, optional
        What a module or callable returns.

    Raises
    ------
    LeakproError
        If it is no model, or does not predict labels.
    """
    require_model(model)
    model = bare(model)  # a guard hides scores, and not labels
    if is_module(model):
        return LabelModel(TorchModel(model), classes, output)
    if has_method(model, "predict"):
        adapter = sklearn_labels(model)
        return LabelModel(adapter, adapter.classes or classes, output)
    return LabelModel(CallableModel(model), classes, output)


class LabelReader:
    """Reads column indices of predicted labels.

    Parameters
    ----------
    classes : tuple or None
        The labels in the order of the columns; None: as many as are seen.
    """

    output: str | None = "labels"

    def __init__(self, classes: tuple[Any, ...] | None) -> None:
        self._classes = classes

    def tell(
        self,
        outputs: Mapping[str, NDArray[np.float64]],  # noqa: ARG002  # the protocol's
    ) -> tuple[str, tuple[str, ...]]:
        """Say that labels are what they are."""
        return "labels", ()

    def signals(
        self,
        records: Records,
        values: NDArray[np.float64],
        output: str,  # noqa: ARG002  # the protocol's
    ) -> LabelSignals:
        """Read the predicted labels of one side."""
        predicted = values[:, 0].astype(np.intp)
        n_seen = int(max(predicted.max(initial=0), records.labels.max(initial=0))) + 1
        return LabelSignals(records.labels, predicted, max(2, len(self._classes or ()), n_seen))
