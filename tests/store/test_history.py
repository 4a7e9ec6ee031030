"""The history of runs, baselines, and the scores that runs keep."""

import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from pytest_leakpro import LeakproError, PytestLeakproWarning
from pytest_leakpro.gate.identity import identity_of
from pytest_leakpro.store.baseline import Baseline, update_baseline
from pytest_leakpro.store.documents import read_document
from pytest_leakpro.store.history import History
from pytest_leakpro.store.scores import SavedScores, load_scores, save_scores
from tests.store.samples import record, without_figures


@pytest.fixture
def private(tmp_path):
    return tmp_path / ".leakpro"


def test_runs_are_kept_in_the_order_of_time(private):
    history = History(private)
    assert history.names() == []
    names = [history.add([record(seed=seed)], "1.0", 0) for seed in range(3)]
    assert history.names() == names == sorted(names)
    assert (private / ".gitignore").read_text() == "*\n"
    if os.name == "posix":
        assert stat.S_IMODE(history.folder.stat().st_mode) == 0o700
    for wanted, seed in (("latest", 2), ("latest~2", 0), (names[1], 1), (names[1][:-4], 1)):
        assert read_document(history.find(wanted))["measurements"][0]["seed"] == seed


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("latest~7", "there are 2 runs, so there is no latest~7"),
        ("2", "2 runs begin with '2'"),
        ("x", "no run begins with 'x'"),
    ],
)
def test_runs_that_are_not_there(private, wanted, says):
    history = History(private)
    with pytest.raises(LeakproError, match="no run in"):
        history.find(wanted)
    for _ in range(2):
        history.add([record()], "1.0", 0)
    with pytest.raises(LeakproError, match=says):
        history.find(wanted)


def update(tmp_path, records, gone=lambda entry: False):
    return update_baseline(tmp_path / "b.json", tmp_path / ".leakpro", records, "1.0", gone)


def test_a_baseline_keeps_what_comparisons_need(tmp_path):
    digests = {"recipe": "ab", "data": "cd"}
    assert update(tmp_path, [record(value=0.030000001, digests=digests)]) == (1, 0)
    text = (tmp_path / "b.json").read_text()
    assert '"value": 0.03,' in text
    for left_out in ("curve", "seconds", "libraries", "shown", "location", "queries"):
        assert left_out not in text
    baseline = Baseline.read(tmp_path / "b.json")
    assert len(baseline) == 1
    assert baseline.find(identity_of(record()))["sizes"] == record()["sizes"]
    assert baseline.find(identity_of(record(access="label"))) is None


def test_what_did_not_change_is_left_as_it_was(tmp_path):
    update(tmp_path, [record(), record(metric="auc")])
    before = (tmp_path / "b.json").read_bytes()
    later = {"commit": {"id": "b" * 40, "dirty": True}, "seconds": 9.0}
    assert update(tmp_path, [record(**later), record(metric="auc", **later)]) == (0, 0)
    assert (tmp_path / "b.json").read_bytes() == before
    assert update(tmp_path, [record(value=0.031, **later)]) == (1, 0)


def test_errors_and_what_was_not_measured_are_kept(tmp_path):
    update(tmp_path, [record(), record(metric="auc")])
    assert update(tmp_path, [without_figures()]) == (0, 0)
    assert len(Baseline.read(tmp_path / "b.json")) == 2


def test_what_is_gone_goes(tmp_path):
    update(tmp_path, [record(), record(metric="auc")])
    assert update(tmp_path, [record()], gone=lambda entry: True) == (0, 1)
    assert len(Baseline.read(tmp_path / "b.json")) == 1


def test_a_corrupt_baseline_is_not_overwritten(tmp_path):
    (tmp_path / "b.json").write_text("<<<<<<< HEAD\n")
    with pytest.raises(LeakproError, match="merge conflicts"):
        update(tmp_path, [record()])
    assert (tmp_path / "b.json").read_text() == "<<<<<<< HEAD\n"


def test_two_sessions_that_update_at_once_both_count(tmp_path):
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, '')\n"
        "from tests.store.samples import record\n"
        "from pytest_leakpro.store.baseline import update_baseline\n"
        "root = Path(sys.argv[1])\n"
        "for number in range(10):\n"
        "    name = f'{sys.argv[2]}{number}'\n"
        "    update_baseline(root / 'b.json', root / '.leakpro', [record(name=name)], '1',\n"
        "                    lambda entry: False)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), letter]) for letter in "ab"
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    assert len(Baseline.read(tmp_path / "b.json")) == 20


def test_scores_are_given_back(private):
    rng = np.random.default_rng(0)
    scores = SavedScores("ab-cd", {"lira": (rng.normal(size=20), rng.normal(size=30))})
    name = save_scores(private, scores)
    found = load_scores(private, name)
    assert found.records == "ab-cd"
    for before, after in zip(scores.suite["lira"], found.suite["lira"], strict=True):
        assert np.array_equal(before, after)
    assert load_scores(private, "0" * 32) is None


def test_damaged_scores_are_warned_of_and_never_unpickled(private):
    name = save_scores(private, SavedScores("ab", {"lira": (np.zeros(10), np.zeros(10))}))
    path = private / "scores" / f"{name}.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.warns(PytestLeakproWarning, match="not paired"):
        assert load_scores(private, name) is None
    np.savez(path, suite=np.array([print], dtype=object))
    with pytest.warns(PytestLeakproWarning, match="not paired"):
        assert load_scores(private, name) is None
    with pytest.raises(LeakproError, match="no name of saved scores"):
        load_scores(private, "../../etc/passwd")
