"""Public records that stand for classes in a model's eyes: what a generator is trained on.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.client_training import read_count
from pytest_leakpro.targets.containers import kind_of, length, take
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.signals import ClassSignals
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pseudo_labelled"]


def pseudo_labelled(
    model: Any, X: Any, per_class: int, *, output: str | None = None
) -> tuple[Any, NDArray[np.intp]]:
    """Choose for each class the public records that a model is surest are of it.

    A generator that is trained on them, with these labels, makes what the model takes for its
    classes, whatever the public records are: it is what `generator_inversion` searches.

    Parameters
    ----------
    model : Classifier, estimator, torch.nn.Module or callable
        What gives scores; a target is asked as it is audited.
    X : container of n records
        Public ones, of which none trained the model nor is audited.
    per_class : int
        How many of each class, at least 1 and at most n. A record may stand for several classes.
    output : {"probabilities", "logits"}, optional
        What the model returns, unless it is a target; by default told from the values.

    Returns
    -------
    X : container of K * per_class records
        Class after class, the surest first.
    labels : ndarray of int, shape (K * per_class,)
        The classes, in the order of the model's outputs.

    Raises
    ------
    LeakproError
        If X holds no records or too few, or the model gives no scores.

    References
    ----------
    Yuan et al. (2023), Pseudo label-guided model inversion attack via conditional generative
    adversarial network, AAAI: the top-n selection.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_leakpro.attacks.reconstruction.pseudo_labels import pseudo_labelled
    >>> X = np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    >>> chosen, labels = pseudo_labelled(lambda X: X, X, 1, output="logits")
    >>> chosen.tolist(), labels.tolist()
    ([[3.0, 0.0], [0.0, 2.0]], [0, 1])
    """
    per_class = read_count("per_class", per_class)
    if kind_of(X) is None or length(X) < per_class:
        n = "no" if kind_of(X) is None else f"{length(X):,}"
        raise LeakproError(
            f"X holds {n} records, and {per_class:,} are wanted of each class: give an array, "
            "tensor, DataFrame or list of as many public records, or a smaller per_class"
        )
    signals = _signals(model, X, output)
    if not isinstance(signals, ClassSignals):
        raise LeakproError(
            "the target gives labels only, and how sure it is of a record takes scores: give it "
            "with access='scores' or 'white-box'"
        )
    order = np.argsort(-signals.log_odds, axis=0, kind="stable")[:per_class]
    labels = np.repeat(np.arange(signals.n_classes), per_class)
    return take(X, order.T.reshape(-1)), labels


def _signals(model: Any, inputs: Any, output: str | None) -> Any:
    n = length(inputs)
    labels = np.zeros(n, dtype=np.intp)
    records = Records("public records", inputs, labels, record_units(n), labels, np.arange(n))
    if isinstance(model, Classifier):
        return model.model_reader.signals(model.model, records)
    return ModelReader(output=output).signals(model, records)
