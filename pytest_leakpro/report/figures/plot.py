"""`plot`: an audit, or a comparison of defences, as a figure of matplotlib.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.report.figures.chart import TEXT, Chart
from pytest_leakpro.report.figures.comparison import comparison_panel
from pytest_leakpro.report.figures.drawing import INCH, axes_of, drawing_style
from pytest_leakpro.report.figures.kinds import PANELS
from pytest_leakpro.report.figures.palette import ON_PAPER
from pytest_leakpro.report.figures.panel import WIDTH
from pytest_leakpro.report.figures.telling import budget_said, finite, measured
from pytest_leakpro.report.texts.catalogue import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from pytest_leakpro.report.figures.panel import Panel
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["plot"]

_HEAD = 30.0  # points above the panels of a row, for its name
_LONGEST_NAME = 110


class _Row(NamedTuple):
    name: str
    panels: Sequence[Panel]

    @property
    def height(self) -> float:
        """Of the row, in points."""
        return _HEAD + max(panel.height for panel in self.panels)


def plot(found: Any, *, language: str = "en") -> Figure:
    """Draw what an audit found, or how defences compare.

    Parameters
    ----------
    found : Audit or Comparison
        What `audit`, the fixture or `compare` gave back.
    language : str
        In which the figure is labelled: ``"en"`` or ``"sv"``.

    Returns
    -------
    matplotlib.figure.Figure
        A row per measurement, with what suits its evidence: the ROC curve with its band and a
        histogram of the scores, rates beside those of the control, qualities, ranks, bounds of
        epsilon, slices. Of a comparison, what leaks against the utility, a row per metric. It is no
        figure of pyplot: a notebook shows it, and ``figure.savefig("audit.png")`` writes it.

    Raises
    ------
    LeakproError
        Where matplotlib is not installed (``pip install 'pytest-leakpro[report]'``), there is no
        such language, there is nothing to draw, or `found` is neither of the two.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_leakpro import MembershipScores, audit
    >>> rng = np.random.default_rng(0)
    >>> scores = MembershipScores(rng.normal(0.5, 1, 2000), rng.normal(0, 1, 2000))
    >>> len(plot(audit(scores, "tpr@1%fpr <= 10%")).axes)
    2
    """
    words = words_of(language)
    records = _records(found)
    rows = _compared(records, words) if _is_comparison(records) else _measured(records, words)
    if not rows:
        raise LeakproError(
            "there is nothing to draw: nothing was scored, or nothing that has a picture"
        )
    size = (
        float(WIDTH * max(len(row.panels) for row in rows)),
        sum(row.height for row in rows),
    )
    with drawing_style():
        figure: Figure = _figure_type()(figsize=(size[0] / INCH, size[1] / INCH))
        figure.patch.set_facecolor(ON_PAPER.paper)
        top = size[1]
        for row in rows:
            figure.text(
                4 / size[0], (top - 8) / size[1], row.name,
                fontsize=TEXT, fontweight="bold", color=ON_PAPER.ink, verticalalignment="top",
            )  # fmt: skip
            for place, panel in enumerate(row.panels):
                bottom = top - _HEAD - panel.height
                axes = axes_of(figure, panel, place * WIDTH, bottom, size)
                panel.draw(Chart(axes, ON_PAPER, panel.margins.left))
            top -= row.height
    return figure


@cache
def _figure_type() -> type[Any]:
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        """A figure that notebooks show without pyplot."""

        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png", dpi=144)
            return file.getvalue()

    return ShownFigure


def _records(found: Any) -> list[Mapping[str, Any]]:
    plain = getattr(found, "to_plain", None)
    if not callable(plain) or isinstance(found, type):
        raise LeakproError(
            f"plot takes what audit or compare gave back, not a {type(found).__name__}"
        )
    given: Any = plain()
    records: list[Mapping[str, Any]] = [given] if isinstance(given, dict) else given
    return records


def _is_comparison(records: Sequence[Mapping[str, Any]]) -> bool:
    return any(record.get("comparison") for record in records)


def _measured(records: Sequence[Mapping[str, Any]], words: Words) -> list[_Row]:
    rows = []
    for record in records:
        panels = [panel for make in PANELS.values() if (panel := make(record, words)) is not None]
        if panels:
            rows.append(_Row(_name(record, words), panels))
    return rows


def _compared(records: Sequence[Mapping[str, Any]], words: Words) -> list[_Row]:
    by_metric: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_metric.setdefault(record["metric"], []).append(record)
    rows = []
    for entries in by_metric.values():
        panel = comparison_panel(entries, words)
        if panel is not None:
            rows.append(_Row(printable(panel.title, _LONGEST_NAME // 2), [panel]))
    return rows


def _name(record: Mapping[str, Any], words: Words) -> str:
    """Write the row of the summary: ``churn-v3 · auc · 0.61 (0.59 to 0.63) · PASS``."""
    value = finite(record["value"])
    parts = [
        printable(record["target"], 40),
        printable(record["metric"], 30),
        "" if value is None else measured(record, words),
        budget_said(record, words),
        printable(record["shown_verdict"], 20) if record["verdict"] else "",
    ]
    return printable(" · ".join(filter(None, parts)), _LONGEST_NAME)
