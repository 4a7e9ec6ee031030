"""A session with audits: defaults for every test, records from every worker, one summary.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_leakpro.auditing.session import session_variable
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.plugin import junit, terminal
from pytest_leakpro.plugin.marker import defaults_of_item
from pytest_leakpro.plugin.settings import read_settings
from pytest_leakpro.plugin.traceback import hide_arguments

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pytest_leakpro.auditing.outcome import Audit

__all__ = ["LeakproSession"]

_PENDING = pytest.StashKey[list[dict[str, Any]]]()
_DECIDED = ("PASS", "FAIL")


class LeakproSession:
    """The hooks of a session in which audits run.

    Parameters
    ----------
    config : pytest.Config
        Of this process: the controller's or a worker's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings = read_settings(config)
        self.is_worker = hasattr(config, "workerinput")
        # By test and phase, so that a rerun replaces what it repeats.
        self.collected: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.messages: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Give audits of this test the defaults of its marker, and collect what they find."""
        with self._defaults_in_force(item):
            return (yield)

    @contextmanager
    def _defaults_in_force(self, item: pytest.Item) -> Iterator[None]:
        from dataclasses import replace

        def collect(audit: Audit) -> None:
            record = {"notes": list(audit.notes), "measurements": audit.to_plain()}
            item.stash.setdefault(_PENDING, []).append(record)
            junit.set_properties(item, audit)

        attacks = self.config.hook.pytest_leakpro_attacks(config=self.config)
        defaults = replace(
            defaults_of_item(item, self.settings.defaults),
            collect=collect,
            say=self._say,
            others=tuple(attack for brought in attacks for attack in brought or ()),
        )
        token = session_variable.set(defaults)
        try:
            yield
        finally:
            session_variable.reset(token)

    def _say(self, line: str) -> None:
        """Say what takes long while it does, past pytest's capture; workers have no terminal."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        if self.is_worker or reporter is None or reporter.verbosity < 0:
            return
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            reporter.ensure_newline()
            reporter.write_line(f"leakpro: {line}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the records of this phase on its report, as plain data that can cross xdist."""
        report = yield
        if call.excinfo is not None and call.excinfo.errisinstance(LeakproError):
            hide_arguments(report)
        pending = item.stash.get(_PENDING, [])
        if pending:
            report.leakpro = {"audits": pending}  # type: ignore[attr-defined]
            item.stash[_PENDING] = []
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take up the records of a report, on the controller from every worker."""
        carried = getattr(report, "leakpro", None)
        if carried is not None:
            self.collected[report.nodeid, report.when] = carried["audits"]

    def audits(self) -> list[dict[str, Any]]:
        """Give the audits in the order of their tests' ids, each with the id of its test."""
        found: list[dict[str, Any]] = []
        for (nodeid, _), audits in sorted(self.collected.items()):
            found.extend({"test": nodeid, **audit} for audit in audits)
        return found

    def records(self) -> list[dict[str, Any]]:
        """Give one record per measurement, with the id of its test."""
        seen: dict[tuple[str, ...], int] = {}
        records = []
        for audit in self.audits():
            for measurement in audit["measurements"]:
                identity = (audit["test"], measurement["target"], measurement["metric"])
                seen[identity] = seen.get(identity, -1) + 1
                records.append(
                    {
                        "test": audit["test"],
                        "occurrence": seen[identity],
                        **measurement,
                        "notes": [*audit["notes"], *measurement["notes"]],
                    }
                )
        return records

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the results, and fail a session that decided nothing though it had to."""
        if self.is_worker or self.config.option.collectonly:
            return
        records = self.records()
        if self.settings.json_path and records:
            self._write(records, session)
        decided = any(record["verdict"] in _DECIDED for record in records)
        if self.settings.require_audits and not decided and exitstatus in (0, 5):
            self.messages.append(
                "no audit ended PASS or FAIL, and leakpro_require_audits asks for at least one"
            )
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, records: list[dict[str, Any]], session: pytest.Session) -> None:
        from pytest_leakpro import __version__
        from pytest_leakpro.store.results import write_results

        assert self.settings.json_path is not None
        path = Path(self.config.invocation_params.dir, self.settings.json_path)
        try:
            write_results(path, records, __version__)
        except OSError as error:
            self.messages.append(f"the results could not be written to {path}: {error}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary table on the controller."""
        if not self.is_worker:
            terminal.write_summary(terminalreporter, self.audits(), self.messages)
