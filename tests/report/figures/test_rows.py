"""Figures with a row per number: rates, slices, bounds of epsilon."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_leakpro.report.figures.bounds import bounds_panel
from pytest_leakpro.report.figures.rates import rates_panel
from pytest_leakpro.report.figures.rows import Row, Rows
from pytest_leakpro.report.figures.slices import slices_panel
from tests.report.figures.recording import Recorder
from tests.report.figures.samples import WORDS, records


def recorded(panel):
    recorder = Recorder()
    panel.draw(recorder)
    recorder.check_within()
    return recorder


def exact(successes, attempts):
    found = stats.binomtest(successes, attempts).proportion_ci(0.95, method="exact")
    return found.low, found.high


def test_rates_have_the_intervals_of_clopper_and_pearson():
    record = records()["guesses"]
    recorder = recorded(rates_panel(record, WORDS))
    assert [bar[1] for bar in recorder.bars] == [0.041, 0.03, 0.001]
    assert [bar[4] for bar in recorder.bars] == ["solid", "hatched", "outline"]
    wanted = [exact(41, 1000), exact(30, 1000), exact(1, 1000), (record["low"], record["high"])]
    for (_, low, high), ends in zip(recorder.intervals, wanted, strict=True):
        assert (low, high) == pytest.approx(ends, abs=1e-12)
    assert "4.1% (41 of 1,000)" in recorder.texts


def test_a_control_is_scaled_and_may_have_had_more():
    recorder = recorded(rates_panel(records()["scaled"], WORDS))
    assert recorder.bars[1][1] == pytest.approx(2 * 0.015)
    _, low, high = recorder.intervals[1]
    assert low == pytest.approx(2 * exact(15, 1000)[0])
    assert high == pytest.approx(2 * exact(20, 1000)[1])
    assert "3.0% (15–20 of 1,000)" in recorder.texts


@pytest.mark.parametrize("name", ["counts", "update"])
def test_what_was_counted_whole_has_no_interval(name):
    recorder = recorded(rates_panel(records()[name], WORDS))
    assert recorder.intervals == []
    assert len(recorder.bars) == 2


def test_slices_are_sorted_and_verdicts_have_shapes():
    recorder = recorded(slices_panel(records()["sliced"], WORDS))
    assert [x for x, _ in recorder.points] == [0.05, 0.012, 0.001]
    assert [x for x, _ in recorder.squares] == [0.05]
    assert [x for x, _ in recorder.hollow] == [0.012]


def test_of_many_slices_the_most_exposed_are_drawn():
    (entry, *_) = records()["sliced"]["slices"]
    many = [{**entry, "label": str(place), "value": place / 100} for place in range(30)]
    panel = slices_panel({**records()["sliced"], "slices": many}, WORDS)
    recorder = Recorder()
    panel.draw(recorder)
    assert [x for x, _ in recorder.points] == [place / 100 for place in range(29, 9, -1)]
    assert "not drawn: 10" in panel.description


def test_an_epsilon_has_no_upper_bound():
    record = records()["epsilon"]
    recorder = recorded(bounds_panel(record, WORDS))
    lows = [entry["low"] for entry in record["evidence"]["bounds"]]
    assert [low for _, low, _ in recorder.intervals] == [*lows, record["low"]]
    assert {high for _, _, high in recorder.intervals} == {None}
    assert any("decides" in text for text in recorder.texts)


number = st.floats(-1e12, 1e12) | st.floats(0, 1)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(number, number | st.none(), number | st.none()), min_size=1, max_size=4),
    number | st.none(),
    st.sampled_from(["percent", "decimal"]),
    st.sampled_from([0.0, 0.5, None]),
)
def test_whatever_the_figures_rows_are_within_the_axes(figures, limit, unit, base):
    rows = [Row("name", "text", *figure) for figure in figures]
    recorder = Recorder()
    Rows(rows, unit, limit, "budget", base).draw(recorder)
    recorder.check_within()
