"""How often a comparison with the baseline errs, and what it finds.

Each share of 1,000 pairs is allowed to exceed alpha = 5 % by what chance explains: a true rate of
5 % gives more than 72 of 1,000 with a probability below 0.1 %. Bounds are conservative, so that the
shares lie far below it.
"""

import numpy as np
import pytest

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.detectable import detectable_increase
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.stats.difference import correlation_of_estimates, increase_lower

ALPHA = 0.05
PAIRS = 1000
MOST = 72


def draw(rng, shift, size, common=None, share=0.0, levels=None):
    """Give scores, of which a part comes from the records and so is common to two models."""
    sides = []
    for side, moved in enumerate((shift, 0.0)):
        noise = rng.normal(size=size)
        if common is not None:
            noise = np.sqrt(share) * common[side] + np.sqrt(1 - share) * noise
        scores = noise + moved
        sides.append(scores if levels is None else np.round(scores * levels) / levels)
    return MembershipScores(*sides)


def interval(metric, scores):
    return metric_named(metric.name).read(metric, scores, None, ALPHA / 2, ALPHA / 2)


def is_regression(metric, old, new, correlation=0.0):
    before, now = interval(metric, old), interval(metric, new)
    return increase_lower(before.value, before.high, now.value, now.low, correlation) > 0


@pytest.mark.parametrize("levels", [None, 2], ids=["continuous", "ties"])
@pytest.mark.parametrize(
    "kept", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["drawn again", "members kept"]
)
@pytest.mark.parametrize("name", ["tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage"])
def test_equally_leaky_models_are_rarely_called_a_regression(name, kept, levels):
    metric = parse_metric(name)
    rng = np.random.default_rng(20)
    wrong = 0
    for _ in range(PAIRS):
        common = rng.normal(size=(2, 600)) if kept else None
        pair = [draw(rng, 0.7, 600, common, 0.7, levels) for _ in range(2)]
        wrong += is_regression(metric, *pair)
    assert wrong <= MOST


def paired(metric, old, new):
    definition = metric_named(metric.name)
    return correlation_of_estimates(
        [(old.members, old.nonmembers)],
        [(new.members, new.nonmembers)],
        lambda members, others: definition.estimate(metric, MembershipScores(members, others)),
        resamples=100,
    )


@pytest.mark.slow
@pytest.mark.parametrize("levels", [None, 2], ids=["continuous", "ties"])
@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("name", ["tpr@1%fpr", "auc", "advantage"])
def test_paired_comparisons_err_as_rarely(name, share, levels):
    metric = parse_metric(name)
    rng = np.random.default_rng(21)
    wrong = 0
    for _ in range(PAIRS):
        common = rng.normal(size=(2, 600))
        old, new = (draw(rng, 0.7, 600, common, share, levels) for _ in range(2))
        wrong += is_regression(metric, old, new, paired(metric, old, new))
    assert wrong <= MOST


@pytest.mark.parametrize(
    ("name", "shift"),
    [
        ("tpr@1%fpr", 0.9),
        pytest.param("auc", 0.65, marks=pytest.mark.slow),
        pytest.param("advantage", 0.75, marks=pytest.mark.slow),
    ],
)
def test_paired_comparisons_find_smaller_increases(name, shift):
    # Of 60 pairs on the same records, those found unpaired are found paired too, and many more.
    metric = parse_metric(name)
    rng = np.random.default_rng(22)
    found = np.zeros(2, dtype=int)
    for _ in range(60):
        common = rng.normal(size=(2, 1000))
        old = draw(rng, 0.5, 1000, common, 0.9)
        new = draw(rng, shift, 1000, common, 0.9)
        alone = is_regression(metric, old, new)
        together = is_regression(metric, old, new, paired(metric, old, new))
        assert together >= alone
        found += [alone, together]
    assert found[1] >= found[0] + 15


@pytest.mark.parametrize("levels", [None, 4], ids=["continuous", "ties"])
@pytest.mark.parametrize("size", [500, 2000])
@pytest.mark.parametrize("name", ["tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage"])
def test_twice_the_detectable_increase_is_found(name, size, levels):
    # Of 100 pairs; 80 % is asked for. A true rate of 92 % would fall below 80 of 100 with a
    # probability below 0.01 %.
    metric = parse_metric(name)
    definition, sizes = metric_named(metric.name), Sizes(size, size)
    rng = np.random.default_rng(23)
    start = {"tpr@0.1%fpr": 0.01, "tpr@1%fpr": 0.03, "auc": 0.55, "advantage": 0.1}[name]
    increase = detectable_increase(metric, sizes, ALPHA, leakage=start)

    def shift(value):  # the binormal shift with this leakage, read off typical scores
        typical = definition.typical_evidence(metric, sizes, value)
        return float(np.mean(typical.members) - np.mean(typical.nonmembers))

    found = sum(
        is_regression(
            metric,
            draw(rng, shift(start), size, levels=levels),
            draw(rng, shift(start + 2 * increase), size, levels=levels),
        )
        for _ in range(100)
    )
    assert found >= 80
