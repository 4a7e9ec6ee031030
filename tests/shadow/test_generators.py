"""Shadow generators: who is in them, what is read, what is kept, and what may go wrong."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.shadow.deadline import Deadline, OutOfTimeError
from pytest_leakpro.shadow.generators import obtain_shadow_tables
from pytest_leakpro.targets.synthetic_data import SyntheticData


def people(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "key": [f"{seed}-{i}" for i in range(n)],  # left out of the attacks, not of the source
            "age": rng.normal(50, 15, n),
            "ward": pd.Categorical(rng.choice(list("ABC"), n)),
            "visits": np.where(rng.random(n) < 0.1, np.nan, rng.poisson(3, n)),
        }
    )


def bootstrap(df, seed):
    return df.sample(len(df), replace=True, random_state=seed, ignore_index=True)


def view_of(generate, n=60, released=None):
    source = people(n, 1)
    release = bootstrap(source, 5) if released is None else released
    return SyntheticData(source, release, people(n, 2), generate=generate).prepare(0)


def quiet(line):
    assert "shadow generators" in line


def obtain(view, n=6, **options):
    options = {"workers": 1, "say": quiet, **options}
    obtain_shadow_tables(view, n, **options)
    return view.shadow_tables


def test_each_record_is_in_half_of_them_with_all_its_columns():
    seen = []

    def generate(df, seed):
        assert list(df.columns) == ["key", "age", "ward", "visits"]
        assert list(df.index) == list(range(60))
        assert df["ward"].dtype == "category"
        seen.append((set(df["key"]), seed))
        return bootstrap(df, seed)

    tables = obtain(view_of(generate))
    assert tables.included.shape == (6, 120)
    assert (tables.included.sum(axis=0) == 3).all()
    keys = np.array([f"{side}-{i}" for side in (1, 2) for i in range(60)])
    for (found, _), row in zip(seen, tables.included, strict=True):
        assert found == set(keys[row])
    assert len({seed for _, seed in seen}) == 6


def test_releases_are_read_alike_beside_each_record():
    release = people(60, 1)
    view = view_of(lambda df, seed: df, released=release)
    tables = obtain(view)
    assert tables.readings.shape == (6, 5, 120)
    assert np.isfinite(tables.readings).all()
    closeness = tables.readings[:, 0]
    # A copy of the source lies at distance 0 from all that it was made from.
    top = closeness.max()
    assert (closeness[tables.included] == top).all()
    assert (closeness[~tables.included] < top).mean() > 0.95
    assert (tables.target_readings[0, :60] == top).all()
    naive = tables.features[:, tables.families["naive"]]
    assert (naive.std(axis=0) > 0).any()


def test_workers_change_nothing_and_an_odd_number_is_evened():
    one, two = (obtain(view_of(bootstrap), 5, workers=workers) for workers in (1, 2))
    assert one.n_tables == 6
    assert np.array_equal(one.readings, two.readings)
    assert np.array_equal(one.features, two.features)


def test_the_cache_saves_the_second_time_and_knows_what_changed(tmp_path):
    trained = tmp_path / "trained"

    def counting(bias):
        def generate(df, seed):
            with trained.open("a") as file:
                file.write("x")
            release = bootstrap(df, seed)
            release["age"] += bias
            return release

        return generate

    def number():
        return len(trained.read_text())

    first = obtain(view_of(counting(0)), cache=str(tmp_path / "cache"))
    assert number() == 6
    again = obtain(view_of(counting(0)), cache=str(tmp_path / "cache"))
    assert number() == 6
    assert np.array_equal(first.readings, again.readings)
    obtain(view_of(counting(1)), cache=str(tmp_path / "cache"))
    assert number() == 12
    obtain(view_of(counting(0)), 8, cache=str(tmp_path / "cache"))  # two more, six as before
    assert number() == 14


def test_what_cannot_be_told_apart_is_not_cached_and_said(tmp_path):
    rng = np.random.default_rng(0)

    def generate(df, seed):
        return bootstrap(df, seed).assign(age=rng.normal(50, 15, len(df)))

    view = view_of(generate)
    obtain(view, cache=str(tmp_path))
    assert any("generator_version=" in note for note in view.notes)
    named = view_of(generate)
    obtain(named, cache=str(tmp_path), version="1")
    assert not named.notes


def test_it_says_what_is_coming_and_ends_in_time():
    said = []
    obtain(view_of(bootstrap), say=said.append)
    assert said[0].startswith("6 shadow generators x ")
    with pytest.raises(OutOfTimeError, match="0 of 6 shadow generators"):
        obtain(view_of(bootstrap), deadline=Deadline(0.0, "1s"))


def raising(df, seed):
    raise ValueError(f"no {len(df)} {seed}")


@pytest.mark.parametrize(
    ("generate", "says"),
    [
        (raising, "generate raised ValueError on 60 rows"),
        (lambda df, seed: None, "it is nothing"),
        (lambda df, seed: df.to_numpy(), "it is a ndarray"),
        (lambda df, seed: df[:0], "it has no rows"),
        (lambda df, seed: df.drop(columns="age"), "it lacks the columns 'age'"),
        (
            lambda df, seed: df.assign(age="old"),
            "the column 'age' holds numbers in original, texts in the release",
        ),
        (lambda df, seed: df.assign(age=np.inf), "infinite numbers"),
    ],
)
def test_errors_name_the_generator_and_what_it_returned(generate, says):
    with pytest.raises(LeakproError, match=says) as caught:
        obtain(view_of(generate))
    assert str(caught.value).startswith("shadow generator 1 of 6: ")


def test_generators_must_use_what_they_are_given():
    fixed = people(60, 9)
    with pytest.raises(LeakproError, match="alike to the last bit"):
        obtain(view_of(lambda df, seed: fixed))
    with pytest.raises(LeakproError, match="give generate="):
        obtain(view_of(None))
    with pytest.raises(LeakproError, match="too few"):
        obtain(view_of(bootstrap), 2)


def test_categories_of_both_tables_are_known_to_the_generator():
    source, control = people(60, 1), people(60, 2)
    source["ward"] = pd.Categorical(["A", "B"] * 30)
    control["ward"] = pd.Categorical(["B", "C"] * 30)

    def generate(df, seed):
        assert set(df["ward"].cat.categories) == {"A", "B", "C"}
        assert df["ward"].notna().all()
        return bootstrap(df, seed)

    target = SyntheticData(source, source, control, generate=generate)
    assert obtain(target.prepare(0)).n_tables == 6


def test_a_smaller_control_is_noted():
    source = people(60, 1)
    view = SyntheticData(source, source, people(30, 2), generate=bootstrap).prepare(0)
    obtain(view)
    assert any("trained on 45 rows" in note for note in view.notes)
