"""The sizes that a verdict takes."""

import numpy as np
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


@pytest.mark.parametrize("control_rate", [0.0, 0.03, 0.4])
def test_attempts_have_the_chance_they_promise(control_rate):
    needed = required_sizes("linkability <= 5%", control_rate=control_rate)
    metric = parse_metric("linkability")
    chances = [
        null_pass_chance(metric, 0.05, Sizes(size, size), 0.05, 1, control_rate=control_rate)
        for size in (needed.members, int(needed.members * 0.85))
    ]
    assert chances[0] == needed.power >= 0.95 > chances[1]
    assert str(needed) == f"{needed.members:,} attempts and {needed.nonmembers:,} on the control"
    safe = limit_passed_safely(metric, 0.001, Sizes(500, 500), 0.05, 1, control_rate=control_rate)
    limits = [safe, safe * 0.9]
    chances = [
        null_pass_chance(metric, limit, Sizes(500, 500), 0.05, 1, control_rate=control_rate)
        for limit in limits
    ]
    assert chances[0] >= 0.95 > chances[1]


def test_no_success_in_so_many_attempts_is_within_the_limit():
    # Where neither attack ever succeeds the control says nothing, and 0.95^n is combined with 1: by
    # Fisher's method at most 0.025 from n = 109 on, which is rounded up to two digits.
    assert required_sizes("linkability <= 5%").members == 110

    def combined(n):
        return 0.95**n * (1 - n * np.log(0.95))

    assert combined(109) <= 0.025 < combined(108)


def test_a_risk_above_the_limit_fails():
    needed = required_sizes("linkability <= 5%", 0.08, control_rate=0.03)
    assert needed.verdict is Verdict.FAIL
    assert needed.members > required_sizes("linkability <= 5%", 0.2, control_rate=0.03).members


def test_the_rate_of_a_control_is_nothing_to_membership():
    assert required_sizes("auc <= 0.55", control_rate=0.3) == required_sizes("auc <= 0.55")


def test_a_census_is_decided_at_every_size():
    assert required_sizes("exact_copies <= 0").members == 10
    assert required_sizes("exact_copies <= 0", 0.001).verdict is Verdict.FAIL
    assert str(required_sizes("exact_copies <= 0")) == "10 rows"


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
        (("linkability <= 0%",), "no number of attempts decides"),
        (("linkability <= 5%", None, 0.95, 1, 0.05, 1.0), "nothing is left to learn"),
        (("linkability <= 5%", 0.0499999, 0.95, 1, 0.05, 0.03), "succeeds 3% of the time anyway"),
        (("linkability <= 5%", None, 0.95, 1, 0.05, 3.0), "control_rate is a share"),
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
