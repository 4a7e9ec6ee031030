"""SIGKILL during shadow training loses nothing that was finished, and changes no figure."""

import json
import random
import sys
import time

import pytest

from tests.plugin.test_results import constant
from tests.plugin.test_shadow import CONFTEST

KILLS, MODELS = 20, 80
TEST = """
import time
from sklearn.tree import DecisionTreeClassifier
from pytest_leakpro import Classifier

def fit(X, y, seed):
    with open("trained.log", "a") as file:
        file.write(f"{seed}\\n")
    time.sleep(0.1)
    return DecisionTreeClassifier(random_state=seed).fit(X, y)

def test_it(leakpro, cohort):
    members, nonmembers = cohort
    model = DecisionTreeClassifier(random_state=0).fit(*members)
    leakpro.measure(Classifier(model, members, nonmembers, train=fit), "auc <= 0.55")
"""


def number_of(file):
    return int(file.name.partition("-")[0])


@pytest.mark.slow
def test_killed_at_random_moments(pytester):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_models=TEST)
    log = pytester.path / "trained.log"

    def trained():
        return log.read_text().splitlines() if log.exists() else []

    def run(name, *flags):
        result = pytester.runpytest_subprocess(
            "--leakpro", f"--leakpro-shadow-models={MODELS}", f"--leakpro-json={name}.json", *flags
        )
        result.assert_outcomes(passed=1)
        return constant(json.loads((pytester.path / f"{name}.json").read_text()))

    undisturbed = run("undisturbed", "--leakpro-workers=1", "--leakpro-cache-dir=other")
    seeds = trained()  # in the order of the models
    assert len(set(seeds)) == MODELS
    log.unlink()

    chance = random.Random(0)
    cache = pytester.path / ".leakpro" / "cache"
    for kill in range(KILLS):
        kept = {seeds[number_of(file)] for file in cache.glob("*/*.npy")}
        before = len(trained())
        session = pytester.popen(
            [
                sys.executable,
                "-m",
                "pytest",
                "--leakpro",
                f"--leakpro-shadow-models={MODELS}",
                f"--leakpro-workers={1 + kill % 2}",
            ]
        )
        deadline = time.monotonic() + 120
        while len(trained()) == before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.4))
        assert session.poll() is None, "it was over before it was killed"
        session.kill()
        session.wait(60)
        assert kept.isdisjoint(trained()[before:])
        assert kept <= {seeds[number_of(file)] for file in cache.glob("*/*.npy")}
    kept = {seeds[number_of(file)] for file in cache.glob("*/*.npy")}
    before = len(trained())
    assert KILLS / 2 < len(kept) < MODELS
    assert run("afterwards", "--leakpro-workers=2") == undisturbed
    assert kept.isdisjoint(trained()[before:])
    assert len(list(cache.glob("*/*.npy"))) == MODELS
