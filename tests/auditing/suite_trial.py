"""The default suite, with real shadow models, on a target that leaks nothing about these records.

The target is trained on records of its own, so that members and non-members are exchangeable for
it; the shadow models are trained on halves of both, as in any audit.
"""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import Budget, Classifier
from pytest_leakpro.auditing.conductor import conduct
from pytest_leakpro.auditing.session import SessionDefaults

MODELS = {
    "logistic regression": lambda: LogisticRegression(C=0.1),
    "tree": lambda: DecisionTreeClassifier(min_samples_leaf=5),
}

CALIBRATED = {"learned", "lira", "rmia"}
# Who attacks: the suite that is expected, and how the target says so.
ATTACKERS = {
    "scores": (CALIBRATED, {}),
    "white-box": (CALIBRATED, {"access": "white-box"}),
    "scores without recipe": ({"qmia", "loss"}, {"train": False}),
    "label": ({"label_lira"}, {"access": "label"}),
    "label without recipe": ({"gap"}, {"access": "label", "train": False}),
}
# Of trees there are no gradients, so white-box is scores there.
TRIALS = [
    (kind, attacker)
    for kind in MODELS
    for attacker in ATTACKERS
    if (kind, attacker) != ("tree", "white-box")
]


def draw(rng, size):
    """Records of two classes, ten columns, a quarter of the labels flipped."""
    X = rng.normal(size=(size, 10))
    y = (X[:, 0] + X[:, 1] > 0).astype(int) ^ (rng.uniform(size=size) < 0.25)
    return X, y.astype(int)


def trial(seed, size, budget, kind, attacker="scores"):
    """Audit once; tell whether the suite FAILed, and whether all its upper bounds are within."""
    rng = np.random.default_rng(seed)
    model = MODELS[kind]().fit(*draw(rng, size))
    suite, options = ATTACKERS[attacker]
    if options.get("train") is False and "access" not in options:
        options = options | {"population": draw(rng, size)}
    target = Classifier(model, draw(rng, size), draw(rng, size), **options)
    parsed = Budget.parse(budget)
    session = replace(
        SessionDefaults(), seed=seed, workers=1, cache_dir=None, say=lambda line: None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        entry = conduct(target, (parsed,), session).measurements[0]
    assert {figures.attack for figures in entry.figures} == suite
    # The target was not trained on the members, which recipe fidelity may notice; what is under
    # test here are the attacks and their bounds.
    within = all(figures.high <= parsed.limit for figures in entry.figures)
    return entry.verdict.value == "FAIL", within
