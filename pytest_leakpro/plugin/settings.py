"""What command line and ini file say together; read only in sessions with audits.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_leakpro.auditing.session import SessionDefaults
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.increase import Allowance
from pytest_leakpro.plugin.options import chosen
from pytest_leakpro.shadow.deadline import Deadline
from pytest_leakpro.store.cache_url import is_url

if TYPE_CHECKING:
    from pytest_leakpro.store.baseline import Baseline

__all__ = ["Settings", "read_settings"]

BASELINE = "leakpro-baseline.json"
LANGUAGE = "en"
DIGEST_KEY = "LEAKPRO_DIGEST_KEY"
_SHORTEST_KEY = 16


@dataclass(frozen=True)
class Settings:
    """What command line and ini file say together.

    Attributes
    ----------
    defaults : SessionDefaults
        What audits use.
    require_audits : bool
        Whether a session without a verdict is red.
    private : Path
        The folder ``.leakpro``.
    baseline_path : Path
        The baseline's file, whether there is one or not.
    update_baseline : bool
        Whether it is written.
    outputs : dict of str to Path
        Where to write what, by the kind of output: ``json``, ``markdown``, ``code_quality``,
        ``report``.
    language : str
        Of the report.
    """

    defaults: SessionDefaults
    require_audits: bool
    private: Path
    baseline_path: Path
    update_baseline: bool
    outputs: dict[str, Path]
    language: str


def read_settings(config: pytest.Config) -> Settings:
    """Read flags and ini keys, and the baseline.

    Raises
    ------
    pytest.UsageError
        For a value that cannot be, a baseline that cannot be read, or a report that takes what is
        not installed.
    """
    options = {
        name: chosen(config, f"leakpro_{name}")
        for name in (
            "seed",
            "alpha",
            "inconclusive",
            "weak_suite",
            "workers",
            "backend",
            "scheduler",
            "save_scores",
            "save_vulnerable",
            "save_reconstructions",
        )
    }
    private = Path(config.rootpath, ".leakpro")
    baseline_path = Path(config.rootpath, chosen(config, "leakpro_baseline") or BASELINE)
    update = bool(config.getoption("leakpro_update_baseline"))
    require = bool(chosen(config, "leakpro_require_baseline"))
    budgets, budget_source = _lines(config, "leakpro_budget", "leakpro_budgets")
    allowances, allowance_source = _lines(config, "leakpro_compare_fail", "leakpro_compare_fail")
    budget = chosen(config, "leakpro_time_budget")
    try:
        cache = None if chosen(config, "leakpro_no_cache") else _cache(config, private)
        options["shadow_models"] = _shadow_models(chosen(config, "leakpro_shadow_models"))
        defaults = SessionDefaults(
            deadline=None if budget is None else Deadline.after(budget),
            cache_dir=cache,
            budgets=tuple(Budget.parse(line, budget_source) for line in budgets),
            allowances=tuple(Allowance.parse(line, allowance_source) for line in allowances),
            baseline=_baseline(baseline_path),
            baseline_use="updating" if update else "required" if require else "optional",
            private=str(private),
            digest_key=_digest_key(),
            **{name: value for name, value in options.items() if value is not None},
        )
    except LeakproError as error:
        raise pytest.UsageError(f"leakpro: {error}") from None
    outputs = {
        kind: Path(config.invocation_params.dir, path)
        for kind in ("json", "markdown", "code_quality", "report")
        if (path := chosen(config, f"leakpro_{kind}"))
    }
    language = chosen(config, "leakpro_language") or LANGUAGE
    if "report" in outputs:
        _check_report(language)
    return Settings(
        defaults,
        bool(chosen(config, "leakpro_require_audits")),
        private,
        baseline_path,
        update,
        outputs,
        language,
    )


def _check_report(language: str) -> None:
    """Say before anything is audited what would keep the report from being written."""
    from pytest_leakpro.report.html.document import missing_libraries
    from pytest_leakpro.report.texts.catalogue import words_of

    missing = missing_libraries()
    if missing:
        raise pytest.UsageError(f"leakpro: --leakpro-report: {missing}")
    try:
        words_of(language)
    except LeakproError as error:
        raise pytest.UsageError(f"leakpro: --leakpro-language: {error}") from None


def _cache(config: pytest.Config, private: Path) -> str:
    place = chosen(config, "leakpro_cache_dir")
    if place is None or not is_url(place):
        return str(Path(config.rootpath, place or private / "cache"))
    from pytest_leakpro.store.open_cache import open_cache

    open_cache(place)  # raises what is wrong with it before anything is trained
    return str(place)


def _shadow_models(text: str | None) -> int | str | None:
    stripped = "" if text is None else text.strip()
    return int(stripped) if stripped.isdecimal() else stripped or None


def _lines(config: pytest.Config, flag: str, key: str) -> tuple[list[str], str]:
    """Give the flag's values, else the ini key's lines, and where they stand."""
    on_command_line = config.getoption(flag)
    if on_command_line:
        return on_command_line, "command line"
    return [line for line in config.getini(key) if line.strip()], "ini file"


def _baseline(path: Path) -> Baseline | None:
    if not path.exists():
        return None
    from pytest_leakpro.store.baseline import Baseline

    return Baseline.read(path)


def _digest_key() -> bytes | None:
    key = os.environ.get(DIGEST_KEY, "").encode("utf-8", "surrogateescape")
    if key and len(key) < _SHORTEST_KEY:
        raise LeakproError(
            f"{DIGEST_KEY} has {len(key)} bytes: a key that can be guessed hides nothing, so give "
            f"at least {_SHORTEST_KEY} random ones"
        )
    return key or None
