"""The command itself: exit codes, and what it costs to start."""

import subprocess
import sys

import pytest

import pytest_leakpro
from pytest_leakpro.cli import main as command
from pytest_leakpro.cli.main import COMMANDS, main
from pytest_leakpro.gate.errors import LeakproError

RUN = "import sys; from pytest_leakpro.cli.main import main; sys.exit(main())"


def test_help_names_every_command_and_loads_nothing_heavy():
    code = (
        "import sys\nfrom pytest_leakpro.cli.main import main\nassert main(['--help']) == 0\n"
        "heavy = {'numpy', 'scipy', 'pandas', 'sklearn', 'torch', 'joblib', 'jsonschema'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    lines = result.stdout.splitlines()
    assert lines[-1] == "[]"
    for name in COMMANDS:
        assert any(line.split()[:1] == [name] for line in lines), name


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pytest-leakpro {pytest_leakpro.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["plann"], ["plan"], ["cache"], ["attacks", "--tar", "x"]]
)
def test_wrong_usage_is_2(arguments, capsys):
    assert main(arguments) == 2
    assert "usage: pytest-leakpro" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (LeakproError("what is wrong"), 2, "pytest-leakpro: what is wrong\n"),
        (PermissionError(13, "Permission denied", "a\nb"), 2, "Permission denied"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_what_goes_wrong_is_said_without_a_traceback(error, code, says, monkeypatch, capsys):
    def stop(argv):
        raise error

    monkeypatch.setattr(command, "_run", stop)
    assert main([]) == code
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "attacks"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 141
    assert err == b""
