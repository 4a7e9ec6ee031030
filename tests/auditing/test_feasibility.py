"""What sizes alone can tell is said before the model is asked."""

import time
import warnings

import numpy as np
import pytest

from pytest_leakpro import (
    Classifier,
    InconclusiveError,
    PytestLeakproWarning,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.auditing.feasibility import feasibility, sizes_that_decide
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.metrics.base import Sizes


class Recording:
    """A model that remembers when it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, X):
        self.asked.append(time.perf_counter())
        return np.full((len(X), 2), 0.5)


def target_of(model, size):
    rng = np.random.default_rng(0)
    sides = [(rng.normal(size=(size, 3)), rng.integers(0, 2, size)) for _ in range(2)]
    return Classifier(model, *sides)


def test_no_pass_is_said_before_the_model_is_asked_and_within_two_seconds():
    model, said = Recording(), []
    started = time.perf_counter()
    with pytest.warns(PytestLeakproWarning) as caught:
        audit(target_of(model, 200), "tpr@0.1%fpr <= 1%")
    said = [str(entry.message) for entry in caught if "cannot PASS" in str(entry.message)]
    assert len(said) == 1
    assert "200 members and 200 non-members" in said[0]
    assert "for a PASS of a model without leakage" in said[0]
    assert "a FAIL is still possible" in said[0]
    assert model.asked[0] - started < 2


def test_the_warning_comes_first():
    model = Recording()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*cannot PASS.*")
        with pytest.raises(PytestLeakproWarning):
            audit(target_of(model, 200), "tpr@0.1%fpr <= 1%")
    assert not model.asked


def test_where_nothing_can_be_decided_nothing_is_scored():
    model = Recording()
    budget = "tpr@0.1%fpr <= 30%"
    with (
        pytest.warns(PytestLeakproWarning, match="neither is a FAIL possible"),
        pytest.raises(InconclusiveError) as caught,
    ):
        assert_leakage_below(target_of(model, 10), budget)
    assert not model.asked
    entry = caught.value.audit.measurements[0]
    assert entry.verdict is Verdict.INCONCLUSIVE
    assert np.isnan(entry.value)
    assert entry.to_plain()["value"] is None
    assert "not scored" in str(caught.value.audit)
    assert "nothing is scored" in str(caught.value)


def test_a_decidable_budget_beside_it_is_scored():
    model = Recording()
    with pytest.warns(PytestLeakproWarning):
        found = audit(target_of(model, 10), "tpr@0.1%fpr <= 30%", "auc <= 0.9")
    assert model.asked
    assert not np.isnan(found.measurements[1].value)


@pytest.mark.parametrize(
    ("budget", "sizes", "can_pass", "can_fail"),
    [
        ("tpr@0.1%fpr <= 1%", (2000, 2000), True, True),
        ("tpr@0.1%fpr <= 1%", (300, 300), False, True),
        ("tpr@0.1%fpr <= 30%", (10, 10), False, False),
        ("advantage <= 5%", (500, 500), False, True),
        ("auc <= 0.99", (10, 10), True, False),
    ],
)
def test_what_is_possible(budget, sizes, can_pass, can_fail):
    outlook = feasibility(Budget.parse(budget), Sizes(*sizes), 0.05, 1)
    assert (outlook.can_pass, outlook.can_fail) == (can_pass, can_fail)
    assert bool(outlook.message) is not can_pass


def test_where_there_is_but_one_side_its_size_counts():
    budget = Budget.parse("reconstruction[ssim>=0.5] <= 5%")
    enough, few = (sizes_that_decide(budget, None, 0.05, 1, Sizes(size, 0)) for size in (1000, 20))
    assert enough.startswith("sizes as these mostly decide")
    assert few == "it takes about 72 batches for a PASS of an update without leakage"
