"""The sizes that a verdict takes."""

import pytest

from pytest_leakpro import Budget, LeakproError, Verdict, required_sizes
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.planner import limit_passed_safely, null_pass_chance


def test_sizes_have_the_chance_they_promise_and_smaller_ones_have_not():
    needed = required_sizes("tpr@0.1%fpr <= 1%")
    assert needed.verdict is Verdict.PASS
    assert needed.members == needed.nonmembers
    assert needed.power >= 0.95
    metric = parse_metric("tpr@0.1%fpr")
    smaller = int(needed.members * 0.85)
    assert null_pass_chance(metric, 0.01, Sizes(smaller, smaller), 0.05, 1) < 0.95
    assert str(needed) == f"{needed.members:,} members and {needed.nonmembers:,} non-members"


def test_more_attacks_take_more_records():
    sizes = [required_sizes("tpr@0.1%fpr <= 1%", attacks=attacks).members for attacks in (1, 3, 8)]
    assert sizes == sorted(set(sizes))


def test_a_leaking_model_is_failed():
    needed = required_sizes(Budget.parse("tpr@0.1%fpr <= 0.3%"), 0.0183)
    assert needed.verdict is Verdict.FAIL
    assert needed.members <= 2000  # where the power is known to be above 95 %


@pytest.mark.parametrize("metric", ["auc <= 0.55", "advantage <= 10%"])
def test_averages_take_fewer(metric):
    assert required_sizes(metric).members < 2500


def test_a_leakage_below_the_limit_passes_with_more():
    assert (
        required_sizes("tpr@0.1%fpr <= 1%", 0.004).members
        > required_sizes("tpr@0.1%fpr <= 1%").members
    )


def test_more_power_takes_more_records():
    sizes = [required_sizes("auc <= 0.55", power=power).members for power in (0.5, 0.8, 0.99)]
    assert sizes == sorted(set(sizes))


def test_a_leakage_below_chance_is_none():
    assert required_sizes("auc <= 0.55", 0.3) == required_sizes("auc <= 0.55")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("auc <= 0.55", 0.55), "no number of records decides"),
        (("auc <= 0.5",), "no number of records decides"),
        (("tpr@0.1%fpr <= 1%", 0.00999), "too near"),
        (("auc <= 0.55", 55.0), "no value of auc"),
        (("auc <= 0.55", 0.6, 1.0), "power is a chance"),
        (("auc <= 0.55", 0.6, 0.9, 0), "at least one attack"),
        (("auc <= 0.55", 0.6, 0.9, 1, 0.0), "alpha is a probability"),
        (("acu <= 0.55",), "did you mean 'auc'"),
    ],
)
def test_what_cannot_be_planned(arguments, says):
    with pytest.raises(LeakproError, match=says):
        required_sizes(*arguments)


def test_a_limit_that_is_passed_safely():
    metric, sizes = parse_metric("tpr@0.1%fpr"), Sizes(500, 500)
    limit = limit_passed_safely(metric, 0.01, sizes, 0.05, 1)
    assert null_pass_chance(metric, limit, sizes, 0.05, 1) >= 0.95
    assert null_pass_chance(metric, limit * 0.9, sizes, 0.05, 1) < 0.95
    assert limit_passed_safely(parse_metric("auc"), 0.51, Sizes(2, 2), 0.05, 1) is None
