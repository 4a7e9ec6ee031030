"""What a model may return."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from pytest_leakpro import Classifier, LeakproError, Regressor
from tests.targets.examples import CANARY, Recorder, regression_sides, sides, softmax

MEMBERS, OTHERS = sides(n_classes=3)
BINARY, BINARY_OTHERS = sides()
LOGITS = np.random.default_rng(0).normal(size=(40, 3))


def view_of(answer, members=MEMBERS, others=OTHERS, **options):
    return Classifier(Recorder(answer), members, others, **options).prepare(0)


def put(value, where=(0, 0), logits=LOGITS):
    changed = logits.copy()
    changed[where] = value
    return changed


BAD = {
    "none": (None, "None"),
    "text": ("yes", "a str"),
    "dictionary": ({"a": LOGITS}, "a dict"),
    "labels": (["a", "b"] * 20, "text"),
    "objects": ([object()] * 40, "objects of type object"),
    "number": (0.5, "shape ()"),
    "mixed text": (pd.Series(["0.5", 0.5] * 20, dtype=object), "text"),
    "missing": ([None] * 40, "NaN"),
    "nan": (put(np.nan), "NaN for 1 of 40"),
    "infinite": (put(-np.inf), "infinite values for 1 of 40"),
    "rows": (LOGITS[:39], "39 rows for 40 records"),
    "transposed": (LOGITS.T, "3 rows for 40 records"),
    "cube": (LOGITS[:, :, None], "shape (40, 3, 1)"),
    "no column": (LOGITS[:, :0], "without a value"),
    "ragged": ([[0.1, 0.9]] * 39 + [[1.0]], "ragged"),
    "tuple": ((LOGITS, LOGITS[:, :2]), "ragged"),
    "complex": (LOGITS.astype(complex), "complex"),
    "sparse": (sp.csr_matrix(LOGITS), "numbers"),
    "times": (np.zeros(40, dtype="M8[s]"), "datetime"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_outputs_are_refused_with_their_side(name):
    output, said = BAD[name]
    for side in ("members", "nonmembers"):
        rest = LOGITS
        calls = iter([output, rest] if side == "members" else [rest, output])
        view = view_of(lambda _, calls=calls: next(calls))
        with pytest.raises(LeakproError, match=side) as caught:
            view.members  # noqa: B018
        assert said in str(caught.value)


@pytest.mark.parametrize("name", ["nan", "infinite", "rows", "text", "cube", "none"])
def test_bad_predictions_are_refused(name):
    members, others = regression_sides()
    with pytest.raises(LeakproError, match="members"):
        Regressor(lambda _: BAD[name][0], members, others).prepare(0).members  # noqa: B018


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        np.ndarray.tolist,
        pd.DataFrame,
        list,
        lambda logits: tuple(map(tuple, logits)),
        lambda logits: logits.astype(object),
        lambda logits: SimpleNamespace(logits=logits),
        lambda logits: [[Decimal(value) for value in row] for row in logits],
    ],
)
def test_good_outputs_come_in_many_containers(convert):
    view = view_of(lambda _: convert(LOGITS))
    expected = softmax(LOGITS)
    np.testing.assert_allclose(np.exp(view.members.log_probabilities), expected, rtol=1e-12)
    assert view.output == "logits"


def widening(rows):
    """Return another column with every call."""
    columns = iter([2, 3])
    return lambda _: LOGITS[:rows, : next(columns)]


def test_the_columns_must_be_the_classes():
    with pytest.raises(LeakproError, match=r"3 columns for the members.*4 classes \[0, 1, 2, 3\]"):
        view_of(lambda _: LOGITS, classes=range(4)).members  # noqa: B018
    with pytest.raises(LeakproError, match=r"1 column for the .* \(not predicted labels\)"):
        view_of(lambda x: x[:, 0], classes=range(3)).members  # noqa: B018
    with pytest.raises(LeakproError, match=r"members: 13 of 40 records .* classes 0 to 1"):
        view_of(lambda x: x[:, 0]).members  # noqa: B018
    with pytest.raises(LeakproError, match="3 columns for the nonmembers and 2 for the other"):
        view_of(widening(40)).members  # noqa: B018
    with pytest.raises(LeakproError, match="2 columns for one batch of the members and 3"):
        view_of(widening(20), batch_size=20).members  # noqa: B018


def test_a_margin_per_pair_of_classes_is_told():
    class Pairs:
        classes_ = np.arange(4)

        def decision_function(self, x):
            return np.zeros((len(x), 6))

    with pytest.raises(LeakproError, match="decision_function_shape='ovr'"):
        Classifier(Pairs(), MEMBERS, OTHERS).prepare(0).members  # noqa: B018


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (softmax(LOGITS), "probabilities"),
        (softmax(LOGITS) * 1.0009, "probabilities"),
        (softmax(LOGITS) * 1.01, "logits"),
        (LOGITS, "logits"),
        (LOGITS - LOGITS.sum(axis=1, keepdims=True) / 3 + 1 / 3, "logits"),
    ],
)
def test_the_values_tell_what_they_are(values, told):
    view = view_of(lambda _: values)
    assert view.output is None
    assert view.members.n_classes == 3
    assert view.output == told
    assert view.notes == (
        f"output read as {told} (told from the values; say output= to be explicit)",
    )


@pytest.mark.parametrize(("shift", "told"), [(0.0, "probabilities"), (-0.001, "logits")])
def test_a_single_column_tells_too(shift, told):
    column = np.linspace(0, 1, 40) + shift
    for answer in (column, column[:, None]):
        view = view_of(lambda _, answer=answer: answer, BINARY, BINARY_OTHERS)
        assert view.nonmembers.n_classes == 2
        assert view.output == told


def test_both_sides_tell_whichever_is_asked_first():
    half = np.full((40, 1), 0.5)
    for first in ("members", "nonmembers"):
        calls = iter([half, half * 4])
        view = view_of(lambda _, calls=calls: next(calls), BINARY, BINARY_OTHERS)
        getattr(view, first)
        assert view.output == "logits"


def test_hard_labels_are_noted():
    view = view_of(lambda x: (x[:, 0] > 0).astype(int), BINARY, BINARY_OTHERS)
    assert view.members.n_classes == 2
    assert "labels only" in view.notes[1]


def test_an_explicit_output_needs_no_note():
    view = view_of(lambda _: softmax(LOGITS), output="logits")
    np.testing.assert_allclose(
        np.exp(view.members.log_probabilities), softmax(softmax(LOGITS)), rtol=1e-12
    )
    assert (view.output, view.notes) == ("logits", ())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (LOGITS, "outside [0, 1]"),
        (softmax(LOGITS) * 0.99, "do not sum to 1"),
        (put(-2e-6, logits=softmax(LOGITS)), "outside [0, 1] for 1 of 40"),
        (put(1.00001, logits=softmax(LOGITS)), "outside [0, 1] for 1 of 40"),
    ],
)
def test_what_are_no_probabilities_are_not_taken_for_them(values, said):
    with pytest.raises(LeakproError) as caught:
        view_of(lambda _: values, output="probabilities").members  # noqa: B018
    assert said in str(caught.value)
    assert "output='logits'" in str(caught.value)


def test_small_deviations_of_probabilities_are_forgiven():
    values = softmax(LOGITS)
    values[0] = [-1e-7, 1 + 1e-7, 0.0]
    signals = view_of(lambda _: values, output="probabilities").members
    assert np.isfinite(signals.log_probabilities).all()
    assert np.isfinite(signals.log_complements).all()


def test_a_population_that_reads_otherwise_is_refused():
    (x, y), good = MEMBERS, softmax(LOGITS)
    calls = iter([good, good, LOGITS])
    view = view_of(lambda _: next(calls), population=(x + 9, y))
    assert view.members.n_classes == 3
    with pytest.raises(LeakproError, match=r"population, which should be .* say output="):
        view.population  # noqa: B018


def test_a_model_that_raises_is_named_and_its_error_kept():
    def broken(x):
        raise ValueError(f"bad value {CANARY}")

    for side in ("members", "nonmembers"):
        view = view_of(broken, output="logits")
        with pytest.raises(LeakproError, match=rf"ValueError while scoring the {side}") as caught:
            getattr(view, side)
        assert isinstance(caught.value.__cause__, ValueError)
        assert caught.value.__cause__.__traceback__ is not None
        assert "(40, 3)" in str(caught.value)
        assert str(CANARY) not in str(caught.value)
        assert view.output is None


def test_memory_that_ran_out_is_told():
    def broken(x):
        raise MemoryError

    with pytest.raises(LeakproError, match="batch_size= below 40"):
        view_of(broken).members  # noqa: B018


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, pytest.fail.Exception])
def test_what_is_no_error_passes_through(error):
    def interrupted(x):
        raise error("stop")

    with pytest.raises(error):
        view_of(interrupted).members  # noqa: B018


def test_a_model_that_recovers_is_asked_again():
    answers = iter([LOGITS, ValueError, LOGITS])

    def flaky(x):
        answer = next(answers)
        if answer is ValueError:
            raise answer
        return answer

    view = view_of(flaky)
    with pytest.raises(LeakproError, match="nonmembers"):
        view.members  # noqa: B018
    assert len(view.members) == 40
    assert view.queries == 80


@pytest.mark.parametrize("squeeze", [np.squeeze, np.asarray])
def test_batches_of_one_record(squeeze):
    view = view_of(lambda x: squeeze(x * 3), batch_size=1)
    np.testing.assert_allclose(
        np.exp(view.members.log_probabilities), softmax(MEMBERS[0] * 3), rtol=1e-12
    )
    (x, _), (x2, _) = BINARY, BINARY_OTHERS
    y = np.arange(40.0)
    regression = Regressor(lambda x: squeeze(x[:, :1]), (x, y), (x2, y), batch_size=1)
    np.testing.assert_array_equal(regression.prepare(0).members.predictions, x[:, :1])
