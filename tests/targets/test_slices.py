"""What records are sliced by: read, checked, and never told apart in small groups."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from pytest_leakpro import Classifier, LeakproError, Recipe, Regressor
from pytest_leakpro.targets.slices import REST

SIZE = 60


def sides(columns=("age", "sex"), size=SIZE):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(2 * size, 2)), columns=list(columns))
    y = np.arange(2 * size) % 2
    return (frame[:size], y[:size]), (frame[size:], y[size:])


def target(slices, size=SIZE, **options):
    members, nonmembers = sides(size=size)
    model = LogisticRegression().fit(*members)
    return Classifier(model, members, nonmembers, slices=slices, **options)


def parts(slices, size=SIZE, **options):
    view = target(slices, size, **options).prepare(0)
    return {part.name: part.sizes for part in view.slices}, view


def split(first, *more):
    """A label per record: so many of a, of b, …"""
    return [label for label, n in zip("abcdefg", (first, *more), strict=False) for _ in range(n)]


@pytest.mark.parametrize(
    "pack", [list, np.array, pd.Series, lambda values: pd.Series(values, dtype="category")]
)
def test_values_in_any_container(pack):
    found, _ = parts({"sex": (pack(split(20, 40)), pack(split(35, 25)))})
    assert found == {"sex=a": (20, 35), "sex=b": (40, 25)}


def test_functions_of_the_records_and_columns_of_a_frame():
    members, nonmembers = sides()
    counts = [
        (int((X["age"] > 0).sum()), int((X["age"] <= 0).sum())) for X, _ in (members, nonmembers)
    ]
    expected = {"old=False": (counts[0][1], counts[1][1]), "old=True": (counts[0][0], counts[1][0])}
    assert parts({"old": lambda X: X["age"] > 0})[0] == expected
    for X, _ in (members, nonmembers):
        X["old"] = X["age"] > 0
    model = LogisticRegression().fit(*members)
    for slices in (["old"], {"old": "old"}):
        view = Classifier(model, members, nonmembers, slices=slices).prepare(0)
        assert {part.name: part.sizes for part in view.slices} == expected


def test_missing_values_are_a_slice_of_their_own():
    half = [1.0] * 20 + [2.0] * 20
    found, _ = parts({"x": ([*half, *[float("nan")] * 20], [*half, *[None] * 20])})
    assert found == {"x=1": (20, 20), "x=2": (20, 20), "x=missing": (20, 20)}


def test_a_regressor_and_a_recipe():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), rng.normal(size=120)
    sex = np.array(["F", "M"])[np.arange(120) % 2]
    regressor = Regressor(
        LinearRegression().fit(X[:60], y[:60]),
        (X[:60], y[:60]),
        (X[60:], y[60:]),
        slices={"sex": (sex[:60], sex[60:])},
    )
    assert [part.sizes for part in regressor.prepare(0).slices] == [(30, 30), (30, 30)]
    for slices in ({"sex": sex}, {"sex": lambda X: np.where(X[:, 0] > 0, "F", "M")}):
        recipe = Recipe(LinearRegression(), X, y, regression=True, slices=slices)
        made = recipe.realise(0)
        view = made.prepare(0)
        values = slices["sex"](X) if callable(slices["sex"]) else sex
        for side, places in zip(("members", "nonmembers"), made.pool_positions, strict=True):
            for part in view.slices:
                assert np.array_equal(getattr(part, side), values[places] == part.label)


def test_slices_follow_the_records_that_are_dropped_and_drawn():
    sex = (split(30, 30), split(30, 30))
    found, view = parts({"sex": sex}, audit_size=40)
    for side, values in zip(("members", "nonmembers"), sex, strict=True):
        kept = np.array(values)[view.records(side).positions]
        for part in view.slices:
            assert np.array_equal(getattr(part, side), kept == part.label)
    assert sum(m for m, _ in found.values()) == 40


def test_the_person_is_what_is_sliced():
    ids = np.repeat(np.arange(30), 2)
    sex = np.repeat(split(15, 15), 2)
    found, _ = parts({"sex": (sex, sex)}, groups=(ids, ids + 100))
    assert found == {"sex=a": (15, 15), "sex=b": (15, 15)}
    sex[0] = "b"
    with pytest.raises(LeakproError, match="sex: of 1 of 30 persons of the members the records"):
        target({"sex": (sex, np.repeat(split(15, 15), 2))}, groups=(ids, ids + 100))
    X, y = np.zeros((60, 2)), np.arange(60) % 2
    with pytest.raises(LeakproError, match="sex: of 1 of 30 persons of the pool"):
        Recipe(LogisticRegression(), X, y, groups=ids, slices={"sex": sex})


@pytest.mark.parametrize(
    ("members", "nonmembers", "expected"),
    [
        # Few on either side: those that are small stand together where they are ten.
        ((40, 8, 12), (40, 15, 5), {"a": (40, 40), REST: (20, 20)}),
        # A single one would follow from the whole, so the smallest of the others joins it.
        ((30, 24, 6), (30, 14, 16), {"a": (30, 30), REST: (30, 30)}),
        ((25, 15, 15, 3, 2), (25, 15, 15, 3, 2), {"a": (25, 25), "c": (15, 15), REST: (20, 20)}),
        # On one side only.
        ((30, 30), (28, 28, 4), {"b": (30, 28), REST: (30, 32)}),
    ],
)
def test_small_slices_are_not_told_apart(members, nonmembers, expected):
    found, view = parts({"x": (split(*members), split(*nonmembers))})
    assert found == {f"x={label}": sizes for label, sizes in expected.items()}
    (note,) = [note for note in view.notes if note.startswith("slices of x")]
    assert "fewer than 10 records on a side" in note
    assert not any(f"x={label}" in note for label in "abcde" if label not in expected)
    for sizes in zip(*found.values(), strict=True):
        assert sum(sizes) == SIZE  # nobody is left out


@pytest.mark.parametrize(
    ("members", "nonmembers"),
    [((60,), (60,)), ((54, 6), (30, 30)), ((7,) * 7 + (11,), (60,))],
    ids=["one value", "one that is large", "all small"],
)
def test_nothing_to_tell_apart_is_an_error(members, nonmembers):
    labels = "abcdefgh"
    values = [
        [label for label, n in zip(labels, counts, strict=False) for _ in range(n)][:SIZE]
        for counts in (members, nonmembers)
    ]
    made = target({"x": tuple(values)})
    with pytest.raises(LeakproError, match="slices, x: there are no two slices") as caught:
        made.prepare(0)
    assert "x=" not in str(caught.value)


NUMBERS = list(range(SIZE))
HALVES = (split(30, 30), split(30, 30))


@pytest.mark.parametrize(
    ("slices", "match"),
    [
        ("sex", "slices is a str: give a dictionary"),
        (3, "slices is a int"),
        ({}, "nothing to slice by"),
        ([], "nothing to slice by"),
        (["sex", "sex"], "named twice"),
        ({1: HALVES}, "a name is a int"),
        ({"": HALVES}, "a name is a str"),
        ({"a\nb": HALVES}, "one line"),
        ({"sex": HALVES[0]}, r"sex: a list: give a pair \(values of the members"),
        ({"sex": (HALVES[0], HALVES[1][:-1])}, "nonmembers: 59 values for 60 records"),
        ({"sex": (HALVES[0], 4)}, "nonmembers: a int"),
        ({"sex": (HALVES[0], [[1, 2]] * SIZE)}, "give one per record"),
        (["sexx"], r"no column 'sexx' \(did you mean 'sex'\?\)"),
        (["age"], "age: 120 different numbers make no slices: cut them into bands"),
        ({"age": (NUMBERS, NUMBERS)}, "age: 60 different numbers"),
        ({"id": ([f"p{n}" for n in NUMBERS],) * 2}, "more than 50 in all, 60 of them of id"),
        ({"x": ([{}] * SIZE, HALVES[1])}, "cannot be compared"),
        ({"x": (["1"] * 30 + [1] * 30, HALVES[1])}, "read alike"),
        ({"x": ([REST] * SIZE, HALVES[1])}, "give it another name"),
        ({"x": lambda X: X["none"]}, "x: the function raised KeyError on X of the members"),
        ({"x": lambda X: X["sex"][:5] > 0}, "5 values for 60 records"),
    ],
)
def test_what_is_no_slicing_says_so(slices, match):
    with pytest.raises(LeakproError, match=match):
        target(slices)


def test_a_column_needs_a_frame():
    X, y = np.zeros((40, 2)), np.arange(40) % 2
    model = LogisticRegression().fit(X, y)
    with pytest.raises(LeakproError, match="no DataFrame"):
        Classifier(model, (X[:20], y[:20]), (X[20:], y[20:]), slices=["sex"])


def test_no_message_nor_repr_quotes_a_value():
    secret = [f"secret{n}" for n in NUMBERS]
    for slices in ({"x": (secret, secret)}, {"x": ([*secret[:30], *[{}] * 30], secret)}):
        with pytest.raises(LeakproError) as caught:
            target(slices)
        assert "secret" not in str(caught.value)
    made = target({"sex": (["secret"] * 30 + ["other"] * 30,) * 2})
    assert "secret" not in repr(made) + repr(made.slices)
