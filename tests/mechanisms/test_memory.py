"""Mechanisms that remember are noticed, others are not."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.mechanisms.memory import fourfold_p_value, memory_found
from pytest_leakpro.mechanisms.outputs import Reader
from pytest_leakpro.mechanisms.sampling import Mechanism, Sampler

PAIR = (np.array([0, 1]), np.array([0]))


def drawn(function, count=400, *, vectorised=False, seed=0):
    mechanism = Mechanism.of(function, vectorised=vectorised)
    return Sampler(mechanism, PAIR, seed, "pair", Reader()).draw(count, "look")


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_p_value_is_fishers(pairs):
    one, two = np.array(pairs).T
    table = [[int((one == a)[two == b].sum()) for b in (True, False)] for a in (True, False)]
    sides = [stats.fisher_exact(table, alternative=side)[1] for side in ("less", "greater")]
    assert fourfold_p_value(one, two) == pytest.approx(min(1, 2 * min(sides)))


def growing():
    calls = itertools.count()
    return lambda data, rng: len(data) + rng.normal() * (1 + (next(calls) > 400))


def noise_kept_for_two_calls():
    kept = []

    def answer(data, rng):
        if not kept:
            kept.extend([rng.normal()] * 4)
        return len(data) + kept.pop()

    return answer


def answers_relative_to_the_call_before():
    before = [0]

    def answer(data, rng):
        difference = len(data) - before[0]
        before[0] = len(data)
        return difference + rng.laplace(scale=0.5)

    return answer


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (growing, "later outputs"),
        (noise_kept_for_two_calls, "the one before it"),
        (answers_relative_to_the_call_before, "data of the call before"),
    ],
)
def test_memory_is_noticed(make, said):
    assert said in memory_found(drawn(make()), 1e-4)


def test_noise_shared_within_a_batch_is_noticed():
    def shared(data, size, rng):
        return len(data) + rng.normal() + rng.normal(size=size, scale=0.1)

    assert memory_found(drawn(shared, vectorised=True), 1e-4) is not None


def test_none_is_suspected_without_memory():
    """At level 0.3 of 80 draws 24 are expected at most; more than 40 have probability 1e-4."""

    def private(data, size, rng):
        return np.column_stack([len(data) + rng.laplace(size=size), rng.integers(3, size=size)])

    hits = sum(
        memory_found(drawn(private, 60, vectorised=True, seed=seed), 0.3) is not None
        for seed in range(80)
    )
    assert hits <= 40
