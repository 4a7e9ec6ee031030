"""What is accepted as members, non-members and population, and what is not."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from pytest_leakpro import Classifier, LeakproError, Regressor
from tests.targets.examples import Recorder, never, regression_sides, sides

(X, Y), OTHER = sides()


def frame(array, **more):
    return pd.DataFrame(array, columns=list("abc")).assign(**more)


NO_SIDES = {
    "none": (None, "None"),
    "path": (Path("train.csv"), "yours to load"),
    "text": ("train.csv", "yours to load"),
    "array": (X, "labels are needed"),
    "frame": (frame(X), "split the label column off"),
    "triple": ((X, Y, Y), "tuple of 3"),
    "single": ((X,), "tuple of 1"),
    "dictionary": ({"X": X, "y": Y}, "dict"),
    "generator": ((x for x in X), "generator"),
    "X none": ((None, Y), "X is None"),
    "X dict": (({"a": X}, Y), "X is a dict"),
    "X number": ((np.array(1.0), Y), "single number"),
    "y none": ((X, None), "y is None"),
    "y text": ((X, "label"), "y is a str"),
    "y sparse": ((X, sp.csr_matrix(Y[:, None])), "y is"),
    "empty": ((X[:0], Y[:0]), "no record"),
    "empty lists": (([], []), "no record"),
    "no column": ((X[:, :0], Y), "no value"),
    "lengths": ((X, Y[:-1]), "40 records, y 39 labels"),
    "tiny": ((X[:9], Y[:9]), "tiny"),
    "structured": ((np.zeros(40, dtype=[("a", float)]), Y), "structured"),
    "one-hot": ((X, np.eye(2)[Y]), "argmax"),
    "one-hot frame": ((X, pd.DataFrame(np.eye(2)[Y])), "argmax"),
    "one-hot lists": ((X, np.eye(2)[Y].tolist()), "argmax"),
    "one-hot rows": ((X, list(np.eye(2)[Y])), "argmax"),
    "nan label": ((X, np.where(np.arange(40) < 3, np.nan, Y)), "3 of 40 labels are missing"),
    "none label": ((X, [None, *Y[1:].tolist()]), "1 of 40 labels are missing"),
    "na label": ((X, pd.Series([pd.NA, *Y[1:]], dtype="Int64")), "1 of 40 labels are missing"),
    "masked label": ((X, np.ma.array(Y, mask=Y == 1)), "masked"),
    "text label": ((X, [str(v) for v in Y]), "classes="),
    "negative label": ((X, Y - 1), "classes="),
    "fraction label": ((X, Y + 0.5), "classes="),
    "infinite label": ((X, np.where(Y == 1, np.inf, 0.0)), "classes="),
    "nested label": ((X, [{"a": 1}] * 40), "classes="),
}


@pytest.mark.parametrize("name", NO_SIDES)
@pytest.mark.parametrize("where", ["members", "nonmembers", "population"])
def test_anything_else_is_refused_with_its_side(name, where):
    given, said = NO_SIDES[name]
    if where == "population" and given is None:
        pytest.skip("no population is what None says")
    good = {"members": (X, Y), "nonmembers": OTHER, "population": (X + 9, Y)}
    with pytest.raises(LeakproError, match=f"^{where}: ") as caught:
        Classifier(never, **{**good, where: given})
    assert said in str(caught.value)


BAD_TARGETS = {
    "nan": (np.where(np.arange(40) == 0, np.nan, 1.0), "1 of 40 targets"),
    "infinite": (np.where(np.arange(40) < 2, np.inf, 1.0), "2 of 40 targets"),
    "none": ([None] * 40, "40 of 40 targets"),
    "na": (pd.Series([pd.NA] + [1.5] * 39, dtype="Float64"), "1 of 40 targets"),
    "text": (["1.0"] * 40, "not numbers"),
    "text array": (np.array(["1.0"] * 40), "not numbers"),
    "text frame": (pd.Series(["1.0"] * 40), "not numbers"),
    "ragged": ([[1.0]] * 39 + [[1.0, 2.0]], "not numbers"),
    "complex": (np.ones(40, dtype=complex), "not numbers"),
    "cube": (np.ones((40, 2, 2)), "shape"),
    "masked": (np.ma.array(np.ones(40), mask=np.arange(40) == 0), "1 of 40 targets"),
}


@pytest.mark.parametrize("name", BAD_TARGETS)
@pytest.mark.parametrize("where", ["members", "nonmembers"])
def test_targets_that_are_no_finite_numbers_are_refused(name, where):
    targets, said = BAD_TARGETS[name]
    members, nonmembers = regression_sides()
    pairs = {"members": members, "nonmembers": nonmembers}
    pairs[where] = (pairs[where][0], targets)
    with pytest.raises(LeakproError, match=f"^{where}: ") as caught:
        Regressor(never, **pairs)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "y",
    [
        Y,
        Y[:, None],
        Y.astype(float),
        Y.astype(bool),
        Y.tolist(),
        tuple(Y),
        list(Y),
        Y[:, None].tolist(),
        pd.Series(Y, index=np.arange(40) + 7),
        pd.Series(Y).astype("category"),
        pd.Series(Y, dtype="Int64"),
        pd.DataFrame({"y": Y}),
    ],
    ids=lambda y: type(y).__name__,
)
def test_labels_come_in_many_containers(y):
    view = Classifier(Recorder(), (X, y), OTHER).prepare(0)
    np.testing.assert_array_equal(view.members.labels, Y)
    assert view.members.labels.dtype.kind == "i"


@pytest.mark.parametrize("outputs", [None, 1, 3])
def test_targets_of_a_regression_may_have_several_columns(outputs):
    members, nonmembers = regression_sides(outputs=outputs)
    width = outputs or 1
    view = Regressor(lambda x: np.zeros((len(x), width)), members, nonmembers).prepare(0)
    assert view.members.labels.shape == (40, width)
    np.testing.assert_array_equal(view.members.labels, np.reshape(members[1], (40, width)))


@pytest.mark.parametrize(
    "y",
    [np.arange(40), list(range(40)), pd.Series(np.arange(40.0)), pd.DataFrame({"y": range(40)})],
    ids=lambda y: type(y).__name__,
)
def test_targets_come_in_many_containers(y):
    view = Regressor(lambda x: x[:, 0], (X, y), (OTHER[0], y)).prepare(0)
    np.testing.assert_array_equal(view.members.labels[:, 0], np.arange(40.0))


def test_the_sides_must_have_the_same_number_of_targets():
    members, nonmembers = regression_sides()
    with pytest.raises(LeakproError, match=r"^nonmembers: .* 2 columns"):
        Regressor(never, members, (nonmembers[0], np.ones((40, 2))))


UNLIKE = {
    "width": (X, OTHER[0][:, :2], r"shape \(2,\)"),
    "dims": (X, OTHER[0][:, :, None], r"shape \(3, 1\)"),
    "frame width": (frame(X), frame(OTHER[0], d=1), r"shape \(4,\)"),
    "frame columns": (frame(X), frame(OTHER[0]).rename(columns={"c": "z"}), r"columns \(c, z\)"),
    "frame order": (frame(X), frame(OTHER[0])[["b", "a", "c"]], "column order"),
    "frame and array": (frame(X), OTHER[0], "same kind of container"),
    "array and list": (X, OTHER[0].tolist(), "same kind of container"),
    "sparse width": (sp.csr_matrix(X), sp.csr_matrix(OTHER[0][:, :2]), r"shape \(2,\)"),
    "sparse and dense": (sp.csr_matrix(X), OTHER[0], "same kind of container"),
    "list width": (X.tolist(), OTHER[0][:, :2].tolist(), r"shape \(2,\)"),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_sides_that_differ_in_shape_are_refused_also_for_a_callable(name):
    first, other, said = UNLIKE[name]
    with pytest.raises(LeakproError, match=f"^nonmembers: .*{said}"):
        Classifier(never, (first, Y), (other, Y))
    with pytest.raises(LeakproError, match=f"^population: .*{said}"):
        Classifier(never, (first, Y), (first, Y), population=(other, Y))


def test_tokens_of_different_lengths_are_records():
    rng = np.random.default_rng(0)
    texts = [[list(rng.integers(0, 99, size=n + 1)) for n in range(20)] for _ in range(2)]
    model = Recorder()
    target = Classifier(model, (texts[0], Y[:20]), (texts[1], Y[:20]))
    assert "members=(20,)" in repr(target)
    view = target.prepare(0)
    assert len(view.members) == 20
    assert model.calls[0] is texts[0]


CONTAINERS = {
    "array": lambda x: x,
    "float32": lambda x: x.astype(np.float32),
    "images": lambda x: x.reshape(40, 3, 1, 1),
    "vector": lambda x: x[:, 0],
    "frame": frame,
    "series": lambda x: pd.Series(x[:, 0]),
    "csr": sp.csr_matrix,
    "csc": sp.csc_array,
    "coo": sp.coo_matrix,
    "lists": lambda x: x.tolist(),
    "rows": list,
    "texts": lambda x: [f"text {value}" for value in x[:, 0]],
    "dictionaries": lambda x: [{"text": str(row[0]), "age": row[1]} for row in x],
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_callable_gets_the_records_as_they_were_given(name):
    members, nonmembers = CONTAINERS[name](X), CONTAINERS[name](OTHER[0])
    kind = type(members)

    whole = Recorder()
    Classifier(whole, (members, Y), (nonmembers, Y)).prepare(0).members  # noqa: B018
    assert whole.calls[0] is members
    assert whole.calls[1] is nonmembers
    assert whole.sent == 80

    some = Recorder()
    target = Classifier(some, (members, Y), (nonmembers, Y), audit_size=10, output="logits")
    assert len(target.prepare(0).members) == 10
    assert [type(call) for call in some.calls] == [kind]
    assert some.sent == 10

    batches = Recorder()
    target = Classifier(batches, (members, Y), (nonmembers, Y), batch_size=15, output="logits")
    assert len(target.prepare(0).members) == 40
    sizes = [len(call) if isinstance(call, list) else call.shape[0] for call in batches.calls]
    assert sizes == [13, 13, 14]
    assert {type(call) for call in batches.calls} == {kind}


def test_nan_in_the_inputs_is_allowed():
    holes = np.where(X > 1, np.nan, X)
    assert Classifier(Recorder(), (holes, Y), OTHER).prepare(0).n_members == 40


OPTIONS = [
    ({"audit_size": 9}, "audit_size is 9"),
    ({"audit_size": 20.5}, "audit_size is 20.5"),
    ({"audit_size": True}, "audit_size is True"),
    ({"audit_size": "20"}, "audit_size is a str"),
    ({"batch_size": 0}, "batch_size is 0"),
    ({"batch_size": "8"}, "batch_size is a str"),
    ({"name": 3}, "name is 3"),
    ({"name": "  "}, "empty"),
    ({"allow_overlap": "yes"}, "allow_overlap is a str"),
    ({"access": "logits"}, "access="),
    ({"groups": np.arange(40)}, "groups: give a pair"),
    ({"groups": (np.arange(40),)}, "groups: give a pair"),
    ({"groups": (np.arange(39), np.arange(40))}, "ids of the members: 39 ids for 40 records"),
    ({"groups": (np.arange(40), np.arange(39))}, "ids of the nonmembers: 39 ids for 40"),
    ({"groups": (np.arange(40), None)}, "nonmembers"),
    ({"groups": (np.arange(40), "ab")}, "ids of the nonmembers: a str"),
    ({"groups": (np.full(40, np.nan), np.arange(40))}, "40 of 40 ids are missing"),
    ({"groups": ([{}] * 40, np.arange(40))}, "cannot be compared"),
    ({"groups": (np.arange(40) % 9, np.arange(40))}, "members: 9 persons are too few"),
    ({"groups": (np.arange(40),) * 3}, "no population"),
]


@pytest.mark.parametrize(("options", "said"), OPTIONS)
@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_bad_options_are_refused(kind, options, said):
    with pytest.raises(LeakproError, match=re.escape(said)):
        kind(never, (X, Y), OTHER, **options)


def test_the_repr_shows_shapes_only():
    target = Regressor(never, (X, Y), (OTHER[0][:20], Y[:20]))
    assert repr(target) == (
        "Regressor('never', members=(40, 3), nonmembers=(20, 3), access='scores')"
    )
    assert (target.n_members, target.n_nonmembers, target.has_population) == (40, 20, False)
