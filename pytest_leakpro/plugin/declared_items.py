"""The audits of a ``leakpro.toml`` as tests: one per budget, measured together.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_leakpro.auditing.session import current_session
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.plugin.declaration import read_declarations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.plugin.declaration import Declaration

__all__ = ["DeclarationFile", "DeclaredAudit", "DeclaredBudget", "add_root_file"]

FILE_NAME = "leakpro.toml"
_MACHINERY = re.compile(
    r"(pytest_leakpro|_pytest|pluggy|importlib|_frozen_importlib(_external)?)(\.|$)"
)
_ENDS_THE_SESSION = (KeyboardInterrupt, pytest.exit.Exception)
_IS_NO_ERROR = (pytest.skip.Exception, pytest.xfail.Exception)


@dataclass(frozen=True)
class _Failure:
    """What kept an audit from being finished.

    Attributes
    ----------
    error : BaseException
        Raised for each of its tests, with `traceback`.
    traceback : TracebackType or None
        To where it came from.
    logged : BaseException
        The same, as the session's log is told of it.
    target : object
        As far as it came about.
    """

    error: BaseException
    traceback: TracebackType | None
    logged: BaseException
    target: Any


# By file and name: pytest makes new nodes of a file for every id that is given for it.
_ENDED = pytest.StashKey["dict[tuple[Path, str], Audit | _Failure]"]()


def add_root_file(config: pytest.Config) -> None:
    """Have the ``leakpro.toml`` in the root directory collected where `testpaths` leave it out.

    Parameters
    ----------
    config : pytest.Config
        Of a session without arguments; its `args` are replaced.
    """
    path = config.rootpath / FILE_NAME
    if not path.is_file() or config.hook.pytest_ignore_collect(collection_path=path, config=config):
        return
    folder = config.invocation_params.dir
    given = {(folder / str(argument).partition("::")[0]).resolve() for argument in config.args}
    if given.isdisjoint([path.resolve(), *path.resolve().parents]):
        # A bare name could be that of a module under --pyargs.
        config.args = [*config.args, f"./{FILE_NAME}"]


class DeclarationFile(pytest.File):
    """A ``leakpro.toml``."""

    def collect(self) -> Iterator[DeclaredAudit]:
        """Give its audits.

        Raises
        ------
        pytest.Collector.CollectError
            Where the file is not as it should be.
        """
        try:
            declarations = read_declarations(self.path, _shown(self.path, self.config))
        except LeakproError as error:
            raise self.CollectError(str(error)) from None
        for declaration in declarations:
            yield DeclaredAudit.from_parent(self, name=declaration.name, declaration=declaration)


class DeclaredAudit(pytest.Collector):
    """One audit of the file.

    Its budgets are measured together, whichever of them are selected, since the attacks that run
    depend on all of them.
    """

    def __init__(self, *, declaration: Declaration, **details: Any) -> None:
        super().__init__(**details)
        self.declaration = declaration

    def collect(self) -> Iterator[DeclaredBudget]:
        """Give its budgets."""
        for index, budget in enumerate(self.declaration.budgets):
            yield DeclaredBudget.from_parent(
                self, name=printable(str(budget.metric)), audit=self, index=index
            )

    @property
    def _ended(self) -> dict[tuple[Path, str], Audit | _Failure]:
        return self.session.stash.setdefault(_ENDED, {})

    def forget(self) -> None:
        """Let the audit run afresh, since a test of it is repeated."""
        self._ended.pop((self.path, self.name), None)

    def measured(self, index: int, session: SessionDefaults) -> Audit:
        """Give what was found for one budget; audit where that has not been done.

        Parameters
        ----------
        index : int
            Which budget.
        session : SessionDefaults
            Of its test.

        Returns
        -------
        Audit
            With the measurement of this budget alone.

        Raises
        ------
        Exception
            What kept the audit from being finished, for each of its tests.
        """
        from pytest_leakpro.auditing.conductor import fail, report

        ended = self._ended.get((self.path, self.name))
        if ended is None:
            finished = self._audit(index, session)
            return replace(finished, measurements=finished.measurements[index : index + 1])
        if isinstance(ended, _Failure):
            if not isinstance(ended.error, _IS_NO_ERROR):
                fail(ended.logged, self._budget(index), session, ended.target)
            raise ended.error.with_traceback(ended.traceback)
        mine = replace(ended, measurements=ended.measurements[index : index + 1])
        return report(mine, session)

    def _audit(self, index: int, session: SessionDefaults) -> Audit:
        from pytest_leakpro.auditing.conductor import conduct, fail
        from pytest_leakpro.plugin.declared_target import make_target

        declared = self.declaration
        where = f"{declared.file}:{declared.target_line}"
        key = (self.path, self.name)
        try:
            target = make_target(declared.target, self.path.parent, self.config.rootpath, where)
        except _ENDS_THE_SESSION:
            raise
        except BaseException as error:
            missing = SimpleNamespace(name=declared.target)
            self._ended[key] = _Failure(error, error.__traceback__, error, missing)
            if not isinstance(error, _IS_NO_ERROR):
                fail(error, self._budget(index), session, missing)
            raise
        try:
            finished = conduct(
                target, declared.budgets, session, only=(declared.budgets[index].metric,)
            )
        except Exception as error:
            self._ended[key] = _Failure(error, error.__traceback__, copy(error), target)
            if isinstance(error, LeakproError):
                error.args = (f"{where}: {declared.target}: {error}",)
            raise
        self._ended[key] = finished
        return finished

    def _budget(self, index: int) -> Any:
        return self.declaration.budgets[index : index + 1]


class DeclaredBudget(pytest.Item):
    """One budget of an audit, as a test."""

    def __init__(self, *, audit: DeclaredAudit, index: int, **details: Any) -> None:
        super().__init__(**details)
        declared = audit.declaration
        budget = declared.budgets[index]
        self.audit = audit
        self.index = index
        self.budget_source = budget.source
        self.add_marker(pytest.mark.leakage(budget, **declared.options))
        if self.config.pluginmanager.hasplugin("xdist"):
            # pytest-xdist takes what follows a "]" for no group.
            group = f"{declared.file}::{declared.name}".replace("]", "_")
            self.add_marker(pytest.mark.xdist_group(group))
        self._is_repeated = False

    def setup(self) -> None:
        """Let the audit run afresh where this test is repeated."""
        if self._is_repeated:
            self.audit.forget()
        self._is_repeated = True

    def runtest(self) -> None:
        """Audit and judge.

        Raises
        ------
        LeakageError, InconclusiveError, LeakproError
            As `pytest_leakpro.assert_leakage_below`.
        Exception
            Whatever the target's module or factory raises.
        """
        __tracebackhide__ = True
        from pytest_leakpro.auditing.conductor import judge

        session = current_session()
        judge(self.audit.measured(self.index, session), session)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Give the place of the budget, and the headline of a failure."""
        line = self.audit.declaration.budget_lines[self.index]
        return self.path, line - 1, f"{self.audit.name}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the message of a failed budget, and of other errors the user's frames."""
        is_ours = isinstance(excinfo.value, LeakproError)
        chosen = style or self.config.getoption("tbstyle", "auto")
        if chosen == "auto" or (chosen == "native" and is_ours):
            chosen = "short"
        shown = super().repr_failure(excinfo, chosen)
        chain: Any = getattr(shown, "chain", ())
        bare = [part for part in chain if not _has_frames(part)]
        if is_ours and len(bare) == len(chain) > 0:
            del chain[:-1]  # causes that name no line of the user's; the message has what they say
        for traceback, crash, _ in bare:
            traceback.extraline = None  # would say that frames are hidden
            for entry in traceback.reprentries:
                entry.lines[:] = [re.sub("^    ", "E   ", line) for line in entry.lines]
            if is_ours and crash is not None:
                crash.path, crash.lineno = self.location[0], self.reportinfo()[1] + 1
        return shown

    def _traceback_filter(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
        traceback = excinfo.traceback
        if isinstance(excinfo.value, LeakproError):
            from pytest_leakpro.shadow.own_code import is_own_name

            return traceback.filter(lambda entry: is_own_name(_module_of(entry)))
        start = next((i for i, e in enumerate(traceback) if _module_of(e) == __name__), 0)
        own = traceback[start:].filter(lambda entry: not _MACHINERY.match(_module_of(entry)))
        # Nothing of the user's has run where a file has wrong syntax; else the fault is ours.
        return own if own or isinstance(excinfo.value, SyntaxError) else traceback.filter(excinfo)


def _shown(path: Path, config: pytest.Config) -> str:
    try:
        return path.relative_to(config.rootpath).as_posix()
    except ValueError:
        return str(path)


def _module_of(entry: Any) -> str:
    return str(entry.frame.f_globals.get("__name__"))


def _has_frames(part: Any) -> bool:
    return any(getattr(entry, "reprfileloc", None) for entry in part[0].reprentries)
