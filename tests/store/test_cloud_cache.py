"""The cache that several machines share: in memory for what is ours, on a server for the rest."""

import itertools
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from pytest_leakpro import LeakproError, PytestLeakproWarning
from pytest_leakpro.shadow.executor import _kept, execute
from pytest_leakpro.shadow.job import Finished
from pytest_leakpro.store.object_store import ObjectStore, _modified, object_store
from pytest_leakpro.store.open_cache import open_cache
from pytest_leakpro.store.signal_file import file_name, packed
from tests.shadow.jobs import forest, job_of, quiet
from tests.store.conftest import installed, needs_s3

KEY, OTHER = "ab" * 32, "cd" * 32
NUMBERS = itertools.count()


pytestmark = pytest.mark.skipif(not installed("fsspec"), reason="needs fsspec")


@pytest.fixture
def url():
    return f"memory://signals-{next(NUMBERS)}/prefix"


def put(cache, place, content):
    cache._objects.write(place, content)


def test_what_is_kept_is_given_back_to_every_machine(url):
    here, there = open_cache(url), open_cache(url)
    signals = np.random.default_rng(0).normal(size=12)
    assert there.load(KEY, 5) is None
    assert here.store(KEY, 5, signals, {"target": "forest"}) is signals
    assert there.load(KEY, 5) is None  # listed before
    with there.lock(KEY, 5):
        loaded = there.load(KEY, 5)
    assert np.array_equal(loaded, signals)
    assert loaded.dtype == signals.dtype
    assert not loaded.flags.writeable
    assert there.load(KEY, 6) is there.load(KEY, 55) is there.load(OTHER, 5) is None
    assert here.scratch_folder() is None


def test_objects_are_listed_once_per_key_and_not_per_model(url, monkeypatch):
    cache = open_cache(url)
    for index in range(20):
        cache.store(KEY, index, np.full(3, float(index)), {})
    asked = []
    listing = ObjectStore.listing
    monkeypatch.setattr(
        ObjectStore, "listing", lambda self, key="": asked.append(key) or listing(self, key)
    )
    fresh = open_cache(url)
    assert [fresh.load(KEY, index)[0] for index in range(20)] == list(range(20))
    assert fresh.load(KEY, 20) is None
    assert asked == [KEY]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "foreign", "pickled"])
def test_a_damaged_object_is_warned_of_once_and_left(url, damage, recwarn):
    cache, signals = open_cache(url), np.arange(1000.0)
    name, content = file_name(KEY, 0, signals), bytearray(packed(signals))
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    harmful = pickle.dumps(Harmful())
    contents = {"truncated": content[:500], "empty": b"", "foreign": b"?", "pickled": harmful}
    put(cache, f"{KEY}/{name}", bytes(contents.get(damage, content)))
    for machine in (cache, open_cache(url), open_cache(url)):
        assert machine.load(KEY, 0) is None
    (warning,) = recwarn
    assert "is damaged and is not used" in str(warning.message)
    assert name in cache._objects.listing(KEY)
    assert not Harmful.ran
    # Stored again, it is whole.
    assert cache.store(KEY, 0, signals, {}) is signals
    assert np.array_equal(open_cache(url).load(KEY, 0), signals)


class Harmful:
    ran = False

    def __reduce__(self):
        return setattr, (Harmful, "ran", True)


def test_an_array_of_objects_is_never_unpickled_nor_kept(url, recwarn):
    import io

    cache, stream = open_cache(url), io.BytesIO()
    np.save(stream, np.array([Harmful()]), allow_pickle=True)
    put(cache, f"{KEY}/0-{'0' * 64}.npy", stream.getvalue())
    assert cache.load(KEY, 0) is None
    assert not Harmful.ran
    with pytest.raises(LeakproError, match="are objects"):
        cache.store(KEY, 0, np.array([object()]), {})


@pytest.mark.parametrize("where", ["index", "key"])
def test_an_object_in_the_wrong_place_is_not_used(url, where):
    cache, signals = open_cache(url), np.zeros(2)
    name = file_name(KEY, 0, signals)
    put(cache, f"{KEY}/1{name[1:]}" if where == "index" else f"{OTHER}/{name}", packed(signals))
    with pytest.warns(PytestLeakproWarning, match="is damaged"):
        assert cache.load(*((KEY, 1) if where == "index" else (OTHER, 0))) is None


@pytest.mark.parametrize("mine", [1.0, 2.0])
def test_who_stores_goes_on_with_what_the_others_read(url, mine, monkeypatch):
    theirs = np.full(3, 3.0 - mine)
    here = open_cache(url)
    assert here.load(KEY, 0) is None
    open_cache(url).store(KEY, 0, theirs, {})
    assert np.array_equal(here.store(KEY, 0, np.full(3, mine), {}), theirs)
    # At the same moment: nobody's was there when both looked.
    write, stored = ObjectStore.write, []

    def write_after_another(self, name, content):
        if name.endswith(".npy") and not stored:
            stored.append(name)
            open_cache(url).store(KEY, 1, theirs, {})
        write(self, name, content)

    monkeypatch.setattr(ObjectStore, "write", write_after_another)
    after = here.store(KEY, 1, np.full(3, mine), {})
    assert len(stored) == 1
    first = min(theirs, np.full(3, mine), key=lambda array: file_name(KEY, 1, array))
    assert np.array_equal(after, first)
    assert np.array_equal(open_cache(url).load(KEY, 1), first)


def test_a_model_that_another_machine_finished_meanwhile_is_taken_from_it(url):
    job = replace(job_of(n_models=4), cache=open_cache(url))
    theirs = np.arange(200.0)

    def train(X, y, seed):
        if seed == job.seeds[2]:
            open_cache(url).store(job.key, 2, theirs, job.about)
        return forest(X, y, seed)

    signals = execute(job, train, 1, quiet)
    assert np.array_equal(signals[2], theirs)
    assert np.array_equal(execute(job, forest, 1, quiet), signals)
    arrived = Finished(2, np.zeros(200), 1.0, cached=False)  # as from a cluster
    assert np.array_equal(_kept(replace(job, cache=open_cache(url)), arrived).signals, theirs)


def test_it_travels_without_its_connection_and_with_what_failed(url):
    cache = open_cache(url)
    cache.store(KEY, 0, np.zeros(2), {})
    again = pickle.loads(pickle.dumps(cache))
    assert again.url == url
    assert again.load(KEY, 0).tolist() == [0, 0]
    cache._objects.given_up.add("write")
    stream = pickle.dumps(cache)
    object_store.cache_clear()  # as in another process
    again = pickle.loads(stream)
    assert not again.keeps
    assert again.load(KEY, 0).tolist() == [0, 0]
    assert object_store(url, 1) is not object_store(url, 2)


def test_entries_are_listed_and_only_ours_are_cleared(url):
    cache = open_cache(url)
    assert cache.entries() == []
    for key in (KEY, OTHER):
        cache.store(key, 0, np.zeros(2), {"target": key[:2]})
    for foreign in ("notes.txt", f"{KEY}/mine.npy", "folder/file"):
        put(cache, foreign, b"x")
    put(cache, f"{OTHER}/about.json", b"broken")
    entries = {entry.key: entry for entry in cache.entries()}
    assert set(entries) == {KEY, OTHER}
    assert entries[KEY][1:3] == ({"target": "ab"}, 1)
    assert entries[OTHER].about == {}
    assert entries[KEY].size == len(packed(np.zeros(2)))
    assert 0 <= entries[KEY].age_seconds < 60
    assert cache.clear(older_than=3600) == 0
    assert cache.clear() == 2
    assert cache.entries() == []
    assert cache.load(KEY, 0) is None
    assert set(cache._objects.listing()) >= {"notes.txt", "folder"}
    assert set(cache._objects.listing(KEY)) == {"mine.npy"}


def test_times_of_listings_are_read_however_drivers_give_them():
    assert _modified({"updated": "1970-01-01T00:01:00Z"}) == 60
    assert _modified({"mtime": 60}) == 60
    assert _modified({"updated": "yesterday", "size": 5}) is None


@pytest.mark.parametrize("key", ["", "../../etc", "AB" * 32, KEY + "/.."])
def test_keys_cannot_leave_the_prefix(url, key):
    for act in (open_cache(url).load, open_cache(url).lock):
        with pytest.raises(LeakproError, match="is no key"):
            act(key, 0)


def test_what_can_only_be_read_is_read(url, monkeypatch, recwarn):
    cache = open_cache(url)
    cache.store(KEY, 0, np.zeros(2), {})

    def refuse(self, name, content):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(ObjectStore, "write", refuse)
    for index in (1, 2):
        assert cache.store(KEY, index, np.ones(2), {}).tolist() == [1, 1]
    assert not cache.keeps
    assert cache.load(KEY, 0).tolist() == [0, 0]
    (warning,) = recwarn
    assert "cannot be written, so nothing is kept: PermissionError: Access" in str(warning.message)


@needs_s3
def test_signals_go_through_s3(bucket):
    signals = np.random.default_rng(0).normal(size=5000)
    cache = open_cache(f"{bucket}/team/signals/")
    assert cache.load(KEY, 0) is None
    assert cache.store(KEY, 0, signals, {"target": "forest"}) is signals
    other = open_cache(f"{bucket}/team/signals")
    assert np.array_equal(other.load(KEY, 0), signals)
    (entry,) = other.entries()
    assert (entry.key, entry.about, entry.files) == (KEY, {"target": "forest"}, 1)
    assert entry.size == len(packed(signals))
    assert -60 < entry.age_seconds < 60
    assert other.clear() == 1
    assert open_cache(bucket).entries() == open_cache(f"{bucket}/team/signals").entries() == []


@needs_s3
def test_a_bucket_that_does_not_exist_is_said_once(bucket, recwarn):
    for cache in (open_cache(f"{bucket}-not/x"), open_cache(f"{bucket}-not/x")):
        assert cache.load(KEY, 0) is None
        assert cache.store(KEY, 0, np.zeros(2), {}).tolist() == [0, 0]
        assert not cache.keeps
    (warning,) = recwarn
    assert "cannot be read, so nothing is taken from it nor kept in it" in str(warning.message)
    assert "The specified bucket does not exist" in str(warning.message)


@needs_s3
def test_a_server_that_never_answers_is_given_up(s3_settings, recwarn):
    import fsspec

    # A user's own patience replaces ours, which would take a minute here.
    hurry = {"read_timeout": 0.1, "retries": {"mode": "standard", "total_max_attempts": 1}}
    s3_settings.setitem(fsspec.config.conf, "s3", {"config_kwargs": hurry})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        s3_settings.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        cache = open_cache("s3://bucket/never")
        assert [cache.load(KEY, index) for index in range(3)] == [None] * 3
    (warning,) = recwarn
    assert "Read timeout" in str(warning.message)


WRITE = """
import sys
import numpy as np
from pytest_leakpro.store.open_cache import open_cache
value = 0.0
while True:
    value += 1
    open_cache(sys.argv[1]).store("{key}", int(value), np.full(20_000, value), {{}})
    print("wrote", flush=True)
"""


@needs_s3
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_writer_leaves_whole_objects_or_none(bucket, tmp_path, recwarn):
    script, url = tmp_path / "write.py", f"{bucket}/x"
    script.write_text(WRITE.format(key=KEY))
    rng = np.random.default_rng(0)
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, str(script), url], stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(0.5 + rng.uniform(0, 0.1))
        writer.send_signal(signal.SIGKILL)
        writer.wait(30)
        writer.stdout.close()
    (entry,) = open_cache(url).entries()
    kept = [open_cache(url).load(KEY, index) for index in range(1, entry.files + 1)]
    assert all(set(array) == {index} for index, array in enumerate(kept, 1))
    assert not list(recwarn)
