"""Outlines of runs: what history needs, read quickly, and never of another state of a run."""

import json
import os

import pytest

from pytest_leakpro.store import outlines
from pytest_leakpro.store.documents import read_document
from pytest_leakpro.store.history import History
from pytest_leakpro.store.outlines import FIELDS, outline_of
from tests.store.samples import record


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / ".leakpro")


def entries(seed):
    return [
        record(name="a", value=0.01 * seed, low=0.0, high=0.5, seed=seed),
        record(name="b", value=None, low=None, high=None, commit={"id": "ab", "dirty": False}),
    ]


def wanted(history, name):
    return {"run": name, **outline_of(read_document(history.folder / f"{name}.json"))}


def test_an_outline_is_the_run_without_what_history_does_not_need(history):
    names = [history.add(entries(seed), "1.0", 0) for seed in range(3)]
    found, unread = history.outlines()
    assert unread == []
    assert found == [wanted(history, name) for name in names]
    assert set(found[0]["measurements"][0]) == set(FIELDS)
    assert [run["measurements"][0]["value"] for run in found] == [0.0, 0.01, 0.02]


def test_runs_are_read_once(history, monkeypatch):
    for seed in range(2):
        history.add(entries(seed), "1.0", 0)

    def refuse(*_):
        raise AssertionError("the run was read")

    monkeypatch.setattr(outlines, "read_document", refuse)
    assert len(history.outlines()[0]) == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 99}', '{"version": 1, "run": "x"}'])
def test_an_outline_that_is_damaged_is_made_again(history, damage):
    name = history.add(entries(1), "1.0", 0)
    kept = history.folder.parent / "outlines" / f"{name}.json"
    whole = kept.read_text()
    kept.write_text(damage)
    assert history.outlines()[0] == [wanted(history, name)]
    assert json.loads(kept.read_text()) == json.loads(whole)


def test_a_run_that_was_changed_is_read_again(history):
    name = history.add(entries(1), "1.0", 0)
    path = history.folder / f"{name}.json"
    stamp = path.stat()
    path.write_text(path.read_text().replace('"value": 0.01', '"value": 0.02'))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    ((run,), _) = history.outlines()
    assert run["measurements"][0]["value"] == 0.02


def test_a_run_that_cannot_be_read_is_named(history):
    names = [history.add(entries(seed), "1.0", 0) for seed in range(2)]
    (history.folder / f"{names[0]}.json").write_text('{"kind": "run", "measure')
    found, unread = history.outlines()
    assert [run["run"] for run in found] == [names[1]]
    assert unread == [names[0]]
    assert history.outlines(names[1:])[1] == []


def test_a_folder_that_cannot_be_written_loses_no_history(history, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outlines, "write_text", full)
    name = history.add(entries(1), "1.0", 0)
    assert history.outlines()[0] == [wanted(history, name)]


def test_an_empty_run(history):
    name = history.add([], "1.0", 5)
    assert history.outlines()[0] == [wanted(history, name)]
