"""How each measurement went from run to run."""

from pytest_leakpro.gate.identity import identity_of
from pytest_leakpro.report.figures.history import history_panel
from pytest_leakpro.report.series import series
from pytest_leakpro.report.texts.catalogue import words_of
from tests.report.examples import broken, failing, passing


def run(day, *records):
    return {"start_time": f"2026-11-{day:02}T00:00:00Z", "measurements": list(records)}


def test_runs_stand_in_their_order():
    runs = [run(1, passing(value=0.1)), run(2, failing()), run(3, passing(value=0.3))]
    found = series(runs)
    assert set(found) == {identity_of(passing()), identity_of(failing())}
    points = found[identity_of(passing())]
    assert [point["value"] for point in points] == [0.1, 0.3]
    assert [point["time"][:10] for point in points] == ["2026-11-01", "2026-11-03"]
    assert points[0]["limit"] == 0.01
    assert points[0]["shown_high"] == "0.71%"


def test_commits_are_told_where_they_are_known():
    commit = {"id": "abc123", "dirty": False}
    (points,) = series([run(1, passing()), run(2, passing(commit=commit))]).values()
    assert [point["commit"] for point in points] == [None, "abc123"]


def test_other_settings_than_the_latest_are_marked():
    settings = [{"attacks": ["lira"]}, {"attacks": None}, {"attacks": None}]
    runs = [run(day, passing(configuration=entry)) for day, entry in enumerate(settings, start=1)]
    (points,) = series(runs).values()
    assert [point["comparable"] for point in points] == [False, True, True]


def test_a_run_that_ended_in_an_error_is_a_gap():
    record = passing(value=None, low=None, high=None, verdict="ERROR")
    (points,) = series([run(1, passing()), run(2, record), run(3, passing())]).values()
    panel = history_panel(points, passing(), words_of("en"))
    assert "In 1 run nothing was scored." in panel.description
    assert series([run(1, broken())])[identity_of(broken())][0]["value"] is None


def test_no_runs():
    assert series([]) == {}
