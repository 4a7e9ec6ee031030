"""The attack of the extension guide, registered as the guide says."""

import sys

from pytest_leakpro.attacks.registry import ENTRY_POINT_GROUP, attack_named
from tests.docs.pages import Command, missing, printed, put, steps

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = "extending.md"


def installed(folder):
    """Stand in for `pip install`: the metadata that it would write of the page's package."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"][ENTRY_POINT_GROUP].items()
    lines = [f"[{ENTRY_POINT_GROUP}]", *(f"{name} = {place}" for name, place in points)]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return [name for name, _ in points]


def test_the_attack_of_the_guide_is_found_and_finds_what_is_there(folder, monkeypatch):
    page = list(steps(PAGE))
    for step in page:
        if not isinstance(step, Command):
            put(step, folder)
    monkeypatch.syspath_prepend(folder)
    names = installed(folder)
    for command in (step for step in page if isinstance(step, Command)):
        lines = printed(command.words, folder)
        assert missing(command.printed, lines) is None, "\n".join(lines)
    assert [attack_named(name).name for name in names] == names


def test_the_attack_takes_no_more_lines_than_are_promised():
    text = next(step.text for step in steps(PAGE) if getattr(step, "name", "") == "acme_attacks.py")
    assert len(text.splitlines()) <= 40
