"""The rates behind a risk, as they stand below its row.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.wording import shown, written_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bounds_of", "counted_whole", "records_counted", "shown_rates"]

_CENSUS_OF = {"reconstructions": "this update"}


def shown_rates(evidence: Mapping[str, Any] | None) -> str:
    """Write how often attack, control and naive guess succeeded: ``"main 4.1%, control 3.0%"``.

    Parameters
    ----------
    evidence : mapping or None
        What a record holds of it, as `Metric.summary` gives it.

    Returns
    -------
    str
        Of counts ``"3 of 1,000, control 1 of 1,000"``, of reconstructions ``"3 of 8 records,
        baseline 0 of 8"``; empty for evidence without rates.
    """
    if evidence is None or not evidence.get("attempts") or "successes" not in evidence:
        return ""
    successes, attempts = evidence["successes"], evidence["attempts"]
    sides = [(side, successes.get(side, 0), of) for side, of in attempts.items() if of]
    if evidence["kind"] in ("counts", "reconstructions"):
        noun = ""
        if evidence["kind"] == "reconstructions":
            noun = f" {evidence.get('unit', 'records')}"
        return ", ".join(
            f"{count:,} of {of:,}{noun}" if side == "main" else f"{side} {count:,} of {of:,}"
            for side, count, of in sides
        )
    said = []
    for side, count, of in sides:
        scale = evidence.get("control_scale", 1) if side == "control" else 1
        most = evidence.get("control_most") if side == "control" else None
        text = f"{side} {shown(min(1.0, scale * count / of), 'percent')}"
        if most is not None and most > count:
            text += f" to {shown(min(1.0, scale * most / of), 'percent')}"
        said.append(text)
    return ", ".join(said)


def bounds_of(record: Mapping[str, Any]) -> str:
    """Write the bounds of a record: ``"3% to 6%"``, ``"at least 1.2"``, ``"this update"``.

    Parameters
    ----------
    record : mapping
        As a session writes it.

    Returns
    -------
    str
        ``"not scored"`` where there are no figures.
    """
    if record["value"] is None:
        return "not scored"
    whole = counted_whole(record.get("evidence"), census=record.get("census", False))
    return whole or written_bounds(record["shown_low"], record["shown_high"])


def counted_whole(evidence: Mapping[str, Any] | None, *, census: bool) -> str:
    """Say which update it is that was looked at whole: ``"this update"``.

    Parameters
    ----------
    evidence : mapping or None
        As for `shown_rates`.
    census : bool
        Whether nothing was drawn.

    Returns
    -------
    str
        Empty for all other evidence.
    """
    return _CENSUS_OF.get(evidence["kind"], "") if evidence is not None and census else ""


def records_counted(evidence: Mapping[str, Any] | None, *, census: bool) -> str:
    """Write of how many records an update is that was looked at whole.

    Parameters as for `counted_whole`.

    Returns
    -------
    str
        ``"8 records, this update"``; empty for all other evidence.
    """
    whole = counted_whole(evidence, census=census)
    if evidence is None or not whole:
        return ""
    records = evidence["attempts"]["main"]
    return f"{records:,} {'record' if records == 1 else 'records'}, {whole}"
