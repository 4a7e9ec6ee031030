"""Several attackers on one target: how they are named, and what each sees."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import Classifier, LeakproError, Regressor
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.attackers import Attacker, parse_attackers
from pytest_leakpro.targets.label_signals import LabelSignals
from pytest_leakpro.targets.signals import ClassSignals


def sides(rng=None):
    rng = rng or np.random.default_rng(0)
    return [(rng.normal(size=(20, 2)), np.arange(20) % 2) for _ in range(2)]


def fitted(**options):
    members, nonmembers = sides()
    return Classifier(LogisticRegression().fit(*members), members, nonmembers, **options)


def test_attackers_are_read():
    given = ["label", "scores without recipe", "white-box"]
    assert parse_attackers(given) == (
        Attacker(Access.LABEL),
        Attacker(Access.SCORES, recipe=False),
        Attacker(Access.WHITE_BOX),
    )
    assert [str(attacker) for attacker in parse_attackers(given)] == given


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("scores", "one attacker alone is access="),
        ([], "is a list such as"),
        (["score"], "did you mean 'scores'"),
        ([3], "attackers=: is a int|attackers=: "),
        (["scores", "scores"], "'scores' stands there twice"),
        (["scores without recipes"], "each alone or with 'without recipe' behind it"),
    ],
)
def test_attackers_that_cannot_be(given, says):
    with pytest.raises(LeakproError, match=says):
        fitted(attackers=given)


def test_access_and_attackers_exclude_each_other():
    with pytest.raises(LeakproError, match="give one of them"):
        fitted(access="scores", attackers=["label"])


def test_a_regressor_has_no_attacker_by_labels():
    members, nonmembers = sides()
    with pytest.raises(LeakproError, match="a regressor predicts no labels"):
        Regressor(lambda X: X[:, 0], members, nonmembers, attackers=["label"])
    target = Regressor(lambda X: X[:, 0], members, nonmembers, attackers=["scores"])
    assert target.access is Access.SCORES


def test_each_attacker_sees_its_own():
    target = fitted(attackers=["label", "scores without recipe", "scores"])
    assert target.access is Access.SCORES
    view = target.prepare(0)
    labels, unaware, scores = (target.seen_by(attacker) for attacker in target.attackers)
    assert isinstance(view.seen_by(labels.sight).members, LabelSignals)
    seen = view.seen_by(scores.sight).members
    assert isinstance(seen, ClassSignals)
    assert (seen.correct == view.seen_by(labels.sight).members.correct).all()
    assert unaware.sight.train is None
    assert scores.sight.train is not None
    assert [target.attacker_name for target in (labels, unaware, scores)] == [
        "label",
        "scores without recipe",
        "scores",
    ]
    assert view.queries == 0  # every view counts for itself
