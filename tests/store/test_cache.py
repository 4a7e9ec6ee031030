"""The cache of signals: what is kept is given back, what is damaged is not, nothing unpickled."""

import os
import signal
import stat
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from pytest_leakpro import LeakproError, PytestLeakproWarning
from pytest_leakpro.store.cache import SignalCache

KEY = "ab" * 32


@pytest.fixture
def cache(tmp_path):
    return SignalCache(tmp_path / ".leakpro" / "cache")


def only_file(cache):
    (path,) = (cache.folder / KEY).glob("*.npy")
    return path


def test_what_is_kept_is_given_back(cache):
    signals = np.random.default_rng(0).normal(size=12)
    cache.store(KEY, 5, signals, {"target": "forest"})
    loaded = cache.load(KEY, 5)
    assert np.array_equal(loaded, signals)
    assert loaded.dtype == signals.dtype
    assert isinstance(loaded, np.memmap)
    assert not loaded.flags.writeable
    assert cache.load(KEY, 6) is None
    assert cache.load(KEY, 55) is None
    assert cache.load("cd" * 32, 5) is None


def test_the_folder_is_closed_and_out_of_version_control(cache):
    assert not cache.folder.exists()
    cache.store(KEY, 0, np.zeros(2), {})
    assert (cache.folder.parent / ".gitignore").read_text() == "*\n"
    if os.name == "posix":
        for folder in (cache.folder.parent, cache.folder, cache.folder / KEY):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_entries_are_listed_and_cleared(cache):
    assert cache.entries() == []
    cache.store(KEY, 0, np.zeros(2), {"target": "forest"})
    cache.store(KEY, 1, np.zeros(2), {"target": "forest"})
    (entry,) = cache.entries()
    assert (entry.key, entry.files, entry.about) == (KEY, 2, {"target": "forest"})
    assert entry.size > 0
    assert 0 <= entry.age_seconds < 60
    assert cache.clear() == 1
    assert cache.load(KEY, 0) is None


def test_only_old_entries_are_cleared_where_an_age_is_given(cache):
    other = "cd" * 32
    for key in (KEY, other):
        cache.store(key, 0, np.zeros(2), {})
    an_hour_ago = time.time() - 3600
    os.utime(only_file(cache), (an_hour_ago, an_hour_ago))
    assert cache.clear(older_than=7200) == 0
    assert cache.clear(older_than=1800) == 1
    assert [entry.key for entry in cache.entries()] == [other]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign", "pickled"])
def test_a_damaged_file_is_noticed_and_computed_again(cache, damage):
    cache.store(KEY, 0, np.arange(1000.0), {})
    path = only_file(cache)
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    path.write_bytes(
        {
            "truncated": bytes(content[: len(content) // 2]),
            "flipped": bytes(content),
            "empty": b"",
            "foreign": b"not an array",
            "pickled": b"",
        }[damage]
    )
    if damage == "pickled":
        with path.open("wb") as file:
            np.save(file, np.array([object()]))
    with pytest.warns(PytestLeakproWarning, match="is damaged; it is computed again"):
        assert cache.load(KEY, 0) is None
    assert not path.exists()
    cache.store(KEY, 0, np.arange(3.0), {})
    assert cache.load(KEY, 0).tolist() == [0, 1, 2]


def test_no_flipped_bit_goes_unnoticed(cache):
    signals = np.arange(2.0)
    cache.store(KEY, 0, signals, {})
    path = only_file(cache)
    content = path.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PytestLeakproWarning)
            loaded = cache.load(KEY, 0)
        assert loaded is None or np.array_equal(loaded, signals)


def test_a_file_in_the_wrong_place_is_noticed(cache):
    cache.store(KEY, 0, np.zeros(2), {})
    path = only_file(cache)
    path.rename(path.with_name("1" + path.name[1:]))
    with pytest.warns(PytestLeakproWarning, match="is damaged"):
        assert cache.load(KEY, 1) is None


def test_a_folder_of_the_users_own_is_left_as_it_is(tmp_path):
    (tmp_path / "20240101").mkdir()
    cache = SignalCache(tmp_path)
    cache.store(KEY, 0, np.zeros(2), {})
    assert not (tmp_path / ".gitignore").exists()
    assert (tmp_path / KEY / ".gitignore").read_text() == "*\n"
    assert cache.clear() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["20240101"]


def test_objects_are_never_kept(cache):
    with pytest.raises(LeakproError, match="are objects"):
        cache.store(KEY, 0, np.array([object()]), {})


@pytest.mark.parametrize("key", ["", "../../etc", "AB" * 32, "xyz" * 10, KEY + "/.."])
def test_keys_cannot_leave_the_folder(cache, key):
    with pytest.raises(LeakproError, match="is no key"):
        cache.load(key, 0)


def test_a_folder_that_cannot_be_written_loses_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    cache = SignalCache(tmp_path / "file" / "cache")
    with pytest.warns(PytestLeakproWarning, match="cannot be written, so nothing is kept"):
        cache.store(KEY, 0, np.zeros(2), {})
    cache.store(KEY, 1, np.zeros(2), {})  # said once
    with cache.lock(KEY, 0):
        assert cache.load(KEY, 0) is None


WORK = """
import sys, time
from pathlib import Path
import numpy as np
from pytest_leakpro.store.cache import SignalCache
cache, log = SignalCache(Path(sys.argv[1])), Path(sys.argv[2])
for index in range(3):
    with cache.lock("{key}", index):
        if cache.load("{key}", index) is None:
            with log.open("a") as file: file.write(f"{{index}} ")
            time.sleep(0.1)
            cache.store("{key}", index, np.full(3, float(index)), {{}})
"""


def test_two_processes_train_each_model_once(cache, tmp_path):
    script, log = tmp_path / "work.py", tmp_path / "log"
    script.write_text(WORK.format(key=KEY))
    command = [sys.executable, str(script), str(cache.folder), str(log)]
    workers = [subprocess.Popen(command) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert sorted(log.read_text().split()) == ["0", "1", "2"]


WRITE = """
import sys
from pathlib import Path
import numpy as np
from pytest_leakpro.store.cache import SignalCache
cache, value = SignalCache(Path(sys.argv[1])), 0.0
print("ready", flush=True)
while True:
    value += 1
    with cache.lock("{key}", 0):
        cache.store("{key}", 0, np.full(20_000, value), {{}})
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_writer_leaves_a_whole_file_and_no_lock(cache, tmp_path, recwarn):
    script = tmp_path / "write.py"
    script.write_text(WRITE.format(key=KEY))
    rng = np.random.default_rng(0)
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, str(script), str(cache.folder)], stdout=subprocess.PIPE
        )
        writer.stdout.readline()
        time.sleep(rng.uniform(0.01, 0.08))
        writer.send_signal(signal.SIGKILL)
        writer.wait(30)
        writer.stdout.close()
        with cache.lock(KEY, 0):
            kept = cache.load(KEY, 0)
        assert kept is None or len(set(kept)) == 1
    assert not [w for w in recwarn if issubclass(w.category, PytestLeakproWarning)]
