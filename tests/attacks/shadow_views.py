"""Views with simulated shadow models."""

import numpy as np

from pytest_leakpro import Classifier, ShadowSignals
from pytest_leakpro.shadow.assignment import Assignment
from tests.attacks.views import identity


def simulated(seed, size, *, gain=0.0, n_models=16, spread=0.7, n_classes=2):
    """Members gain log-odds, records differ in difficulty, models in noise.

    Returns the view of a classifier whose shadow models are those.
    """
    rng = np.random.default_rng(seed)
    n = 2 * size
    included = np.stack(Assignment(n, n_models, n_models // 2, seed))
    difficulty = rng.normal(0, 2, n)
    shadow = difficulty + gain * included + rng.normal(0, spread, (n_models, n))
    inside = np.arange(n) < size
    own = difficulty + gain * inside + rng.normal(0, spread, n)
    y = rng.integers(0, n_classes, n)
    logits = np.zeros((n, n_classes))
    # The log-odds of the true class against as many others at 0 is z - log(K - 1).
    logits[np.arange(n), y] = own + np.log(n_classes - 1)
    target = Classifier(
        identity,
        (logits[:size], y[:size]),
        (logits[size:], y[size:]),
        classes=range(n_classes),
        output="logits",
    )
    view = target.prepare(seed)
    view.shadow = ShadowSignals(shadow, included)
    return view
