"""The one line that ``init`` puts into the configuration that a repository has."""

import os
import stat
import subprocess
import sys

import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.cli.starter.configuring import LINE, require_audits

KEY = "leakpro_require_audits"


SPACED = "[ tool . pytest . ini_options ]  # here"


@pytest.mark.parametrize(
    ("name", "header", "before", "after"),
    [
        ("pytest.ini", "[pytest]", "# ours\n", "addopts = -ra\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]", "[project]\n", 'addopts = "-ra"\n'),
        ("pyproject.toml", "[tool.pytest]", "", 'addopts = ["-ra"]\n[tool.ruff]\n'),
        ("pyproject.toml", SPACED, "", ""),
        ("tox.ini", "[pytest]", "[tox]\nenv_list = a\n\n", "testpaths =\n  tests\n[testenv]\n"),
        ("setup.cfg", "[tool:pytest]", "[metadata]\nname = a\n", "addopts = -ra\n"),
    ],
)
def test_a_line_below_the_header_and_nothing_else(name, header, before, after, tmp_path):
    path = tmp_path / name
    path.write_text(f"{before}{header}\n{after}")
    path.chmod(0o640)
    assert require_audits(tmp_path).said == f"set {LINE} in {name}"
    assert path.read_text() == f"{before}{header}\n{LINE}\n{after}"
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert f"{name} has {KEY} = true already" in require_audits(tmp_path).said
    assert path.read_text() == f"{before}{header}\n{LINE}\n{after}"


def test_line_ends_are_kept(tmp_path):
    path = tmp_path / "pytest.ini"
    path.write_bytes(b"[pytest]\r\naddopts = -ra\r\n")
    require_audits(tmp_path)
    assert path.read_bytes() == b"[pytest]\r\n" + LINE.encode() + b"\r\naddopts = -ra\r\n"
    path.write_bytes(b"[pytest]")
    require_audits(tmp_path)
    assert path.read_bytes() == b"[pytest]\n" + LINE.encode() + b"\n"


@pytest.mark.parametrize("other", ["", '[project]\nname = "a"\n'])
def test_a_file_is_written_where_there_is_none(other, tmp_path):
    (tmp_path / "pyproject.toml").write_text(other)
    assert require_audits(tmp_path).said == f"wrote pytest.ini with {LINE}"
    assert (tmp_path / "pytest.ini").read_text() == f"[pytest]\n{LINE}\n"
    assert (tmp_path / "pyproject.toml").read_text() == other
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        assert stat.S_IMODE((tmp_path / "pytest.ini").stat().st_mode) == 0o666 & ~mask


def test_pytests_own_file_may_be_empty(tmp_path):
    (tmp_path / "pytest.ini").write_text("# nothing yet")
    require_audits(tmp_path)
    assert (tmp_path / "pytest.ini").read_text() == f"# nothing yet\n[pytest]\n{LINE}\n"


def test_a_choice_that_was_made_is_kept(tmp_path):
    text = f"[pytest]\n{KEY} = false\n"
    (tmp_path / "pytest.ini").write_text(text)
    assert require_audits(tmp_path).said == f"pytest.ini has {KEY} = false already"
    assert (tmp_path / "pytest.ini").read_text() == text


@pytest.mark.parametrize(
    "text",
    [
        'about = """\n[tool.pytest]\n"""\n[tool.pytest.ini_options]\n',  # the first is a string
        "[tool.pytest.ini_options]\naddopts = [\n",  # broken already
    ],
)
def test_a_file_that_would_not_mean_the_same_is_left_to_the_user(text, tmp_path):
    (tmp_path / "pyproject.toml").write_text(text)
    assert "yourself" in require_audits(tmp_path).said
    assert (tmp_path / "pyproject.toml").read_text() == text


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_is_left_to_the_user(tmp_path):
    real = tmp_path / "shared.ini"
    real.write_text("[pytest]\n")
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "pytest.ini").symlink_to(real)
    assert "is a link" in require_audits(repository).said
    assert real.read_text() == "[pytest]\n"


def test_the_configuration_of_the_whole_repository_is_found_from_below(tmp_path):
    (tmp_path / "setup.cfg").write_text("[tool:pytest]\n")  # beyond the repository
    repository = tmp_path / "repository"
    below = repository / "services" / "churn"
    below.mkdir(parents=True)
    (repository / ".git").mkdir()
    (repository / "tox.ini").write_text("[pytest]\n")
    assert require_audits(below).path == repository / "tox.ini"
    (repository / "tox.ini").unlink()
    assert require_audits(below).path == below / "pytest.ini"
    assert (tmp_path / "setup.cfg").read_text() == "[tool:pytest]\n"


@pytest.mark.parametrize("native", [False, True])
def test_pytest_reads_the_line(native, tmp_path, monkeypatch):
    section = "tool.pytest" if native else "tool.pytest.ini_options"
    (tmp_path / "pyproject.toml").write_text(f"[{section}]\n")
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--no-run"]) == 0
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--leakpro",
        "-k",
        "nothing",
        "-p",
        "no:cacheprovider",
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    if native and "tool.pytest" in result.stderr:
        pytest.skip("this pytest has no native table")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "no audit ended PASS or FAIL" in result.stdout
