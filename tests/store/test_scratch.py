"""Large arrays are mapped from files that nobody else can open."""

import os

import numpy as np
import pytest

from pytest_leakpro.store import scratch
from pytest_leakpro.store.scratch import scratch_array


@pytest.fixture
def _all_are_large(monkeypatch):
    monkeypatch.setattr(scratch, "_SMALL", 0)


def test_small_arrays_stay_in_memory(tmp_path):
    array = scratch_array((3, 4), np.float32, tmp_path)
    assert not isinstance(array, np.memmap)
    assert (array.shape, array.dtype) == ((3, 4), np.float32)


@pytest.mark.usefixtures("_all_are_large")
@pytest.mark.parametrize("folder", [True, False])
def test_large_ones_are_mapped_and_leave_nothing_behind(tmp_path, folder):
    array = scratch_array((5, 1000), np.float64, tmp_path if folder else None)
    assert isinstance(array, np.memmap)
    values = np.random.default_rng(0).normal(size=(5, 1000))
    for row, given in zip(array, values, strict=True):
        row[:] = given
    assert np.array_equal(array, values)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_all_are_large")
def test_without_room_on_the_disk_they_are_in_memory_after_all(tmp_path, monkeypatch):
    def full(descriptor, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scratch, "_reserve", full)
    assert not isinstance(scratch_array((2, 2), float, tmp_path), np.memmap)
    assert not isinstance(scratch_array((2, 2), float, tmp_path / "none"), np.memmap)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no room can be reserved")
@pytest.mark.usefixtures("_all_are_large")
def test_the_room_is_taken_before_anything_is_written(tmp_path, monkeypatch):
    reserved = []
    plain = os.posix_fallocate

    def watched(descriptor, start, size):
        reserved.append(size)
        plain(descriptor, start, size)

    monkeypatch.setattr(os, "posix_fallocate", watched)
    scratch_array((7, 9), bool, tmp_path)
    assert reserved == [63]
