"""Shadow models on a scheduler of Dask's with worker processes, one of which may die."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from pytest_leakpro import Classifier, LeakproError, TorchTrainer
from pytest_leakpro.shadow import executor, on_dask
from pytest_leakpro.shadow.executor import execute
from pytest_leakpro.shadow.place import Place
from pytest_leakpro.shadow.way import Way
from tests.shadow.jobs import KEY, dying, forest, job_of, quiet, same

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def started():
    """Start clusters of so many worker processes on loopback, each once."""
    distributed = pytest.importorskip("distributed")
    clusters = {}

    def start(workers):
        if workers not in clusters:
            clusters[workers] = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,
                dashboard_address=":0",
                silence_logs=50,
            )
        return Place("dask", clusters[workers].scheduler_address)

    yield start
    for cluster in clusters.values():
        cluster.close()


@pytest.fixture(scope="module")
def expected():
    return execute(job_of(), forest, 1, quiet)


def test_the_same_signals_on_any_number_of_processes_and_workers(started, expected):
    assert same(execute(job_of(), forest, 2, quiet), expected)
    assert same(execute(job_of(), forest, 1, quiet, started(1)), expected)
    assert same(execute(job_of(), forest, 1, quiet, started(2)), expected)


def test_an_embedded_cluster(expected):
    pytest.importorskip("distributed")
    said = []
    assert same(execute(job_of(), forest, 2, said.append, Place("dask")), expected)
    assert said[0].startswith("6 shadow models x ")
    assert said[0].endswith(" on 2 workers of dask, not cached")


def stacked_job(folder):
    """Give six torch modules in groups of four, with their recipe."""
    nn = pytest.importorskip("torch.nn")
    trainer = TorchTrainer(module=lambda: nn.Linear(8, 2), epochs=2)
    X = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    target = Classifier(trainer(X[:100], y[:100], 0), (X[:100], y[:100]), (X[100:], y[100:]))
    way = Way("products", "a test", group=4, bytes=1000)
    return replace(job_of(target, n_models=6, folder=folder), way=way), trainer


def test_groups_that_cannot_travel_are_trained_here(monkeypatch):
    job, trainer = stacked_job(None)
    alone = execute(job, trainer, 1, quiet)

    def unpicklable(job, train):
        raise TypeError("a lock")

    monkeypatch.setattr(executor, "pack", unpicklable)
    with pytest.warns(UserWarning, match="cannot be sent to other processes"):
        assert same(execute(job, trainer, 2, quiet, Place("dask")), alone)


def test_groups_of_torch_modules_on_a_cluster(started, tmp_path):
    job, trainer = stacked_job(tmp_path)
    alone = execute(replace(job, cache=None), trainer, 1, quiet)
    said = []
    assert same(execute(job, trainer, 1, said.append, started(2)), alone)
    assert said[0].startswith("6 shadow models in groups of 4 x ")
    assert len(list((tmp_path / KEY).glob("*.npy"))) == 6

    # A whole group is trained for the one that is missing, and the others stay as they were.
    next((tmp_path / KEY).glob("1-*.npy")).unlink()
    assert same(execute(job, trainer, 1, said.append, started(2)), alone)
    assert said[1].startswith("4 shadow models in groups of 4 x ")
    assert len(list((tmp_path / KEY).glob("*.npy"))) == 6


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_dies_in_the_middle(started, expected, tmp_path, workers):
    # Of one worker, the data die with it, and are sent again to the one that takes its place.
    train = dying(str(tmp_path / "died"), seed_that_dies=103)
    assert same(execute(job_of(), train, 1, quiet, started(workers)), expected)
    assert (tmp_path / "died").read_text() == "x"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_over_which_every_worker_dies(started, tmp_path, workers):
    train = dying(str(tmp_path / "died"), seed_that_dies=103, times=99)
    with pytest.raises(LeakproError, match=r"shadow model 4.*is there enough memory for one\?"):
        execute(job_of(folder=tmp_path), train, 1, quiet, started(workers))
    assert np.isfinite(job_of(folder=tmp_path).cache.load(KEY, 0)).all()


def test_the_cache_is_read_and_written_here(started, expected, tmp_path):
    job, said = job_of(folder=tmp_path), []
    place = started(2)
    job.cache.store(KEY, 2, expected[2], {})
    assert same(execute(job, forest, 1, said.append, place), expected)
    assert "5 shadow models x " in said[0]
    assert said[0].endswith(f" on dask at {place.scheduler}, 1 from the cache, then cached")
    assert len(list((tmp_path / KEY).glob("*.npy"))) == 6
    # Nothing is left to train, so that nobody is asked.
    nobody = Place("dask", "tcp://127.0.0.1:1")
    assert same(execute(job, forest, 1, said.append, nobody), expected)
    assert len(said) == 1


def test_training_that_fails_there(started):
    def train(X, y, seed):
        if seed == 104:
            raise RuntimeError("out of paper")
        return forest(X, y, seed)

    with pytest.raises(LeakproError, match="shadow model 5 of 6: train raised Runtime") as caught:
        execute(job_of(), train, 1, quiet, started(2))
    assert "out of paper" in str(caught.value.__cause__)


def test_nobody_answers(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(on_dask, "_PATIENCE_SECONDS", 1)
    for address in ("tcp://127.0.0.1:1", "127.0.0.1:1", "nonsense://x"):
        with pytest.raises(LeakproError, match=rf"no Dask scheduler at {address} .*start one with"):
            execute(job_of(), forest, 1, quiet, Place("dask", address))


def test_a_scheduler_without_workers(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(on_dask, "_WORKERS_SECONDS", 1)
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0") as cluster:
        place = Place("dask", cluster.scheduler_address)
        with pytest.raises(LeakproError, match="has no worker after 1 s"):
            execute(job_of(), forest, 1, quiet, place)


def test_workers_of_many_threads_train_one_model_at_a_time(expected):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=3, processes=True, dashboard_address=":0"
    ) as cluster:
        place = Place("dask", cluster.scheduler_address)
        with pytest.warns(UserWarning, match="1 Dask workers have 3 threads"):
            assert same(execute(job_of(), forest, 1, quiet, place), expected)


@pytest.mark.parametrize(("backend", "library"), [("dask", "distributed"), ("ray", "ray")])
def test_a_library_that_is_missing(monkeypatch, backend, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(LeakproError, match=rf"pip install 'pytest-leakpro\[{backend}\]'"):
        execute(job_of(), forest, 1, quiet, Place(backend))
