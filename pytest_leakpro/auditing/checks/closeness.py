"""How close a release lies to its source and to the control: diagnostics, which decide nothing.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.wording import printable
from pytest_leakpro.stats.gower import nearest_rows

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["closeness", "text_copies"]

_MOST_ROWS = 2000


def closeness(view: ReleaseView, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
    """Measure distances of records to their nearest rows of the release.

    Parameters
    ----------
    view : ReleaseView
        The release.
    rng : numpy.random.Generator
        Draws at most 2,000 records of each side.

    Returns
    -------
    details : dict
        Of ``original`` and ``control`` the medians of the distance to the closest row (``dcr``)
        and of its ratio to that to the second (``nndr``), for the record; in [0, 1].
    note : str
        The same in words.
    """
    details: dict[str, Any] = {}
    for side in ("original", "control"):
        rows = view.rows(side)
        chosen = np.arange(len(rows))
        if len(chosen) > _MOST_ROWS:
            chosen = np.sort(rng.choice(len(chosen), size=_MOST_ROWS, replace=False))
        distances, _ = nearest_rows(
            rows.take(chosen), view.rows("synthetic"), 2, threads=view.threads
        )
        details[side] = {"dcr": float(np.median(distances[:, 0])), "nndr": _ratio(distances)}
    first, second = details["original"], details["control"]
    note = (
        "distance to the closest row of the release (median): "
        f"{first['dcr']:.3f} of the source, {second['dcr']:.3f} of the control; ratio to the "
        f"second closest: {first['nndr']:.2f} and {second['nndr']:.2f}"
    )
    return details, note


def _ratio(distances: NDArray[np.float64]) -> float:
    """Give the median ratio of the first to the second distance; 1 where both are 0."""
    if distances.shape[1] < 2:
        return 1.0
    first, second = distances.T
    ratios = np.divide(first, second, out=np.ones(len(first)), where=second > 0)
    return float(np.median(ratios))


def text_copies(view: ReleaseView, column: Hashable) -> tuple[dict[str, Any], str]:
    """Count the texts of the release that stand in the source, and in the control.

    Parameters
    ----------
    view : ReleaseView
        The release.
    column : hashable
        Which column.

    Returns
    -------
    details : dict
        The shares of the release's texts that are equal to one of the source (``exact``), and the
        same for the control.
    note : str
        The same in words.
    """
    released = _texts(view.released[column])
    details: dict[str, Any] = {}
    for side, key in (("members", "original"), ("nonmembers", "control")):
        known = set(_texts(view.records(side).inputs[column]))
        if released and known:
            details[key] = {"exact": float(np.mean([text in known for text in released]))}
    if len(details) < 2:
        return details, ""
    whose = "" if view.is_text else f"of {printable(str(column), 40)} "
    source, control = (details[key]["exact"] for key in ("original", "control"))
    said = f"{source:.1%} are in the source ({control:.1%} by the control)"
    note = f"texts {whose}in the release: {said}"
    return details, note


def _texts(cells: Any) -> list[str]:
    return [str(cell) for cell in cells.dropna().tolist()]
