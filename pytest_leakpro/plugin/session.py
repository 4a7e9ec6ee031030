"""A session with audits: defaults for every test, records from every worker, one summary.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pytest

from pytest_leakpro.auditing.log import AuditLog
from pytest_leakpro.auditing.session import current_session, session_variable
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.plugin import junit, terminal
from pytest_leakpro.plugin.collected import Collected
from pytest_leakpro.plugin.marker import defaults_of_item
from pytest_leakpro.plugin.settings import read_settings
from pytest_leakpro.plugin.traceback import hide_arguments

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

__all__ = ["LeakproSession"]

_TEST = pytest.StashKey[str]()
_ATTEMPTS = pytest.StashKey["Attempts"]()
_DECIDED = ("PASS", "FAIL")
_WORST = ("ERROR", "REGRESSION", "FAIL", "INCONCLUSIVE", "PASS")


class Attempts:
    """The runs of one test: plugins may repeat it, which must not hide what came before."""

    def __init__(self) -> None:
        self.log = AuditLog()
        self.earlier: list[str] = []
        self.started = self.stopped = False
        self.error: BaseException | None = None

    def begin(self) -> None:
        """Begin another run; the defaults in force keep hold of the log."""
        if self.started:
            self.earlier.append(_outcome(self.log))
            self.log.restart()
        self.started, self.stopped, self.error = True, False, None


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
        self.collected = Collected()
        self.records: list[dict[str, Any]] = []
        self.messages: list[str] = []
        self.remarks: list[str] = []
        self.annotations: list[str] = []
        self._names: dict[str, str] = {}

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep a test's id, to which pytest-xdist adds the name of a group."""
        item.stash[_TEST] = item.nodeid

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember which tests there are."""
        self.collected.tests.update(_test_of(item) for item in items)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that tests were left out."""
        self.collected.partial |= bool(items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Give audits of this test the defaults of its marker."""
        with self._defaults_in_force(item):
            return (yield)

    @contextmanager
    def _defaults_in_force(self, item: pytest.Item) -> Iterator[None]:
        attempts = item.stash[_ATTEMPTS] = Attempts()
        attempts.log.names = self._names
        attacks = self.config.hook.pytest_leakpro_attacks(config=self.config)
        defaults = replace(
            defaults_of_item(item, self.settings.defaults, _test_of(item)),
            log=attempts.log,
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

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin an attempt."""
        item.stash[_ATTEMPTS].begin()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the records of this attempt on its report, as plain data that can cross xdist."""
        attempts = item.stash.get(_ATTEMPTS, None)
        if attempts is None:
            return (yield)
        log = attempts.log
        # Whatever ends a phase early, be it a skip, may have left further audits out.
        attempts.stopped |= call.excinfo is not None
        if call.when != "teardown":
            attempts.error = attempts.error or _error_of(call)
        elif attempts.error and not log.audits and item.get_closest_marker("leakage"):
            from pytest_leakpro.auditing.conductor import fail

            fail(attempts.error, current_session().budgets, current_session())
        if log.audits:  # before the report is made, which takes a copy of the properties
            records = [record for audit in log.audits for record in audit.records]
            junit.set_properties(item, records, attempts.earlier)
        report = yield
        if call.excinfo is not None and call.excinfo.errisinstance(LeakproError):
            hide_arguments(report)
        if log.audits:
            self._illustrate(report, log)
            path, line, _ = item.location
            report.leakpro = {  # type: ignore[attr-defined]
                "test": _test_of(item),
                "location": {
                    "path": PurePath(path).as_posix(),
                    "line": None if line is None else line + 1,
                },
                "attempt": len(attempts.earlier) + 1,
                "earlier": list(attempts.earlier),
                "stopped": attempts.stopped,
                "audits": [asdict(audit) for audit in log.audits],
            }
        return report

    def _illustrate(self, report: pytest.TestReport, log: AuditLog) -> None:
        """Add the figures to the page of pytest-html, where that plugin writes one."""
        if report.when != "call" or not self.config.getoption("htmlpath", None):
            return
        try:
            report.nodeid.encode("utf-8").decode("unicode_escape")
        except UnicodeError:  # an id that would take pytest-html, and the session with it, down
            return
        from pytest_html import extras

        from pytest_leakpro.report.page import html_fragment

        complete = [
            {**record, "earlier": [], "attempt": 1, "location": None}
            for audit in log.audits
            for record in audit.records
        ]
        found = [*getattr(report, "extras", []), extras.html(html_fragment(complete))]
        report.extras = found  # type: ignore[attr-defined]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take up the records of a report, on the controller from every worker."""
        carried = getattr(report, "leakpro", None)
        if carried is not None:
            self.collected.add(carried)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take up what a worker says of the tests that it collected."""
        said = getattr(node, "workeroutput", {}).get("leakpro")
        if said is None:  # it died
            self.collected.partial = True
            return
        self.collected.tests.update(said["tests"])
        self.collected.partial |= said["partial"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the results, and fail a session that decided nothing though it had to."""
        if self.config.option.collectonly:
            return
        if self.is_worker:
            tests = sorted(self.collected.tests) if self.settings.update_baseline else []
            self.config.workeroutput["leakpro"] = {  # type: ignore[attr-defined]
                "tests": tests,
                "partial": self.collected.partial,
            }
            return
        self.records, wrong = self.collected.finish()
        if self.records:
            from pytest_leakpro.plugin.recording import Recording, annotations_on_github

            recording = Recording(self.config, self.settings, self.collected)
            wrong += recording.write(self.records, int(exitstatus))
            self.remarks = recording.remarks
            self.annotations = annotations_on_github(self.config, self.settings, self.records)
        if wrong:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self.messages += wrong
        decided = any(record["verdict"] in _DECIDED for record in self.records)
        if self.settings.require_audits and not decided and exitstatus in (0, 5):
            self.messages.append(
                "no audit ended PASS or FAIL, and leakpro_require_audits asks for at least one"
            )
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary table on the controller."""
        if not self.is_worker:
            audits = self.collected.audits()
            terminal.write_summary(terminalreporter, audits, self.messages, self.remarks)
            for line in self.annotations:
                terminalreporter.ensure_newline()
                terminalreporter.write_line(line)


def _test_of(item: pytest.Item) -> str:
    return item.stash.get(_TEST, item.nodeid)


def _error_of(call: pytest.CallInfo[None]) -> BaseException | None:
    """Give what went wrong in a phase; to skip is not wrong."""
    error = None if call.excinfo is None else call.excinfo.value
    return error if isinstance(error, (Exception, pytest.fail.Exception)) else None


def _outcome(log: AuditLog) -> str:
    """Say in a word how an attempt ended."""
    words = set()
    for audit in log.audits:
        for record in audit.records:
            words.add(record["verdict"])
            change = record.get("change")
            if change is not None and change["outcome"] == "regression":
                words.add("REGRESSION")
    return next((word for word in _WORST if word in words), "no verdict")
