"""Kernel densities of mixed rows against sums written out, and against known laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.stats.gower import MixedRows
from pytest_leakpro.stats.kernel_density import BANDWIDTHS, choose_bandwidth, log_density


def mixed(rng, n, missing=0.1):
    numbers = rng.random((n, 2))
    numbers[rng.random((n, 2)) < missing] = np.nan
    return MixedRows(numbers, rng.integers(-1, 3, size=(n, 2)))


def written_out(queries, rows, h):
    """The same density by the definition, in double precision."""
    apart = queries.numbers[:, None] - rows.numbers[None]
    one, both = np.isnan(apart), np.isnan(queries.numbers)[:, None] & np.isnan(rows.numbers)[None]
    total = np.where(both, 0, np.where(one, 1, np.abs(apart))).sum(axis=2)
    total += (queries.codes[:, None] != rows.codes[None]).sum(axis=2)
    norm = 1.0
    for column in range(2):
        absent = np.isnan(np.r_[queries.numbers[:, column], rows.numbers[:, column]]).any()
        norm *= 2 * h * (1 - np.exp(-1 / h)) + absent * np.exp(-1 / h)
        values = np.unique(np.r_[queries.codes[:, column], rows.codes[:, column]])
        norm *= 1 + (len(values) - 1) * np.exp(-1 / h)
    return np.log(np.exp(-total / h).mean(axis=1) / norm)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.sampled_from([0.05, 0.3, 1.0]))
def test_it_is_the_sum_written_out(seed, n, h):
    rng = np.random.default_rng(seed)
    queries, rows = mixed(rng, 7), mixed(rng, n)
    found = log_density(queries, rows, [h, 0.5])
    assert found.shape == (2, 7)
    np.testing.assert_allclose(found[0], written_out(queries, rows, h), atol=1e-4)
    np.testing.assert_allclose(found[1], written_out(queries, rows, 0.5), atol=1e-4)


def test_it_is_a_density():
    rows = MixedRows(np.full((1, 1), 0.5), np.empty((1, 0), dtype=int))
    grid = MixedRows(np.linspace(0, 1, 10_001)[:, None], np.empty((10_001, 0), dtype=int))
    for h in (0.02, 0.05):  # hardly anything of it lies beyond 0 and 1
        assert np.exp(log_density(grid, rows, [h])).mean() == pytest.approx(1, abs=0.005)
    codes = MixedRows(np.empty((4, 0)), np.array([[0], [1], [2], [-1]]))
    assert np.exp(log_density(codes, codes, [0.7])).sum() == pytest.approx(1, abs=1e-6)


def test_blocks_threads_and_far_points_do_not_matter():
    rng = np.random.default_rng(0)
    rows = mixed(rng, 9000)  # more than a block
    queries = mixed(rng, 300)
    one = log_density(queries, rows, [0.1, BANDWIDTHS[-1]])
    assert np.array_equal(one, log_density(queries, rows, [0.1, BANDWIDTHS[-1]], threads=3))
    halves = [
        log_density(queries, rows.take(part), [0.1]) for part in np.arange(9000).reshape(2, -1)
    ]
    np.testing.assert_allclose(one[0], np.logaddexp(*halves)[0] - np.log(2), atol=1e-4)
    # exp(-1024 x 40) is no number in any precision.
    far = MixedRows(np.ones((1, 40)), np.empty((1, 0), dtype=int))
    near = MixedRows(np.zeros((3, 40)), np.empty((3, 0), dtype=int))
    assert np.isfinite(log_density(far, near, BANDWIDTHS)).all()


def test_the_bandwidth_shrinks_with_more_rows_and_ignores_the_row_itself():
    rng = np.random.default_rng(0)

    def chosen(n, columns=2):
        rows = MixedRows(rng.beta(2, 2, (n, columns)), np.empty((n, 0), dtype=int))
        return choose_bandwidth(rows, np.random.default_rng(1))

    few, many = chosen(50), chosen(5000)
    # A row that counted itself would be likeliest under the narrowest kernel of all.
    assert BANDWIDTHS[-1] < many < few < BANDWIDTHS[0]


def test_the_bandwidth_of_little():
    rng = np.random.default_rng(0)
    single = MixedRows(np.zeros((1, 1)), np.empty((1, 0), dtype=int))
    assert choose_bandwidth(single, rng) == 0.1
    constant = MixedRows(np.zeros((5, 1)), np.ones((5, 1), dtype=int))
    assert choose_bandwidth(constant, rng) == BANDWIDTHS[-1]
    independent = MixedRows(np.empty((400, 0)), rng.integers(0, 2, (400, 2)))
    assert choose_bandwidth(independent, rng) in BANDWIDTHS
