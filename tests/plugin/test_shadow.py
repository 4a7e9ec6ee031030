"""Shadow models in a session: any function, any import mode, any number of workers."""

import json
import sys
import time
from importlib.util import find_spec

import pytest

from tests.plugin.test_results import constant

CONFTEST = """
import numpy as np, pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

def fit_here(X, y, seed):
    return DecisionTreeClassifier(random_state=seed).fit(X, y)

@pytest.fixture(scope="session")
def cohort():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = (X[:, 0] + rng.normal(size=400) > 0).astype(int)
    return (X[:200], y[:200]), (X[200:], y[200:])

@pytest.fixture(scope="session")
def recipe():
    return fit_here
"""
TEST = """
import numpy as np, pytest
from sklearn.tree import DecisionTreeClassifier
from pytest_leakpro import Classifier, Recipe

DEPTH = 9

def helper(X):
    return X * 2

def fit(X, y, seed):
    return DecisionTreeClassifier(max_depth=DEPTH, random_state=seed).fit(helper(X), y)

RECIPES = {"module": fit, "lambda": lambda X, y, seed: fit(X, y, seed).predict_proba}

@pytest.mark.parametrize("name", ["module", "lambda", "conftest", "clone"])
def test_it(leakpro, cohort, recipe, name):
    members, nonmembers = cohort
    if name == "clone":
        tree = DecisionTreeClassifier(random_state=0).fit(*members)
        target = Classifier(tree, members, nonmembers)
    else:
        train = recipe if name == "conftest" else RECIPES[name]
        model = train(*members, 0)
        target = Classifier(model, members, nonmembers, train=train, name=name)
    leakpro.measure(target, "auc <= 0.55")

def test_recipe(leakpro, cohort):
    (X, y), _ = cohort
    leakpro.measure(Recipe(fit, X, y), "auc <= 0.55")
"""

# Not importorskip: the import drops the finder of installed packages that the standard library has
# for another one, which pytester then takes away, so that later tests would find no plugin.
needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="needs distributed")


@pytest.fixture
def models(pytester):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_models=TEST)
    return pytester


def run(models, number, *flags):
    result = models.runpytest_subprocess(
        "--leakpro", "--leakpro-shadow-models=6", f"--leakpro-json={number}.json", *flags
    )
    result.assert_outcomes(passed=5)
    return result, constant(json.loads((models.path / f"{number}.json").read_text()))


def test_the_same_figures_everywhere_and_nothing_trained_twice(models):
    pytest.importorskip("xdist")
    first, alone = run(models, 0, "--leakpro-workers=1")
    assert first.stdout.str().count("leakpro: 6 shadow models x ") == 5
    again, cached = run(models, 1, "--import-mode=importlib")
    assert "shadow models x" not in again.stdout.str()
    assert (models.path / ".leakpro" / ".gitignore").exists()
    _, parallel = run(models, 2, "-n2", "--leakpro-workers=2", "--leakpro-cache-dir=other")
    assert (models.path / "other").is_dir()
    assert alone == cached == parallel
    strengths = {entry["strength"] for entry in alone["measurements"]}
    assert strengths == {"scores, 6 shadow models"}


def test_nothing_is_said_when_quiet_and_options_come_from_the_ini_file(models):
    models.makeini(
        "[pytest]\nleakpro = true\nleakpro_shadow_models = 4\nleakpro_workers = 1\n"
        "leakpro_no_cache = true\n"
    )
    result = models.runpytest_subprocess("-q", "-k", "clone")
    result.assert_outcomes(passed=1)
    assert "shadow models x" not in result.stdout.str()
    assert not (models.path / ".leakpro" / "cache").exists()


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--leakpro-shadow-models=3", "shadow_models is a whole number of at least 4"),
        ("--leakpro-shadow-models=many", "of at least 4, or \"auto\", not 'many'"),
        ("--leakpro-time-budget=10", "the time budget is '10': give a number with its unit"),
        ("--leakpro-workers=0", "workers is a whole number of at least 1"),
        ("--leakpro-backend=desk", "invalid choice: 'desk'"),
        ("--leakpro-scheduler=tcp://host:1", "backend loky trains on this machine"),
    ],
)
def test_flags_that_cannot_be(models, flag, says):
    result = models.runpytest("--leakpro", flag)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert says in result.stderr.str()


@pytest.mark.parametrize("where", ["flags", "ini"])
def test_shadow_models_until_the_time_is_over(models, where):
    flags = []
    if where == "flags":
        flags = ["--leakpro-shadow-models=auto", "--leakpro-time-budget=0.001s"]
    else:
        models.makeini("[pytest]\nleakpro_shadow_models = auto\nleakpro_time_budget = 0.001s\n")
    models.runpytest("--leakpro", "-k", "clone", "--leakpro-json=out.json", *flags)
    (entry,) = json.loads((models.path / "out.json").read_text())["measurements"]
    assert entry["verdict"] == "INCONCLUSIVE"
    assert entry["notes"] == ["the time budget of 0.001s ended before this audit began"]
    assert entry["configuration"]["shadow_models"] == "auto"


def test_an_unknown_backend_in_the_ini_file(models):
    models.makeini("[pytest]\nleakpro_backend = desk\n")
    result = models.runpytest("--leakpro")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "backend cannot be 'desk' (did you mean 'dask'?)" in result.stderr.str()


@needs_dask
@pytest.mark.slow
def test_the_same_figures_on_a_dask_cluster_of_this_machine(models):
    flags = ["-k", "module or conftest", "--leakpro", "--leakpro-shadow-models=6"]

    def run(name, *more):
        result = models.runpytest_subprocess(
            *flags, f"--leakpro-json={name}.json", f"--leakpro-cache-dir={name}", *more
        )
        result.assert_outcomes(passed=2, deselected=3)
        return result, constant(json.loads((models.path / f"{name}.json").read_text()))

    _, here = run("here", "--leakpro-workers=1")
    models.makeini("[pytest]\nleakpro_backend = dask\nleakpro_workers = 2\n")
    result, there = run("there")
    assert here == there
    assert result.stdout.str().count(" on 2 workers of dask, then cached") == 2


@needs_dask
def test_a_scheduler_that_does_not_answer_fails_the_test(models):
    result = models.runpytest_subprocess(
        "-k", "clone", "--leakpro", "--leakpro-backend=dask", "--leakpro-scheduler=127.0.0.1:1"
    )
    result.assert_outcomes(failed=1, deselected=4)
    assert "there is no Dask scheduler at 127.0.0.1:1" in result.stdout.str()


SHARED = """
import pytest
from sklearn.tree import DecisionTreeClassifier
from pytest_leakpro import Classifier

def fit(X, y, seed):
    with open("trained.log", "a") as file:
        file.write("x")
    return DecisionTreeClassifier(random_state=seed).fit(X, y)

@pytest.mark.parametrize("number", range(4))
def test_it(leakpro, cohort, number):
    members, nonmembers = cohort
    model = DecisionTreeClassifier(random_state=0).fit(*members)
    leakpro.measure(Classifier(model, members, nonmembers, train=fit), "auc <= 0.55")
"""


def test_workers_that_need_the_same_models_train_each_once(models):
    pytest.importorskip("xdist")
    models.makepyfile(test_models=SHARED)
    result = models.runpytest_subprocess("--leakpro", "--leakpro-shadow-models=6", "-n2")
    result.assert_outcomes(passed=4)
    assert (models.path / "trained.log").read_text() == "x" * 6


def test_a_killed_session_keeps_what_was_finished(models):
    models.makepyfile(
        test_models=SHARED.replace(
            "    return Decision", "    time.sleep(0.4)\n    return Decision"
        )
        .replace("import pytest\n", "import pytest, time\n")
        .replace("range(4)", "range(1)")
    )
    flags = ["--leakpro", "--leakpro-shadow-models=6", "--leakpro-workers=1"]
    session = models.popen([sys.executable, "-m", "pytest", *flags])
    cache = models.path / ".leakpro" / "cache"
    deadline = time.monotonic() + 60
    while len(list(cache.glob("*/*.npy"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    session.kill()
    session.wait(30)
    finished = len(list(cache.glob("*/*.npy")))
    assert 2 <= finished < 6
    before = len((models.path / "trained.log").read_text())
    models.runpytest_subprocess(*flags).assert_outcomes(passed=1)
    assert len((models.path / "trained.log").read_text()) - before == 6 - finished
