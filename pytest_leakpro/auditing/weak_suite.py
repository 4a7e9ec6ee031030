"""What becomes of a PASS where no attack was calibrated per record.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_leakpro.gate.verdict import Verdict

if TYPE_CHECKING:
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.measurement import Measurement

__all__ = ["with_weak_suite"]


def with_weak_suite(measurement: Measurement, session: SessionDefaults) -> Measurement:
    """Make a PASS of a weak suite INCONCLUSIVE, where that is asked for.

    Parameters
    ----------
    measurement : Measurement
        Decided.
    session : SessionDefaults
        Says whether.
    """
    if (
        session.weak_suite == "inconclusive"
        and measurement.weak_suite
        and measurement.verdict is Verdict.PASS
    ):
        why = "no attack was calibrated per record, and leakpro_weak_suite is inconclusive"
        undecided = Verdict.INCONCLUSIVE
        return replace(
            measurement,
            verdict=undecided,
            notes=(*measurement.notes, why),
            slices=tuple(replace(part, verdict=undecided) for part in measurement.slices),
        )
    return measurement
