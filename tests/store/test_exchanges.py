"""Recorded messages are read as they were written, or not at all."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pytest_leakpro import LeakproError
from pytest_leakpro.store.exchanges import CLIENT, GLOBAL, SERVER, Exchange, Place, places, runs

PLACE = Place(2**63 + 5, 3, CLIENT, 2**64 - 1)
EXCHANGE = Exchange(
    {"received": {"w": np.arange(4.0)}, "sent": {"w": np.ones(4)}}, {"metrics": {"n": 3}}
)


@given(
    st.dictionaries(
        st.text(),
        npst.arrays(st.sampled_from(["f4", "f8", "f2", "i8", "?"]), npst.array_shapes(min_dims=0)),
        max_size=4,
    )
)
def test_any_names_and_arrays_come_back_in_their_order(tmp_path_factory, arrays):
    root = tmp_path_factory.mktemp("exchange")
    Exchange({"sent": arrays}, {}).save(root, PLACE)
    found = Exchange.load(root, PLACE).arrays["sent"]
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_messages_are_listed_by_run(tmp_path):
    written = [
        Place(5, 0, GLOBAL),
        Place(5, 1, CLIENT, 11),
        Place(5, 1, CLIENT, 12),
        Place(5, 1, SERVER, 11),
        Place(5, 12, CLIENT, 11),
    ]
    for place in [*reversed(written), Place(40, 1, CLIENT, 11)]:
        EXCHANGE.save(tmp_path, place)
    (tmp_path / "run-5" / ".round-00002-node-11-client.npz.torn").write_bytes(b"")
    (tmp_path / "run-x").mkdir()
    assert runs(tmp_path) == [5, 40]
    assert places(tmp_path, 5) == written


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_torn_file_is_an_error_that_names_it(tmp_path, kept):
    EXCHANGE.save(tmp_path, PLACE)
    path = PLACE.path(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(LeakproError, match=r"client\.npz cannot be read .* run the app again"):
        Exchange.load(tmp_path, PLACE)


def test_flipped_bits_are_an_error(tmp_path):
    EXCHANGE.save(tmp_path, PLACE)
    path = PLACE.path(tmp_path)
    content = bytearray(path.read_bytes())
    # In the numbers, which zip guards by a checksum.
    position = content.index(np.arange(4.0).tobytes()) + 12
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(LeakproError, match="cannot be read"):
        Exchange.load(tmp_path, PLACE)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(LeakproError, match=r"cannot be read \(FileNotFoundError\)"):
        Exchange.load(tmp_path, PLACE)


def test_a_file_is_not_taken_for_that_of_another_message(tmp_path):
    EXCHANGE.save(tmp_path, PLACE)
    other = PLACE._replace(round=4)
    shutil.copy(PLACE.path(tmp_path), other.path(tmp_path))
    with pytest.raises(LeakproError, match="another message"):
        Exchange.load(tmp_path, other)


def test_a_file_of_another_version_is_an_error(tmp_path):
    EXCHANGE.save(tmp_path, PLACE)
    header = np.frombuffer(json.dumps({"schema": 99}).encode(), np.uint8)
    np.savez(PLACE.path(tmp_path), header=header)
    with pytest.raises(LeakproError, match="schema 99"):
        Exchange.load(tmp_path, PLACE)


def test_objects_are_never_written(tmp_path):
    with pytest.raises(LeakproError, match="w is an array of objects"):
        Exchange({"sent": {"w": np.array([{}])}}, {}).save(tmp_path, PLACE)
    assert not list(tmp_path.iterdir())
