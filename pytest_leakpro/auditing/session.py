"""The session's defaults: the only global there is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.increase import Allowance, parse_increase
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.shadow.looks import AUTO
from pytest_leakpro.shadow.place import Backend, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.log import AuditLog
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.shadow.deadline import Deadline
    from pytest_leakpro.store.baseline import Baseline

__all__ = [
    "OnInconclusive",
    "OnWeakSuite",
    "SessionDefaults",
    "current_session",
    "session_variable",
]

OnInconclusive = Literal["fail", "warn", "pass"]
OnWeakSuite = Literal["warn", "inconclusive", "pass"]
BaselineUse = Literal["optional", "required", "updating"]
_LONGEST_NAME = 200


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
    shadow_models : int or "auto"
        How many shadow models, at least 4; auto for looks at more and more of them.
    workers : int or None
        Number of processes that train them; None for the cores.
    backend : {"loky", "dask", "ray"}
        Where they are trained: loky for processes of this machine.
    scheduler : str or None
        The address of a cluster; None for one that is started on this machine.
    deadline : Deadline or None
        When no other shadow model is trained; what is undecided then stays so.
    cache_dir : str or None
        The folder, or the URL, where their signals are kept; None for nowhere.
    say : callable or None
        Told in one line what takes long; None for standard error.
    again : str
        The command that repeats the audit, empty where there is none.
    name : str or None
        What the audit is called in records and baselines; None for the id of its test.
    max_increase : str, float or None
        How much more than its baseline any metric may show, as ``"0.5pp"``.
    allowances : tuple of Allowance
        Used where there is no `max_increase`.
    baseline : Baseline or None
        What measurements are compared with.
    baseline_use : {"optional", "required", "updating"}
        Whether a measurement without a baseline fails, or an increase is let through since the
        baseline is about to be updated.
    private : str or None
        The folder ``.leakpro``, where scores are kept.
    paired : bool
        Whether scores per record are handed on, for a comparison of several targets.
    save_scores : bool
        Whether scores per record are kept, for paired comparisons.
    save_vulnerable : int
        How many of the most exposed members are kept there; 0 for none.
    save_reconstructions : bool
        Whether pictures of records are kept there, beside what attacks rebuilt of them.
    digest_key : bytes or None
        Key for digests of data and model; None to leave them out.
    test : str
        Node id of the running test, empty outside one.
    log : AuditLog or None
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
    shadow_models: int | str = 16
    workers: int | None = None
    backend: Backend = "loky"
    scheduler: str | None = None
    deadline: Deadline | None = None
    # A URL may hold a password, which --showlocals would print.
    cache_dir: str | None = field(default=".leakpro/cache", repr=False)
    say: Callable[[str], None] | None = None
    again: str = ""
    name: str | None = None
    max_increase: str | float | None = None
    allowances: tuple[Allowance, ...] = ()
    baseline: Baseline | None = None
    baseline_use: BaselineUse = "optional"
    private: str | None = None
    paired: bool = False
    save_scores: bool = False
    save_vulnerable: int = 0
    save_reconstructions: bool = False
    digest_key: bytes | None = None
    test: str = ""
    log: AuditLog | None = None

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise LeakproError(f"seed is a whole number of at least 0, not {self.seed!r}")
        if not isinstance(self.alpha, (int, float)) or not 0 < self.alpha < 1:
            raise LeakproError(f"alpha is a probability between 0 and 1, not {self.alpha!r}")
        for name, least in (("shadow_models", 4), ("workers", 1), ("save_vulnerable", 0)):
            value = getattr(self, name)
            if value is None and name == "workers":
                continue
            if value == AUTO and name == "shadow_models":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                auto = f', or "{AUTO}"' if name == "shadow_models" else ""
                raise LeakproError(
                    f"{name} is a whole number of at least {least}{auto}, not {value!r}"
                )
        for name, known in (("inconclusive", OnInconclusive), ("weak_suite", OnWeakSuite)):
            value = getattr(self, name)
            if value not in get_args(known):
                hint = nearest_match(str(value), get_args(known))
                raise LeakproError(f"{name} cannot be {value!r}{hint}")
        Place(self.backend, self.scheduler)  # raises what is wrong with them
        if self.max_increase is not None:
            try:
                parse_increase(self.max_increase)
            except LeakproError as error:
                raise LeakproError(f"max_increase: {error}") from None
        if self.name is not None:
            _check_name(self.name)

    def about(self, target: str) -> dict[str, str | int]:
        """Say which audit a private file is of: the next run of the same audit replaces it."""
        return {
            "test": self.test,
            "name": self.name or self.test,
            "target": target,
            # Audits of one test are told apart by how many there were before.
            "audit": 0 if self.log is None else len(self.log.audits),
        }

    def allowed(self) -> tuple[Allowance, ...]:
        """Give the increases that are allowed here."""
        if self.max_increase is None:
            return self.allowances
        return (Allowance(None, *parse_increase(self.max_increase), "max_increase"),)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise LeakproError("name is a text that tells this audit from others")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise LeakproError(
            f"name is one line of at most {_LONGEST_NAME} printable characters, "
            f"not {printable(name, 60)!r}"
        )


session_variable: ContextVar[SessionDefaults] = ContextVar("pytest_leakpro_session")


def current_session() -> SessionDefaults:
    """Give the defaults in force: those of the running test, else the package's own."""
    return session_variable.get(_PACKAGE_DEFAULTS)


_PACKAGE_DEFAULTS = SessionDefaults()
