"""Privacy regression testing for pytest: fail the build when a model leaks its training records.

Everything public is imported from here, on first use: importing the package costs nothing.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_leakpro.gate.errors import (
        InconclusiveError,
        LeakageError,
        LeakproError,
        PytestLeakproWarning,
    )

_HOMES = {
    "InconclusiveError": "pytest_leakpro.gate.errors",
    "LeakageError": "pytest_leakpro.gate.errors",
    "LeakproError": "pytest_leakpro.gate.errors",
    "PytestLeakproWarning": "pytest_leakpro.gate.errors",
}

__version__ = "0.1.0"

__all__ = [
    "InconclusiveError",
    "LeakageError",
    "LeakproError",
    "PytestLeakproWarning",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
