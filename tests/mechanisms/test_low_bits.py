"""The last bits of floating-point outputs."""

import numpy as np
import pytest

from pytest_leakpro.mechanisms.events import Claim
from pytest_leakpro.mechanisms.low_bits import low_bits_found, lowest_bits
from pytest_leakpro.mechanisms.outputs import Reader

CLAIM = Claim(1.0, 0.0)


def found(make, first=1.0, second=0.0, n=500):
    rng = np.random.default_rng(0)
    reader = Reader()
    one, two = (
        reader.read(make(rng, answer, n), side) for side, answer in (("a", first), ("b", second))
    )
    return low_bits_found(one, two, CLAIM, 1e-3)


def test_lowest_set_bit():
    numbers = np.array([1.0, 3.0, 0.75, 1 + 2.0**-52, 5e-324, -12.0, 0.0])
    assert lowest_bits(numbers).tolist() == [0, 0, -2, -52, -1074, 2, 2_000]


def test_textbook_laplace_gives_itself_away():
    assert "below 2**" in found(lambda rng, answer, n: answer + rng.laplace(size=n))


def test_few_attainable_values_are_noticed():
    def coarse(rng, answer, n):
        return answer - np.log((rng.integers(1, 2**14, size=n)) / 2**14)

    assert "repeat another one" in found(coarse, 0.0, 0.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda rng, answer, n: np.round(answer + rng.laplace(size=n), 3) * 1.0,
        lambda rng, answer, n: answer + rng.geometric(0.3, n) - rng.geometric(0.3, n) + 0.0,
        lambda rng, answer, n: np.round((answer + rng.laplace(size=n)) * 2**10) / 2**10,
        lambda rng, answer, n: rng.choice([0.1, 0.7], size=n),
        lambda rng, answer, n: rng.normal(size=n),
    ],
    ids=["thousandths", "whole numbers", "binary fractions", "two values", "no answer in it"],
)
def test_rounded_outputs_are_not_suspected(make):
    assert found(make) is None
