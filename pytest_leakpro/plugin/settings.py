"""What command line and ini file say together; read only in sessions with audits.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_leakpro.auditing.session import SessionDefaults
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.plugin.options import chosen

__all__ = ["Settings", "read_settings"]


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
    on_command_line = config.getoption("leakpro_budget")
    lines = on_command_line or [line for line in config.getini("leakpro_budgets") if line.strip()]
    source = "command line" if on_command_line else "ini file"
    options = {
        name: chosen(config, f"leakpro_{name}")
        for name in ("seed", "alpha", "inconclusive", "weak_suite", "shadow_models", "workers")
    }
    folder = Path(config.rootpath, chosen(config, "leakpro_cache_dir") or ".leakpro/cache")
    cache_dir = None if chosen(config, "leakpro_no_cache") else str(folder)
    try:
        defaults = SessionDefaults(
            cache_dir=cache_dir,
            budgets=tuple(Budget.parse(line, source) for line in lines),
            **{name: value for name, value in options.items() if value is not None},
        )
    except LeakproError as error:
        raise pytest.UsageError(f"leakpro: {error}") from None
    return Settings(
        defaults,
        bool(chosen(config, "leakpro_require_audits")),
        chosen(config, "leakpro_json") or None,
    )
