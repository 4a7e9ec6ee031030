"""`plot`: figures of matplotlib."""

import sys

import numpy as np
import pytest

import pytest_leakpro
from pytest_leakpro import Guesses, LeakproError, MembershipScores, plot
from tests.report.figures.samples import compared, records


class Found:
    """Stands in for an audit or a comparison."""

    def __init__(self, *entries):
        self.entries = list(entries)

    def to_plain(self):
        return self.entries


def written(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
def test_an_audit_has_a_row_per_measurement():
    rng = np.random.default_rng(0)
    scores = MembershipScores(rng.normal(1, 1, 400), rng.normal(0, 1, 400), name="churn")
    found = pytest_leakpro.audit(scores, "auc <= 0.6", "advantage <= 20%")
    figure = plot(found)
    assert len(figure.axes) == 4  # curve and scores, twice
    tops = [round(axes.get_position().y1, 3) for axes in figure.axes]
    assert tops[0] > tops[2]
    names = [text.get_text() for text in figure.texts]
    record = found.to_plain()[0]
    assert names[0].startswith(f"churn · auc · {record['shown_value']}")
    assert names[0].endswith("FAIL")


def test_axes_and_texts_do_not_leave_the_figure():
    figure = plot(Found(records()["tpr"], records()["epsilon"], records()["sliced"]))
    for axes in figure.axes:
        place = axes.get_position()
        assert place.x0 >= 0
        assert place.y0 >= 0
        assert place.x1 <= 1
        assert place.y1 <= 1
    assert len(figure.axes) == 2 + 1 + 3


def test_a_figure_is_shown_and_saved_without_pyplot(tmp_path):
    before = set(sys.modules)
    figure = plot(Found(records()["guesses"]))
    assert figure._repr_png_().startswith(b"\x89PNG")
    figure.savefig(tmp_path / "audit.png", dpi=50)
    assert "matplotlib.pyplot" not in set(sys.modules) - before


def test_marks_are_seen_in_pixels_too():
    """A mark is next to nothing with wide ends, which must not be lost where lines are snapped."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = plot(Found(*compared()[:1]))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    axes = figure.axes[0]
    left, up = axes.transData.transform((0.91, 0.32))
    seen = pixels[pixels.shape[0] - round(up), round(left), :3]
    assert (seen < 80).all()


def test_a_comparison_has_a_row_per_metric():
    figure = plot(Found(*compared(), *compared(metric="auc")))
    assert len(figure.axes) == 2
    assert written(figure).count("early stopping ↓") == 2


def test_other_languages():
    assert "icke-medlemmar" in written(plot(Found(records()["tpr"]), language="sv"))
    with pytest.raises(LeakproError, match="the page speaks en, sv"):
        plot(Found(records()["tpr"]), language="xx")


@pytest.mark.parametrize(
    "thing", [3, "audit", None, pytest_leakpro.Audit, Guesses((1, 10), (1, 10))]
)
def test_other_things_are_refused(thing):
    with pytest.raises(LeakproError, match="plot takes what audit or compare gave back"):
        plot(thing)


def test_nothing_to_draw():
    empty = {**records()["guesses"], "value": None, "evidence": None}
    for found in (Found(), Found(empty), Found(*compared(value=None))):
        with pytest.raises(LeakproError, match="nothing to draw"):
            plot(found)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(LeakproError, match=r"pip install 'pytest-leakpro\[report\]'"):
        plot(Found(records()["guesses"]))
