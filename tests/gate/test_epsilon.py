"""The metric epsilon: verdicts without an upper bound, and what canary scores must be."""

import numpy as np
import pytest

from pytest_leakpro import (
    Budget,
    CanaryScores,
    InconclusiveError,
    LeakageError,
    LeakproError,
    MembershipScores,
    PytestLeakproWarning,
    assert_leakage_below,
    audit,
    required_sizes,
)
from pytest_leakpro.stats.privacy_curves import gaussian_mu
from tests.gate.simulate import read

DELTA = 1e-5


def canaries(epsilon, n=10_000, seed=0, **options):
    rng = np.random.default_rng(seed)
    included = rng.random(n) < 0.5
    shift = gaussian_mu(epsilon, DELTA) if epsilon else 0.0
    scores = rng.normal(size=n) + shift * included
    return CanaryScores(scores, included, **{"delta": DELTA, **options})


def test_a_broken_promise_fails_and_says_on_what_that_rests():
    with pytest.raises(LeakageError) as error:
        assert_leakage_below(canaries(8.0, name="dp-sgd"), "epsilon <= 2")
    said = str(error.value)
    assert "dp-sgd does not keep its differential privacy above epsilon <= 2" in said or (
        "dp-sgd does not keep its differential privacy" in said
    )
    assert "(at least " in said
    assert "10,000 canaries, delta = 1e-05: one run, assumes nothing but the tosses" in said
    found = error.value.audit.measurements[0]
    assert found.low > 2
    assert found.high == float("inf")
    record = found.to_plain()
    assert record["shown_high"] == "-"
    assert record["evidence"]["assumes"].startswith("one run")
    assert "at least" in str(error.value.audit)


def test_what_is_not_refuted_passes_where_it_would_have_been():
    found = audit(canaries(0.5, assume="gaussian"), "epsilon <= 2")
    assert str(found.verdict) == "PASS"
    assert found.measurements[0].pass_chance == pytest.approx(0.975)
    assert "assumes a Gaussian mechanism and independent canaries" in str(found)


def test_without_power_nothing_passes():
    with pytest.raises(InconclusiveError, match="canaries"):
        assert_leakage_below(canaries(0, 5000), "epsilon <= 2")
    with pytest.warns(PytestLeakproWarning, match="cannot PASS"):
        assert str(audit(canaries(0, 100), "epsilon <= 1").verdict) == "INCONCLUSIVE"


def test_with_enough_canaries_it_passes_without_assumptions():
    size = required_sizes("epsilon <= 2").members
    found = audit(canaries(1.0, 2 * size + 200), "epsilon <= 2")
    assert str(found.verdict) == "PASS"


def test_sizes_are_planned_in_canaries():
    assert "canaries that were inserted" in str(required_sizes("epsilon <= 4"))
    fails = required_sizes("epsilon <= 1", 8.0)
    assert str(fails.verdict) == "FAIL"
    assert fails.members < required_sizes("epsilon <= 1").members


def test_where_a_gaussian_is_assumed_fewer_do_and_the_row_says_so():
    size = required_sizes("epsilon[gaussian] <= 3").members
    assert 100 < size < 400
    found = audit(canaries(1.0, 2 * size + 100, assume="gaussian"), "epsilon <= 3")
    assert str(found.measurements[0].metric) == "epsilon[gaussian]"
    assert str(found.verdict) == "PASS"
    with pytest.raises(InconclusiveError, match=rf"about {size} canaries"):
        assert_leakage_below(canaries(0.5, 100, assume="gaussian"), "epsilon <= 3")


def test_a_split_that_nobody_drew_is_an_error():
    with pytest.raises(LeakproError, match="nobody says so: give CanaryScores"):
        audit(MembershipScores(np.arange(20.0), np.arange(20.0)), "epsilon <= 3")


def test_the_record_names_every_bound_and_what_it_assumes():
    found = audit(canaries(4.0), "epsilon <= 2").measurements[0]
    bounds = {bound["method"]: bound for bound in found.to_plain()["evidence"]["bounds"]}
    assert len(bounds) == 4
    assert [name for name, bound in bounds.items() if bound["decides"]] == [
        "one run, f-DP (Mahloujifar et al. 2024)"
    ]
    one_run = bounds["one run (Steinke et al. 2023)"]
    assert 1 < one_run["low"] < bounds["one run, f-DP (Mahloujifar et al. 2024)"]["low"] < 4
    assert one_run["assumes"] == "nothing but the tosses"
    assert "do not influence" in bounds["both error rates (Clopper and Pearson)"]["assumes"]
    assert 2.5 < bounds["mu-GDP (Nasr et al. 2023)"]["low"] < 4

    def deciding(evidence):
        return [bound["method"] for bound in evidence.bounds() if bound["decides"]]

    assert deciding(canaries(4.0, 1000, assume="gaussian")) == ["mu-GDP (Nasr et al. 2023)"]
    assert deciding(canaries(4.0, 1000, delta=0)) == ["one run (Steinke et al. 2023)"]


def test_canaries_that_are_all_told_apart_refute_more_than_few_guesses_can():
    """936 right guesses of 1,000 canaries: a binomial law at a fifth of the error."""
    included = np.random.default_rng(0).random(1000) < 0.5
    scores = included + np.arange(1000) * 1e-6
    found = read("epsilon <= 3", CanaryScores(scores, included, delta=0.0))
    right = (0.2 * 0.025) ** (1 / 936)
    assert found.low == pytest.approx(np.log(right / (1 - right)), rel=1e-6)
    assert found.p_value < 0.025


def test_bounds_do_not_depend_on_the_scale_of_scores():
    one = canaries(4.0)
    other = CanaryScores(np.exp(one.scores), one.included, delta=DELTA)
    assert read("epsilon <= 2", one).low == read("epsilon <= 2", other).low


def test_ties_are_guessed_by_lot():
    """All scores alike: half the guesses are right, within 4.5 standard errors."""
    included = np.random.default_rng(0).random(2000) < 0.5
    flat = CanaryScores(np.zeros(2000), included, delta=DELTA)
    assert abs(flat.right_guesses(1000) - 500) < 4.5 * np.sqrt(250)
    assert read("epsilon <= 1", flat).low == 0


def fair(n=100):
    return np.arange(n) % 2 == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: CanaryScores(np.zeros(9), fair(9), delta=0.1), "fewer than 10"),
        (lambda: CanaryScores(np.zeros(100), fair(50), delta=0.1), "one entry each"),
        (lambda: CanaryScores(np.zeros(100), np.ones(100, bool), delta=0.1), "all of the canaries"),
        (lambda: CanaryScores(np.zeros(100), np.zeros(100, bool), delta=0.1), "none of the"),
        (lambda: CanaryScores(np.zeros(100), np.arange(100) < 90, delta=0.1), "no fair coin"),
        (lambda: CanaryScores(np.zeros(100), np.arange(100), delta=0.1), "True or False"),
        (lambda: CanaryScores(np.zeros(100), fair(), delta=1.0), "below 1"),
        (lambda: CanaryScores(np.zeros(100), fair(), delta=True), "below 1"),
        (lambda: CanaryScores(np.full(100, np.nan), fair(), delta=0.1), "NaN"),
        (lambda: CanaryScores(np.arange(100), fair(), delta=0.1, assume="laplace"), "'gaussian'"),
        (lambda: CanaryScores(np.arange(100), fair(), delta=0, assume="gaussian"), "delta = 0"),
        (
            lambda: CanaryScores(fair() * 1.0, fair(), delta=0.1, assume="gaussian"),
            "no Gaussian mechanism gives",
        ),
        (lambda: Budget.parse("epsilon <= 0"), "epsilon"),
        (lambda: Budget.parse("epsilon[x] <= 3"), "taken for granted of the training"),
        (lambda: audit(canaries(1.0, 100), "epsilon[gaussian] <= 3"), "give it assume='gaussian'"),
    ],
)
def test_what_is_wrong_is_said(make, says):
    with pytest.raises(LeakproError, match=says):
        make()
