"""Runs and baselines as files: given back as written, refused where they are wrong."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import (
    CanaryScores,
    Counts,
    Exposures,
    Guesses,
    LeakproError,
    MembershipScores,
)
from pytest_leakpro.gate.plain import plain
from pytest_leakpro.store.documents import (
    read_document,
    read_measurements,
    write_baseline,
    write_run,
)
from tests.store.samples import EVIDENCE, record, without_figures


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.json"


def written(path, **changes):
    """Write a valid run, change its text, and give the path."""
    write_run(path, [record()], "1.0")
    document = json.loads(path.read_text())
    document.update({key: value for key, value in changes.items() if key != "measurement"})
    document["measurements"][0].update(changes.get("measurement", {}))
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("kind", EVIDENCE)
def test_records_of_every_kind_of_evidence_are_given_back(path, kind):
    records = [record(kind), without_figures(metric="advantage", sizes={})]
    write_run(path, records, "1.0", exit_status=1)
    document = read_document(path, "run")
    assert document["exit_status"] == 1
    assert sorted(document["measurements"], key=str) == sorted(records, key=str)


FAIR = np.arange(200) % 2 == 0


@pytest.mark.parametrize(
    "evidence",
    [
        MembershipScores(np.arange(20.0), np.arange(20.0)),
        Guesses(main=(4, 20), control=(1, 20)),
        Counts(found=3, of=20),
        Exposures(np.arange(1, 21), candidates=1000),
        CanaryScores(np.arange(200.0), FAIR, delta=1e-5),
        CanaryScores(np.arange(200.0), FAIR, delta=0.0),
        CanaryScores(np.arange(200.0), FAIR, delta=1e-5, assume="gaussian"),
    ],
    ids=lambda evidence: repr(evidence)[:40],
)
def test_what_evidence_says_of_itself_is_given_back(path, evidence):
    """As it is in a record of a session, which `pytest-leakpro show` and a comparison read."""
    said = plain(evidence.summary())
    write_run(path, [record(evidence.kind, evidence=said)], "1.0")
    assert read_document(path, "run")["measurements"][0]["evidence"] == said


def test_the_order_does_not_matter(tmp_path):
    records = [record(metric=metric) for metric in ("auc", "advantage", "tpr@1%fpr")]
    for number, order in enumerate((records, records[::-1])):
        write_run(tmp_path / f"{number}.json", order, "1.0")
    assert (tmp_path / "0.json").read_bytes() == (tmp_path / "1.json").read_bytes()


def test_a_baseline_is_written_a_field_per_line(path):
    write_baseline(path, [record(), record(metric="auc")], "1.0")
    lines = path.read_text().splitlines()
    assert '      "metric": "auc",' in lines
    keys = [line.split('"')[1] for line in lines if line.startswith('      "')]
    half = len(keys) // 2
    assert keys[:half] == sorted(keys[:half]) == keys[half:]


@given(text=st.text(st.characters(), max_size=40))
def test_any_text_survives(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("texts") / "run.json"
    names = {"test": text, "name": text, "target": text, "attack": text, "notes": [text]}
    write_run(path, [record(**names)], "1.0")
    (found,) = read_document(path)["measurements"]
    assert {key: found[key] for key in names} == names


BAD = {
    "not there": (None, "cannot be read: No such file"),
    "no JSON": ("{", "is not JSON"),
    "another encoding": (b"\xff\xfe{", "is not UTF-8 text"),
    "a list": ("[]", "is not of type 'object'"),
    "no version": ('{"kind": "run", "measurements": []}', "'schema_version' is a required"),
    "deep": ("[" * 100_000, "is not JSON"),
    "NaN": ('{"schema_version": 1, "kind": "run", "measurements": [NaN]}', "NaN is no figure"),
    "conflict": (
        '{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> other\n}',
        "line 2: there are merge conflicts",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_files_that_are_wrong(path, case):
    content, says = BAD[case]
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LeakproError, match=says) as caught:
        read_document(path)
    assert str(path) in str(caught.value)


WRONG = {
    "newer": ({"schema_version": 2}, "schema version 2, .* reads up to 1: update pytest-leakpro"),
    "older": ({"schema_version": 0}, "schema_version: 1 was expected"),
    "kind": ({"kind": "page"}, "kind: 'page' is not one of"),
    "unknown entry": ({"extra": 1}, "'extra' was unexpected"),
    "verdict": ({"measurement": {"verdict": "MAYBE"}}, "measurements → 0 → verdict: 'MAYBE'"),
    "value": ({"measurement": {"value": "3%"}}, "value: '3%' is not of type"),
    "alpha": ({"measurement": {"alpha": 1.0}}, "alpha: "),
    "seconds": ({"measurement": {"seconds": -1}}, "seconds: -1 is less than"),
    "attempt": ({"measurement": {"attempt": 0}}, "attempt: 0 is less than"),
    "order": ({"measurement": {"low": 0.04}}, "low <= value <= high"),
    "comparable": (
        {"measurement": {"comparable": {"value": 0.1, "low": 0.2, "high": 0.3}}},
        "measurement 0, comparable: low <= value <= high",
    ),
    "unknown field": ({"measurement": {"hostname": "x"}}, "'hostname' was unexpected"),
    "curve": ({"measurement": {"evidence": {"kind": "counts", "curve": 3}}}, "curve: 3 is not"),
}


@pytest.mark.parametrize("case", WRONG)
def test_documents_that_break_the_schema(path, case):
    changes, says = WRONG[case]
    with pytest.raises(LeakproError, match=says) as caught:
        read_document(written(path, **changes))
    assert str(path) in str(caught.value)


def test_one_wrong_record_among_many_is_found(path):
    # Records of one shape are validated once: each of these differs from the first.
    good = [record(occurrence=number) for number in range(50)]
    for wrong in (
        {"seconds": -0.5},
        {"verdict": "x"},
        {"alpha": 2.0},
        {"notes": [1]},
        {"seed": -1},
    ):
        write_run(path, [*good, record(occurrence=50, **wrong)], "1.0")
        with pytest.raises(LeakproError, match="measurements → 50"):
            read_document(path)


def test_a_baseline_is_no_run(path):
    with pytest.raises(LeakproError, match="it is a run, not a baseline"):
        read_document(written(path), "baseline")


def test_a_measurement_stands_once(path):
    write_run(path, [record(), record()], "1.0")
    with pytest.raises(LeakproError, match="stands there twice; remove one"):
        read_document(path)


def test_of_a_folder_the_latest_of_each_counts(tmp_path):
    write_run(tmp_path / "1.json", [record(), record(metric="auc")], "1.0")
    write_run(tmp_path / "2.json", [record(value=0.04)], "1.0")
    found = {entry["metric"]: entry["value"] for entry in read_measurements(tmp_path)}
    assert found == {"tpr@1%fpr": 0.04, "auc": 0.03}
    (tmp_path / "empty").mkdir()
    with pytest.raises(LeakproError, match="holds no runs"):
        read_measurements(tmp_path / "empty")


def test_a_file_that_cannot_be_written_leaves_the_old_one(path, monkeypatch):
    written(path)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_run(path, [record(value=0.04)], "1.0")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
