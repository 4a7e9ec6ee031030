"""The files that users copy into their repositories."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "ci"
FILES = sorted(FOLDER.glob("*.yml"))
FLAGS = {
    "--leakpro",
    "--leakpro-markdown",
    "--leakpro-code-quality",
    "--leakpro-require-baseline",
    "--leakpro-require-audits",
    "--leakpro-baseline",
}


def text(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def loaded(name):
    return pytest.importorskip("yaml").safe_load(text(name))


def step(name):
    (found,) = [
        entry for entry in loaded("github.yml")["jobs"]["audits"]["steps"] if name in str(entry)
    ]
    return found


def test_the_files_are_there():
    assert [path.name for path in FILES] == ["github.yml", "gitlab.yml"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_their_flags_exist(path, pytester):
    used = set(re.findall(r"--leakpro[a-z-]*", path.read_text(encoding="utf-8")))
    assert "--leakpro" in used
    assert used <= FLAGS
    declared = re.findall(r"--leakpro[a-z-]*", pytester.runpytest("--help").stdout.str())
    assert used <= set(declared)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_they_look_like_yaml(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert "\t" not in line
        assert line == line.rstrip()
        content = line.lstrip(" ")
        assert (len(line) - len(content)) % 2 == 0
    top = [line for line in lines if re.match(r"[a-z]", line)]
    assert all(re.match(r"[a-z-]+:", line) for line in top)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_they_warn_of_the_cache(path):
    assert "PERSONAL DATA" in path.read_text(encoding="utf-8")


def test_github_has_the_least_permissions():
    workflow = loaded("github.yml")
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    # YAML 1.1 reads "on" as true.
    assert set(workflow[True]) == {"push", "pull_request"}
    assert step("actions/checkout")["with"] == {"persist-credentials": False}


def test_github_audits_and_comments_once():
    assert step("pytest --leakpro")["run"] == (
        "pytest --leakpro --leakpro-require-audits --leakpro-markdown=leakpro.md "
        "--junitxml=junit.xml"
    )
    comment = step("gh pr comment")
    assert comment["run"].endswith("--edit-last --create-if-none --body-file leakpro.md")
    assert comment["if"].startswith("always() && github.event_name == 'pull_request' && ")
    assert "head.repo.full_name == github.repository" in comment["if"]
    # Only this step sees the token.
    assert text("github.yml").count("github.token") == 1


def test_github_caches_in_private_repositories_only_and_when_red():
    restore, save = step("actions/cache/restore"), step("actions/cache/save")
    assert restore["if"] == "github.event.repository.private"
    assert save["if"].startswith("always() && github.event.repository.private && ")
    assert restore["with"]["path"] == save["with"]["path"] == ".leakpro/cache"
    assert "steps.signals." in save["with"]["key"]
    assert restore["id"] == "signals"
    key, fallbacks = restore["with"]["key"], restore["with"]["restore-keys"].splitlines()
    assert len(fallbacks) == 2
    assert all(key.startswith(fallback) for fallback in fallbacks)


def test_github_keeps_runs_only_if_asked():
    keep = step("upload-artifact")
    assert "vars.LEAKPRO_KEEP_RUNS == 'true'" in keep["if"]
    assert keep["with"]["path"] == ".leakpro/runs"
    assert keep["with"]["include-hidden-files"] is True


def test_gitlab_reports_also_when_red():
    (job,) = loaded("gitlab.yml").values()
    command = job["script"][-1]
    artefacts = job["artifacts"]
    assert artefacts["when"] == "always"
    assert f"--leakpro-code-quality={artefacts['reports']['codequality']} " in command
    assert command.endswith(f"--junitxml={artefacts['reports']['junit']}")
    assert f"--leakpro-markdown={artefacts['paths'][0]} " in command
    assert job["cache"][1]["paths"] == [".leakpro/cache"]
    assert job["cache"][1]["when"] == "always"
