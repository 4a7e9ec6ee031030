"""Histograms: of qualities, of ranks, of scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import MembershipScores, Reconstructions
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.criterion import MEASURES
from pytest_leakpro.report.figures.quality import quality_panel
from pytest_leakpro.report.figures.ranks import ranks_panel
from pytest_leakpro.report.figures.scores import scores_panel
from tests.report.figures.recording import Recorder
from tests.report.figures.samples import WORDS, records


def recorded(panel):
    recorder = Recorder()
    panel.draw(recorder)
    recorder.check_within()
    return recorder


def with_evidence(name, **changes):
    return {**records()[name], "evidence": {**records()[name]["evidence"], **changes}}


def test_what_counts_as_rebuilt_is_solid():
    """Bins of 0.1 from 0.5 on count; none that lies below does."""
    record = records()["update"]
    recorder = recorded(quality_panel(record, WORDS))
    solid = sum(bar[3] for bar in recorder.bars if bar[4] == "solid")
    assert solid == record["evidence"]["successes"]["main"]
    assert sum(bar[3] for bar in recorder.bars) == 64
    edge = recorder.line_of("limit").x[0]
    assert all((bar[0] > edge) == (bar[4] == "solid") for bar in recorder.bars)


def test_where_smaller_is_better_the_small_are_solid():
    record = records()["updates"]
    recorder = recorded(quality_panel(record, WORDS))
    solid = sum(bar[3] for bar in recorder.bars if bar[4] == "solid")
    assert solid == record["evidence"]["successes"]["main"]
    assert "counts: mse<=0.01" in recorder.texts


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["ssim>=0.5", "psnr>=20", "mse<=0.01", "columns>=0.93"]), st.data())
def test_whatever_the_quality_all_records_are_drawn(criterion, data):
    metric = parse_metric(f"reconstruction[{criterion}]")
    measure = criterion.partition("<" if "<" in criterion else ">")[0]
    known = MEASURES[measure]
    one = st.floats(max(known.least, -1e9), min(known.most, 1e9))
    quality = data.draw(st.lists(one, min_size=10, max_size=20))
    evidence = Reconstructions({measure: quality}, {measure: quality})
    summary = definition_of(metric).summary(metric, evidence)
    record = {**records()["update"], "metric": str(metric), "evidence": summary}
    recorder = recorded(quality_panel(record, WORDS))
    assert sum(bar[3] for bar in recorder.bars) == len(quality)


def test_ranks_have_the_mean_and_its_bounds_above_them():
    record = records()["exposure"]
    recorder = recorded(ranks_panel(record, WORDS))
    assert sum(bar[3] for bar in recorder.bars) == 10
    ((level, low, high),) = recorder.intervals
    assert (low, high) == (record["low"], record["high"])
    assert level > max(bar[3] for bar in recorder.bars)
    assert [x for x, _ in recorder.points] == [record["value"]]
    assert f"mean {record['shown_value']}" in recorder.texts
    assert recorder.line_of("limit").x == [4.0, 4.0]


@pytest.mark.parametrize(("x", "y"), [("0 1", "1"), ("-1 0", "1 1"), ("0", "0"), ("", "")])
def test_ranks_that_are_none_are_not_drawn(x, y):
    curve = {"kind": "ranks", "x": x, "y": y}
    assert ranks_panel(with_evidence("exposure", curve=curve), WORDS) is None


def test_both_sides_of_scores_add_up_to_one():
    recorder = recorded(scores_panel(records()["tpr"], WORDS))
    for colour in ("member", "nonmember"):
        heights = recorder.line_of(colour).y[1:-1:2]
        assert sum(heights) == pytest.approx(1)
    assert {"members", "non-members"} <= set(recorder.texts)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=10, max_size=30),
    st.lists(st.integers(-2, 2), min_size=10, max_size=30),
)
def test_whatever_the_scores_the_names_of_both_sides_stand_apart(members, nonmembers):
    summary = MembershipScores(members, nonmembers).summary()
    recorder = Recorder()
    scores_panel({**records()["tpr"], "evidence": summary}, WORDS).draw(recorder)
    recorder.check_within()
    boxes = []
    for text, (x, y, look) in zip(recorder.texts, recorder.places, strict=True):
        left, up = recorder.pixels(x, y)
        width = 6.6 * len(text)
        boxes.append((left - width / 2, up + look["by"][1], left + width / 2))
    (left, up, right), (other_left, other_up, other_right) = boxes
    apart = right <= other_left + 1e-6 or other_right <= left + 1e-6
    assert apart or abs(up - other_up) > 11


@pytest.mark.parametrize(
    "histogram",
    [
        {"edges": "0 1", "members": "5", "nonmembers": "0"},
        {"edges": "0 1 2", "members": "5", "nonmembers": "5"},
        {"edges": "2 1", "members": "5", "nonmembers": "5"},
        {"edges": "0 nan", "members": "5", "nonmembers": "5"},
    ],
)
def test_a_histogram_that_is_none_is_not_drawn(histogram):
    assert scores_panel(with_evidence("tpr", histogram=histogram), WORDS) is None


def test_equal_scores_are_said_to_be_equal():
    panel = scores_panel(records()["tied"], WORDS)
    assert panel.description == "All scores are equal, or nearly so: they tell nobody apart."
    assert np.ptp(recorded(panel).x_span) > 0
