"""How often bounds on releases are wrong: many simulated releases of which the risk is known.

A release copies each row of its source with a chance of its own, and draws the others from the
population. The risk is that of an attack on all rows of the source, beyond that on a control so
large that chance hardly matters; an audit sees some rows of the source, and a control as large.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pytest_leakpro import SyntheticData
from pytest_leakpro.attacks.synthetic.inference import InferenceByNeighbours
from pytest_leakpro.attacks.synthetic.linkability import Linkability
from pytest_leakpro.attacks.synthetic.missing_values import MissingValues
from pytest_leakpro.attacks.synthetic.singling_out import SinglingOut
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named

pytestmark = pytest.mark.long

ALPHA = 0.05
N, SOME = 300, 150
ATTACKS = {
    "linkability": (Linkability, None),
    "missing_values": (MissingValues, None),
    "inference": (InferenceByNeighbours, "region"),
    "singling_out": (SinglingOut, None),
}


def people(n, rng):
    age = rng.integers(18, 90, n)
    return pd.DataFrame(
        {
            "age": age,
            "region": rng.choice(list("ABCDEF"), n),
            "income": np.round(rng.lognormal(10 + age / 100, 1, n), -2),
            "visits": rng.poisson(age / 20),
        }
    )


def release(source, share, rng):
    copied = rng.random(len(source)) < share
    return pd.concat([source[copied], people(len(source) - copied.sum(), rng)])


def rates(attack, column, source, synthetic, control, seed):
    view = SyntheticData(source, synthetic, control, allow_overlap=True).prepare(seed)
    found = attack.run(view, np.random.default_rng(seed), column)
    return found, found.main[0] / found.main[1], found.control[0] / found.control[1]


def known_risk(name, source, synthetic, rng):
    """Attack everybody, and a large control; of singling out average over many sets of guesses."""
    kind, column = ATTACKS[name]
    if name != "singling_out":
        _, main, control = rates(kind(), column, source, synthetic, people(5000, rng), 0)
    else:
        pairs = [
            rates(kind(attempts=SOME), column, source, synthetic, people(N, rng), seed)[1:]
            for seed in range(12)
        ]
        main, control = np.mean(pairs, axis=0)
    return (main - control) / (1 - control)


def one_release(name, seed, *, leaky):
    """Give the known risk, and what an audit reads."""
    rng = np.random.default_rng(seed)
    source = people(N, rng)
    synthetic = release(source, rng.uniform(0, 0.5) if leaky else 0.0, rng)
    kind, column = ATTACKS[name]
    found, *_ = rates(kind(attempts=SOME), column, source, synthetic, people(N, rng), seed)
    metric = parse_metric(name)
    reading = metric_named(name).read(metric, found, 0.001, ALPHA / 2, ALPHA / 2)
    return known_risk(name, source, synthetic, rng) if leaky else 0.0, reading


def check(name, n_releases):
    """Miss at most so often as chance allows, at one in a thousand, where 5 % is the truth."""
    most = stats.binom.isf(1e-3, n_releases, ALPHA)
    missed = sum(
        not reading.low <= risk <= reading.high
        for risk, reading in (one_release(name, seed, leaky=True) for seed in range(n_releases))
    )
    failed = sum(
        one_release(name, seed, leaky=False)[1].p_value <= ALPHA / 2 for seed in range(n_releases)
    )
    assert missed <= most, f"{missed} of {n_releases} bounds miss the risk"
    assert failed <= most, f"{failed} of {n_releases} safe releases fail"
    return missed, failed


@pytest.mark.parametrize("name", ["linkability", "singling_out"])
def test_bounds_hold_on_some_releases(name):
    check(name, 20)


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_bounds_hold_on_500_releases(name):
    missed, failed = check(name, 500)
    assert missed <= 25
    assert failed <= 25
