"""``init``: the first test, written for the model and the data that a repository has.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.columns import paragraph, print_lines
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pytest_leakpro.cli.starter.choosing import Found
    from pytest_leakpro.cli.starter.counting import Counted
    from pytest_leakpro.cli.starter.parts import DataPart, ModelPart
    from pytest_leakpro.cli.starter.sources import Sources

__all__ = ["add", "run"]

NAMES = ("test_privacy.py", "test_leakage.py")


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "init",
        help="write a first test for the model in this repository",
        description="Look for a model and its records in the Python files here, write a test that "
        "audits them, and set leakpro_require_audits. Files are read, not run; only the function "
        "that loads the records is called once, in another process, to count them.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--dir", default="tests", metavar="DIR", help="folder of the test, below this one (tests)"
    )
    parser.add_argument("--no-run", action="store_true", help="do not call the loader")
    parser.add_argument("--force", action="store_true", help="overwrite a test that is there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look, count, write, and say what to do next."""
    from pytest_leakpro.cli.starter.choosing import look_through
    from pytest_leakpro.cli.starter.configuring import require_audits, write_visible
    from pytest_leakpro.cli.starter.sources import read_sources

    root = Path.cwd()
    path = _destination(root, arguments.dir, force=arguments.force)
    sources = read_sources(root)
    found = look_through(sources)
    print_lines([_looked_at(sources), *_what_was_found(found)])

    text = _draft(found, sources, path, run_loader=not arguments.no_run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_visible(path, text.encode())
    name = printable(path.relative_to(root).as_posix())
    print_lines([f"wrote {name}", require_audits(root).said, "", "next"])
    if "NotImplementedError" in text:
        print_lines([f"  fill in what {name} asks for"])
    print_lines(
        [f"  pytest --leakpro {name}", "  commit the test; shadow models stay in .leakpro/"]
    )
    return 0


def _destination(root: Path, folder: str, *, force: bool) -> Path:
    """Choose the file; one that is there is kept unless it may be overwritten."""
    home = Path(os.path.normpath(root / folder))
    shown = printable(folder, 80)
    if not home.is_relative_to(root):
        raise LeakproError(f"--dir {shown} lies outside of this folder: give one below it")
    if home.exists() and not home.is_dir():
        raise LeakproError(f"--dir {shown} is a file: give a folder")
    there = [home / name for name in NAMES if os.path.lexists(home / name)]
    audits = [path for path in there if _audits(path)]
    free = [home / name for name in NAMES if home / name not in there]
    if audits or not free:
        path = (audits or there)[0]
        if not force:
            raise LeakproError(
                f"{printable(path.relative_to(root).as_posix())} is there already: "
                "edit it, or overwrite it with --force"
            )
        return path
    return free[0]


def _audits(path: Path) -> bool:
    """Tell whether a test is one of ours, whoever has edited it since."""
    try:
        return "pytest_leakpro" in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True


def _looked_at(sources: Sources) -> str:
    left_out = sum(sources.skipped.values())
    count = len(sources.files)
    line = f"read {count:,} Python file{'s' * (count != 1)}"
    if not count:
        line += ": run this in the root of the repository"
    if left_out:
        reasons = ", ".join(f"{number:,} {why}" for why, number in sorted(sources.skipped.items()))
        line += f"; left out {left_out:,} ({reasons})"
    return line


def _what_was_found(found: Found) -> list[str]:
    from pytest_leakpro.cli.starter.choosing import hindrance

    def line(
        label: str, part: ModelPart | DataPart | None, near: ModelPart | DataPart | None
    ) -> list[str]:
        if part is not None:
            return [f"  {label:<7} {printable(part.described, 200)}"]
        if near is None:
            return [f"  {label:<7} not found"]
        text = f"{near.described}: {hindrance(near)}"
        return [f"  {label:<7} not usable: {printable(text, 300)}"]

    model: ModelPart | DataPart | None = found.model
    if model is None and found.data is not None and found.data.model is not None:
        model = found.data
    lines = [*line("model", model, found.near_model), *line("records", found.data, found.near_data)]
    if model is None or found.data is None:
        lines += paragraph(
            "What would be found: a function that returns X_train, X_test, y_train, y_test, and "
            "one that takes X and y and returns the fitted model.",
            "  ",
        )
    if found.others:
        names = ", ".join(one.name for one in found.others[:5])
        lines.append(f"  also    {printable(names, 200)}: a test each would audit them too")
    return lines


def _draft(found: Found, sources: Sources, path: Path, *, run_loader: bool) -> str:
    from pytest_leakpro.cli.starter.choosing import hindrance
    from pytest_leakpro.cli.starter.paths import needed_folders
    from pytest_leakpro.cli.starter.writing import Draft

    model, data, counted = found.model, found.data, None
    near_model = near_data = ""
    if found.near_model is not None:
        near_model = f"{found.near_model.described}: {hindrance(found.near_model)}"
    if found.near_data is not None:
        near_data = f"{found.near_data.described}: {hindrance(found.near_data)}"
    if data is not None and run_loader:
        counted = _count(data, sources)
        if counted.kinds and not counted.sizes:
            near_data = f"{data.described}: {counted.problem}, and not pairs (X, y)"
            data = None
            if model is not None and model.how in {"finish", "variable"}:
                near_model = f"{model.described}: it goes with those records"
                model = None
    used = [part.source for part in (model, data) if part is not None]
    if model is not None and model.maker is not None:
        used.append(model.maker.source)
    budget, remarks, command = _budget(found, data, counted)
    depth = len(path.relative_to(sources.root).parts) - 1
    draft = Draft(
        model,
        data,
        budget,
        tuple(remarks),
        command,
        near_model=near_model,
        near_data=near_data,
        folders=tuple(needed_folders(used, sources)),
        depth=depth,
        datasets=data is not None
        and (
            "dataset" in counted.kinds if counted is not None and counted.kinds else data.datasets
        ),
    )
    return draft.text()


def _count(data: DataPart, sources: Sources) -> Counted:
    from pytest_leakpro.cli.starter.counting import SECONDS, count_records
    from pytest_leakpro.cli.starter.paths import all_folders
    from pytest_leakpro.cli.starter.statements import counting_statements

    what = f"{data.name}()" if data.name else f"importing {data.source.path}"
    how = f"in another process, at most {SECONDS:.0f} s (--no-run leaves it out)"
    print_lines([f"counting records by {printable(what, 80)} {how}"])
    folders = [sources.root / folder for folder in all_folders([data.source], sources)]
    counted = count_records(counting_statements(data), folders, sources.root)
    if not counted.sizes:
        print_lines(paragraph(f"not counted: {counted.problem}", "  "))
    elif data.pooled:
        print_lines([f"  {counted.sizes[0]:,} records, of which a Recipe trains on half"])
    else:
        print_lines([f"  {counted.sizes[0]:,} members, {counted.sizes[-1]:,} non-members"])
    return counted


def _budget(
    found: Found, data: DataPart | None, counted: Counted | None
) -> tuple[str, Sequence[str], str]:
    """Choose the budget, the comment that explains it, and the command that this ends with."""
    from pytest_leakpro.cli.starter.ladder import USUAL_SIZE, strictest_budget
    from pytest_leakpro.cli.suites import default_suite
    from pytest_leakpro.targets.classifier import Classifier
    from pytest_leakpro.targets.regressor import Regressor

    kind = found.model.kind if found.model is not None else data.model if data is not None else None
    target = Regressor if kind is not None and kind.regression else Classifier
    how = found.model.how if found.model is not None else "train"
    shadows = how in {"train", "build"} or kind is None or kind.library == "sklearn"
    attacks = len(default_suite(target, shadows=shadows))
    sizes = counted.sizes if counted is not None else ()
    if data is not None and data.pooled and sizes:
        sizes = (sizes[0] // 2, sizes[0] - sizes[0] // 2)
    usual = strictest_budget(USUAL_SIZE, USUAL_SIZE, attacks)
    assert usual is not None
    remarks = []
    if data is not None and not data.seeded:
        remarks.append(
            f"{data.name}() splits anew in every call: a random_state makes runs comparable."
        )
    if not shadows:
        remarks.append("Without train= no shadow models are trained: the attacks are weak ones.")
    if not sizes:
        remarks.append(
            f"For {USUAL_SIZE:,} members and as many non-members. What yours can decide:"
        )
        return str(usual), remarks, f'pytest-leakpro plan "{usual}" --sizes MEMBERS,NONMEMBERS'
    members, nonmembers = sizes
    budget = strictest_budget(members, nonmembers, attacks)
    if budget is None:
        remarks.append(
            f"{members:,} members and {nonmembers:,} non-members can decide no budget. "
            "How many it takes:"
        )
        print_lines([f"  no budget can be decided by so few: {usual} is written all the same"])
        return str(usual), remarks, f'pytest-leakpro plan "{usual}"'
    remarks.append(
        f"{members:,} members and {nonmembers:,} non-members can decide this. To plan for others:"
    )
    print_lines([f"  these decide {budget}"])
    return str(budget), remarks, f'pytest-leakpro plan "{budget}"'
