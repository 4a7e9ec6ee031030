"""Features of whole tables, against what pandas and numpy say."""

import numpy as np
import pytest

from pytest_leakpro.stats.gower import MixedRows
from pytest_leakpro.stats.table_features import Levels, table_features


def table(seed, n=200):
    rng = np.random.default_rng(seed)
    return MixedRows(rng.random((n, 2)), rng.choice(3, size=(n, 1), p=[0.2, 0.5, 0.3]))


def test_each_family_says_what_it_should():
    rows = table(0)
    levels = Levels.of(rows)
    features = table_features(rows, levels)
    assert features.shape == (levels.width,)
    naive, histogram, correlations = (features[part] for part in levels.families.values())
    first = rows.numbers[:, 0]
    assert naive[:4] == pytest.approx([first.mean(), np.median(first), first.var(), 0])
    assert naive[8:] == pytest.approx([3, 1, 0])  # kinds of codes, the most, the least frequent
    assert histogram[:10] == pytest.approx(np.histogram(first, np.linspace(0, 1, 11))[0] / 200)
    assert histogram[20:] == pytest.approx([np.mean(rows.codes == code) for code in (1, 2, 0)])
    columns = np.column_stack([rows.numbers, *(rows.codes == code for code in (1, 2, 0))])
    expected = np.corrcoef(columns.T)[np.triu_indices(5, 1)]
    assert correlations == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 3])
def test_little_is_read_all_the_same(n):
    levels = Levels.of(table(0))
    missing = MixedRows(np.full((n, 2), np.nan), np.full((n, 1), -1))
    for rows in (table(1, n), missing, MixedRows(np.ones((n, 2)), np.full((n, 1), 7))):
        features = table_features(rows, levels)
        assert features.shape == (levels.width,)
        assert np.isfinite(features).all()


def test_many_levels_and_columns_are_bounded():
    rng = np.random.default_rng(0)
    rows = MixedRows(rng.random((400, 300)), rng.integers(0, 200, size=(400, 2)))
    levels = Levels.of(rows)
    assert levels.width < 20_000
    assert table_features(rows, levels).shape == (levels.width,)
