"""A measurement over the runs, and defences side by side."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.report.figures.comparison import comparison_panel
from pytest_leakpro.report.figures.drawing import as_svg
from pytest_leakpro.report.figures.history import history_panel
from tests.report.figures.recording import Recorder
from tests.report.figures.samples import WORDS, compared, point, records


def recorded(panel):
    recorder = Recorder()
    panel.draw(recorder)
    recorder.check_within()
    return recorder


def test_a_run_without_a_figure_leaves_a_gap():
    points = [point(0.4), point(None), point(0.5, comparable=False), point(0.6)]
    panel = history_panel(points, records()["guesses"], WORDS)
    recorder = recorded(panel)
    line = recorder.line_of("accent")
    assert line.y[0] == 0.4
    assert math.isnan(line.y[1])
    assert line.y[2:] == [0.5, 0.6]
    assert recorder.hollow == [(2, 0.5)]
    assert "In 1 run nothing was scored." in panel.description
    assert "1 run with other settings has a hollow mark." in panel.description


def test_the_budget_is_drawn_as_it_was():
    points = [point(0.2, limit=limit) for limit in (None, 0.3, 0.3, 0.25)]
    line = recorded(history_panel(points, records()["guesses"], WORDS)).line_of("limit")
    held = [(x, y) for x, y in zip(line.x, line.y, strict=True) if not math.isnan(y)]
    assert held == [(0.5, 0.3), (2.5, 0.3), (2.5, 0.25), (3.5, 0.25)]


def test_bounds_that_are_missing_are_open():
    points = [point(2.0, 1.5, None, limit=8.0), point(3.0, None, None, limit=8.0)]
    recorder = recorded(history_panel(points, records()["epsilon"], WORDS))
    assert recorder.intervals == [(0, 1.5, None), (1, None, None)]


def test_bounds_are_drawn_at_their_run():
    points = [point(0.3, 0.2, 0.5), point(None), point(0.4, 0.1, 0.6)]
    line = recorded(history_panel(points, records()["guesses"], WORDS)).line_of("muted")
    assert (line.x[0], line.y[:2]) == (0, [0.2, 0.5])
    assert (line.x[3], line.y[3:5]) == (2, [0.1, 0.6])


def test_a_hundred_runs_are_a_small_figure():
    points = [point(0.3 + place / 1000, 0.2, 0.5) for place in range(100)]
    assert len(as_svg(history_panel(points, records()["guesses"], WORDS))) < 12_000


def test_of_many_runs_the_latest_are_drawn():
    points = [point(place / 1000) for place in range(130)]
    panel = history_panel(points, records()["guesses"], WORDS)
    assert len(recorded(panel).points) == 100
    assert "0.129" not in panel.description
    assert "From 3.0% to 13%" in panel.description


def test_commits_are_short_and_few():
    points = [point(0.1, commit=f"{place:040x}") for place in range(60)]
    recorder = recorded(history_panel(points, records()["guesses"], WORDS))
    assert 2 <= len(recorder.ticks["x"]) <= 4
    assert all(len(text) == 7 for _, text in recorder.ticks["x"])
    undated = [point(0.1, commit=None, time=None)]
    assert recorded(history_panel(undated, records()["guesses"], WORDS)).ticks["x"] == []


def test_nothing_scored_is_no_history():
    assert history_panel([], records()["guesses"], WORDS) is None
    assert history_panel([point(None), point(math.nan)], records()["guesses"], WORDS) is None


figure = st.none() | st.floats(allow_nan=True) | st.floats(0, 1)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(figure, figure, figure, figure), min_size=1, max_size=5),
    st.sampled_from(["tpr", "auc", "epsilon"]),
)
def test_whatever_was_measured_history_is_within_the_axes(figures, name):
    points = [point(*entry) for entry in figures]
    panel = history_panel(points, records()[name], WORDS)
    if panel is not None:
        recorded(panel)


def test_leakage_stands_against_utility():
    records_of = compared()
    recorder = recorded(comparison_panel(records_of, WORDS))
    wanted = [(entry["comparison"]["utility"], entry["value"]) for entry in records_of]
    assert recorder.points == wanted
    assert recorder.squares == [wanted[0], wanted[4]]
    assert recorder.hollow == [wanted[2]]
    assert "accuracy" in recorder.names
    assert {"none", "early stopping ↓", "smaller model ≈", "bagging ↑"} <= set(recorder.texts)


def test_names_of_defences_do_not_overlap():
    recorder = recorded(comparison_panel(compared(), WORDS))
    boxes = []
    for text, (x, y, look) in zip(recorder.texts, recorder.places, strict=True):
        if "budget" in text:
            continue
        left, up = recorder.pixels(x, y)
        width = 6.6 * len(text)
        start = left + look["by"][0] - (width if look["side"] == "right" else 0)
        boxes.append((start, up + look["by"][1], start + width))
    for place, (left, up, right) in enumerate(boxes):
        for other_left, other_up, other_right in boxes[:place]:
            apart = right <= other_left or other_right <= left
            assert apart or abs(up - other_up) >= 12


def test_without_a_utility_there_is_a_row_per_defence():
    panel = comparison_panel(compared(with_utility=False), WORDS)
    recorder = recorded(panel)
    assert [x for x, _ in recorder.points] == [0.32, 0.11, 0.29, 0.012, 0.45]
    assert "accuracy" not in panel.description
    some = compared()
    some[1]["comparison"]["utility"] = None
    assert len(recorded(comparison_panel(some, WORDS)).points) == 5


def test_of_several_attackers_the_one_who_found_most_is_drawn():
    weaker = [{**entry, "value": entry["value"] / 2, "access": "label"} for entry in compared()]
    recorder = recorded(comparison_panel([*weaker, *compared()], WORDS))
    assert [y for _, y in recorder.points] == [entry["value"] for entry in compared()]


def test_the_description_tells_what_is_lower():
    text = comparison_panel(compared(), WORDS).description
    assert "dp-sgd: 1.2% (0.4% to 3.0%), significantly less than of the first" in text
    assert "accuracy 0.840" in text


def test_nothing_to_compare():
    assert comparison_panel([], WORDS) is None
    assert comparison_panel([records()["tpr"]], WORDS) is None
    assert comparison_panel(compared(value=None), WORDS) is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(figure, figure, figure, figure, figure), min_size=5, max_size=5))
def test_whatever_was_compared_is_within_the_axes(figures):
    entries = []
    for record, (value, low, high, limit, utility) in zip(compared(), figures, strict=True):
        about = {**record["comparison"], "utility": utility}
        entries.append(
            {
                **record,
                "value": value,
                "low": low,
                "high": high,
                "limit": limit,
                "comparison": about,
            }
        )
    panel = comparison_panel(entries, WORDS)
    if panel is not None:
        recorded(panel)


@pytest.mark.parametrize("utility", [0.5, 0.0])
def test_a_single_defence_has_axes_too(utility):
    (first, *_) = compared()
    first["comparison"]["utility"] = utility
    recorded(comparison_panel([first], WORDS))
