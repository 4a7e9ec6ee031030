"""Command-line flags and ini keys, and what they say together.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_leakpro.auditing.session import SessionDefaults

__all__ = ["Settings", "add_options", "is_enabled", "read_settings"]

_INCONCLUSIVE = ("fail", "warn", "pass")
_WEAK_SUITE = ("warn", "inconclusive", "pass")


def add_options(parser: pytest.Parser) -> None:
    """Declare every flag and its ini twin."""
    group = parser.getgroup("leakpro", "privacy regression testing (leakpro)")

    def option(flag: str, **details: Any) -> None:
        group.addoption(flag, default=None, **details)

    option(
        "--leakpro",
        action="store_const",
        const=True,
        dest="leakpro",
        help="Run the leakage audits; without it, tests marked 'leakage' are skipped.",
    )
    group.addoption(
        "--no-leakpro",
        action="store_true",
        dest="no_leakpro",
        default=False,
        help="Skip the leakage audits, whatever addopts and the ini file say.",
    )
    option("--leakpro-seed", type=int, metavar="N", help="Seed of every random choice (0).")
    option(
        "--leakpro-alpha",
        type=float,
        metavar="A",
        help="Error of both sides of a bound together (0.05).",
    )
    group.addoption(
        "--leakpro-budget",
        action="append",
        default=[],
        metavar="BUDGET",
        help="A budget for audits that have none of their own, as 'tpr@0.1%%fpr <= 1%%'; "
        "may be repeated.",
    )
    option(
        "--leakpro-inconclusive",
        choices=_INCONCLUSIVE,
        help="What an undecided budget does to its test (fail).",
    )
    option(
        "--leakpro-weak-suite",
        choices=_WEAK_SUITE,
        help="What becomes of a PASS where no attack was calibrated per record (warn).",
    )
    option(
        "--leakpro-require-audits",
        action="store_const",
        const=True,
        help="Exit 1 where no audit of the session ended PASS or FAIL.",
    )
    option("--leakpro-json", metavar="PATH", help="Write the measurements to this file.")

    ini = parser.addini
    ini("leakpro", "As --leakpro.", type="bool", default=None)
    ini("leakpro_seed", "As --leakpro-seed.", type="int", default=None)
    ini("leakpro_alpha", "As --leakpro-alpha.", type="float", default=None)
    ini("leakpro_budgets", "As --leakpro-budget, one per line.", type="linelist", default=[])
    ini("leakpro_inconclusive", "As --leakpro-inconclusive.", type="string", default=None)
    ini("leakpro_weak_suite", "As --leakpro-weak-suite.", type="string", default=None)
    ini("leakpro_require_audits", "As --leakpro-require-audits.", type="bool", default=None)
    ini("leakpro_json", "As --leakpro-json.", type="string", default=None)


def is_enabled(config: pytest.Config) -> bool:
    """Tell whether leakage audits run in this session."""
    if config.getoption("no_leakpro"):
        return False
    return bool(_chosen(config, "leakpro"))


@dataclass(frozen=True)
class Settings:
    """What command line and ini file say together.

    Attributes
    ----------
    defaults : SessionDefaults
        What audits use.
    require_audits : bool
        Whether a session without a verdict is red.
    json_path : str or None
        Where the measurements go.
    """

    defaults: SessionDefaults
    require_audits: bool
    json_path: str | None


def read_settings(config: pytest.Config) -> Settings:
    """Read flags and ini keys.

    Raises
    ------
    pytest.UsageError
        For a value that cannot be.
    """
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.errors import LeakproError

    on_command_line = config.getoption("leakpro_budget")
    lines = on_command_line or [line for line in config.getini("leakpro_budgets") if line.strip()]
    source = "command line" if on_command_line else "ini file"
    chosen = {
        name: _chosen(config, f"leakpro_{name}")
        for name in ("seed", "alpha", "inconclusive", "weak_suite")
    }
    try:
        defaults = SessionDefaults(
            budgets=tuple(Budget.parse(line, source) for line in lines),
            **{name: value for name, value in chosen.items() if value is not None},
        )
    except LeakproError as error:
        raise pytest.UsageError(f"leakpro: {error}") from None
    return Settings(
        defaults,
        bool(_chosen(config, "leakpro_require_audits")),
        _chosen(config, "leakpro_json") or None,
    )


def _chosen(config: pytest.Config, name: str) -> Any:
    given = config.getoption(name)
    if given is not None:
        return given
    try:
        return config.getini(name)
    except (TypeError, ValueError, pytest.UsageError) as error:
        raise pytest.UsageError(f"leakpro: the ini key {name} is wrong: {error}") from None
