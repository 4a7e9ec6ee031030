"""Which columns are attacked, in which records, and what is said of them."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pytest_leakpro import LeakproError, audit
from pytest_leakpro.attacks.attribute.candidates import Candidates
from pytest_leakpro.attacks.attribute.csmia import ConfidenceInversion
from pytest_leakpro.attacks.attribute.likelihood import AttributeLikelihood
from pytest_leakpro.attacks.content_attack import ContentAttack
from pytest_leakpro.auditing.metric_suites import metric_suites
from pytest_leakpro.auditing.session import SessionDefaults
from pytest_leakpro.gate.metric_name import MetricName
from tests.attacks.attribute.cases import (
    ATTACKS,
    SECRET,
    classifier,
    guessed,
    regressor,
    sides,
    table,
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
CSMIA = ConfidenceInversion()


class TestCandidates:
    def test_few_values_are_tried_as_they_are(self):
        inputs = np.array([[3.0], [np.nan], [1.0], [3.0], [2.0]])
        found = Candidates.of(inputs, 0)
        assert len(found) == 4
        codes = found.codes_of(np.array([[1.0], [2.0], [3.0], [np.nan], [4.0]]))
        assert sorted(codes[:4]) == [0, 1, 2, 3]
        assert codes[4] == -1
        # What is put in for a code has that code.
        for code in range(4):
            assert (found.codes_of(found.put(inputs, code)) == code).all()

    def test_many_numbers_are_tried_by_groups(self):
        rng = np.random.default_rng(0)
        inputs = np.column_stack([rng.normal(size=1000), rng.exponential(size=1000)])
        inputs[:50, 1] = np.nan
        inputs[50:400, 1] = 0  # three groups and more in one value
        first, second = (Candidates.of(inputs, place) for place in (0, 1))
        assert len(first) == 10
        assert np.bincount(first.codes_of(inputs)).tolist() == [100] * 10
        for found in (first, second):
            for code in range(len(found)):
                assert (found.codes_of(found.put(inputs, code)) == code).all()
        counts = np.bincount(second.codes_of(inputs))
        assert sorted(counts)[0] == 50
        assert sorted(counts)[-1] == 380  # 0 is all of it up to the fourth tenth of 950
        assert counts.sum() == 1000
        assert first.codes_of(np.array([[-50.0, 0], [50.0, 0]])).tolist() == [0, 9]

    def test_times_are_numbers(self):
        days = pd.DataFrame({"born": pd.date_range("1950-01-01", periods=500, freq="D")})
        found = Candidates.of(days, 0)
        assert np.bincount(found.codes_of(days)).tolist() == [50] * 10

    def test_of_many_categories_the_commonest_are_tried(self):
        names = [f"town {number}" for number in range(25) for _ in range(number + 1)]
        found = Candidates.of(pd.DataFrame({"town": names}), 0)
        assert (len(found), found.n_left_out) == (20, 5)
        codes = found.codes_of(pd.DataFrame({"town": ["town 24", "town 4", "elsewhere"]}))
        assert codes.tolist() == [0, -1, -1]

    def test_words_where_numbers_were_are_none_of_them(self):
        found = Candidates.of(pd.DataFrame({"a": np.arange(100.0)}), 0)
        assert found.codes_of(pd.DataFrame({"a": ["x", "y"]})).tolist() == [-1, -1]


def people(rng, n):
    """A frame with categories, numbers and missing values; the label by chance."""
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 90, n) + rng.random(n).round(3),
            "smoker": pd.Categorical(rng.choice(["no", "yes"], n), ["no", "yes"]),
            "town": rng.choice(["A", "B", "C"], n),
        }
    )
    frame.loc[rng.random(n) < 0.1, "town"] = None
    return frame, pd.Series(rng.integers(0, 6, n), name="died")


def piped(parts):
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["smoker", "town"]), remainder="passthrough"
    )
    return make_pipeline(encoder, KNeighborsClassifier(1)).fit(*parts[0])


def test_an_audit_of_several_columns_of_a_frame():
    parts = sides(1, 300, people)
    target = classifier(piped(parts), parts, secret=["smoker", "town"])
    found = audit(target, "attribute_inference <= 5%", seed=2).measurements[0]
    assert str(found.verdict) == "FAIL"
    assert [part.label for part in found.slices] == ["smoker", "town"]
    assert all(part.low > 0.05 for part in found.slices)
    assert [figures.attack for figures in found.figures] == ["attribute_likelihood", "csmia"]
    # Two values or four of 600 records: the deciding column's.
    assert found.figures[0].queries in (1200, 2400)
    one = audit(target, "attribute_inference[town] <= 5%", seed=2)
    assert (str(one.verdict), one.measurements[0].slices) == ("FAIL", ())
    assert one.details["checks"]["contents"]["csmia"]["town"]["values"] == 4
    exposed = one.vulnerable(20)
    assert len(set(exposed.tolist())) == 20


@pytest.mark.parametrize(("access", "second"), [("label", "lomia"), ("scores", "csmia")])
def test_the_default_suite_follows_from_what_is_seen(access, second):
    parts = sides(1, 20)
    target = classifier(LogisticRegression().fit(*parts[0]), parts, access=access)
    metric = MetricName("attribute_inference")
    suite = metric_suites(target, ContentAttack, [metric], SessionDefaults())[metric.name]
    assert [attack.name for attack in suite] == ["attribute_likelihood", second]


def test_without_a_population_non_members_are_set_aside():
    parts = sides(3, 300)
    model = LogisticRegression().fit(*parts[0])
    target = classifier(model, parts, population=None)
    found = audit(target, "attribute_inference[2] <= 50%").measurements[0]
    assert (found.n_members, found.n_nonmembers) == (300, 210)


@pytest.mark.parametrize(
    "convert",
    [list, lambda X: X.tolist(), sparse.csr_matrix, lambda X: X.astype(np.float32)],
    ids=["arrays", "rows", "csr", "float32"],
)
def test_containers_are_attacked_alike(convert):
    parts = sides(4, 120)
    model = KNeighborsClassifier(1).fit(*parts[0])

    def asked(given):
        dense = given.toarray() if sparse.issparse(given) else np.asarray(given)
        return model.predict_proba(dense)

    options = {"classes": [0, 1], "output": "probabilities"}
    plain, other = (
        classifier(asked, [(form(X), y) for X, y in parts], **options)
        for form in (np.asarray, convert)
    )
    for attack in (CSMIA, ATTACKS["likelihood"]):
        one, two = (guessed(attack, target).evidence for target in (plain, other))
        assert one.main[0] == pytest.approx(two.main[0], abs=6)  # a forest's ties
        assert one.main_rate > one.control_rate + 0.1


def test_torch_models():
    torch = pytest.importorskip("torch")
    parts = [(torch.tensor(X, dtype=torch.float32), torch.tensor(y)) for X, y in sides(5, 80)]

    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inside, self.rows = torch.nn.Linear(3, 2), 0

        def forward(self, x):
            self.rows += len(x)
            return self.inside(x)

    model = Counting()
    view = classifier(model, parts, output="logits").prepare(0)
    found = CSMIA.find(view, np.random.default_rng(0), SECRET)
    assert found.details["answers_depend"] == 1
    assert view.queries == view.queries_of() == model.rows == 3 * 160


def test_of_each_person_one_record_is_attacked():
    parts = sides(6, 120)
    ids = tuple(np.repeat(np.arange(40), 3) + 100 * side for side in range(3))
    target = classifier(LogisticRegression().fit(*parts[0]), parts, groups=ids)
    found = guessed(CSMIA, target)
    assert found.evidence.sizes == (40, 40)
    assert sorted(found.exposed[0]) == list(range(40))
    drawn = guessed(ConfidenceInversion(attempts=25), target)
    assert drawn.evidence.sizes == (25, 25)
    assert len(set(drawn.exposed[0])) == 25
    with pytest.raises(LeakproError, match=r"41 attempts, and the members side has 40 persons"):
        guessed(ConfidenceInversion(attempts=41), target)


def test_the_secret_itself_is_hidden_from_the_attack():
    seen = []

    class Peeping(ConfidenceInversion):
        def score(self, secret):
            seen.append(np.unique(secret.attacked.inputs[:, SECRET]))
            return super().score(secret)

    parts = sides(7, 60)
    guessed(Peeping(), classifier(LogisticRegression().fit(*parts[0]), parts))
    assert len(seen[0]) == 1


def notes(parts, model=None, attack=CSMIA):
    model = model or LogisticRegression().fit(*parts[0])
    return guessed(attack, classifier(model, parts)).notes


def test_a_model_that_does_not_look_at_the_column_is_told_of():
    parts = sides(8, 60)
    asked = LogisticRegression().fit(parts[0][0][:, :SECRET], parts[0][1])
    assert notes(parts) == ()
    target = classifier(
        lambda X: asked.predict_proba(X[:, :SECRET]), parts, classes=[0, 1], output="probabilities"
    )
    found = guessed(CSMIA, target)
    assert found.notes == ("the model's answers do not depend on '2'",)
    assert found.details["answers_depend"] == 0
    # The commonest value comes first among the candidates and is not preferred for that.
    assert found.evidence.main_rate < 0.6


def test_columns_with_little_to_leak_are_told_of():
    def doubled(rng, n):
        X, y = table(rng, n)
        X[:, 1] = X[:, SECRET]
        return X, y

    def rare(rng, n):
        X, y = table(rng, n)
        X[:, SECRET] = rng.random(n) < 0.02
        return X, y

    assert "guessed right 100% of the time without the model" in notes(sides(9, 120, doubled))[0]
    assert "one value of '2' is so common" in notes(sides(9, 300, rare))[0]
    view = classifier(LogisticRegression().fit(*sides(9, 120)[0]), sides(9, 120, doubled))
    view = view.prepare(0)
    said = [
        attack.find(view, np.random.default_rng(0), SECRET).notes
        for attack in (CSMIA, AttributeLikelihood())
    ]
    assert [len(found) for found in said] == [1, 0]


def thirds(X, y):
    n = len(y) // 3
    cuts = [slice(start, start + n) for start in (0, n, 2 * n)]
    return [(X[cut], y[cut]) for cut in cuts]


class TestColumnsThatCannotBe:
    def parts(self, X, y, argument="a", secret=None):
        model = LogisticRegression().fit(np.zeros((2, 1)), [0, 1])
        target = classifier(model, thirds(X, y), secret=secret)
        return CSMIA.parts_of(target.prepare(0), MetricName("attribute_inference", argument))

    def test_none_is_named(self):
        X, y = people(np.random.default_rng(0), 60)
        with pytest.raises(LeakproError, match=r"no column is said to be secret.*\[smoker\]"):
            self.parts(X, y % 2, None)
        assert self.parts(X, y % 2, None, ["town", "age"]) == ("town", "age")

    def test_the_model_never_saw_it(self):
        X, y = people(np.random.default_rng(0), 60)
        with pytest.raises(LeakproError, match=r"no column 'smokes'.*did you mean 'smoker'"):
            self.parts(X, y % 2, "smokes")

    def test_it_is_the_label_by_name(self):
        X, y = people(np.random.default_rng(0), 60)
        with pytest.raises(LeakproError, match="'smoker' is the label that the model predicts"):
            self.parts(X, (y % 2).rename("smoker"), "smoker")

    def test_it_is_the_label_in_other_words(self):
        X, y = people(np.random.default_rng(0), 60)
        X["dead"] = np.where(y % 2 == 1, "yes", "no")
        with pytest.raises(LeakproError, match="'dead' is the label"):
            self.parts(X, y % 2, "dead")
        X.loc[0, "dead"] = "yes" if X.loc[0, "dead"] == "no" else "no"
        assert self.parts(X, y % 2, "dead") == ("dead",)

    def test_it_is_the_target_of_a_regression(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(60, 2))
        view = regressor(lambda X: X[:, 0], thirds(X, X[:, 1]), secret=1).prepare(0)
        with pytest.raises(LeakproError, match="'1' is the label"):
            CSMIA.parts_of(view, MetricName("attribute_inference"))
        # All of its values differ, as those of the target do, which says nothing.
        assert CSMIA.parts_of(view, MetricName("attribute_inference", "0")) == (0,)

    def test_it_is_constant(self):
        X, y = people(np.random.default_rng(0), 60)
        X["site"] = "here"
        with pytest.raises(LeakproError, match="'site' has the same value in all 20 records"):
            self.parts(X, y % 2, "site")

    def test_records_are_images(self):
        rng = np.random.default_rng(0)
        with pytest.raises(LeakproError, match="no rows of columns"):
            self.parts(rng.random((60, 4, 4)), rng.integers(0, 2, 60), "0")
