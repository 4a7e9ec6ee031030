"""Several attacks, one verdict."""

import pytest

from pytest_leakpro import Verdict
from pytest_leakpro.gate.decision import (
    WeighedReading,
    decide,
    decide_jointly,
    joint_p_value,
)
from pytest_leakpro.gate.metrics.base import Reading
from pytest_leakpro.gate.verdict import worst

ALPHA = 0.05


def weighed(name, weight, low, high, p_value):
    return WeighedReading(name, weight, Reading((low + high) / 2, low, high, p_value))


def test_fails_when_one_attack_refutes_at_its_share():
    first = weighed("first", 0.8, 0.0, 0.02, 0.5)
    second = weighed("second", 0.2, 0.02, 0.04, 0.0049)
    decision = decide([first, second], 0.01, ALPHA)
    assert decision.verdict is Verdict.FAIL
    assert decision.deciding.attack == "second"


def test_a_small_share_is_not_exceeded():
    readings = [weighed("first", 0.8, 0, 0.02, 0.5), weighed("second", 0.2, 0, 0.04, 0.0051)]
    decision = decide(readings, 0.01, ALPHA)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.deciding.attack == "second"  # the largest upper bound


def test_passes_only_when_every_attack_does():
    safe, loose = weighed("safe", 0.8, 0, 0.005, 0.9), weighed("loose", 0.2, 0, 0.011, 0.7)
    assert decide([safe], 0.01, ALPHA).verdict is Verdict.PASS
    decision = decide([safe, loose], 0.01, ALPHA)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.deciding.attack == "loose"


def test_the_upper_bound_may_touch_the_limit():
    assert decide([weighed("a", 1, 0, 0.01, 0.9)], 0.01, ALPHA).verdict is Verdict.PASS


def test_fail_wins_where_the_bounds_cross():
    # Lower and upper bound are different tests, and may cross in rare samples.
    crossed = WeighedReading("a", 1.0, Reading.consistent(0.012, 0.02, 0.008, 0.001))
    assert crossed.reading.high == crossed.reading.low == crossed.reading.value == 0.02
    assert decide([crossed], 0.01, ALPHA).verdict is Verdict.FAIL


def test_the_smallest_p_value_per_weight_decides():
    readings = [weighed("first", 0.8, 0.1, 0.2, 0.002), weighed("second", 0.2, 0.1, 0.3, 0.001)]
    assert decide(readings, 0.01, ALPHA).deciding.attack == "first"


@pytest.mark.parametrize(
    ("reading", "blocks"),
    [
        (weighed("a", 1, 0, 0.005, 0.9), {"blocks_pass": ("overlap",)}),
        (weighed("a", 1, 0.1, 0.2, 0.001), {"blocks_fail": ("overlap",)}),
    ],
)
def test_a_doubt_about_the_ground_truth_keeps_the_verdict(reading, blocks):
    decision = decide([reading], 0.01, ALPHA, **blocks)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.blocked == ("overlap",)


def test_a_doubt_that_weakens_the_attack_does_not_keep_a_fail():
    failing = weighed("a", 1, 0.1, 0.2, 0.001)
    assert decide([failing], 0.01, ALPHA, blocks_pass=("overlap",)).verdict is Verdict.FAIL


def test_no_limit_no_verdict():
    decision = decide(
        [weighed("a", 0.8, 0, 0.1, None), weighed("b", 0.2, 0, 0.3, None)], None, 0.05
    )
    assert decision.verdict is None
    assert decision.deciding.attack == "b"


def test_the_worst_of_several_verdicts():
    assert worst([]) is None
    assert worst([None, Verdict.PASS]) is Verdict.PASS
    assert worst([Verdict.PASS, Verdict.INCONCLUSIVE]) is Verdict.INCONCLUSIVE
    assert worst([Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.PASS]) is Verdict.FAIL
    assert f"{Verdict.FAIL}" == "FAIL"


def test_a_fail_that_is_kept_back_stands_where_an_attack_is_excepted():
    first = weighed("first", 0.8, 0.2, 0.3, 0.0001)
    second = weighed("second", 0.2, 0.3, 0.4, 0.001)
    quiet = weighed("second", 0.2, 0.0, 0.4, 0.1)
    blocks = {"blocks_fail": ("the sides differ",)}
    kept = decide([first, second], 0.01, ALPHA, **blocks)
    assert (kept.verdict, kept.blocked) == (Verdict.INCONCLUSIVE, ("the sides differ",))
    stands = decide([first, second], 0.01, ALPHA, **blocks, unblocked=["second"])
    assert (stands.verdict, stands.deciding.attack) == (Verdict.FAIL, "second")
    assert stands.blocked == ()
    # Who does not violate the budget cannot do so by exception.
    assert decide([first, quiet], 0.01, ALPHA, **blocks, unblocked=["second"]).blocked


def hypothesis(p_value, high=0.02, name="only"):
    """The readings of one attack on the whole, or on a slice, against the limit of 1 %."""
    return [weighed(name, 1.0, 0.0, high, p_value)]


@pytest.mark.parametrize(
    ("p_values", "verdicts", "place"),
    [
        # Smallest times three is just within, and just beyond, 2.5 %.
        ([0.5, 0.00833, 0.5], "IFI", 1),
        ([0.5, 0.00834, 0.5], "III", 0),
        # The second step has 1.25 %, the third all.
        ([0.0124, 0.00833, 0.0249], "FFF", 1),
        ([0.0126, 0.00833, 0.0126], "IFI", 1),
    ],
)
def test_slices_fail_by_holm(p_values, verdicts, place):
    joint = decide_jointly([hypothesis(p_value) for p_value in p_values], 0.01, ALPHA)
    assert "".join(decided.verdict.value[0] for decided in joint.each) == verdicts
    assert joint.place == place


def test_weights_of_attacks_and_holm_go_together():
    # 0.2 x 2.5 % / 2 = 0.25 %: what the second attack may spend on either of two hypotheses.
    def readings(p_value):
        return [weighed("first", 0.8, 0, 0.02, 0.5), weighed("second", 0.2, 0, 0.02, p_value)]

    for p_value, verdict in ((0.00249, Verdict.FAIL), (0.00251, Verdict.INCONCLUSIVE)):
        joint = decide_jointly([hypothesis(0.9), readings(p_value)], 0.01, ALPHA)
        assert joint.deciding.verdict is verdict
    assert joint_p_value(readings(0.004)) == pytest.approx(0.02)
    assert joint_p_value(readings(0.9)) == pytest.approx(0.625)


def test_a_pass_needs_the_whole_and_every_slice():
    whole, narrow, wide = hypothesis(0.9, 0.004), hypothesis(0.9, 0.009), hypothesis(0.9, 0.011)
    joint = decide_jointly([whole, narrow], 0.01, ALPHA)
    assert joint.deciding.verdict is Verdict.PASS
    assert joint.place == 1  # the largest upper bound
    joint = decide_jointly([whole, wide, narrow], 0.01, ALPHA)
    assert joint.deciding.verdict is Verdict.INCONCLUSIVE
    assert [decided.verdict.value[0] for decided in joint.each] == ["P", "I", "P"]
    assert joint.place == 1
    joint = decide_jointly([whole, narrow], 0.01, ALPHA, blocks_pass=("overlap",))
    assert joint.deciding.blocked == ("overlap",)


def test_without_a_limit_the_whole_stands_for_all():
    readings = [[weighed("a", 1, 0, high, None)] for high in (0.1, 0.3)]
    joint = decide_jointly(readings, None, ALPHA)
    assert joint.place == 0
    assert joint.deciding.verdict is None
