"""Defences of an interface, to be audited as what an attacker meets.

They hide scores and change nothing of the model: whoever sees the labels alone still learns from
them, so a comparison audits these models with such an attacker too.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any

from pytest_leakpro.targets.hidden_scores import (
    GuardedModel,
    LabelOnly,
    Rounding,
    TopScores,
    add_guard,
)

__all__ = ["labels_only", "rounded", "top_k"]


def rounded(model: Any, digits: int, *, output: str | None = None) -> GuardedModel:
    """Show probabilities to so many decimal places.

    Parameters
    ----------
    model : estimator, torch.nn.Module or callable
        A fitted classifier.
    digits : int
        Between 0 and 15. What rounding leaves missing to 1 is shared out in proportion.
    output : {"probabilities", "logits"}, optional
        What a torch module or callable returns; needed where it is a single column.

    Returns
    -------
    GuardedModel
        To be given to `Classifier` in place of the model; its shadow models are guarded alike.

    Raises
    ------
    LeakproError
        Where the model is no classifier, or `digits` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.arange(20.0)[:, None], np.arange(20) // 10
    >>> rounded(LogisticRegression().fit(X, y), 1).predict_proba(X[9:11]).tolist()
    [[0.7, 0.3], [0.3, 0.7]]
    """
    return add_guard(model, Rounding(digits), output)


def top_k(model: Any, k: int, *, output: str | None = None) -> GuardedModel:
    """Show the probabilities of the k likeliest classes; the others share the rest evenly.

    Parameters
    ----------
    model : estimator, torch.nn.Module or callable
        A fitted classifier.
    k : int
        At least 1.
    output : {"probabilities", "logits"}, optional
        What a torch module or callable returns; needed where it is a single column.

    Returns
    -------
    GuardedModel
        As of `rounded`.

    Raises
    ------
    LeakproError
        As `rounded`.
    """
    return add_guard(model, TopScores(k), output)


def labels_only(model: Any, *, output: str | None = None) -> GuardedModel:
    """Show the likeliest class and no probability.

    Parameters
    ----------
    model : estimator, torch.nn.Module or callable
        A fitted classifier.
    output : {"probabilities", "logits"}, optional
        What a torch module or callable returns; needed where it is a single column.

    Returns
    -------
    GuardedModel
        As of `rounded`.

    Raises
    ------
    LeakproError
        Where the model is no classifier.
    """
    return add_guard(model, LabelOnly(), output)
