"""The errors and warnings that the package raises.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import difflib
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "InconclusiveError",
    "LeakageError",
    "LeakproError",
    "PytestLeakproWarning",
    "nearest_match",
    "warn",
]


class LeakproError(Exception):
    """Root of all errors of this package: bad input, or a budget that was not met.

    A message says what was wrong, where, and what to do about it.
    """

    __module__ = "pytest_leakpro"


class _VerdictError(LeakproError, AssertionError):
    def __init__(self, message: str, audit: Any = None) -> None:
        super().__init__(message)
        self.audit = audit


class LeakageError(_VerdictError):
    """A leakage budget is violated: the lower bound of the leakage lies above the limit.

    Attributes
    ----------
    audit : Audit or None
        The audit that found it.
    """

    __module__ = "pytest_leakpro"


class InconclusiveError(_VerdictError):
    """A leakage budget could be neither confirmed nor refuted with the records at hand.

    Attributes
    ----------
    audit : Audit or None
        The audit that could not tell.
    """

    __module__ = "pytest_leakpro"


class PytestLeakproWarning(pytest.PytestWarning):
    """Something that weakens an audit or makes its outcome less certain, short of an error."""

    __module__ = "pytest_leakpro"


def warn(message: str) -> None:
    """Warn with a `PytestLeakproWarning` that points at the user's code."""
    package = __name__.partition(".")[0]
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(package):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(PytestLeakproWarning(message), stacklevel=depth)


def nearest_match(name: str, known: Iterable[str]) -> str:
    """Say which of the known names was probably meant.

    Parameters
    ----------
    name : str
        The name that is not known.
    known : iterable of str
        The names that are.

    Returns
    -------
    str
        ``" (did you mean 'auc'?)"``, or the whole list where no name is near.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(names)})" if names else ""
