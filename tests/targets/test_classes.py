"""The classes: who knows them, and labels that are none of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import Classifier, LeakproError
from tests.targets.examples import Recorder, logistic, never, sides

MEMBERS, OTHERS = sides()


def test_classes_of_the_user_must_be_those_of_the_estimator():
    model = logistic(MEMBERS)
    for given in ([0, 1], np.array([0, 1]), (0.0, 1.0), pd.Series([0, 1]), range(2)):
        assert Classifier(model, MEMBERS, OTHERS, classes=given).classes == (0, 1)
    with pytest.raises(LeakproError, match=r"\[1, 0\] are not those of the model, \[0, 1\]"):
        Classifier(model, MEMBERS, OTHERS, classes=[1, 0])


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ([0], "at least two"),
        ([], "at least two"),
        ([0, 0, 1], "each of them once"),
        ("ab", "classes is a str"),
        (2, "classes is a int"),
        ([{}, {}], "numbers or strings"),
    ],
)
def test_bad_classes_are_refused(classes, said):
    with pytest.raises(LeakproError, match=said):
        Classifier(never, MEMBERS, OTHERS, classes=classes)


def test_labels_outside_the_classes_are_counted_not_shown():
    y = np.where(np.arange(40) < 3, 7771, MEMBERS[1])
    with pytest.raises(LeakproError, match=r"^nonmembers: 3 of 40 .* \[0, 1\]") as caught:
        Classifier(logistic(MEMBERS), MEMBERS, (OTHERS[0], y))
    assert "7771" not in str(caught.value)


def test_labels_that_cannot_be_compared_are_refused():
    with pytest.raises(LeakproError, match="members: a label is of a type"):
        Classifier(never, (MEMBERS[0], [{}] * 40), OTHERS, classes=[0, 1])


def test_classes_give_a_callable_its_labels():
    names = np.array(["well", "ill"])
    members, others = (MEMBERS[0], names[MEMBERS[1]]), (OTHERS[0], names[OTHERS[1]])
    target = Classifier(Recorder(), members, others, classes=["well", "ill"])
    np.testing.assert_array_equal(target.prepare(0).members.labels, MEMBERS[1])
    target = Classifier(Recorder(), members, others, classes=["ill", "well"])
    np.testing.assert_array_equal(target.prepare(0).members.labels, 1 - MEMBERS[1])


def test_more_than_ten_classes_are_not_all_listed():
    with pytest.raises(LeakproError, match=r"… 90 more\]"):
        Classifier(never, MEMBERS, (OTHERS[0], OTHERS[1] + 500), classes=range(100))
