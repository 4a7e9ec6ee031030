"""Cells are read, and replaced, alike in every container."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.column_cells import cells_of, with_cell

ROWS = [[0.0, 1.5, 2.0], [3.0, 0.0, 5.0], [6.0, 7.0, 8.0]]
CONTAINERS = {
    "array": np.array(ROWS),
    "objects": np.array(ROWS, dtype=object),
    "frame": pd.DataFrame(ROWS, columns=["a", "b", "c"]),
    "rows": ROWS,
    "tuples": [tuple(row) for row in ROWS],
    "arrays": [np.array(row) for row in ROWS],
    "csr": sparse.csr_matrix(ROWS),
    "coo": sparse.coo_array(ROWS),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_cells_are_read_and_replaced(name):
    given = CONTAINERS[name]
    assert cells_of(given, 1) == [1.5, 0.0, 7.0]
    moved = with_cell(given, 1, given, 2)
    assert type(moved) is type(given)
    assert cells_of(moved, 1) == [7.0] * 3
    assert cells_of(moved, 2) == [2.0, 5.0, 8.0]
    assert cells_of(given, 1) == [1.5, 0.0, 7.0]


def test_tensors():
    torch = pytest.importorskip("torch")
    for given in (torch.tensor(ROWS), list(torch.tensor(ROWS))):
        moved = with_cell(given, 0, given, 1)
        assert cells_of(moved, 0) == [3.0] * 3
        assert cells_of(given, 0) == [0.0, 3.0, 6.0]


def test_a_column_of_a_frame_keeps_its_type():
    kind = pd.CategoricalDtype(["x", "y", "z"])
    frame = pd.DataFrame({"a": pd.Series(["x", "y", "z"], dtype=kind), "b": [1, 2, 3]})
    other = pd.DataFrame({"a": pd.Categorical(["z", "x"]), "b": [9.0, 8.0]}, index=[7, 8])
    for place, kept in ((0, kind), (1, np.dtype("int64"))):
        moved = with_cell(frame, place, other, 0)
        assert moved.dtypes.iloc[place] == kept
        assert moved.index.tolist() == [0, 1, 2]
    assert cells_of(with_cell(frame, 0, other, 0), 0) == ["z"] * 3
    missing = pd.DataFrame({"a": ["x"], "b": [np.nan]})
    assert cells_of(with_cell(frame, 1, missing, 0), 1) == [None] * 3


def test_missing_cells_are_none_and_lists_are_refused():
    frame = pd.DataFrame({"a": [np.nan, None, pd.NA, "x"]}, dtype=object)
    assert cells_of(frame, 0) == [None, None, None, "x"]
    with pytest.raises(LeakproError, match="column 0 of the records holds lists"):
        cells_of(pd.DataFrame({"a": [[1], [2]]}), 0)
