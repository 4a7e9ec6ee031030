"""Command-line flags and ini keys.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any

import pytest

__all__ = ["add_options", "chosen", "is_enabled"]

_INCONCLUSIVE = ("fail", "warn", "pass")
_BACKENDS = ("loky", "dask", "ray")
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
    option(
        "--leakpro-shadow-models",
        metavar="K",
        help="How many shadow models to train where the target can be retrained (16), or auto.",
    )
    option(
        "--leakpro-time-budget",
        metavar="TIME",
        help="How long the session may train, as 10m; what is undecided then is INCONCLUSIVE.",
    )
    option(
        "--leakpro-workers",
        type=int,
        metavar="N",
        help="Number of processes that train them (the cores, shared among xdist's workers).",
    )
    option(
        "--leakpro-backend",
        choices=_BACKENDS,
        help="Where they are trained: processes of this machine, or a cluster (loky).",
    )
    option(
        "--leakpro-scheduler",
        metavar="ADDRESS",
        help="The address of the cluster (one that is started on this machine).",
    )
    option(
        "--leakpro-cache-dir",
        metavar="DIR",
        help="Where the signals of shadow models are kept: a folder, or s3://bucket/prefix for "
        "several machines (.leakpro/cache in the root directory).",
    )
    option(
        "--leakpro-no-cache",
        action="store_const",
        const=True,
        help="Neither read nor write the signals of shadow models.",
    )
    option("--leakpro-json", metavar="PATH", help="Write the measurements to this file.")
    option(
        "--leakpro-baseline",
        metavar="PATH",
        help="The measurements to compare with (leakpro-baseline.json in the root directory).",
    )
    option(
        "--leakpro-update-baseline",
        action="store_const",
        const=True,
        help="Put what is measured into the baseline instead of failing on an increase.",
    )
    option(
        "--leakpro-require-baseline",
        action="store_const",
        const=True,
        help="Fail what has no baseline to be compared with.",
    )
    group.addoption(
        "--leakpro-compare-fail",
        action="append",
        default=[],
        metavar="[METRIC:]+INCREASE",
        help="The increase over the baseline that is allowed, as 'tpr@0.1%%fpr:+0.5pp'; "
        "may be repeated.",
    )
    option(
        "--leakpro-save-scores",
        action="store_const",
        const=True,
        help="Keep the scores per record in .leakpro/scores, for paired comparisons.",
    )
    option(
        "--leakpro-save-vulnerable",
        type=int,
        metavar="K",
        help="Keep the K most exposed members of every audit in .leakpro/vulnerable (none).",
    )
    option(
        "--leakpro-save-reconstructions",
        action="store_const",
        const=True,
        help="Keep pictures of records beside what attacks rebuilt of them in "
        ".leakpro/reconstructions: they show data.",
    )
    option("--leakpro-markdown", metavar="PATH", help="Write the summary to this file.")
    option(
        "--leakpro-code-quality",
        metavar="PATH",
        help="Write what is wrong to this file, for GitLab.",
    )
    option("--leakpro-report", metavar="PATH", help="Write the report to this file, as a page.")
    option("--leakpro-language", metavar="LANGUAGE", help="Of the report: en or sv (en).")

    ini = parser.addini
    ini("leakpro", "As --leakpro.", type="bool", default=None)
    ini("leakpro_seed", "As --leakpro-seed.", type="int", default=None)
    ini("leakpro_alpha", "As --leakpro-alpha.", type="float", default=None)
    ini("leakpro_budgets", "As --leakpro-budget, one per line.", type="linelist", default=[])
    ini("leakpro_inconclusive", "As --leakpro-inconclusive.", type="string", default=None)
    ini("leakpro_weak_suite", "As --leakpro-weak-suite.", type="string", default=None)
    ini("leakpro_require_audits", "As --leakpro-require-audits.", type="bool", default=None)
    ini("leakpro_shadow_models", "As --leakpro-shadow-models.", type="string", default=None)
    ini("leakpro_time_budget", "As --leakpro-time-budget.", type="string", default=None)
    ini("leakpro_workers", "As --leakpro-workers.", type="int", default=None)
    ini("leakpro_backend", "As --leakpro-backend.", type="string", default=None)
    ini("leakpro_scheduler", "As --leakpro-scheduler.", type="string", default=None)
    ini("leakpro_cache_dir", "As --leakpro-cache-dir.", type="string", default=None)
    ini("leakpro_no_cache", "As --leakpro-no-cache.", type="bool", default=None)
    ini("leakpro_json", "As --leakpro-json.", type="string", default=None)
    ini("leakpro_baseline", "As --leakpro-baseline.", type="string", default=None)
    ini("leakpro_require_baseline", "As --leakpro-require-baseline.", type="bool", default=None)
    ini("leakpro_compare_fail", "As --leakpro-compare-fail.", type="linelist", default=[])
    ini("leakpro_save_scores", "As --leakpro-save-scores.", type="bool", default=None)
    ini("leakpro_save_vulnerable", "As --leakpro-save-vulnerable.", type="int", default=None)
    ini(
        "leakpro_save_reconstructions",
        "As --leakpro-save-reconstructions.",
        type="bool",
        default=None,
    )
    ini("leakpro_markdown", "As --leakpro-markdown.", type="string", default=None)
    ini("leakpro_code_quality", "As --leakpro-code-quality.", type="string", default=None)
    ini("leakpro_report", "As --leakpro-report.", type="string", default=None)
    ini("leakpro_language", "As --leakpro-language.", type="string", default=None)


def is_enabled(config: pytest.Config) -> bool:
    """Tell whether leakage audits run in this session."""
    if config.getoption("no_leakpro"):
        return False
    return bool(chosen(config, "leakpro"))


def chosen(config: pytest.Config, name: str) -> Any:
    """Give the value of an option: the flag's, else the ini key's.

    Raises
    ------
    pytest.UsageError
        Where the ini file has a value of the wrong type.
    """
    given = config.getoption(name)
    if given is not None:
        return given
    try:
        return config.getini(name)
    except (TypeError, ValueError, pytest.UsageError) as error:
        raise pytest.UsageError(f"leakpro: the ini key {name} is wrong: {error}") from None
