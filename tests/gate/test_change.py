"""What changed since a baseline: the bound, the words, what is comparable."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import LeakproError
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.change import compare_records
from pytest_leakpro.gate.increase import Allowance, allowance_for, parse_increase
from pytest_leakpro.stats.difference import increase_lower
from tests.store.samples import EVIDENCE, record

NONE = Allowance(None, 0.0)
share = st.floats(0, 1)


def compare(old, new, allowance=NONE, **options):
    return compare_records(record(comparable=old), record(comparable=new), allowance, **options)


def interval(value, margin):
    return {"value": value, "low": value - margin, "high": value + margin}


def test_the_bound_of_two_normal_means_is_the_textbooks():
    # With bounds e -+ z s the lower bound of the difference is d - z sqrt(s1^2 + s2^2 - 2 r s1 s2).
    z, s1, s2, r = 1.96, 0.3, 0.4, 0.5
    for correlation in (0.0, r):
        expected = 0.7 - z * math.sqrt(s1**2 + s2**2 - 2 * correlation * s1 * s2)
        found = increase_lower(0.1, 0.1 + z * s1, 0.8, 0.8 - z * s2, correlation)
        assert found == pytest.approx(expected)


@given(share, share, share, share, st.floats(0, 0.9))
def test_the_bound_never_exceeds_the_difference(old, high, new, low, correlation):
    bound = increase_lower(old, max(old, high), new, min(new, low), correlation)
    assert bound <= new - old + 1e-12
    assert increase_lower(old, max(old, high), new, min(new, low)) <= bound + 1e-12


@given(share, share, share, share)
def test_what_is_no_increase_is_no_regression(old, high, new, low):
    change = compare(
        {"value": max(old, new), "low": 0.0, "high": max(old, new, high)},
        {"value": min(old, new), "low": min(old, new, low), "high": 1.0},
    )
    assert change.outcome == "no regression"


@pytest.mark.parametrize("kind", EVIDENCE)
def test_every_kind_of_evidence_is_compared(kind):
    old = record(kind, comparable=interval(0.1, 0.01))
    new = record(kind, comparable=interval(0.2, 0.01))
    assert compare_records(old, new, NONE).outcome == "regression"
    assert compare_records(new, old, NONE).outcome == "no regression"


def test_a_census_has_no_margin():
    change = compare(interval(0.0, 0.0), interval(0.001, 0.0))
    assert (change.outcome, change.at_least) == ("regression", pytest.approx(0.001))
    assert compare(interval(0.1, 0.0), interval(0.1, 0.0)).outcome == "no regression"


def test_a_metric_without_an_upper_bound_never_regresses():
    old = {"value": 0.1, "low": 0.05, "high": None}
    change = compare(old, interval(0.9, 0.01))
    assert (change.outcome, change.at_least) == ("no regression", None)


@pytest.mark.parametrize(
    ("metric", "allowed", "shown"),
    [
        ("tpr@1%fpr", "0", "baseline 3.0%: +4.0pp, at least +2.5pp: REGRESSION (no increase is"),
        ("tpr@1%fpr", "2pp", "at least +2.5pp: REGRESSION (+2pp is allowed)"),
        ("tpr@1%fpr", "2.58pp", "at least +2.585pp: REGRESSION (+2.58pp is allowed)"),
        ("tpr@1%fpr", "3pp", "baseline 3.0%: +4.0pp, no significant increase beyond +3pp"),
        ("auc", "0.03", "baseline 0.030: +0.040, no significant increase beyond +0.03"),
        ("auc", "0", "baseline 0.030: +0.040, at least +0.025: REGRESSION (no increase"),
    ],
)
def test_the_words_agree_with_the_outcome(metric, allowed, shown):
    allowance = Allowance.parse(allowed, "flag")
    old = record(metric=metric, comparable=interval(0.03, 0.01))
    new = record(metric=metric, comparable=interval(0.07, 0.01))
    change = compare_records(old, new, allowance)
    assert shown in change.shown
    assert ("REGRESSION" in change.shown) == (change.outcome == "regression")


def test_what_was_asked_of_the_attacks_must_be_alike():
    asked = {"attacks": None, "shadow_models": 16}
    other = record(configuration=asked | {"shadow_models": 32})
    change = compare_records(other, record(), NONE)
    assert change.outcome == "incomparable"
    assert "shadow_models was 32, now 16" in change.shown
    named = record(configuration=asked | {"attacks": [{"name": "lira", "variance": "fixed"}]})
    change = compare_records(named, record(), NONE)
    assert "attacks was (name lira, variance fixed), now left to the default" in change.shown


def test_other_data_sizes_and_suites_are_compared_and_noted():
    old = record(
        sizes={"members": 10, "nonmembers": 20},
        digests={"data": "a"},
        suite=["rmia"],
        target="tree",
        alpha=0.1,
    )
    change = compare_records(old, record(digests={"data": "b"}), NONE)
    assert change.outcome == "no regression"
    assert change.notes == (
        "the baseline was measured on tree",
        "other sizes: 10 + 20, now 2,000 + 2,000",
        "other data",
        "another suite of attacks (rmia, now lira): an increase may be the attacker's",
        "the baseline's bounds are at alpha 0.1",
    )


def test_nothing_to_compare_with():
    assert compare_records(None, record(), NONE).outcome == "no baseline"
    assert compare(None, interval(0.1, 0)).outcome == "no baseline"
    assert "nothing was scored now" in compare(interval(0.1, 0), None).shown


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2pp", 0.02),
        ("+0.5pp", 0.005),
        (" 0.5 pp ", 0.005),
        ("0.02", 0.02),
        (".5PP", 0.005),
        ("1e-3", 0.001),
        (0.02, 0.02),
        (0, 0.0),
    ],
)
def test_increases_that_are_read(text, value):
    assert parse_increase(text)[0] == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2%", "percentage points: write 2pp"),
        ("-1pp", "cannot read the increase '-1pp'"),
        ("", "cannot read"),
        ("much\x1b", r"much\\x1b"),
        (-0.1, "at least 0"),
        (float("nan"), "finite"),
        ("1e999", "not finite"),
        (True, "cannot read the increase 'bool'"),
        ([1], "cannot read the increase 'list'"),
    ],
)
def test_increases_that_are_refused(text, says):
    with pytest.raises(LeakproError, match=says):
        parse_increase(text)


def test_the_last_allowance_of_a_metric_counts_before_one_for_all():
    metric = parse_metric("auc")
    texts = ("auc:+0.1", "auc:0.2", "5pp", "tpr@1%fpr:+1pp", "6pp")
    allowances = [Allowance.parse(text, "flag") for text in texts]
    assert allowance_for(metric, allowances).increase == 0.2
    assert allowance_for(parse_metric("advantage"), allowances).increase == 0.06
    assert allowance_for(metric, []).increase == 0
    with pytest.raises(LeakproError, match="no metric 'aux'"):
        Allowance.parse("aux:+1pp", "flag")
