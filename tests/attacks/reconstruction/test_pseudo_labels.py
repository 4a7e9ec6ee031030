"""Public records that stand for classes in a model's eyes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import Classifier, LeakproError
from pytest_leakpro.attacks.reconstruction.pseudo_labels import pseudo_labelled


def identity(X):
    return np.asarray(X)


def test_the_surest_come_first_and_may_stand_for_several_classes():
    X = np.array([[0.0, 5.0, 5.0], [3.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 2.0]])
    chosen, labels = pseudo_labelled(identity, X, 2, output="logits")
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(chosen[[2, 4]], X[[2, 3]])
    assert np.array_equal(chosen[3], chosen[5])
    assert np.array_equal(chosen[0], X[1])


@pytest.mark.parametrize("frame", [False, True])
def test_a_target_is_asked_as_it_is_audited(frame):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    X = pd.DataFrame(X, columns=["a", "b"]) if frame else X
    y = np.where(rng.random(60) < 0.5, "no", "yes")
    model = LogisticRegression().fit(X[:30], y[:30])
    target = Classifier(model, (X[:30], y[:30]), (X[30:], y[30:]))
    public = rng.normal(size=(40, 2))
    public = pd.DataFrame(public, columns=["a", "b"]) if frame else public
    chosen, labels = pseudo_labelled(target, public, 5)
    assert type(chosen) is type(public)
    likely = model.predict_proba(public)
    for place in range(2):
        best = np.argsort(-likely[:, place])[:5]
        assert np.array_equal(np.asarray(chosen)[labels == place], np.asarray(public)[best])
    again, _ = pseudo_labelled(model, public, 5)
    assert np.array_equal(np.asarray(again), np.asarray(chosen))


def test_who_sees_labels_only_cannot_choose():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    target = Classifier(identity, (X[:20], y[:20]), (X[20:], y[20:]), access="label")
    with pytest.raises(LeakproError, match="labels only"):
        pseudo_labelled(target, X, 5)


@pytest.mark.parametrize(
    ("X", "per_class", "says"),
    [
        (np.zeros((3, 2)), 0, "per_class"),
        (np.zeros((3, 2)), True, "per_class"),
        (np.zeros((3, 2)), 4, "X holds 3 records, and 4 are wanted"),
        (None, 4, "X holds no records"),
    ],
)
def test_what_cannot_be_chosen(X, per_class, says):
    with pytest.raises(LeakproError, match=says):
        pseudo_labelled(identity, X, per_class, output="logits")
