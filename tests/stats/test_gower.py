"""Distances of mixed rows against the plainest way of taking them."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.stats.gower import MixedRows, distinct_rows, fold_distances, nearest_rows


def plain_distances(queries, rows):
    """Take all distances at once, as the definition says."""
    left, right = (np.where(np.isnan(part.numbers), 2.0, part.numbers) for part in (queries, rows))
    total = np.minimum(np.abs(left[:, None] - right[None]), 1).sum(axis=2)
    total = total + (queries.codes[:, None] != rows.codes[None]).sum(axis=2)
    return np.round(total, 12) / max(1, queries.n_columns)


def plain_nearest(queries, rows, k):
    distances = plain_distances(queries, rows)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, 1), order


def some_rows(rng, n, p, q, levels, categories, missing):
    numbers = rng.integers(0, levels, size=(n, p)) / max(1, levels - 1)
    numbers[rng.random(numbers.shape) < missing] = np.nan
    return MixedRows(numbers, rng.integers(-1, categories, size=(n, q)))


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_queries=st.integers(0, 40),
    n_rows=st.integers(1, 400),
    shape=st.sampled_from([(1, 0), (0, 1), (3, 2), (2, 4), (5, 0), (0, 6)]),
    levels=st.sampled_from([1, 2, 7, 1000]),
    categories=st.sampled_from([1, 3, 300]),
    missing=st.sampled_from([0.0, 0.2, 1.0]),
    k=st.integers(1, 7),
    threads=st.integers(1, 3),
)
def test_the_nearest_rows_are_those_of_all_distances(
    seed, n_queries, n_rows, shape, levels, categories, missing, k, threads
):
    rng = np.random.default_rng(seed)
    queries, rows = (
        some_rows(rng, n, *shape, levels, categories, missing) for n in (n_queries, n_rows)
    )
    distances, positions = nearest_rows(queries, rows, k, threads=threads)
    wanted, order = plain_nearest(queries, rows, min(k, n_rows))
    np.testing.assert_array_equal(positions, order)
    np.testing.assert_allclose(distances, wanted, atol=1e-14)


def test_blocks_meet_without_a_seam():
    rng = np.random.default_rng(5)
    queries, rows = some_rows(rng, 150, 2, 2, 50, 4, 0.1), some_rows(rng, 20_000, 2, 2, 50, 4, 0.1)
    distances, positions = nearest_rows(queries, rows, 3, threads=2)
    wanted, order = plain_nearest(queries, rows, 3)
    np.testing.assert_array_equal(positions, order)
    np.testing.assert_allclose(distances, wanted, atol=1e-14)


def test_neighbours_closer_than_single_precision_tells_are_told_apart():
    rows = MixedRows(0.5 + np.array([[3e-9], [1e-9], [2e-9]]), np.empty((3, 0), dtype=np.int64))
    query = MixedRows(np.array([[0.5]]), np.empty((1, 0), dtype=np.int64))
    np.testing.assert_array_equal(nearest_rows(query, rows, 3)[1], [[1, 2, 0]])


def test_a_missing_value_equals_a_missing_one_and_nothing_else():
    missing = MixedRows(np.array([[np.nan]]), np.array([[-1]]))
    present = MixedRows(np.array([[0.25]]), np.array([[0]]))
    assert nearest_rows(missing, missing, 1)[0][0, 0] == 0
    assert nearest_rows(missing, present, 1)[0][0, 0] == 1
    assert nearest_rows(present, missing, 1)[0][0, 0] == 1


def test_equal_rows_are_found_once_and_given_each():
    rows = MixedRows(np.array([[0.5], [0.1], [0.5], [0.5]]), np.array([[1], [1], [1], [1]]))
    firsts, sizes, members = distinct_rows(rows)
    np.testing.assert_array_equal(firsts, [0, 1])
    np.testing.assert_array_equal(sizes, [3, 1])
    np.testing.assert_array_equal(members, [0, 2, 3, 1])
    _, positions = nearest_rows(rows.take(np.array([2])), rows, 4)
    np.testing.assert_array_equal(positions, [[0, 2, 3, 1]])


@pytest.mark.parametrize("threads", [1, 2])
def test_no_query_has_no_neighbour(threads):
    same = MixedRows(np.zeros((5, 1)), np.zeros((5, 1), dtype=np.int64))
    distances, positions = nearest_rows(same.take(np.arange(0)), same, 2, threads=threads)
    assert distances.shape == positions.shape == (0, 2)


@pytest.mark.parametrize("threads", [1, 2])
def test_all_distances_are_shown_once_each(threads):
    rng = np.random.default_rng(2)
    queries, rows = some_rows(rng, 300, 2, 1, 9, 3, 0.1), some_rows(rng, 9_000, 2, 1, 9, 3, 0.1)
    seen = np.full((300, 9_000), np.nan)

    def visit(mine, others, distances):
        assert np.isnan(seen[mine, others]).all()
        seen[mine, others] = distances

    fold_distances(queries, rows, visit, threads=threads)
    np.testing.assert_allclose(seen, plain_distances(queries, rows), atol=1e-6)


def test_memory_does_not_grow_with_the_number_of_pairs():
    rng = np.random.default_rng(3)
    queries, rows = (
        some_rows(rng, 2_000, 3, 3, 500, 9, 0.0),
        some_rows(rng, 60_000, 3, 3, 500, 9, 0.0),
    )
    tracemalloc.start()
    nearest_rows(queries, rows, 2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6  # all distances would take 960 MB
