"""What a session writes when it ends: its record, the baseline, and what CI shows.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store.atomic import write_text
from pytest_leakpro.store.documents import write_run
from pytest_leakpro.store.history import History

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from pytest_leakpro.plugin.collected import Collected
    from pytest_leakpro.plugin.settings import Settings

__all__ = ["Recording", "annotations_on_github"]

_OUTPUTS = {
    "json": "the results",
    "markdown": "the summary as Markdown",
    "code_quality": "the code quality report",
    "report": "the report",
}


class Recording:
    """The files that one session writes, on the controller.

    Parameters
    ----------
    config : pytest.Config
        Of the session.
    settings : Settings
        Where to write what.
    collected : Collected
        Which tests there were.

    Attributes
    ----------
    remarks : list of str
        What the user should know; nothing of it is wrong.
    """

    def __init__(self, config: pytest.Config, settings: Settings, collected: Collected) -> None:
        self._config = config
        self._settings = settings
        self._collected = collected
        self.remarks: list[str] = []
        self._wrong: list[str] = []

    def write(self, records: list[dict[str, Any]], exit_status: int) -> list[str]:
        """Write everything that was asked for.

        Parameters
        ----------
        records : list of dict
            At least one. They get the commit.
        exit_status : int
            Of the session.

        Returns
        -------
        list of str
            What could not be written though it was asked for.
        """
        from pytest_leakpro import __version__

        commit = commit_of(Path(self._config.rootpath))
        for record in records:
            record["commit"] = commit
        earlier = self._earlier()
        self._keep(records, exit_status, __version__)
        outputs: dict[str, Callable[[Path], None]] = {
            "json": lambda path: write_run(path, records, __version__),
            "markdown": lambda path: write_text(path, self._markdown(records)),
            "code_quality": lambda path: write_text(path, self._code_quality(records)),
            "report": lambda path: write_text(path, self._report(records, exit_status, earlier)),
        }
        for kind, path in self._settings.outputs.items():
            self._attempt(_OUTPUTS[kind], path, outputs[kind])
        self._summarise_on_github(records)
        if self._settings.update_baseline:
            self._update_baseline(records, __version__)
        else:
            self.remarks += _without_baseline(records, self._settings)
        return self._wrong

    def _keep(self, records: list[dict[str, Any]], exit_status: int, version: str) -> None:
        """Add the run to the history. A folder that cannot be written loses no verdict."""
        history = History(self._settings.private)
        try:
            history.add(records, version, exit_status)
        except OSError as error:
            self.remarks.append(f"this run is not kept in {history.folder}: {_why(error)}")

    def _attempt(self, what: str, path: Path, write: Callable[[Path], None]) -> None:
        try:
            write(path)
        except OSError as error:
            self._wrong.append(f"{what} could not be written to {path}: {_why(error)}")

    def _markdown(self, records: list[dict[str, Any]], **options: Any) -> str:
        from pytest_leakpro.report.markdown import job_summary

        remarks = [*self._wrong, *_without_baseline(records, self._settings)]
        return job_summary(records, remarks, **options)

    def _earlier(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Give the runs before this one, where somebody asks for them."""
        if "report" not in self._settings.outputs:
            return [], []
        return History(self._settings.private).outlines()

    def _report(
        self,
        records: list[dict[str, Any]],
        exit_status: int,
        earlier: tuple[list[dict[str, Any]], list[str]],
    ) -> str:
        from pytest_leakpro import __version__
        from pytest_leakpro.report.html.document import ENDED_EARLY, render_page
        from pytest_leakpro.report.series import series
        from pytest_leakpro.report.texts.catalogue import words_of

        runs, unread = earlier
        today = dt.datetime.now(dt.timezone.utc).date().isoformat()
        return render_page(
            records,
            words=words_of(self._settings.language),
            made_on=today,
            measured_on=today,
            version=__version__,
            history=series([*runs, {"measurements": records}]),
            unread=unread,
            ended_early=exit_status in ENDED_EARLY,
        )

    def _code_quality(self, records: list[dict[str, Any]]) -> str:
        from pytest_leakpro.report.gitlab import code_quality

        prefix = _prefix(self._config.rootpath, os.environ.get("CI_PROJECT_DIR"))
        return json.dumps(code_quality(records, prefix), indent=2) + "\n"

    def _summarise_on_github(self, records: list[dict[str, Any]]) -> None:
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if not path or os.environ.get("GITHUB_ACTIONS") != "true":
            return
        from pytest_leakpro.report.markdown import SUMMARY_BYTES

        text = self._markdown(records, max_bytes=SUMMARY_BYTES)
        try:
            # What the step wrote before stays.
            with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError as error:
            self.remarks.append(f"the job summary could not be written: {_why(error)}")

    def _update_baseline(self, records: list[dict[str, Any]], version: str) -> None:
        from pytest_leakpro.store.baseline import update_baseline

        path = self._settings.baseline_path
        finished = self._collected.finished_tests()
        complete = not self._is_partial()

        def gone(entry: Mapping[str, Any]) -> bool:
            return complete and (
                entry["test"] not in self._collected.tests or entry["test"] in finished
            )

        try:
            changed, removed = update_baseline(path, self._settings.private, records, version, gone)
        except (OSError, LeakproError) as error:
            why = _why(error) if isinstance(error, OSError) else str(error)
            self._wrong.append(f"the baseline {path} was not updated: {why}")
            return
        said = f"{changed} changed" if changed else "nothing changed"
        if removed:
            said += f", {removed} of tests that are gone removed"
        if changed or removed:
            said += "; review and commit it"
        self.remarks.append(f"baseline {path.name}: {said}")

    def _is_partial(self) -> bool:
        """Tell whether tests may be missing: then what was not measured is not gone."""
        config = self._config
        whole = (config.ArgsSource.INVOCATION_DIR, config.ArgsSource.TESTPATHS)
        in_root = config.invocation_params.dir == config.rootpath
        asked = any(
            config.getoption(option, None)
            for option in ("keyword", "lf", "failedfirst", "stepwise", "deselect", "ignore")
        )
        return (
            self._collected.partial
            or asked
            or config.args_source not in whole
            or not (in_root or config.args_source is config.ArgsSource.TESTPATHS)
        )


def _without_baseline(records: list[dict[str, Any]], settings: Settings) -> list[str]:
    lacking = [
        record
        for record in records
        if record["comparable"] is not None
        and (record.get("change") or {}).get("outcome") == "no baseline"
    ]
    if not lacking:
        return []
    if settings.defaults.baseline is None:
        name = settings.baseline_path.name
        return [f"no baseline yet; --leakpro-update-baseline writes {name}"]
    one = len(lacking) == 1
    noun, object_ = ("measurement has", "it") if one else ("measurements have", "them")
    return [f"{len(lacking)} {noun} no baseline yet; --leakpro-update-baseline adds {object_}"]


def annotations_on_github(
    config: pytest.Config, settings: Settings, records: list[dict[str, Any]]
) -> list[str]:
    """Give the lines that GitHub turns into annotations; none elsewhere."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    from pytest_leakpro.report.github import annotations

    prefix = _prefix(config.rootpath, os.environ.get("GITHUB_WORKSPACE"))
    fails = settings.defaults.inconclusive == "fail"
    return annotations(records, prefix, inconclusive_fails=fails)


def commit_of(folder: Path) -> dict[str, Any] | None:
    """Give the commit that is checked out; None where there is no git, or no commit yet."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(  # noqa: S603 - no text of the user's
            command, cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    commit, _, dirty = found.stdout.strip().partition("-")
    return {"id": commit, "dirty": dirty == "dirty"}


def _prefix(root: Path, repository: str | None) -> str:
    """Give the path from the repository's root to pytest's, empty where they are one."""
    if not repository:
        return ""
    relative = PurePath(os.path.relpath(root, repository)).as_posix()
    return "" if relative == "." or relative.startswith("..") else relative


def _why(error: OSError) -> str:
    return error.strerror or str(error)
