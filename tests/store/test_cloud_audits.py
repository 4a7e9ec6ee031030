"""Whole sessions, and the command line, with a cache that several machines share."""

import json

import numpy as np
import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.store.open_cache import open_cache
from tests.plugin.test_results import constant
from tests.store.conftest import closed_port, installed, needs_s3

KEYS = ("ab" * 32, "cd" * 32)
TEST = """
import numpy as np, pytest
from sklearn.tree import DecisionTreeClassifier
from pytest_leakpro import Classifier

def fit(X, y, seed):
    return DecisionTreeClassifier(random_state=seed).fit(X, y)

@pytest.mark.parametrize("name", ["one", "two"])
def test_it(leakpro, name):
    rng = np.random.default_rng(len(name))
    X = rng.normal(size=(400, 4))
    y = (X[:, 0] + rng.normal(size=400) > 0).astype(int)
    members, nonmembers = (X[:200], y[:200]), (X[200:], y[200:])
    model = fit(*members, 0 if name == "one" else 1)
    leakpro.measure(
        Classifier(model, members, nonmembers, train=fit, name=name, trainer_version=name),
        "auc <= 0.55",
    )
"""


@pytest.fixture
def machine(pytester, monkeypatch):
    """Runs the same tests in a new root directory, as another machine would."""

    def run(name, *flags, ini=""):
        root = pytester.mkdir(name)
        monkeypatch.chdir(root)
        (root / "test_models.py").write_text(TEST)
        (root / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
        # In a process of its own: libraries that talk to S3 do not bear being forgotten.
        result = pytester.runpytest_subprocess(
            "--leakpro", "--leakpro-shadow-models=6", "--leakpro-json=out.json", *flags,
            f"--rootdir={root}",
        )  # fmt: skip
        result.assert_outcomes(passed=2)
        return result.stdout.str(), root, constant(json.loads((root / "out.json").read_text()))

    return run


@needs_s3
def test_a_second_machine_trains_nothing(machine, bucket):
    flag = f"--leakpro-cache-dir={bucket}/shared"
    said, root, first = machine("first", flag, "--leakpro-workers=2")
    assert said.count("leakpro: 6 shadow models x ") == 2
    assert said.count(", then cached") == 2
    assert not (root / ".leakpro" / "cache").exists()
    assert not list(root.glob("s3*"))
    assert sorted(entry.files for entry in open_cache(f"{bucket}/shared").entries()) == [6, 6]
    said, _, second = machine("second", ini=f"leakpro_cache_dir = {bucket}/shared")
    assert "shadow models x" not in said
    _, _, local = machine("third", "--leakpro-workers=1")
    assert first == second == local


@needs_s3
def test_an_unreachable_server_is_said_once_and_changes_nothing(machine, s3_settings):
    s3_settings.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port()}")
    flags = ("--leakpro-cache-dir=s3://bucket/x", "--leakpro-workers=2")
    said, _, alone = machine("unreachable", *flags)
    assert said.count("the cache s3://bucket/x cannot be read") == 1
    assert said.count(", not cached") == 2
    assert "EndpointConnectionError" in said
    assert alone == machine("local", "--leakpro-workers=1")[2]


@pytest.mark.skipif(not installed("fsspec"), reason="needs fsspec")
@pytest.mark.parametrize(
    ("where", "url", "says"),
    [
        (
            "flag",
            "s4://bucket/x",
            "the cache s4://bucket/x has a protocol that fsspec does not know",
        ),
        ("ini", "s3://me:sesame@bucket", "the cache's URL holds credentials"),
    ],
)
def test_a_url_that_cannot_be_is_a_usage_error(pytester, where, url, says):
    pytester.makepyfile(TEST)
    if where == "ini":
        pytester.makeini(f"[pytest]\nleakpro_cache_dir = {url}\n")
    flags = [f"--leakpro-cache-dir={url}"] if where == "flag" else []
    result = pytester.runpytest_subprocess("--leakpro", *flags)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"leakpro: {says}" in result.stderr.str()
    assert "sesame" not in result.stderr.str() + result.stdout.str()


def test_no_url_is_opened_where_nothing_is_kept(pytester):
    pytester.makepyfile(TEST)
    flags = ("--leakpro-no-cache", "--leakpro-cache-dir=s4://bucket", "--collect-only")
    result = pytester.runpytest_subprocess("--leakpro", *flags)
    assert result.ret == pytest.ExitCode.OK


@pytest.fixture
def filled(bucket, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = f"{bucket}/ci"
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nleakpro_cache_dir = {url}\n")
    for key, target in zip(KEYS, ("forest", "network"), strict=True):
        for index in range(3):
            about = {"target": target, "records": 2000}
            open_cache(url).store(key, index, np.zeros(2000), about)
    return url


@needs_s3
@pytest.mark.parametrize("given", [True, False])
def test_the_command_line_shows_and_clears_it(filled, given, capsys):
    where = ["--dir", filled] if given else []
    assert main(["cache", "info", *where]) == 0
    out = capsys.readouterr().out
    forest = next(line for line in out.splitlines() if line.startswith("forest"))
    assert forest.split()[1:5] == ["3", "2,000", "48.4", "kB"]
    assert f"2 entries, 6 files, 96.8 kB in {filled}" in out
    assert main(["cache", "clear", *where, "--yes", "--older-than", "1d"]) == 0
    assert main(["cache", "clear", *where, "--yes"]) == 0
    out = capsys.readouterr().out
    assert out == f"nothing that old is kept in {filled}\nremoved 2 entries, 6 files, 96.8 kB\n"
    assert main(["cache", "info", *where]) == 0
    assert capsys.readouterr().out == f"nothing is kept in {filled}\n"


@needs_s3
def test_the_command_line_says_what_cannot_be_reached(bucket, capsys):
    assert main(["cache", "info", "--dir", f"{bucket}-not/x"]) == 2
    err = capsys.readouterr().err
    assert f"the cache {bucket}-not/x cannot be read: FileNotFoundError: The specified" in err
