"""The written test works: what ``init`` made of a repository, run by pytest as users run it."""

import os
import re
import subprocess
import sys
import time

import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.cli.starter.counting import count_records
from pytest_leakpro.cli.starter.ladder import RUNGS, strictest_budget
from tests.cli import repositories
from tests.cli.repositories import write

# As the command `pytest` does it, without the current folder on the path.
PYTEST = (
    "import sys; sys.path[:] = [entry for entry in sys.path if entry]; "
    "import pytest; sys.exit(pytest.main())"
)


@pytest.mark.parametrize(
    ("files", "sizes", "budget"),
    [
        pytest.param(
            repositories.PACKAGE,
            "284 members, 285 non-members",
            "tpr@1%fpr <= 10%",
            marks=pytest.mark.slow,
        ),
        (repositories.NETWORK, "300 members, 300 non-members", "tpr@1%fpr <= 10%"),
        (repositories.POOL, "178 records, of which a Recipe trains on half", "auc <= 0.71"),
        pytest.param(
            repositories.SCRIPT,
            "331 members, 111 non-members",
            "auc <= 0.67",
            marks=pytest.mark.slow,
        ),
        (repositories.COHORT, "300 members, 300 non-members", "tpr@1%fpr <= 10%"),
    ],
    ids=["package", "network", "pool", "script", "cohort"],
)
def test_the_written_test_runs_an_audit(files, sizes, budget, tmp_path, monkeypatch, capsys):
    if files is repositories.NETWORK:
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    write(tmp_path, files)
    assert main(["init"]) == 0
    out = capsys.readouterr().out
    assert sizes in out
    assert f"these decide {budget}" in out
    command = [sys.executable, "-c", PYTEST, "--leakpro", "-p", "no:cacheprovider"]
    command += ["--leakpro-shadow-models=6", "--leakpro-workers=1"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    assert re.search(r"^1 budget: 1 (PASS|FAIL|INCONCLUSIVE) ", result.stdout, re.M), result.stdout
    assert "6 shadow models" in result.stdout


def test_what_is_left_to_fill_in_fails(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, repositories.MAIN_ONLY)
    assert main(["init"]) == 0
    command = [sys.executable, "-c", PYTEST, "-p", "no:cacheprovider"]
    off = subprocess.run(command, capture_output=True, text=True)
    assert "1 skipped" in off.stdout
    on = subprocess.run([*command, "--leakpro"], capture_output=True, text=True)
    assert on.returncode == 1
    assert "NotImplementedError: fill in records()" in on.stdout


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise OSError('no such file: data.csv')", "it failed: OSError: no such file: data.csv"),
        ("import os; os._exit(7)", "it failed: exit code 7"),
        ("return X, X, y, y[:3]", "it gives"),
    ],
)
def test_a_loader_that_does_not_load_leaves_the_usual_budget(
    body, says, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    source = repositories.AWKWARD["model.py"].replace(
        "    a, b,", f"    X_train, X_test, y_train, y_test = X, X, y, y\n    {body}\n    a, b,"
    )
    write(tmp_path, {"model.py": source})
    assert main(["init"]) == 0
    assert f"not counted: {says}" in capsys.readouterr().out
    text = (tmp_path / "tests" / "test_privacy.py").read_text()
    assert f'@pytest.mark.leakage("{RUNGS[0]}")' in text
    assert "--sizes MEMBERS,NONMEMBERS" in text


def test_tables_are_left_to_be_divided(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        {
            "data.py": "import pandas as pd\nfrom sklearn.model_selection import train_test_split\n"
            "def load():\n    table = pd.DataFrame({'a': range(50), 'y': [0, 1] * 25})\n"
            "    train, test = train_test_split(table, random_state=0)\n    return train, test\n",
        },
    )
    assert main(["init"]) == 0
    assert "not counted: it gives table" in capsys.readouterr().out
    text = (tmp_path / "tests" / "test_privacy.py").read_text()
    assert "# Found, but: load() in data.py: it gives table, and not pairs (X, y)" in text
    assert "def records():" in text


def test_a_loader_that_never_ends_is_ended_with_what_it_started(tmp_path):
    child = "while True: open('alive', 'a').write('.'); time.sleep(0.02)"
    code = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {'import time' + chr(10) + child!r}])\n"
    )
    counted = count_records(code, [], tmp_path, seconds=3)
    assert counted.problem == "it took longer than 3 s"
    alive = tmp_path / "alive"
    before = alive.stat().st_size
    assert before > 0
    time.sleep(0.3)
    if os.name == "posix":
        assert alive.stat().st_size == before


def test_the_budget_is_the_strictest_that_can_be_decided():
    from pytest_leakpro.gate.metrics.base import Sizes
    from pytest_leakpro.gate.planner import null_pass_chance

    chosen = [strictest_budget(size, size, 2) for size in (10, 60, 300, 1000, 4000, 100_000)]
    assert [str(one) for one in chosen[2:]] == [
        "tpr@1%fpr <= 10%",
        "tpr@0.1%fpr <= 2%",
        "tpr@0.1%fpr <= 1%",
        "tpr@0.1%fpr <= 1%",
    ]
    assert chosen[0] is None or chosen[0].metric.name == "auc"
    for size, budget in zip((60, 300, 1000), chosen[1:4], strict=True):
        chance = null_pass_chance(budget.metric, budget.limit, Sizes(size, size), 0.05, 2)
        assert chance >= 0.95


def test_too_few_records_for_any_budget(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    source = repositories.POOL["model.py"].replace("return X, y", "return X[:6], y[:6]")
    write(tmp_path, {"model.py": source})
    assert main(["init"]) == 0
    assert "no budget can be decided by so few" in capsys.readouterr().out
    text = (tmp_path / "tests" / "test_privacy.py").read_text()
    assert "# 3 members and 3 non-members can decide no budget. How many it takes:" in text
