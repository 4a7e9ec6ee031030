"""Signals read in the form that an attack compares.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

from pytest_leakpro.attacks.membership.shadow_attack import clip_at_resolution, resolution

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Signal = Literal["logit", "probability", "loss", "error", "log-error"]

__all__ = ["Signal", "signal_names", "signal_reader"]


def signal_names(*, regression: bool) -> tuple[Signal, ...]:
    """Give the signals among which shadow models choose, of classifiers or of regressors."""
    return ("error", "log-error") if regression else ("logit", "probability", "loss")


def signal_reader(name: str, shadow: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Give the function that reads a signal, with the models' resolution settled beforehand.

    Parameters
    ----------
    name : {"logit", "probability", "loss", "error", "log-error"}
        The loss is the logarithm of the probability; the last two are of regressors.
    shadow : ndarray of shape (K, n)
        Log-odds of the true class, or minus squared errors.

    Returns
    -------
    callable
        From an array of such to one of the same shape; increasing, and finite.
    """
    if name in {"error", "log-error"}:
        smallest = min(float(np.min(-row, initial=np.inf, where=row < 0)) for row in shadow)
        tiny = smallest / 2 if np.isfinite(smallest) else 1e-300
        if name == "error":
            return lambda values: values
        return lambda values: -np.log(np.maximum(-values, tiny))
    least = resolution(shadow)

    def read(log_odds: NDArray[Any]) -> NDArray[Any]:
        clipped = clip_at_resolution(log_odds, least)
        if name == "probability":
            return np.asarray(special.expit(clipped))
        if name == "loss":
            return np.asarray(-np.logaddexp(0.0, -clipped))
        return clipped

    return read
