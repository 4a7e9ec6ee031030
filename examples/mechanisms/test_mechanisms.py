"""Mechanisms of diffprivlib and OpenDP keep what they claim, and careless use does not."""

import opendp.prelude as dp
import pytest
from diffprivlib import mechanisms
from hypothesis import strategies as st

from pytest_leakpro import LeakageError, assert_dp
from pytest_leakpro.strategies import arrays, tables

dp.enable_features("contrib")

PATIENTS = tables({"age": st.integers(0, 100), "ward": ["A", "B", "C"]})
# Calls of a mechanism in Python take tens of microseconds: few are enough for gross mistakes.
QUICK = {"samples": 4_000, "max_examples": 10}


@pytest.mark.parametrize(
    "mechanism",
    [
        mechanisms.Laplace(epsilon=1.0, sensitivity=1.0),
        mechanisms.Geometric(epsilon=1.0, sensitivity=1),
    ],
    ids=["laplace", "geometric"],
)
def test_noisy_count(mechanism):
    def noisy_count(patients):
        return mechanism.randomise(len(patients))

    assert_dp(noisy_count, epsilon=1.0, neighbours=PATIENTS, **QUICK)


def test_choice_of_a_ward():
    def largest_ward(patients):
        wards = patients["ward"].tolist()
        sizes = [wards.count(ward) for ward in "ABC"]
        chosen = mechanisms.Exponential(
            epsilon=1.0, sensitivity=1.0, utility=sizes, candidates=list("ABC")
        )
        return chosen.randomise()

    assert_dp(largest_ward, epsilon=1.0, neighbours=PATIENTS, samples=1_000, max_examples=4)


def test_sum_with_the_sensitivity_of_a_count_is_refuted():
    mechanism = mechanisms.Laplace(epsilon=1.0, sensitivity=1.0)

    def total_age(patients):
        return mechanism.randomise(int(patients["age"].sum()))

    with pytest.raises(LeakageError, match="total_age is not"):
        assert_dp(total_age, epsilon=1.0, neighbours=PATIENTS, **QUICK)


def opendp_sum():
    """Sum up numbers from 0 to 10 with integer Laplace noise of scale 10."""
    numbers = dp.vector_domain(dp.atom_domain(T=int)), dp.symmetric_distance()
    bounded = numbers >> dp.t.then_clamp((0, 10)) >> dp.t.then_sum()
    return bounded >> dp.m.then_laplace(scale=10.0)


def test_measurement_of_opendp():
    measurement = opendp_sum()
    assert_dp(
        lambda numbers: measurement(numbers.tolist()),
        epsilon=measurement.map(d_in=1),
        neighbours=arrays(range(11), max_size=4),
        samples=1_000,
        max_examples=5,
    )


def test_a_replaced_record_counts_twice():
    """One record replaced is one removed and one added: `map(d_in=1)` does not speak of it."""
    numbers = dp.vector_domain(dp.atom_domain(T=int)), dp.symmetric_distance()
    measurement = numbers >> dp.t.then_clamp((-10, 10)) >> dp.t.then_sum()
    measurement = measurement >> dp.m.then_laplace(scale=10.0)
    with pytest.raises(LeakageError):
        assert_dp(
            lambda numbers: measurement(numbers.tolist()),
            epsilon=measurement.map(d_in=1),
            neighbours=arrays([-10, 10], min_size=1, max_size=2, relation="replace"),
            samples=2_000,
            max_examples=10,
        )
