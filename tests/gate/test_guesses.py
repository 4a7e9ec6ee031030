"""Guesses and counts that users bring, and the metrics that are read off them."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import Budget, Counts, Guesses, LeakproError, MembershipScores
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named, metrics
from pytest_leakpro.gate.detectable import detectable_increase
from pytest_leakpro.gate.metrics.base import Remarks, Sizes
from pytest_leakpro.gate.plain import plain
from tests.gate.simulate import read

RISKS = ("singling_out", "linkability", "inference", "missing_values")
PAIRS = st.integers(10, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_rates():
    guesses = Guesses(main=(41, 1000), control=np.array([30, 500]), naive=[np.int64(1), 100])
    assert (guesses.main_rate, guesses.control_rate, guesses.naive_rate) == (0.041, 0.06, 0.01)
    assert guesses.sizes == (1000, 500)
    assert Guesses((1, 10), (0, 10)).naive_rate is None
    assert Guesses((1, 10), (2, 10), control_scale=2.5).control_rate == 0.5
    assert Guesses((1, 10), (9, 10), control_scale=2).control_rate == 1


def test_counts_alone_are_shown_and_nothing_changes_them():
    guesses = Guesses((41, 1000), (30, 1000), (1, 1000), control_scale=2, control_most=34)
    assert repr(guesses) == (
        "Guesses(main=(41, 1000), control=(30, 1000), naive=(1, 1000), control_scale=2, "
        "control_most=34)"
    )
    assert repr(Counts(3, 1000, 1, 900)) == (
        "Counts(found=3, of=1000, control_found=1, control_of=900)"
    )
    for evidence, field in ((guesses, "main"), (Counts(3, 1000), "found")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(evidence, field, 0)
    assert not guesses.named
    assert Guesses((1, 10), (0, 10), name="mine").named


def test_a_record_holds_the_counts():
    summary = Guesses((41, 1000), (30, 500), (1, 100), control_scale=2, control_most=34).summary()
    assert plain(summary) == {
        "kind": "guesses",
        "successes": {"main": 41, "control": 30, "naive": 1},
        "attempts": {"main": 1000, "control": 500, "naive": 100},
        "control_scale": 2.0,
        "control_most": 34,
        "curve": None,
    }
    assert set(Guesses((1, 10), (0, 10)).summary()) == {"kind", "successes", "attempts", "curve"}
    counts = Counts(3, 1000, 1, 900).summary()
    assert counts["successes"] == {"main": 3, "control": 1}
    assert Counts(3, 1000).summary()["attempts"] == {"main": 1000}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"main": (11, 10)}, "main has 11 successes in 10 attempts"),
        ({"main": (-1, 10)}, "main has -1 successes"),
        ({"main": (3, 9)}, "main has 9 attempts; nothing can be said with fewer than 10"),
        ({"control": (0, 0)}, "control has 0 successes in 0 attempts"),
        ({"control": (0, 9)}, "control has 9 attempts"),
        ({"main": (0.5, 10)}, "main is a tuple that cannot be read: give two whole numbers"),
        ({"main": (True, 10)}, "cannot be read"),
        ({"main": 0.3}, "main is a float"),
        ({"main": "41"}, "main is a str"),
        ({"main": (1, 2, 3)}, "two whole numbers"),
        ({"naive": (2, 1)}, "naive has 2 successes in 1 attempts"),
        ({"control_scale": 0.5}, "control_scale is .* a finite number of at least 1"),
        ({"control_scale": float("inf")}, "finite"),
        ({"control_scale": float("nan")}, "finite"),
        ({"control_scale": "2"}, "finite"),
        ({"control_most": 2}, "a whole number from 3 .* to 100"),
        ({"control_most": 101}, "a whole number from 3"),
        ({"control_most": 4.0}, "a whole number from 3"),
    ],
)
def test_guesses_that_are_none(arguments, says):
    with pytest.raises(LeakproError, match=says):
        Guesses(**{"main": (3, 100), "control": (3, 100), **arguments})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((11, 10), "found is 11 and of 10"),
        ((0, 0), "of is not a whole number of at least 1"),
        ((-1, 10), "found is not a whole number of at least 0"),
        ((0.5, 10), "found is not a whole number"),
        ((True, 10), "found is not a whole number"),
        ((1, 10, 1), "both, or neither"),
        ((1, 10, 3, 2), "control_found is 3 and control_of 2"),
    ],
)
def test_counts_that_are_none(arguments, says):
    with pytest.raises(LeakproError, match=says):
        Counts(*arguments)


def test_a_census_of_its_control_changes_nothing_but_what_is_shown():
    assert Counts(3, 1000).control_rate is None
    assert Counts(3, 1000, 1, 500).control_rate == 0.002
    assert read("exact_copies <= 1%", Counts(3, 1000, 1, 500)) == read(
        "exact_copies <= 1%", Counts(3, 1000)
    )


@pytest.mark.parametrize("name", RISKS)
@given(main=PAIRS, control=PAIRS)
def test_a_reading_is_in_order(name, main, control):
    reading = read(f"{name} <= 5%", Guesses(main, control))
    assert 0 <= reading.low <= reading.value <= reading.high <= 1
    assert (reading.p_value <= 0.025) == (reading.low > 0.05)


@pytest.mark.parametrize("name", RISKS)
def test_an_exact_copy_is_all_risk_and_an_attack_on_anybody_none(name):
    copy = read(f"{name} <= 5%", Guesses((2000, 2000), (0, 2000)))
    assert copy.value == 1
    assert copy.p_value < 1e-100
    anybody = read(f"{name} <= 5%", Guesses((2000, 2000), (2000, 2000)))
    assert (anybody.value, anybody.low, anybody.p_value) == (0, 0, 1)
    # It never FAILs, and it cannot PASS either: such an attack shows nothing.
    assert anybody.high == 1


def test_a_census_is_exact():
    reading = read("exact_copies <= 0.1%", Counts(3, 1000))
    assert (reading.value, reading.low, reading.high, reading.p_value) == (0.003,) * 3 + (0.0,)
    assert read("exact_copies[notes] <= 0.3%", Counts(3, 1000)).p_value == 1
    assert read("exact_copies <= 0", Counts(0, 1000)).p_value == 1


@pytest.mark.parametrize(
    "text",
    ["exact_copies <= 0%", "inference <= 10%", "inference[lab value] <= 10%", "singling_out <= 5%"],
)
def test_budgets_are_read(text):
    assert str(Budget.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("linkability[age] <= 5%", "takes no argument"),
        ("linkability <= 100%", "every release stays within"),
        ("inference@1%fpr <= 5%", "not read at a false-positive rate"),
        ("singling_out <= -1%", "cannot be negative"),
    ],
)
def test_budgets_that_are_impossible(text, says):
    with pytest.raises(LeakproError, match=says):
        Budget.parse(text)


def test_evidence_of_another_kind_is_refused():
    scores = MembershipScores(np.arange(10), np.arange(10))
    for name, evidence in (("linkability", scores), ("auc", Guesses((1, 10), (1, 10)))):
        with pytest.raises(LeakproError, match=f"{name} is read off"):
            metric_named(name).check_evidence(parse_metric(name), evidence)


def remarks(main, naive):
    evidence = Guesses((main, 1000), (20, 1000), None if naive is None else (naive, 1000))
    return metric_named("linkability").remarks(parse_metric("linkability"), evidence)


def test_an_attack_is_held_against_a_naive_guess():
    assert remarks(41, 30) == remarks(41, None) == Remarks()
    weak = remarks(30, 31)
    assert weak.blocks == ()
    assert weak.notes[0].startswith("weak attack: it succeeds 3.0% of the time")
    assert "(3.1%)" in weak.notes[0]
    assert remarks(30, 30).notes
    wrong = remarks(30, 300)
    assert wrong.notes == ()
    assert "misconfigured: the attack succeeds 3.0% of the time" in wrong.blocks[0]


@pytest.mark.parametrize("name", RISKS)
@pytest.mark.parametrize("control_rate", [0.0, 0.2])
def test_typical_evidence_shows_the_leakage_that_it_stands_for(name, control_rate):
    metric, definition = parse_metric(name), metric_named(name)
    sizes = Sizes(20_000, 10_000)
    for true in (0.0, 0.1, 1.0):
        evidence = definition.typical_evidence(metric, sizes, true, 0.5, control_rate)
        assert evidence.sizes == sizes
        assert evidence.control_rate == pytest.approx(control_rate, abs=1e-3)
        assert definition.estimate(metric, evidence) == pytest.approx(true, abs=2e-3)
    lucky, unlucky = (
        definition.typical_evidence(metric, sizes, 0.1, luck, 0.2) for luck in (0.9, 0.1)
    )
    assert lucky.main_rate > unlucky.main_rate
    assert lucky.control_rate < unlucky.control_rate


def test_what_a_comparison_notices():
    metric = parse_metric("linkability")
    small, large = (detectable_increase(metric, Sizes(n, n)) for n in (500, 5000))
    assert 0 < large < small < 0.1
    assert detectable_increase(parse_metric("exact_copies"), Sizes(100, 0)) is None


def test_a_metric_without_a_name_is_no_row():
    assert set(RISKS) | {"exact_copies"} < set(metrics())
    assert all(metrics()[name].controlled for name in RISKS)
    assert metrics()["exact_copies"].census
