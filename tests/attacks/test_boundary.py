"""Distances to a decision boundary that is known."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import Classifier, LeakproError, audit
from pytest_leakpro.attacks.membership import boundary
from pytest_leakpro.attacks.membership.boundary import BoundaryDistance
from pytest_leakpro.attacks.membership.hop_skip_jump import plan_walk

N = 150
W = np.array([2.0, -1.0, 0.5, 1.0, 0.1])


def line(X):
    return (np.asarray(X, dtype=float)[:, :5] @ W > 0.4).astype(int)


def target(model=line, *, wrong=0, frame=False, **options):
    X = np.random.default_rng(3).normal(size=(2 * N, 5)) * [1, 2, 3, 4, 5]
    y = line(X)
    y[:wrong] = 1 - y[:wrong]
    given = pd.DataFrame(X, columns=list("abcde")).assign(sex=["f", "m", "m"] * (2 * N // 3))
    X = given if frame else X
    sides = (X[:N], y[:N]), (X[N:], y[N:])
    return Classifier(model, *sides, classes=[0, 1], access="label", **options)


def distances(attack, audited, seed=1):
    view = audited.prepare(0)
    found = attack.run(view, np.random.default_rng(seed))
    assert view.queries <= (attack.queries + 1) * 2 * N
    return np.r_[found.members, found.nonmembers]


def exact(norm):
    X = np.random.default_rng(3).normal(size=(2 * N, 5)) * [1, 2, 3, 4, 5]
    slope = W * X.std(axis=0)
    length = np.linalg.norm(slope) if norm == "l2" else np.abs(slope).sum()
    return np.abs(X @ W - 0.4) / length


@pytest.mark.parametrize(("norm", "above"), [("l2", 1.05), ("linf", 1.02)])
def test_a_line_is_as_far_as_it_is(norm, above):
    # The nearest point beyond is no nearer than the boundary; clipping to the range moves few.
    ratio = distances(BoundaryDistance(norm=norm), target()) / exact(norm)
    assert ratio.min() > 0.999
    assert 1 <= np.median(ratio) < above
    assert np.quantile(ratio, 0.9) < 1.08


def test_more_queries_come_nearer():
    few = distances(BoundaryDistance(queries=150), target())
    many = distances(BoundaryDistance(queries=1500), target())
    assert np.median(many / exact("l2")) < 1.01 < np.median(few / exact("l2"))


def test_what_is_labelled_wrongly_is_at_no_distance():
    found = distances(BoundaryDistance(queries=100), target(wrong=10))
    assert np.array_equal(found[:10], np.zeros(10))
    assert found[10:].min() > 0


def test_a_constant_model_has_no_boundary():
    audited = target(lambda X: np.zeros(len(X), int))
    found = distances(BoundaryDistance(queries=100), audited)
    assert len(np.unique(found)) == 2  # wrong, or out of reach
    assert np.isfinite(found).all()


def test_columns_of_text_stay_and_a_frame_is_a_frame():
    def model(X):
        assert set(X["sex"]) <= {"f", "m"}
        assert list(X.columns) == [*"abcde", "sex"]
        return line(X[list("abcde")].to_numpy())

    of_frame = distances(BoundaryDistance(queries=120), target(model, frame=True))
    assert np.allclose(of_frame, distances(BoundaryDistance(queries=120), target()))


def test_distances_depend_on_the_seed_and_not_on_how_many_walk_at_a_time(monkeypatch):
    attack = BoundaryDistance(queries=120)
    together = distances(attack, target())
    assert np.array_equal(together, distances(attack, target()))
    assert not np.array_equal(together, distances(attack, target(), seed=2))
    monkeypatch.setattr(boundary, "_CELLS", 300)
    assert np.array_equal(together, distances(attack, target()))


def test_missing_numbers_stay_missing():
    X = np.random.default_rng(4).normal(size=(60, 2))
    X[::3, 1] = np.nan
    y = (X[:, 0] > 0).astype(int)

    def model(asked):
        nonlocal lacking
        lacking |= np.isnan(asked[:, 1]).any()
        return (asked[:, 0] > 0).astype(int)

    lacking = False
    audited = Classifier(model, (X[:30], y[:30]), (X[30:], y[30:]), classes=[0, 1], access="label")
    found = BoundaryDistance(queries=150).run(audited.prepare(0), np.random.default_rng(0))
    far = np.abs(X[:30, 0]) / X[:, 0].std()
    assert lacking
    assert np.allclose(found.members, far, rtol=0.05, atol=1e-3)


@pytest.mark.parametrize("queries", [100, 500, 2500, 25_000])
@pytest.mark.parametrize("size", [1, 10, 784])
def test_plans_keep_to_their_budget(queries, size):
    plan = plan_walk(queries, 25, size, "linf")
    assert plan.queries <= queries
    assert plan.directions


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"queries": 50}, "queries is 50: give a whole number of at least 100"),
        ({"queries": 200.0}, "queries is 200.0"),
        ({"norm": "l1"}, "norm is 'l1'"),
        ({"tries": 0}, "tries is 0"),
        ({"tries": 300}, "at most half"),
    ],
)
def test_bad_settings_are_refused(options, says):
    with pytest.raises(LeakproError, match=says):
        BoundaryDistance(**options)


def test_texts_do_not_match():
    side = ["a text", "another"] * 10, [0, 1] * 10
    audited = Classifier(lambda X: [0] * len(X), side, side, classes=[0, 1], access="label",
                         allow_overlap=True)  # fmt: skip
    with pytest.raises(LeakproError, match="'boundary' does not match: it perturbs records, and X"):
        audit(audited, "auc <= 0.7", attacks=["boundary"])
