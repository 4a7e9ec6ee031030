"""Bounds on epsilon against those of jax-privacy, which is written independently."""

import numpy as np
import pytest

from pytest_leakpro.stats.one_run import curve_p_value, lower_one_run
from pytest_leakpro.stats.privacy_curves import gaussian_curve, gaussian_mu
from pytest_leakpro.stats.threshold_audit import threshold_lower

auditing = pytest.importorskip("jax_privacy.auditing")

ERROR, DELTA = 0.025, 1e-5


def scores(shift, n=2000, seed=0):
    rng = np.random.default_rng(seed)
    included = rng.random(n) < 0.5
    drawn = rng.normal(size=n) + shift * included
    return drawn[included], drawn[~included]


def at(cut, inside, outside):
    auditor = auditing.CanaryScoreAuditor(inside, outside)
    hits, alarms = int((inside >= cut).sum()), int((outside >= cut).sum())
    return auditor, hits, alarms, {"threshold_strategy": auditing.Explicit(cut)}


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0, 4.0])
@pytest.mark.parametrize("cut", [0.0, 1.5, 2.5])
def test_one_run_with_the_same_guesses(shift, cut):
    inside, outside = scores(shift)
    auditor, hits, alarms, where = at(cut, inside, outside)
    wanted = auditor.epsilon_one_run(ERROR, DELTA, **where)
    canaries = len(inside) + len(outside)
    found = lower_one_run(hits, hits + alarms, canaries, DELTA, ERROR)
    assert found == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("shift", [0.5, 2.0, 4.0])
def test_the_curve_of_a_gaussian_mechanism_with_the_same_guesses(shift):
    """Theirs takes the Gaussian curve, which ours does not; the recursion is the same."""
    inside, outside = scores(shift)
    auditor, hits, alarms, where = at(2.0, inside, outside)
    epsilon = auditor.epsilon_one_run_fdp(ERROR, DELTA, **where)
    if epsilon == 0:
        pytest.fail("nothing to compare")
    curve = gaussian_curve(gaussian_mu(epsilon, DELTA))
    found = curve_p_value(hits, hits + alarms, len(inside) + len(outside), curve)
    assert found == pytest.approx(ERROR, rel=1e-3)


@pytest.mark.parametrize("shift", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("cut", [-1.0, 1.0, 3.0])
def test_both_error_rates_at_the_same_cut(shift, cut):
    inside, outside = scores(shift)
    auditor, hits, alarms, where = at(cut, inside, outside)
    wanted = auditor.epsilon_clopper_pearson(ERROR, DELTA, one_sided=False, **where)
    found = threshold_lower((hits, len(inside), alarms, len(outside)), DELTA, ERROR)
    assert found == pytest.approx(wanted, abs=1e-6)
