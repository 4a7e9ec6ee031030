"""Views with simulated shadow models of which several numbers per record are read."""

import numpy as np

from pytest_leakpro import Classifier, Regressor, ShadowSignals
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.targets.readings import read_further


class LookUp:
    """A model that looks its answers up: X holds numbers of records and of copies."""

    def __init__(self, answers):
        self.answers = answers  # of shape (copies, n, outputs)

    def __call__(self, X):
        return self.answers[X[:, 1].astype(int), X[:, 0].astype(int)]


def copy_number(number):
    """The augmentation that makes that copy."""
    return lambda X: np.column_stack([X[:, 0], np.full(len(X), number)])


def looked_up(attack, own, shadow, y, included, *, regression=False):
    """The view of a target and shadow models that give those answers, read by an attack.

    `own` is of shape (copies, n, outputs), `shadow` of shape (K, copies, n, outputs).
    """
    n = len(y)
    X, size = np.column_stack([np.arange(n), np.zeros(n)]), n // 2
    options = {"augmentations": [copy_number(1 + k) for k in range(len(own) - 1)]}
    if not regression:
        options |= {"classes": range(own.shape[2]), "output": "logits"}
    kind = Regressor if regression else Classifier
    target = kind(LookUp(own), (X[:size], y[:size]), (X[size:], y[size:]), **options)
    view = target.prepare(0)
    (reading,) = attack.readings(view)
    sides, reader = [view.records("members"), view.records("nonmembers")], view.asking
    models = [LookUp(answers) for answers in shadow]
    further = np.stack([read_further(reading, model, reader, sides) for model in models])
    losses = np.stack(
        [np.concatenate([reader.negative_loss(model, side) for side in sides]) for model in models]
    )
    view.shadow = ShadowSignals(losses, included, {reading.name: further})
    return view


def included_and_saw(seed, n, n_models):
    return np.stack(Assignment(n, n_models, n_models // 2, seed)), np.arange(n) < n // 2


def classes(attack, seed, size, *, gain=0.0, n_models=16, n_classes=3, copies=3, beside=0.0):
    """Members gain log-odds in the record and each copy; with `beside` also the second class."""
    rng, n = np.random.default_rng(seed), 2 * size
    included, saw = included_and_saw(seed, n, n_models)
    y = rng.integers(0, n_classes, n)
    difficulty = rng.normal(0, 2, n)

    def answers(inside):
        logits = rng.normal(0, 0.3, (copies, n, n_classes))
        own = difficulty + gain * inside + rng.normal(0, 0.7, (copies, n))
        logits[:, np.arange(n), y] = own + np.log(n_classes - 1)
        if n_classes > 2:
            logits[:, np.arange(n), (y + 1) % n_classes] += beside * inside
        return logits

    shadow = np.stack([answers(row) for row in included])
    return looked_up(attack, answers(saw), shadow, y, included)


def forecasts(attack, seed, size, *, gain=0.0, n_models=16, horizons=6):
    """Members' mean errors shrink by the share `gain`; far horizons are by far the hardest."""
    rng, n = np.random.default_rng(seed), 2 * size
    included, saw = included_and_saw(seed, n, n_models)
    y = rng.normal(size=(n, horizons))
    scale = rng.lognormal(0, 0.5, (n, 1)) * np.geomspace(0.1, 3, horizons)
    bias = scale * rng.normal(size=(n, horizons))

    def answers(inside):
        noise = 0.5 * scale * rng.normal(size=(n, horizons))
        return (y + bias * (1 - gain * inside[:, None]) + noise)[None]

    shadow = np.stack([answers(row) for row in included])
    return looked_up(attack, answers(saw), shadow, y, included, regression=True)
