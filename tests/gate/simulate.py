"""Scores whose leakage is known, for tests of errors and power."""

from scipy import special

from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.evidence import MembershipScores

A = 0.025


def binormal(rng, m, n, mu):
    """Member scores N(mu, 1), non-member scores N(0, 1)."""
    return MembershipScores(rng.normal(mu, 1, m), rng.normal(0, 1, n))


def shift_for(tpr, fpr):
    """The shift at which binormal scores reach this TPR at this FPR."""
    return special.ndtri(tpr) - special.ndtri(fpr)


def read(budget, evidence, error_low=A, error_high=A):
    """Read a budget's metric off evidence."""
    if isinstance(budget, str):
        budget = Budget.parse(budget)
    metric = metric_named(budget.metric.name)
    return metric.read(budget.metric, evidence, budget.limit, error_low, error_high)


def outcomes(budget, draw, runs):
    """Share of FAILs and of PASSes over simulated audits by one attack."""
    budget = Budget.parse(budget)
    failed = passed = 0
    for _ in range(runs):
        reading = read(budget, draw())
        refuted = reading.p_value <= A
        failed += refuted
        passed += not refuted and reading.high <= budget.limit
    return failed / runs, passed / runs
