"""The target of audits of synthetic data: what it takes, refuses, and picks."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import SyntheticData
from pytest_leakpro.gate.errors import LeakproError, PytestLeakproWarning


def people(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "sex": rng.choice(["F", "M"], n),
            "income": rng.normal(3e4, 5e3, n),
            "visits": rng.poisson(2.0, n),
            "ward": rng.choice(list("ABCDE"), n),
        }
    )


@pytest.fixture
def tables():
    return {"original": people(200, 0), "synthetic": people(150, 1), "control": people(120, 2)}


def test_tables_may_have_their_columns_in_any_order(tables):
    tables["synthetic"] = tables["synthetic"][list(tables["synthetic"])[::-1]]
    view = SyntheticData(**tables).prepare(0)
    assert view.original.columns == view.synthetic.columns == view.control.columns
    assert (view.n_members, view.n_nonmembers) == (200, 120)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"control": lambda t: t.drop(columns="sex")}, "control lacks 'sex'"),
        ({"synthetic": lambda t: t.assign(extra=1)}, "synthetic has 'extra' beside"),
        (
            {"synthetic": lambda t: t.assign(age=t["age"].astype(str))},
            "'age' holds numbers in original, texts in synthetic",
        ),
        ({"control": lambda t: t[:0]}, "control is empty: it takes at least 10"),
        ({"control": lambda t: t[:9]}, "control has 9 rows"),
        ({"original": lambda t: t[:3]}, "original has 3 rows"),
        ({"synthetic": lambda t: t[:0]}, "synthetic is empty: there is nothing to attack"),
        ({"original": lambda t: t.to_numpy()}, "original is a ndarray: give a pandas DataFrame"),
        ({"original": lambda t: {"a": t, "b": t}}, "Several linked tables are not supported"),
        ({"synthetic": lambda t: [t, t]}, "Several linked tables are not supported"),
        (
            {"original": lambda t: pd.concat([t, t["age"]], axis=1)},
            "original has two columns 'age'",
        ),
        ({"secret": lambda _: "wrad"}, "secret: there is no column 'wrad' \\(did you mean 'ward'"),
        ({"secret": lambda _: []}, "secret names no column"),
        ({"quasi_identifiers": lambda _: ["age", "age"]}, "names a column twice"),
        (
            {"secret": lambda _: "ward", "quasi_identifiers": lambda _: ["age", "ward"]},
            "'ward' is in quasi_identifiers too",
        ),
        (
            {"secret": lambda _: "age", "aux_columns": lambda _: (["age"], ["sex"])},
            "'age' is in aux_columns too",
        ),
        ({"aux_columns": lambda _: (["age"], ["age", "sex"])}, "age in both sets"),
        ({"aux_columns": lambda _: ["age", "sex", "ward"]}, "give a pair of two sets"),
        ({"generate": lambda _: 3}, "generate is a int: give a function"),
        ({"audit_size": lambda _: 2}, "audit_size: give a whole number of at least 10"),
        ({"name": lambda _: " "}, "name: give a text"),
        ({"allow_overlap": lambda _: "yes"}, "allow_overlap is a str"),
    ],
)
def test_bad_input_is_refused_by_name(tables, change, said):
    given = dict(tables)
    for name, make in change.items():
        given[name] = make(given.get(name))
    with pytest.raises(LeakproError, match=said):
        SyntheticData(**given)


def test_rows_in_original_and_control_are_refused_dropped_or_let_in(tables):
    both = pd.concat([tables["control"], tables["original"][:40]])
    with pytest.raises(
        LeakproError, match="40 of 200 rows of original and 40 of 160 rows of control"
    ):
        SyntheticData(tables["original"], tables["synthetic"], both).prepare(0)
    view = SyntheticData(tables["original"], tables["synthetic"], both, allow_overlap=True).prepare(
        0
    )
    assert view.n_members == 200
    assert "allow_overlap" in view.blocks_pass[0]
    few = pd.concat([tables["control"], tables["original"][:1]])
    with pytest.warns(PytestLeakproWarning, match="dropped from both"):
        view = SyntheticData(tables["original"], tables["synthetic"], few).prepare(0)
    assert (view.n_members, view.n_nonmembers) == (199, 120)
    assert not view.blocks_pass
    np.testing.assert_array_equal(view.member_ids(), np.arange(1, 200))


def test_a_population_is_set_aside_or_as_given(tables):
    target = SyntheticData(**tables)
    assert target.prepare(0).population is None
    view = target.prepare(0, population_share=0.25)
    assert (len(view.population), view.n_nonmembers) == (30, 90)
    given = SyntheticData(**tables, population=people(50, 3))
    assert given.has_population
    assert len(given.prepare(0, population_share=0.25).population) == 50


def test_audit_size_draws_rows_of_both_sides(tables):
    view = SyntheticData(**tables, audit_size=60).prepare(0)
    assert (view.n_members, view.n_nonmembers, len(view.source)) == (60, 60, 200)
    assert any("60 of 200 members" in note for note in view.notes)


def test_columns_are_dealt_out_and_every_one_is_secret(tables):
    roles = SyntheticData(**tables).roles
    assert roles.secrets == ("age", "sex", "income", "visits", "ward")
    # By the number of values: income, age, visits, ward, sex.
    assert roles.linked == (("income", "ward", "sex"), ("age", "visits"))
    assert roles.known_for("age") == ("sex", "income", "visits", "ward")
    assert "proposed" in roles.said_of_linkability()
    assert "all other columns" in roles.said_of_inference()


def test_what_the_user_says_of_columns_is_taken(tables):
    roles = SyntheticData(**tables, aux_columns=(["age", "sex"], ["income"])).roles
    assert roles.linked == (("age", "sex"), ("income",))
    assert roles.secrets == ("visits", "ward")
    assert roles.known_for("ward") == ("age", "sex", "income")
    assert "as given" in roles.said_of_linkability()
    roles = SyntheticData(**tables, secret="ward", quasi_identifiers=["age"]).roles
    assert roles.secrets == ("ward",)
    assert roles.known_for("ward") == ("age",)


def with_further_columns(table, seed):
    n = len(table)
    rng = np.random.default_rng(seed)
    words = ["the", "patient", "was", "seen", "with", "pain", "fever", "today", "twice", "again"]
    return table.assign(
        number=np.arange(n) + 1_000_000 * (seed + 1),
        code=[f"p{seed}-{place}" for place in range(n)],
        note=[" ".join(rng.choice(words, 8)) for _ in range(n)],
        weight=rng.normal(size=n),
        seen=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(n) + 1000 * seed, unit="h"),
        constant="x",
        nothing=None,
    )


def test_keys_and_free_text_are_left_out_with_a_notice_unless_named(tables):
    given = {
        name: with_further_columns(table, seed) for seed, (name, table) in enumerate(tables.items())
    }
    roles = SyntheticData(**given).roles
    assert roles.keys == ("number", "code")
    assert roles.texts == ("note",)
    assert {"weight", "seen"} <= set(roles.usable)  # all different, but no keys
    assert not {"constant", "nothing"} & set(roles.secrets)  # nothing there to be inferred
    assert any(
        "number, code left out of the attacks as unique keys" in note for note in roles.notes
    )
    assert any("note left out of the attacks as free text" in note for note in roles.notes)
    named = SyntheticData(**given, secret="note", quasi_identifiers=["number", "age"]).roles
    assert named.secrets == ("note",)
    assert "number" in named.usable
    assert named.keys == ("code",)


def test_nothing_shown_reveals_a_row(tables):
    target = SyntheticData(**tables, name="cohort")
    shown = repr(target) + repr(target.prepare(0))
    assert "cohort" in shown
    assert "(200, 5)" in shown
    assert str(int(tables["original"]["income"].iloc[0])) not in shown
