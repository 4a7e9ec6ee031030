"""Tables of many kinds, and models that keep nothing of anybody."""

import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, QuantileTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from pytest_leakpro import Classifier

N = 120
KINDS = ("measurements", "mixed", "binary", "one-hot", "whole numbers", "skewed")
WIDTHS = (1, 2, 3, 10)


def table(kind, width, rng, n=2 * N):
    """n records of so many columns (of one-hot tables categories)."""
    if kind == "measurements":
        correlated = rng.normal(size=(n, 1)) * rng.choice([0, 1])
        return rng.normal(size=(n, width)) + correlated
    if kind == "skewed":
        return np.exp(2 * rng.normal(size=(n, width))).round(rng.choice([2, 6]))
    if kind == "whole numbers":
        return rng.integers(0, rng.choice([4, 12, 100]), size=(n, width))
    binary = rng.uniform(size=(n, width)) < rng.uniform(0.05, 0.6, width)
    if kind == "binary":
        return binary.astype(rng.choice([np.int64, np.float64]))
    if kind == "one-hot":
        codes = rng.integers(0, 3 + rng.integers(3), size=(n, width))
        return np.concatenate([np.eye(6)[codes[:, k]] for k in range(width)], axis=1)
    measured = rng.normal(size=(n, width))
    return np.where(rng.uniform(size=width) < 0.5, binary, measured)


def labels(X, rng):
    score = X[:, 0] + 0.5 * X[:, 0].std() * rng.normal(size=len(X))
    found = (score > np.median(score)).astype(int)
    found[:2], found[len(X) // 2 : len(X) // 2 + 2] = (0, 1), (0, 1)
    return found


def models(seed):
    """Models of which none stores a record."""
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier

    return [
        LogisticRegression(),
        DecisionTreeClassifier(random_state=seed),
        RandomForestClassifier(5, random_state=seed),
        GradientBoostingClassifier(n_estimators=5, random_state=seed),
        HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3),
        ExtraTreesClassifier(5, random_state=seed),
        ExtraTreeClassifier(random_state=seed),
        MLPClassifier((8,), max_iter=20, random_state=seed),
        GaussianNB(),
        BernoulliNB(),
        SGDClassifier(random_state=seed),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(QuantileTransformer(n_quantiles=N), LogisticRegression()),
        make_pipeline(
            KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"),
            DecisionTreeClassifier(random_state=seed),
        ),
        make_pipeline(KMeans(4, n_init=1, random_state=seed), LogisticRegression()),
        make_pipeline(PCA(), DecisionTreeClassifier(random_state=seed)),
        XGBClassifier(n_estimators=5, n_jobs=1),
        LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1, min_child_samples=3),
    ]


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


def target_of(model, X, y, **options):
    """A target whose first half are the members, fitted on them."""
    half = len(X) // 2
    return Classifier(
        fitted(model, X[:half], y[:half]), (X[:half], y[:half]), (X[half:], y[half:]),
        train=False, allow_overlap=True, **options,
    )  # fmt: skip


def perceptron(X, y, seed):
    """A torch network after a few steps on the first half."""
    import torch

    torch.manual_seed(seed)
    half = len(X) // 2
    model = torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(),
        torch.nn.Linear(16, 2),
    )  # fmt: skip
    inputs = torch.as_tensor(X[:half], dtype=torch.float32)
    goals = torch.as_tensor(y[:half])
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(5):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), goals).backward()
        optimiser.step()
    return model.eval()
