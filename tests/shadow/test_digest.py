"""Digests change when training could change, and only then, in every process alike."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pytest_leakpro.shadow.digest import (
    UndigestibleError,
    digest_records,
    digest_trainer,
    library_versions,
)

RECIPE = """
    import helpers
    from helpers import scale as rescale
    from sklearn.linear_model import LogisticRegression

    RATE = 0.5

    class Model:
        depth = 3

        def fit(self, X, y):
            return LogisticRegression(C=RATE).fit(X, y)

    def fit(X, y, seed, *, rounds=2):
        # as it was
        def inner(values):
            return values * 2
        import late
        late.check(X)
        return Model().fit(inner(rescale(helpers.clean(X))), y)

    def unrelated():
        return 1
"""
HELPERS = """
    def clean(X):
        return X + OFFSET

    def scale(X):
        return X / 2

    OFFSET = 1.0

    def unused():
        return 0
"""
LATE = """
    def check(X):
        assert len(X)
"""
FILES = {"recipe": RECIPE, "helpers": HELPERS, "late": LATE}
COMMAND = (
    "import recipe; from pytest_leakpro.shadow.digest import digest_trainer; "
    "print(digest_trainer(recipe.fit))"
)


def digest_of(folder, hash_seed="0", **changes):
    for name, text in FILES.items():
        text = textwrap.dedent(text)
        for old, new in changes.get(name, ()):
            assert old in text
            text = text.replace(old, new)
        (folder / f"{name}.py").write_text(text)
    result = subprocess.run(
        [sys.executable, "-B", "-c", COMMAND],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    return digest_of(tmp_path_factory.mktemp("before"))


def test_the_same_in_every_process_and_folder(tmp_path, before):
    assert digest_of(tmp_path, "1") == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("recipe", "RATE = 0.5", "RATE = 0.25"),
        pytest.param("recipe", "values * 2", "values * 3", marks=pytest.mark.slow),
        ("recipe", "rounds=2", "rounds=3"),
        pytest.param("recipe", "depth = 3", "depth = 4", marks=pytest.mark.slow),
        pytest.param("recipe", "C=RATE", "C=RATE, fit_intercept=False", marks=pytest.mark.slow),
        ("helpers", "X + OFFSET", "X - OFFSET"),
        pytest.param("helpers", "X / 2", "X / 3", marks=pytest.mark.slow),
        ("helpers", "OFFSET = 1.0", "OFFSET = 2.0"),
        ("late", "assert len(X)", "assert len(X) > 1"),
    ],
)
def test_another_recipe_has_another_digest(tmp_path, before, name, old, new):
    assert digest_of(tmp_path, **{name: [(old, new)]}) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("recipe", "# as it was", "# said better"),
        pytest.param("recipe", "RATE = 0.5", "\n\n\nRATE = 0.5", marks=pytest.mark.slow),
        ("recipe", "return 1", "return 2"),
        ("helpers", "return 0", "return 9"),
    ],
)
def test_what_does_not_reach_training_changes_nothing(tmp_path, before, name, old, new):
    assert digest_of(tmp_path, **{name: [(old, new)]}) == before


def closure(value):
    def train(X, y, seed):
        return X, y, seed, value

    return train


def test_closures_and_partials():
    from functools import partial

    assert digest_trainer(closure(1)) == digest_trainer(closure(1))
    assert digest_trainer(closure(1)) != digest_trainer(closure(2))
    assert digest_trainer(closure(np.zeros(3))) != digest_trainer(closure(np.ones(3)))
    assert digest_trainer(partial(closure, 1)) != digest_trainer(partial(closure, 2))
    assert digest_trainer(lambda X, y, s: X) == digest_trainer(lambda X, y, s: X)
    assert digest_trainer(lambda X, y, s: X) != digest_trainer(lambda X, y, s: y)


def test_an_estimator_is_its_parameters():
    rng = np.random.default_rng(0)
    forest = RandomForestClassifier(5, random_state=0)
    before = digest_trainer(make_pipeline(StandardScaler(), forest))
    fitted = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0))
    fitted.fit(rng.normal(size=(20, 2)), np.arange(20) % 2)
    assert digest_trainer(fitted) == before
    assert (
        digest_trainer(make_pipeline(StandardScaler(), forest.set_params(n_estimators=6))) != before
    )


def test_what_has_no_value_is_refused_or_named():
    unsteady = closure(np.random.default_rng(0))
    with pytest.raises(UndigestibleError, match="whose state changes"):
        digest_trainer(unsteady)
    assert digest_trainer(unsteady, "v1") == digest_trainer(closure(np.random.default_rng(1)), "v1")
    assert digest_trainer(unsteady, "v1") != digest_trainer(unsteady, "v2")
    with pytest.raises(UndigestibleError):
        digest_trainer(closure(object()))
    with pytest.raises(UndigestibleError):
        digest_trainer(closure(x for x in ()))


def test_cycles_end():
    def first(X, y, seed):
        return second(X, y, seed)

    def second(X, y, seed):
        return first(X, y, seed)

    assert digest_trainer(first) == digest_trainer(first)
    loop = [1]
    loop.append(loop)
    assert digest_trainer(closure(loop))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_equal_values_and_only_they_share_a_digest(one, other):
    same = repr(one) == repr(other)
    assert (digest_trainer(closure(one)) == digest_trainer(closure(other))) == same


def test_types_count():
    values = [1, 1.0, True, "1", b"1", [1], (1,), {1}, np.int64(1), np.array(1)]
    assert len({digest_trainer(closure(value)) for value in values}) == len(values)


def test_records():
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    base = digest_records(X, y)
    changed = X.copy()
    changed[3, 1] += 1e-9
    frame = pd.DataFrame(X, columns=["a", "b"])
    others = [
        digest_records(changed, y),
        digest_records(X, 1 - y),
        digest_records(X.astype("f4"), y),
        digest_records(frame, y),
        digest_records(frame.rename(columns={"a": "c"}), y),
    ]
    assert base == digest_records(X.copy(), y.copy())
    assert len({base, *others}) == 6


def test_versions_are_those_in_use():
    versions = library_versions()
    assert versions["numpy"] == np.__version__
    assert versions["python"] == ".".join(map(str, sys.version_info[:2]))
