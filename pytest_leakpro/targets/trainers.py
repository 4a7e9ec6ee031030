"""The recipe by which shadow models are trained.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.targets.hidden_scores import bare
from pytest_leakpro.targets.one_thread import one_thread_parameters

if TYPE_CHECKING:
    from pytest_leakpro.targets.membership_target import MembershipTarget

__all__ = ["CloneTrainer", "is_estimator", "trainer_of"]

_LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, repr=False)
class CloneTrainer:
    """Trains clones of a scikit-learn estimator, each with a seed of its own.

    Attributes
    ----------
    estimator : estimator
        The target; its parameters are the recipe, what it has learned plays no part.
    """

    estimator: Any

    def __repr__(self) -> str:
        return f"CloneTrainer({type(self.estimator).__name__})"

    def __call__(self, X: Any, y: Any, seed: int) -> Any:
        """Fit a clone.

        Every ``random_state``, also inside a Pipeline, is set from the seed; every number of
        threads to 1, since the shadow models themselves run side by side.
        """
        from sklearn.base import clone

        model = clone(self.estimator)
        parameters = model.get_params(deep=True)
        settings: dict[str, Any] = one_thread_parameters(model, parameters)
        random_states = [name for name in parameters if name.rpartition("__")[2] == "random_state"]
        for number, name in enumerate(sorted(random_states)):
            settings[name] = (seed + number) % _LARGEST_SEED
        return model.set_params(**settings).fit(X, y)


def trainer_of(target: MembershipTarget) -> Any | None:
    """Give the function that trains as the target was trained.

    Parameters
    ----------
    target : MembershipTarget
        With its `train`.

    Returns
    -------
    callable or None
        ``(X, y, seed) -> fitted model``; None where there is none: `train` is False, or the model
        is no scikit-learn estimator and nothing was given.
    """
    if target.train is False:
        return None
    if target.train is not None:
        return target.train
    model = bare(target.model)
    return CloneTrainer(model) if is_estimator(model) else None


def is_estimator(model: Any) -> bool:
    """Tell whether this is a scikit-learn estimator, which can be cloned and fitted again."""
    base = sys.modules.get("sklearn.base")
    return (
        base is not None
        and isinstance(model, base.BaseEstimator)
        and callable(getattr(model, "fit", None))
    )
