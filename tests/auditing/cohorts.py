"""Small cohorts and models for audits."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import Classifier


def cohort(size=600, seed=0, noise=0.25):
    """Members and non-members of one distribution, two classes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * size, 6))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    flipped = rng.uniform(size=2 * size) < noise
    y[flipped] = 1 - y[flipped]
    return (X[:size], y[:size]), (X[size:], y[size:])


def safe_target(size=600, *, train=False, **options):
    """A logistic regression: nothing to find. Without shadow models, unless it is asked for."""
    members, nonmembers = cohort(size)
    return Classifier(
        LogisticRegression().fit(*members), members, nonmembers, train=train, **options
    )


def leaky_target(size=600, *, train=False, **options):
    """A deep forest: membership shows."""
    members, nonmembers = cohort(size)
    model = RandomForestClassifier(n_estimators=20, random_state=0).fit(*members)
    return Classifier(model, members, nonmembers, train=train, **options)
