"""Neither a repr nor an error shows a value of a record."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import Classifier, LeakproError, Regressor
from tests.targets.examples import CANARY, Recorder, never, side

TEXT = "canary-7291083"


def hides(text):
    assert "7291083" not in text
    return True


def canaries(n=40, seed=0):
    x, _ = side(n, seed)
    x[:] += CANARY
    return x, np.full(n, CANARY)


def test_reprs_show_shapes_only():
    members, others = canaries(seed=1), canaries(seed=2)
    target = Regressor(lambda x: x[:, 0], members, others, population=canaries(seed=3))
    view = target.prepare(0)
    shown = [target, view, view.members, view.population, view.records("members")]
    shown += [view.records("members").units, *vars(target).values(), *vars(view).values()]
    assert all(hides(repr(thing)) for thing in shown)
    assert all(hides(str(thing)) for thing in shown)


def frame(n=40):
    return pd.DataFrame({"a": [f"{TEXT}-{i}" for i in range(n)], "b": np.arange(n)})


BAD = {
    "labels": lambda: Classifier(never, (canaries()[0], np.full(40, CANARY)), canaries()),
    "classes": lambda: Classifier(never, canaries(), canaries(), classes=[0, 1]),
    "texts": lambda: Classifier(never, (frame(), frame()["a"]), (frame(), frame()["a"])),
    "targets": lambda: Regressor(never, (frame(), frame()["a"]), canaries()),
    "groups": lambda: Classifier(
        never, side(), side(40, 1), groups=([CANARY] * 40, [CANARY] * 39 + [None])
    ),
    "list": lambda: Classifier(never, [CANARY] * 3, canaries()),
    "dict": lambda: Classifier(never, {CANARY: CANARY}, canaries()),
    "ids": lambda: Classifier(never, side(), side(40, 1), groups=(CANARY, CANARY)),
    "overlap": lambda: Regressor(never, canaries(), canaries()).prepare(0),
    "objects": lambda: Classifier(
        never, ([object()] * 40, side()[1]), ([object()] * 40, side()[1])
    ).prepare(0),
    "output": lambda: (
        Regressor(Recorder(lambda x: np.full(3, CANARY)), canaries(), canaries(seed=1))
        .prepare(0)
        .members
    ),
    "text output": lambda: (
        Regressor(Recorder(lambda x: [TEXT] * 40), canaries(), canaries(seed=1)).prepare(0).members
    ),
    "error": lambda: (
        Regressor(Recorder(lambda x: float(TEXT)), canaries(), canaries(seed=1)).prepare(0).members
    ),
    "no probabilities": lambda: (
        Classifier(
            Recorder(lambda x: np.full((40, 2), CANARY)),
            side(),
            side(40, 1),
            output="probabilities",
        )
        .prepare(0)
        .members
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_show_no_value(name):
    with pytest.raises(LeakproError) as caught:
        BAD[name]()
    assert hides(str(caught.value))
