"""The search for records and names: wherever they stand, and not by chance."""

import functools

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import Classifier, LeakproError
from pytest_leakpro.attacks.artefact.stored_records import StoredRecords
from tests.attacks.artefact.fits import KINDS, WIDTHS, N, fitted, labels, models, table, target_of

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
SEED = np.random.default_rng


def search(target):
    return StoredRecords().find(target.prepare(0), SEED(0))


def measurements(width=6, n=2 * N, seed=0):
    rng = SEED(seed)
    X = rng.normal(size=(n, width))
    return X, labels(X, rng)


def counts(found):
    evidence = found.evidence
    return evidence.found, evidence.of, evidence.control_found, evidence.control_of


ALL = (N, N, 0, N)


@pytest.mark.parametrize("kind", ["measurements", "binary", "whole numbers", "mixed", "skewed"])
@pytest.mark.parametrize("pipeline", [False, True])
def test_support_vectors_are_members_that_are_kept(kind, pipeline):
    rng = SEED(1)
    X = table(kind, 10, rng)
    y = labels(X, rng)
    svc = SVC()
    model = make_pipeline(StandardScaler(), svc) if pipeline else svc
    target = target_of(model, X, y)
    found = search(target)
    assert counts(found) == (len(svc.support_), N, 0, N)
    place = "steps[1].support_vectors_" if pipeline else "support_vectors_"
    after = " (after steps[0])" if pipeline else ""
    assert f"{len(svc.support_)} of {N} members (records) stand in {place}{after}" in found.notes
    # Which of equal records it was cannot be told, nor does it matter.
    exposed = X[np.sort(found.exposed[0])]
    assert sorted(exposed.tolist()) == sorted(X[svc.support_].tolist())
    assert set(found.exposed[1]) == {1.0}


@pytest.mark.parametrize(
    "model",
    [
        GridSearchCV(
            make_pipeline(StandardScaler(), KNeighborsClassifier()),
            {"kneighborsclassifier__n_neighbors": [1, 3]},
            cv=2,
        ),
        make_pipeline(
            ColumnTransformer([("a", StandardScaler(), [1, 2, 3])]), KNeighborsClassifier()
        ),
        BaggingClassifier(KNeighborsClassifier(), 8, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_models_in_models(model):
    assert counts(search(target_of(model, *measurements(4)))) == ALL


def test_the_ends_of_a_scale_stand_everywhere():
    """The smallest or largest of every column is 0 or 1 once it is scaled: that tells nothing."""
    X, y = measurements(3)
    X[0] = X.max(axis=0) + 0.1
    X[1] = X.min(axis=0) - 0.1
    X[2] = (X[0, 0] + 0.1, X[1, 1] - 0.1, X[0, 2] + 0.1)
    for model in (DecisionTreeClassifier(random_state=0), KMeans(2, n_init=1, random_state=0)):
        assert counts(search(held(fitted(model, X[:N], y[:N]), X, y))) == (0, N, 0, N)


def test_columns_that_are_sorted_each_for_itself_are_no_records():
    """Who has the same rank in all columns stands in a table of quantiles, and nothing tells."""
    X, y = measurements(4)
    X[5] = X.min(axis=0) - 1
    assert counts(search(held(np.sort(X[:N], axis=0), X, y))) == (0, N, 0, N)
    assert counts(search(held(np.sort(X[:N], axis=0).T.copy(), X, y))) == (0, N, 0, N)


def test_what_is_made_of_one_number_is_no_more_than_one_number():
    """Distances to centres are those centres where a record is 0."""
    X, y = measurements(1)
    X[0] = 0.0
    model = make_pipeline(KMeans(4, n_init=1, random_state=0), LogisticRegression())
    assert counts(search(target_of(model, X, y))) == (0, N, 0, N)


@pytest.mark.parametrize("kind", KINDS[:4])
def test_tables_of_neighbours_of_every_kind(kind):
    rng = SEED(2)
    X = table(kind, 10, rng)
    assert counts(search(target_of(KNeighborsClassifier(), X, labels(X, rng)))) == ALL


def test_quick_models_store_nobody():
    """One table of each kind and width, two models each in turn: nothing is found by chance."""
    seed = 0
    for kind in KINDS:
        for width in WIDTHS:
            rng = SEED(seed)
            X = table(kind, width, rng)
            y = labels(X, rng)
            offered = models(seed)
            for shift in (0, 11):
                model = offered[(seed + shift) % len(offered)]
                found = search(target_of(model, X, y))
                kept = singletons(model, X)
                assert found.evidence.found <= kept, (kind, width, model)
                assert found.evidence.control_found <= kept, (kind, width, model)
            seed += 1


def singletons(model, X):
    """How many clusters of k-means are one record each, or equal ones: their centre is a record."""
    if not hasattr(model, "steps") or not hasattr(model[0], "cluster_centers_"):
        return 0
    centres = model[0].cluster_centers_
    return int(sum((np.abs(X[:N] - centre) < 1e-6).all(axis=1).sum() for centre in centres))


@pytest.mark.slow
def test_a_thousand_fits_store_nobody():
    pytest.importorskip("torch")
    from tests.attacks.artefact.fits import perceptron

    fits = 0
    for seed in range(1000, 1170):
        rng = SEED(seed)
        X = table(KINDS[seed % 6], WIDTHS[(seed // 6) % 4], rng)
        y = labels(X, rng)
        offered = models(seed)
        targets = [
            target_of(offered[place], X, y) for place in rng.choice(len(offered), 5, replace=False)
        ]
        sides = (X[:N], y[:N]), (X[N:], y[N:])
        network = perceptron(X, y, seed)
        targets.append(Classifier(network, *sides, train=False, allow_overlap=True))
        for target in targets:
            kept = singletons(target.model, X)
            found = search(target)
            what = seed, type(target.model).__name__
            assert found.evidence.found <= kept, what
            # A non-member equal to the only record of a cluster stands there as well.
            assert found.evidence.control_found <= kept * (N if kept else 1), what
            fits += 1
    assert fits > 1000


def held(thing, X, y, **options):
    """A target whose model holds a thing."""

    def answer(asked, kept=thing):
        return np.full((len(asked), 2), 0.5)

    sides = (X[:N], y[:N]), (X[N:], y[N:])
    return Classifier(answer, *sides, train=False, classes=[0, 1], **options)


@pytest.mark.parametrize(
    ("keep", "place"),
    [
        (lambda X: {tuple(row): 1 for row in X.tolist()}, "keys()"),
        (lambda X: {row.tobytes(): 1 for row in X}, "keys()"),
        (lambda X: dict(enumerate(X)), "values()"),
        (lambda X: X.tolist(), ""),
        (lambda X: pd.DataFrame(X), ""),
        (lambda X: [pd.Series(row) for row in X], "[0]"),
        (lambda X: X.astype(np.float32), ""),
        (lambda X: np.asfortranarray(X), ""),
        (lambda X: X.T.copy(), ""),
        (lambda X: X.ravel(), ""),
        (lambda X: X.astype(object), ""),
        (lambda X: sparse.csc_matrix(X), ""),
        (lambda X: (X - X.mean(axis=0)) / X.std(axis=0), "standardised"),
        (lambda X: (X - X.mean(axis=0)) / X.std(axis=0, ddof=1), "standardised"),
        (lambda X: (X - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0)), "[0, 1]"),
        (lambda X: X / np.abs(X).max(axis=0), "divided by the largest"),
        (lambda X: functools.partial(print, X), "args"),
    ],
)  # fmt: skip
def test_whatever_holds_records(keep, place):
    X, y = measurements()
    found = search(held(keep(X[:N]), X, y))
    assert counts(found) == ALL
    assert place in found.notes[0]


def test_a_single_record_among_noise():
    rng = SEED(3)
    X, y = measurements(8)
    for array in (
        rng.normal(size=20_000).astype(np.float32),
        rng.normal(size=(100, 200)),
        np.asfortranarray(rng.normal(size=(100, 200))),
        rng.normal(size=(4, 5, 1000)),
    ):
        flat = array.reshape(-1)
        planted = np.array(flat)
        planted[12_345 : 12_345 + 8] = X[7]
        found = search(held(planted.reshape(array.shape), X, y))
        assert counts(found) == (1, N, 0, N)
        assert found.exposed[0].tolist() == [7]
        planted[12_345 + 3] += 1e-3
        assert counts(search(held(planted.reshape(array.shape), X, y)))[0] == 0
    tall = rng.normal(size=(300, 60))
    tall[17:25, 31] = X[9]
    assert search(held(tall, X, y)).exposed[0].tolist() == [9]
    alone = X[11].copy()
    assert search(held(alone, X, y)).exposed[0].tolist() == [11]


def test_non_members_are_searched_for_alike():
    X, y = measurements()
    assert counts(search(held(X[N:], X, y))) == (0, N, N, N)


def test_missing_values_are_equal():
    X, y = measurements()
    X[::3, 2] = np.nan
    X[1, 3] = np.inf
    found = search(held(X[:N].copy(), X, y))
    assert counts(found) == ALL


def test_copies_count_as_often_as_they_are_kept():
    X, y = measurements(6)
    X[10] = X[20] = X[30]
    found = search(held(np.delete(X[:N], [20, 30], axis=0), X, y))
    assert counts(found) == (N - 2, N, 0, N)


def test_a_person_counts_once():
    X, y = measurements()
    groups = np.arange(N) // 4, 1000 + np.arange(N) // 4
    found = search(held(X[:6], X, y, groups=groups))
    assert counts(found) == (2, N // 4, 0, N // 4)
    assert found.exposed[0].tolist() == [0, 1]
    assert "2 of 30 members (persons) stand in" in found.notes[0]


def test_all_records_are_searched_for_whatever_is_scored():
    X, y = measurements()
    target = held(X[:N], X, y, audit_size=20)
    assert counts(search(target)) == ALL
    assert StoredRecords().sizes(target.prepare(0)) == (N, N)


def test_images_are_found_as_they_are_and_scaled():
    rng = SEED(5)
    X = rng.integers(0, 256, size=(2 * N, 6, 6)).astype(np.uint8)
    y = np.arange(2 * N) % 2
    for kept in (X[:40], X[:40] / 255, (X[:40] / 255).astype(np.float32).reshape(40, -1)):
        assert counts(search(held(kept, X, y))) == (40, N, 0, N)


PEOPLE = [f"Person {number:05d} Doe{number * 7919 % 10007}" for number in range(2 * N)]


def frame(seed=0):
    rng = SEED(seed)
    return pd.DataFrame(
        {
            "name": PEOPLE,
            "town": rng.choice(["Ash", "Birch", "Cedar"], 2 * N),
            "patient": rng.choice(900_000, 2 * N, replace=False) + 100_000,
            "x": rng.normal(size=2 * N),
        }
    )


@pytest.mark.parametrize(
    "encoder",
    [OneHotEncoder(handle_unknown="ignore"),
     OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)],
)  # fmt: skip
@pytest.mark.parametrize("column", ["name", "patient", "town"])
def test_categories_hold_names(encoder, column):
    X = frame()
    y = np.arange(2 * N) % 2
    model = make_pipeline(ColumnTransformer([("c", encoder, [column])]), LogisticRegression())
    target = Classifier(model.fit(X[:N], y[:N]), (X[:N], y[:N]), (X[N:], y[N:]), train=False)
    found = search(target)
    assert counts(found) == ((0, N, 0, N) if column == "town" else ALL)
    if column != "town":
        assert f"(by the column {column})" in found.notes[0]
        assert "categories_" in found.notes[0]


def test_look_up_tables_by_names_and_numbers():
    X, y = frame(), np.arange(2 * N) % 2
    for keys in (X["name"], X["name"].str.upper(), X["patient"]):
        lookup = dict.fromkeys(keys[:30].tolist(), 1)
        assert counts(search(held(lookup, X, y))) == (30, N, 0, N)


def test_ids_among_measurements_and_ids_of_persons():
    X, y = measurements()
    X[:, 2] = SEED(7).choice(900_000, 2 * N, replace=False) + 100_000
    lookup = dict.fromkeys(X[:25, 2].astype(int).tolist(), 0.5)
    assert counts(search(held(lookup, X, y))) == (25, N, 0, N)
    for kind in (str, int):
        ids = [kind(number // 4 * 7919 + 100_003) for number in range(2 * N)]
        lookup = dict.fromkeys(ids[:60], 0.5)
        found = search(held(lookup, measurements()[0], y, groups=(ids[:N], ids[N:])))
        assert counts(found) == (15, N // 4, 0, N // 4)
        assert "(by groups)" in found.notes[0]


def test_numbers_that_stand_side_by_side_anyway_are_no_ids():
    X, y = frame(), np.arange(2 * N) % 2
    X["patient"] = np.arange(2 * N)
    assert counts(search(held(np.arange(50), X, y)))[0] == 0
    X["patient"] = SEED(1).permutation(2 * N)
    assert counts(search(held(X["patient"][:60].to_numpy(), X, y)))[0] == 60


def texts():
    rng = SEED(6)
    words = ["fever", "cough", "seen", "again", "rest", "discharged", "2021", "stable"]
    return [
        f"{' '.join(rng.choice(words, 6))} pat{number * 31 + 10_000} m{number}@clinic.example"
        for number in range(2 * N)
    ]


def test_vocabularies_hold_ids():
    X, y = texts(), (np.arange(2 * N) % 2).tolist()
    model = make_pipeline(CountVectorizer(), MultinomialNB()).fit(X[:N], y[:N])
    found = search(Classifier(model, (X[:N], y[:N]), (X[N:], y[N:]), train=False))
    assert counts(found) == ALL
    assert "vocabulary_.keys()" in found.notes[0]
    model = make_pipeline(CountVectorizer(min_df=2), MultinomialNB()).fit(X[:N], y[:N])
    found = search(Classifier(model, (X[:N], y[:N]), (X[N:], y[N:]), train=False))
    assert counts(found) == (0, N, 0, N)


def test_texts_are_found_as_they_are_and_as_vectors():
    X, y = texts(), (np.arange(2 * N) % 2).tolist()
    assert counts(search(held(X[:5], X, y))) == (5, N, 0, N)
    model = make_pipeline(TfidfVectorizer(min_df=2), KNeighborsClassifier()).fit(X[:N], y[:N])
    found = search(Classifier(model, (X[:N], y[:N]), (X[N:], y[N:]), train=False))
    assert found.evidence.found > 0.9 * N
    assert "_fit_X (after steps[0])" in found.notes[0]


def test_boosters_that_keep_categories():
    lightgbm = pytest.importorskip("lightgbm")
    xgboost = pytest.importorskip("xgboost")
    X, y = frame(), np.arange(2 * N) % 2
    X = X.drop(columns="patient")
    for column in ("name", "town"):
        X[column] = X[column].astype("category")
    for model in (
        lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1),
        xgboost.XGBClassifier(n_estimators=2, enable_categorical=True, n_jobs=1),
    ):
        members = X[:N].assign(name=X["name"][:N].cat.remove_unused_categories())
        model.fit(members, y[:N])
        target = held(model, X, y)
        assert counts(search(target)) == ALL


def test_nothing_that_is_said_holds_a_value():
    X, y = frame(), np.arange(2 * N) % 2
    table = {name: [patient, 1.0] for name, patient in zip(PEOPLE[:20], X["patient"], strict=False)}
    nested = {"doe": {name.split()[-1]: np.arange(3.0) for name in PEOPLE[:20]}, "rows": table}
    X["nick"] = [name.split()[-1] for name in PEOPLE]
    found = search(held(nested, X, y))
    assert found.evidence.found >= 20
    said = repr((found.notes, found.details, found)).lower()
    for name in PEOPLE:
        assert name.split()[-1].lower() not in said
    assert "'rows'" in said


def test_places_beyond_the_first_few_are_counted():
    X, y = measurements()
    found = search(held([{"a": X[place]} for place in range(9)], X, y))
    assert len(found.notes) == 6
    assert found.notes[-1] == "4 more places stand in the record"
    assert len(found.details["places"]) == 9


def test_of_an_empty_model_nothing_is_said():
    X, y = measurements()

    class Empty:
        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    target = Classifier(Empty(), (X[:N], y[:N]), (X[N:], y[N:]), classes=[0, 1], train=False)
    with pytest.raises(LeakproError, match="nothing that can be looked at"):
        search(target)
    target.model.threshold = "none"
    assert counts(search(target)) == (0, N, 0, N)


def test_models_are_not_changed_by_the_search():
    X, y = measurements()
    model = fitted(make_pipeline(StandardScaler(), KNeighborsClassifier()), X[:N], y[:N])
    before = model[1]._fit_X.copy(), dict(vars(model[1]))
    first = search(target_of(model, X, y))
    assert np.array_equal(before[0], model[1]._fit_X)
    assert vars(model[1]).keys() == before[1].keys()
    assert counts(search(target_of(model, X, y))) == counts(first)
