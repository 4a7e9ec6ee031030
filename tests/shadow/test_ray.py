"""Shadow models on a Ray cluster of this machine."""

import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.shadow import on_ray
from pytest_leakpro.shadow.executor import execute
from pytest_leakpro.shadow.place import Place
from tests.shadow.jobs import dying, forest, job_of, quiet, same

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")


@pytest.fixture(autouse=True)
def nothing_is_sent_or_kept(monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")


@pytest.mark.slow
def test_the_same_signals_even_where_a_process_dies(tmp_path):
    expected = execute(job_of(), forest, 1, quiet)
    said = []
    for workers in (1, 2):
        assert same(execute(job_of(), forest, workers, said.append, Place("ray")), expected)
    assert said[1].endswith(" on 2 workers of ray, not cached")
    train = dying(str(tmp_path / "died"), seed_that_dies=103)
    assert same(execute(job_of(folder=tmp_path), train, 2, quiet, Place("ray")), expected)
    assert (tmp_path / "died").read_text() == "x"
    assert len(list(tmp_path.glob("*/*.npy"))) == 6


@pytest.mark.slow
def test_training_that_fails_there(tmp_path):
    def train(X, y, seed):
        if seed == 104:
            raise RuntimeError("out of paper")
        return forest(X, y, seed)

    with pytest.raises(LeakproError, match="shadow model 5 of 6: train raised RuntimeError"):
        execute(job_of(), train, 2, quiet, Place("ray"))
    always = dying(str(tmp_path / "died"), seed_that_dies=103, times=99)
    with pytest.raises(LeakproError, match="shadow model 4 cannot be trained on Ray"):
        execute(job_of(), always, 2, quiet, Place("ray"))


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr(on_ray, "_PATIENCE_SECONDS", 1)
    for address in ("127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:99999", "host:port"):
        with pytest.raises(LeakproError, match=f"no Ray cluster at {address} .*ray start --head"):
            execute(job_of(), forest, 1, quiet, Place("ray", address))
