"""What a failed audit's traceback shows.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["hide_arguments"]


def hide_arguments(report: pytest.TestReport) -> None:
    """Drop the values of the test's fixtures from a traceback: they are the training records.

    pytest prints the arguments of the failing function, and so the first and last rows of every
    array among them, into the log and the JUnit file. ``--showlocals`` shows what it asks for.

    Parameters
    ----------
    report : pytest.TestReport
        Of a failed audit.
    """
    chain = getattr(report.longrepr, "chain", ())
    for traceback, _, _ in chain:
        for entry in traceback.reprentries:
            if getattr(entry, "reprfuncargs", None) is not None:
                entry.reprfuncargs = None
