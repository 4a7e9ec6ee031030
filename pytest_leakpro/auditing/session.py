"""The session's defaults: the only global there is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from pytest_leakpro.gate.errors import LeakproError, nearest_match

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.gate.budget import Budget

__all__ = [
    "OnInconclusive",
    "OnWeakSuite",
    "SessionDefaults",
    "current_session",
    "session_variable",
]

OnInconclusive = Literal["fail", "warn", "pass"]
OnWeakSuite = Literal["warn", "inconclusive", "pass"]


@dataclass(frozen=True)
class SessionDefaults:
    """What an audit uses where its call does not say otherwise.

    Attributes
    ----------
    seed : int
        At least 0; every random choice follows from it.
    alpha : float
        Error of both sides of a bound together, in (0, 1).
    inconclusive : {"fail", "warn", "pass"}
        What an undecided budget does to the test.
    weak_suite : {"warn", "inconclusive", "pass"}
        What becomes of a PASS where no attack was calibrated per record.
    budgets : tuple of Budget
        Used where the call has none.
    attacks : None, "all", or sequence of str or Attack
        None for the strongest that match.
    others : tuple of Attack
        Attacks of other packages that the session knows; they run when named.
    shadow_models : int
        How many shadow models, at least 4.
    workers : int or None
        Number of processes that train them; None for the cores.
    cache_dir : str or None
        Where their signals are kept; None for nowhere.
    say : callable or None
        Told in one line what takes long; None for standard error.
    again : str
        The command that repeats the audit, empty where there is none.
    collect : callable or None
        Told of every finished audit, before anything is raised.

    Raises
    ------
    LeakproError
        For a value out of range.
    """

    seed: int = 0
    alpha: float = 0.05
    inconclusive: OnInconclusive = "fail"
    weak_suite: OnWeakSuite = "warn"
    budgets: tuple[Budget, ...] = ()
    attacks: str | Sequence[str | Attack] | None = None
    others: tuple[Attack, ...] = ()
    shadow_models: int = 16
    workers: int | None = None
    cache_dir: str | None = ".leakpro/cache"
    say: Callable[[str], None] | None = None
    again: str = ""
    collect: Callable[[Audit], None] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise LeakproError(f"seed is a whole number of at least 0, not {self.seed!r}")
        if not isinstance(self.alpha, (int, float)) or not 0 < self.alpha < 1:
            raise LeakproError(f"alpha is a probability between 0 and 1, not {self.alpha!r}")
        for name, least in (("shadow_models", 4), ("workers", 1)):
            value = getattr(self, name)
            if value is None and name == "workers":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise LeakproError(f"{name} is a whole number of at least {least}, not {value!r}")
        for name, known in (("inconclusive", OnInconclusive), ("weak_suite", OnWeakSuite)):
            value = getattr(self, name)
            if value not in get_args(known):
                hint = nearest_match(str(value), get_args(known))
                raise LeakproError(f"{name} cannot be {value!r}{hint}")


session_variable: ContextVar[SessionDefaults] = ContextVar("pytest_leakpro_session")


def current_session() -> SessionDefaults:
    """Give the defaults in force: those of the running test, else the package's own."""
    return session_variable.get(_PACKAGE_DEFAULTS)


_PACKAGE_DEFAULTS = SessionDefaults()
