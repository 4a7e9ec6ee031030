"""Which of two targets leaks less: errors and power by simulation, and what is said of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.contrast import Contrast, Leakage, contrast
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.measurement import Interval
from pytest_leakpro.stats.difference import correlation_of_estimates
from pytest_leakpro.stats.roc import auc
from tests.gate.simulate import binormal

AUC = parse_metric("auc")
TPR = parse_metric("tpr@1%fpr")
ALPHA = 0.05


def leakage(metric, scores):
    reading = metric_named(metric.name).read(metric, scores, None, ALPHA / 2, ALPHA / 2)
    return Leakage(Interval(reading.value, reading.low, reading.high))


def at(value, low, high, attackers=1):
    return Leakage(Interval(value, low, high), attackers)


@pytest.mark.parametrize(
    ("metric", "shifts"), [(AUC, (1.2, 0.6, 0.6)), (TPR, (2.0, 0.9, 0.9))], ids=["auc", "tpr"]
)
def test_a_model_and_two_defences_are_ranked_as_they_leak(metric, shifts):
    """An overfitted model and two defences that leak alike, by scores with known shifts.

    In each of 200 runs all three pairs are compared. That any of them is put in the wrong order, or
    the two that leak alike are told apart, may happen with probability alpha = 5 %; more than 19
    such runs of 200 would come with probability below 1e-3. The first differs from both by more
    than a comparison with a baseline finds four times in five.
    """
    rng = np.random.default_rng(30)
    wrong = found = 0
    for _ in range(200):
        none, one, other = (leakage(metric, binormal(rng, 600, 600, shift)) for shift in shifts)
        outcomes = [
            contrast(*pair, alpha=ALPHA, comparisons=3).outcome
            for pair in ((none, one), (none, other), (one, other))
        ]
        wrong += outcomes[2] != "not told apart" or "higher" in outcomes[:2]
        found += outcomes[:2] == ["lower", "lower"]
    assert wrong <= stats.binom.isf(1e-3, 200, ALPHA)
    assert found >= 160


def test_no_leakage_anywhere_is_hardly_ever_told_apart():
    """At a true error of 5 % more than 19 of 200 come with probability below 1e-3."""
    rng = np.random.default_rng(31)
    told = 0
    for _ in range(200):
        first, *others = (leakage(AUC, binormal(rng, 300, 300, 0.0)) for _ in range(4))
        told += any(
            contrast(first, other, alpha=ALPHA, comparisons=3).outcome != "not told apart"
            for other in others
        )
    assert told <= stats.binom.isf(1e-3, 200, ALPHA)


bounds = st.tuples(*[st.floats(0, 1)] * 3).map(sorted).map(lambda x: at(x[1], x[0], x[2]))


@given(bounds, bounds, st.integers(1, 10), st.floats(0.01, 0.5))
def test_the_two_directions_agree(first, other, comparisons, alpha):
    there = contrast(first, other, alpha=alpha, comparisons=comparisons)
    back = contrast(other, first, alpha=alpha, comparisons=comparisons)
    mirrored = {"lower": "higher", "higher": "lower"}
    assert back.outcome == mirrored.get(there.outcome, there.outcome)
    assert back.difference == pytest.approx(-there.difference)
    assert back.at_least == pytest.approx(there.at_least)


@given(bounds, bounds, st.integers(1, 10))
def test_more_comparisons_tell_less_apart(first, other, comparisons):
    few = contrast(first, other, alpha=ALPHA, comparisons=comparisons)
    many = contrast(first, other, alpha=ALPHA, comparisons=comparisons + 1)
    if many.at_least is not None:
        assert few.outcome == many.outcome
        assert few.at_least >= many.at_least - 1e-12


@given(bounds, bounds)
def test_the_bound_lies_between_nothing_and_the_difference(first, other):
    found = contrast(first, other, alpha=ALPHA, comparisons=1)
    if found.at_least is not None:
        assert 0 < found.at_least <= abs(found.difference) + 1e-12


def test_one_pair_is_the_method_of_variance_estimates():
    found = contrast(at(0.5, 0.4, 0.6), at(0.1, 0.05, 0.2), alpha=ALPHA, comparisons=1)
    assert found == Contrast(
        "lower", 0.4, pytest.approx(0.4 - np.hypot(0.1, 0.1)), "independent samples"
    )


def test_margins_widen_as_those_of_a_normal_law():
    ratio = special.ndtri(1 - 0.025 / 3) / special.ndtri(0.975)
    found = contrast(at(0.5, 0.4, 0.6), at(0.1, 0.05, 0.2), alpha=ALPHA, comparisons=3)
    assert found.at_least == pytest.approx(0.4 - ratio * np.hypot(0.1, 0.1))


def test_the_largest_of_several_lower_bounds_counts_less():
    one, two = (
        contrast(at(0.5, 0.4, 0.6, attackers), at(0.1, 0.05, 0.2), alpha=ALPHA, comparisons=1)
        for attackers in (1, 2)
    )
    assert two.at_least < one.at_least


def test_shared_error_narrows_the_margin():
    pair = at(0.5, 0.4, 0.6), at(0.45, 0.35, 0.55)
    assert contrast(*pair, alpha=ALPHA, comparisons=1).outcome == "not told apart"
    found = contrast(*pair, alpha=ALPHA, comparisons=1, correlation=0.95)
    assert (found.outcome, found.method) == ("lower", "paired")


def test_the_strongest_attacker_counts():
    joined = Leakage.of([Interval(0.2, 0.1, 0.4), Interval(0.3, 0.05, 0.35)])
    assert joined == Leakage(Interval(0.3, 0.1, 0.4), 2)


def test_without_an_upper_bound_nothing_is_told_apart():
    nothing = float("nan")
    pair = at(5.0, 4.0, nothing), at(0.5, 0.1, nothing)
    assert contrast(*pair, alpha=ALPHA, comparisons=1).outcome == "not told apart"


def test_nothing_scored_is_not_compared():
    assert contrast(None, at(0.1, 0.0, 0.2), alpha=ALPHA, comparisons=1) == Contrast("incomparable")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Contrast("first"), "the others are compared with it"),
        (Contrast("incomparable"), "nothing was scored to compare"),
        (Contrast("lower", 0.045, 0.031, "paired"), "lower by 4.5pp, at least 3.1pp, paired"),
        (Contrast("higher", -0.045, 0.0311), "higher by 4.5pp, at least 3.1pp"),
        (Contrast("not told apart", 0.0), "not told apart from 'none' (no difference)"),
        (Contrast("not told apart", -0.004), "not told apart from 'none' (higher by 0.40pp)"),
    ],
)
def test_what_is_said(found, says):
    assert found.shown(TPR, "'none'") == says


def test_a_bound_above_nothing_never_looks_like_nothing():
    assert "at least 0.0" not in Contrast("lower", 0.1, 1e-5).shown(AUC, "'none'").replace(
        "at least 0.00001", ""
    )


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.8, 0.95])
def test_paired_comparisons_err_as_rarely(share):
    """As above, on the same records, whose scores have most of their noise in common."""
    rng = np.random.default_rng(32)
    wrong = found = 0
    for _ in range(200):
        common = rng.normal(size=(2, 600))
        scores = [
            MembershipScores(
                *(
                    np.sqrt(share) * side + np.sqrt(1 - share) * rng.normal(size=600) + moved
                    for side, moved in zip(common, (shift, 0.0), strict=True)
                )
            )
            for shift in (0.9, 0.6, 0.6)
        ]
        outcomes = [
            contrast(
                leakage(AUC, scores[one]),
                leakage(AUC, scores[other]),
                alpha=ALPHA,
                comparisons=3,
                correlation=correlation_of_estimates(
                    [(scores[one].members, scores[one].nonmembers)],
                    [(scores[other].members, scores[other].nonmembers)],
                    lambda members, others: auc(members, others),
                    resamples=100,
                ),
            ).outcome
            for one, other in ((0, 1), (0, 2), (1, 2))
        ]
        wrong += outcomes[2] != "not told apart" or "higher" in outcomes[:2]
        found += outcomes[:2] == ["lower", "lower"]
    assert wrong <= stats.binom.isf(1e-3, 200, ALPHA)
    assert found >= 160
