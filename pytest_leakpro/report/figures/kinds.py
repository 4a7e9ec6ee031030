"""The figures that there are of one measurement, by what they show.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.report.figures.bounds import bounds_panel
from pytest_leakpro.report.figures.quality import quality_panel
from pytest_leakpro.report.figures.ranks import ranks_panel
from pytest_leakpro.report.figures.rates import rates_panel
from pytest_leakpro.report.figures.roc import roc_panel
from pytest_leakpro.report.figures.scores import scores_panel
from pytest_leakpro.report.figures.slices import slices_panel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_leakpro.report.figures.panel import Panel
    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["PANELS"]

PANELS: dict[str, Callable[[Mapping[str, Any], Words], Panel | None]] = {
    "roc": roc_panel,
    "scores": scores_panel,
    "rates": rates_panel,
    "quality": quality_panel,
    "ranks": ranks_panel,
    "bounds": bounds_panel,
    "slices": slices_panel,
}
"""What plans each figure, in the order in which they are shown."""
