"""The ROC curve: where its lines lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import MembershipScores
from pytest_leakpro.report.figures.roc import roc_panel
from tests.report.figures.recording import Recorder
from tests.report.figures.samples import WORDS, measured, records


def recorded(record):
    recorder = Recorder()
    roc_panel(record, WORDS).draw(recorder)
    return recorder


def test_the_budget_is_what_an_attacker_reaches_who_may_stay_silent():
    """Within 1 % at a rate of 0.1 %: at a rate ten times as high ten times as many."""
    recorder = recorded(records()["tpr"])
    line = recorder.line_of("limit")
    x, y = np.array(line.x), np.array(line.y)
    for rate, allowed in ((1e-4, 0.01), (1e-3, 0.01), (1e-2, 0.1), (0.1, 1.0), (0.9, 1.0)):
        assert np.exp(np.interp(np.log(rate), np.log(x), np.log(y))) == pytest.approx(allowed)
    assert "budget 1%" in recorder.texts


def test_the_budget_of_an_advantage_lies_that_much_above_guessing():
    line = recorded(records()["advantage"]).line_of("limit")
    for rate, reached in zip(line.x[:-1], line.y[:-1], strict=True):
        assert reached == pytest.approx(min(rate + 0.6, 1))


def test_an_area_under_the_curve_has_no_line():
    assert not [line for line in recorded(records()["auc"]).lines if line.colour == "limit"]


def test_value_and_bounds_stand_at_the_rate_of_the_budget():
    record = records()["tpr"]
    recorder = recorded(record)
    assert recorder.intervals == [(0.001, record["low"], record["high"])]
    assert recorder.points == [(0.001, record["value"])]
    assert record["shown_value"] in recorder.texts


def test_the_curve_is_the_records():
    record = records()["tpr"]
    curve = record["evidence"]["curve"]
    x, y = (np.array(curve[side].split(), float) / 2000 for side in ("x", "y"))
    line = recorded(record).line_of("accent")
    drawn = np.array([line.x, line.y])
    inside = drawn[:, drawn[1] > recorded(record).y_span[0]]
    # To a fifth of a thousandth of the height of the figure, which is logarithmic.
    for rate, reached in inside.T[5:]:
        ends = np.interp(rate, x, y), y[np.searchsorted(x, rate, side="right") - 1]
        lowest = y[max(np.searchsorted(x, rate, side="left") - 1, 0)]
        assert min(*ends, lowest) - 1e-3 <= reached <= max(ends) + 1e-3


def test_the_band_is_around_the_curve():
    recorder = recorded(records()["tpr"])
    area = recorder.area_of("band")
    half = len(area.x) // 2
    rates, high, low = np.array(area.x[:half]), area.y[:half], area.y[half:][::-1]
    line = recorder.line_of("accent")
    curve = np.exp(np.interp(np.log(rates), np.log(line.x), np.log(line.y)))
    assert (np.array(high) >= curve * 0.98).all()
    assert (np.array(low) <= curve * 1.02).all()


def test_where_a_slice_decides_the_curve_keeps_the_figures_of_the_whole():
    whole = records()["tpr"]
    sliced = {**records()["sliced"], "value": 0.05, "low": 0.02, "high": 0.08}
    sliced |= {"shown_value": "5.0%", "shown_low": "2.0%", "shown_high": "8.0%"}
    assert recorded(sliced).intervals == recorded(whole).intervals
    text = roc_panel(sliced, WORDS).description
    assert f"finds {whole['shown_value']}" in text
    assert "the verdict rests on sex=M: 5.0% (2.0% to 8.0%)" in text
    assert recorded({**sliced, "figures": []}).points == []


def test_a_column_has_evidence_of_its_own():
    record = {**records()["tpr"], "slice": "column=income"}
    assert recorded(record).intervals == recorded(records()["tpr"]).intervals
    assert "rests on" not in roc_panel(record, WORDS).description


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(-4, 4), min_size=10, max_size=80),
    st.lists(st.integers(-4, 4), min_size=10, max_size=80),
    st.sampled_from(["tpr@1%fpr <= 5%", "tpr@20%fpr <= 50%", "auc <= 0.6", "advantage <= 20%"]),
)
def test_whatever_the_scores_all_is_within_the_axes(members, nonmembers, budget):
    record = measured(MembershipScores(members, nonmembers), budget)
    recorder = recorded(record)
    recorder.check_within()
    assert np.all(np.diff(recorder.line_of("accent").x) >= 0)
    assert np.all(np.diff(recorder.line_of("accent").y) >= 0)


@pytest.mark.parametrize(
    "curve",
    [
        {"x": "0 5", "y": "0"},
        {"x": "0 5 3", "y": "0 1 2"},
        {"x": "0 5", "y": "0 0"},
        {"x": "0 0", "y": "0 3"},
        {"x": "0 five", "y": "0 3"},
        {"x": "", "y": ""},
        {"x": "0 1e400", "y": "0 3"},
    ],
)
def test_a_curve_that_is_none_is_not_drawn(curve):
    evidence = {**records()["tpr"]["evidence"], "curve": {"kind": "roc", **curve}}
    assert roc_panel({**records()["tpr"], "evidence": evidence}, WORDS) is None
