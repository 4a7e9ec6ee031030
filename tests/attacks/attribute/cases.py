"""Targets with a secret column, of which it is known what can be told."""

import numpy as np

from pytest_leakpro import Classifier, Regressor
from pytest_leakpro.attacks.attribute.csmia import ConfidenceInversion
from pytest_leakpro.attacks.attribute.likelihood import AttributeLikelihood
from pytest_leakpro.attacks.attribute.lomia import LabelOnlyInversion

ATTACKS = {
    "likelihood": AttributeLikelihood(),
    "csmia": ConfidenceInversion(),
    "lomia": LabelOnlyInversion(),
}
SECRET = 2
VALUES = 3


def table(rng, n):
    """Two numbers, and a secret with three values that the first of them hints at."""
    X = rng.normal(size=(n, 3))
    X[:, SECRET] = (np.digitize(X[:, 0], [-0.5, 0.5]) + (rng.random(n) < 0.5)) % VALUES
    return X, rng.integers(0, 2, n)


def near(rng, n):
    """Records that lie closer together than two values of the secret; six classes by chance."""
    return table(rng, n)[0], rng.integers(0, 6, n)


def ticked(rng, n):
    """The same with 16 columns of yes and no, all of which it takes to tell records apart."""
    X, y = near(rng, n)
    ticks = rng.integers(0, 2, (n, 16)).astype(float)
    return np.column_stack([ticks[:, :SECRET], X[:, SECRET], ticks[:, SECRET:]]), y


def sides(seed, n=300, make=table):
    """Members, non-members and a population, all alike."""
    rng = np.random.default_rng(seed)
    return [make(rng, n) for _ in range(3)]


def classifier(model, parts, **options):
    """A target without shadow models."""
    members, nonmembers, population = parts
    given = {"secret": SECRET, "train": False, "population": population} | options
    return Classifier(model, members, nonmembers, **given)


def regressor(model, parts, **options):
    """The same of a regressor."""
    members, nonmembers, population = parts
    given = {"secret": SECRET, "train": False, "population": population} | options
    return Regressor(model, members, nonmembers, **given)


def guessed(attack, target, seed=0, part=SECRET):
    """Attack a target."""
    return attack.find(target.prepare(seed), np.random.default_rng(seed), part)


class Knows:
    """Is right about a member only with the secret that it has, and about others with any."""

    def __init__(self, parts, *, right=0.9):
        self.right = right
        self.truth = {
            tuple(row[:SECRET]): (row[SECRET], label)
            for rows, labels in parts
            for row, label in zip(rows.tolist(), labels.tolist(), strict=True)
        }
        self.members = {tuple(row[:SECRET]) for row in parts[0][0].tolist()}
        self.rows = 0

    def __call__(self, X):
        """Give probabilities."""
        self.rows += len(X)
        said = []
        for row in X.tolist():
            value, label = self.truth[tuple(row[:SECRET])]
            right = row[SECRET] == value or tuple(row[:SECRET]) not in self.members
            chance = self.right if right else 1 - self.right
            said.append([chance, 1 - chance] if label == 0 else [1 - chance, chance])
        return np.array(said)
