"""Releases of texts as a target: what is taken for texts, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import Canaries, SyntheticData
from pytest_leakpro.gate.errors import LeakproError

SOURCE = [f"the note {k} of the source" for k in range(30)]
RELEASE = [f"the note {k} of nobody" for k in range(20)]
CONTROL = [f"the note {k} of the control" for k in range(25)]
CANARIES = Canaries([f"canary number {k}" for k in range(60)], np.zeros(60))


@pytest.mark.parametrize(
    "container",
    [list, tuple, pd.Series, np.array, lambda texts: np.array(texts, dtype=object), pd.Index],
)
def test_lists_of_any_kind_hold_texts(container):
    target = SyntheticData(*map(container, (SOURCE, RELEASE, CONTROL)))
    assert target.is_text
    view = target.prepare(0)
    assert (view.n_members, view.n_nonmembers, len(view.released)) == (30, 25, 20)
    assert view.roles.usable == ()
    assert repr(target) == "SyntheticData('synthetic data', original=30, synthetic=20, control=25)"


def test_a_series_with_gaps_in_its_index_is_read_in_its_order():
    source = pd.Series(SOURCE, index=range(90, 60, -1))
    view = SyntheticData(source, RELEASE, CONTROL).prepare(0)
    assert view.whole("members").iloc[:, 0].tolist() == SOURCE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"original": SOURCE[:9]}, "original has 9 texts: it takes at least 10"),
        ({"synthetic": []}, "synthetic is empty"),
        ({"control": [*CONTROL, None]}, "control: 1 of 26 entries are no texts .*is missing"),
        ({"control": [*CONTROL, 3]}, "first of them is a int"),
        ({"original": [*SOURCE, " \n"]}, "original: 1 of 31 texts are empty"),
        (
            {"control": pd.DataFrame({"a": CONTROL})},
            "control is a DataFrame where others are lists",
        ),
        ({"control": np.array([CONTROL])}, "control is no list of texts"),
        ({"control": "one text"}, "control is no list of texts"),
        ({"secret": "text"}, "secret is for tables"),
        ({"aux_columns": (["a"], ["b"])}, "aux_columns is for tables"),
        ({"population": CONTROL}, "population is for tables"),
        ({"generate": lambda frame, seed: frame}, "generate is for tables"),
        ({"detector": "email"}, "detector is a str: give a function"),
        ({"delta": 1e-5}, "delta is given without canaries"),
        ({"canaries": CANARIES}, "delta is missing"),
        ({"control": SOURCE[:15] + CONTROL}, "15 of 30 texts of original"),
    ],
)
def test_bad_input_is_refused_by_name(change, said):
    given = {"original": SOURCE, "synthetic": RELEASE, "control": CONTROL} | change
    with pytest.raises(LeakproError, match=said) as caught:
        SyntheticData(**given).prepare(0)
    assert "of the source" not in str(caught.value)


def test_a_release_may_hold_empty_texts():
    assert SyntheticData(SOURCE, [*RELEASE, ""], CONTROL).prepare(0).n_members == 30


class TestCanaries:
    def test_the_release_is_seen_with_its_canaries_alone(self):
        target = SyntheticData(SOURCE, RELEASE, CONTROL, canaries=CANARIES, delta=1e-5)
        alone = target.on_canaries.prepare(0)
        inside, outside = (set(CANARIES.side(included=which)[0]) for which in (True, False))
        assert set(alone.whole("members").iloc[:, 0]) == inside
        assert set(alone.whole("nonmembers").iloc[:, 0]) == outside
        assert len(alone.released) == 20

    def test_there_must_be_some(self):
        with pytest.raises(LeakproError, match="there are none: make them with Canaries"):
            _ = SyntheticData(SOURCE, RELEASE, CONTROL).on_canaries

    def test_they_must_be_texts_and_enough(self):
        few = Canaries([f"canary {k}" for k in range(12)], np.zeros(12))
        numbers = Canaries(np.arange(60.0)[:, None], np.zeros(60))
        for canaries, said in ((few, "it takes at least 10"), (numbers, "some are no texts")):
            target = SyntheticData(SOURCE, RELEASE, CONTROL, canaries=canaries, delta=1e-5)
            with pytest.raises(LeakproError, match=said):
                _ = target.on_canaries

    def test_tables_take_none(self):
        tables = [pd.DataFrame({"a": texts}) for texts in (SOURCE, RELEASE, CONTROL)]
        with pytest.raises(LeakproError, match="this release is a table"):
            SyntheticData(*tables, canaries=CANARIES, delta=1e-5)
