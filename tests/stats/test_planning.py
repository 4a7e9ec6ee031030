"""What the sizes alone can decide, against simulation of the real bounds."""

import numpy as np
import pytest
from scipy import special

from pytest_leakpro.stats.average_power import (
    advantage_fail_chance,
    advantage_pass_chance,
    auc_fail_chance,
    auc_pass_chance,
)
from pytest_leakpro.stats.multiplicity import attack_weights
from pytest_leakpro.stats.tpr_power import fail_chance, pass_chance, passing_counts

A = 0.025


# The figures of a trial that was made independently: 100, 92, 89 and 77 %.
@pytest.mark.parametrize(
    ("size", "limit", "known"),
    [(3900, 0.01, 1.00), (2000, 0.01, 0.92), (1000, 0.015, 0.89), (500, 0.02, 0.77)],
)
def test_chance_of_a_pass_without_leakage(size, limit, known):
    assert pass_chance(size, size, 0.001, limit, A, None) == pytest.approx(known, abs=0.03)


def test_no_pass_without_enough_members():
    assert passing_counts(200, 20_000, 0.001, 0.01, A) is None
    assert pass_chance(200, 20_000, 0.001, 0.01, A, None) == 0
    assert passing_counts(2000, 2000, 0.001, 0.01, A) is not None


def test_chances_follow_the_leakage():
    passing = [pass_chance(5000, 5000, 0.001, 0.01, A, true) for true in (None, 0.003, 0.006)]
    assert passing == sorted(passing, reverse=True)
    failing = [fail_chance(5000, 5000, 0.001, 0.01, A, true) for true in (0.011, 0.02, 0.05)]
    assert failing == sorted(failing)
    assert fail_chance(20, 30, 0.001, 0.9, A, 1.0) == 0
    assert fail_chance(2000, 2000, 0.001, 0.01, A, 1.0) == 1


def test_power_against_a_shift_of_one():
    true = special.ndtr(special.ndtri(0.001) + 1)
    assert true == pytest.approx(0.0183, abs=1e-4)
    assert fail_chance(2000, 2000, 0.001, 0.003, A, true) >= 0.95


def test_auc_chances_are_those_of_the_bound():
    # 2,000 simulated estimates; standard error of a share at most 1.1 points, 4 of them allowed.
    from pytest_leakpro.stats.bounded_mean import mean_lower
    from pytest_leakpro.stats.roc import auc

    rng = np.random.default_rng(2)
    size, limit = 500, 0.55
    estimates = [auc(rng.normal(size=size), rng.normal(size=size)) for _ in range(2000)]
    passed = np.mean([1 - mean_lower(1 - t, size, A) <= limit for t in estimates])
    assert auc_pass_chance(size, size, limit, A, 0.5) == pytest.approx(passed, abs=0.045)
    assert auc_fail_chance(size, size, 0.55, A, 0.7) > 0.99
    assert auc_fail_chance(size, size, 0.55, A, 0.55) < A
    assert auc_fail_chance(10, 10, 0.9, A, 1.0) == 0


def test_advantage_chances():
    assert advantage_pass_chance(500, 500, 0.05, A, 0.0) == 0
    assert advantage_pass_chance(8000, 8000, 0.05, A, 0.0) > 0.99
    assert advantage_pass_chance(8000, 8000, 0.05, A, 0.04) < 0.1
    assert advantage_fail_chance(2000, 2000, 0.05, A, 0.2) > 0.99
    assert advantage_fail_chance(2000, 2000, 0.05, A, 0.05) <= A


def test_weights_sum_to_one():
    assert attack_weights(1) == (1.0,)
    assert attack_weights(3) == pytest.approx((0.8, 0.1, 0.1))
    assert sum(attack_weights(7)) == pytest.approx(1)
