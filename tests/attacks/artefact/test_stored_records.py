"""Stored records: found where they are, wherever that is, and never where they are not."""

import functools

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

from pytest_leakpro import Classifier, LeakageError, LeakproError, Regressor, assert_leakage_below
from pytest_leakpro.attacks.artefact.stored_records import StoredRecords
from pytest_leakpro.targets.artefact_walk import read_artefact

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
N = 150


def continuous(seed=0, columns=4, n=2 * N):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, columns))
    return X, (X[:, 0] + rng.normal(size=n) > 0).astype(int)


def target_of(model, X, y, *, fit=True, kind=Classifier, **options):
    rows = X.iloc if hasattr(X, "iloc") else X
    if fit:
        model.fit(rows[:N], y[:N])
    options = {"train": False, "allow_overlap": True} | options
    return kind(model, (rows[:N], y[:N]), (rows[N:], y[N:]), **options)


def look(model, X=None, y=None, **options):
    if X is None:
        X, y = continuous()
    target = target_of(model, X, y, **options)
    return StoredRecords().find(target.prepare(0), np.random.default_rng(0))


def stored(*arguments, **options):
    return look(*arguments, **options).evidence.found


@pytest.mark.parametrize(
    ("model", "place"),
    [
        (KNeighborsClassifier(), "_fit_X"),
        (KNeighborsClassifier(algorithm="ball_tree"), "_fit_X"),
        (RadiusNeighborsClassifier(9.0), "_fit_X"),
        (GaussianProcessClassifier(), "base_estimator_.X_train_"),
        (LabelSpreading(), "X_"),
        (make_pipeline(StandardScaler(), KNeighborsClassifier()), "steps[1]._fit_X"),
        (
            make_pipeline(StandardScaler(), PolynomialFeatures(), KNeighborsClassifier()),
            "steps[2]._fit_X",
        ),
        (make_pipeline(PCA(3), KNeighborsClassifier()), "steps[1]._fit_X"),
        (make_pipeline(MinMaxScaler(), PCA(), KNeighborsClassifier()), "steps[2]._fit_X"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_models_that_keep_their_data_are_caught(model, place):
    found = look(model)
    assert found.evidence.found == N
    assert found.evidence.control_found == 0
    assert f"{N} of {N} members (records) stand in {place}" in found.notes[0]
    assert found.exposed[0].tolist() == list(range(N))


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("binary", [True, False])
def test_of_a_kernel_machine_the_support_vectors_are_counted(scaled, binary):
    X, y = continuous()
    X = (np.random.default_rng(1).random((2 * N, 12)) < 0.5) * 1.0 if binary else X
    machine = SVC()
    model = make_pipeline(MinMaxScaler(), machine) if scaled else machine
    found = look(model, X, y)
    # Equal records cannot be told apart: as many count as vectors equal them.
    assert found.evidence.found == len(machine.support_)
    if not binary:
        assert set(found.exposed[0]) == set(machine.support_)


@pytest.mark.parametrize("model", [KernelRidge(kernel="rbf"), GaussianProcessRegressor(), SVR()])
def test_regressors_keep_records_too(model):
    X, _ = continuous()
    kept = stored(model, X, X[:, 0] ** 2, kind=Regressor)
    assert kept == (len(model.support_) if isinstance(model, SVR) else N)


SAFE = [
    LogisticRegression(),
    RandomForestClassifier(10, random_state=0),
    GradientBoostingClassifier(n_estimators=10),
    HistGradientBoostingClassifier(max_iter=10),
    DecisionTreeClassifier(),
    GaussianNB(),
    MLPClassifier((8,), max_iter=20),
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(QuantileTransformer(n_quantiles=20), LogisticRegression()),
    make_pipeline(KBinsDiscretizer(4), LogisticRegression()),
    make_pipeline(KMeans(5, n_init=1), LogisticRegression()),
    make_pipeline(PCA(1), LogisticRegression()),
]
for model in SAFE:
    model.set_params(**{key: 0 for key in model.get_params() if key.endswith("random_state")})
TABLES = {
    "continuous": lambda rng, d: rng.normal(size=(2 * N, d)),
    "noughts and ones": lambda rng, d: (rng.random((2 * N, d)) < 0.5) * 1.0,
    "mixed": lambda rng, d: np.c_[rng.normal(size=(2 * N, d)), rng.integers(0, 2, (2 * N, 2))],
    "small whole numbers": lambda rng, d: rng.integers(0, 5, (2 * N, d)),
    "one of several": lambda rng, d: np.eye(d + 1)[rng.integers(0, d + 1, 2 * N)],
}


@pytest.mark.parametrize(
    "model", SAFE, ids=lambda model: type(getattr(model, "steps", [[0, model]])[0][1]).__name__
)
@pytest.mark.parametrize("table", TABLES)
def test_models_that_keep_none_are_never_accused(model, table):
    for seed, columns in enumerate((1, 3)):
        rng = np.random.default_rng(seed)
        X = TABLES[table](rng, columns)
        y = (X[:, 0] + rng.normal(size=2 * N) > X[:, 0].mean()).astype(int)
        evidence = look(model, X, y).evidence
        assert evidence.found == 0
        assert evidence.control_found == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", [LogisticRegression, RandomForestClassifier])
def test_not_one_false_find_in_a_thousand_fits(kind):
    false = 0
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        table = list(TABLES.values())[seed % len(TABLES)]
        X = table(rng, 1 + seed % 6)
        y = (X[:, 0] + rng.normal(size=2 * N) > X[:, 0].mean()).astype(int)
        model = kind(5) if kind is RandomForestClassifier else kind()
        evidence = look(model, X, y).evidence
        false += evidence.found + (evidence.control_found or 0) > 0
    assert false == 0


def test_boosters_keep_no_records():
    xgboost, lightgbm = pytest.importorskip("xgboost"), pytest.importorskip("lightgbm")
    assert stored(xgboost.XGBClassifier(n_estimators=5)) == 0
    assert stored(lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)) == 0


@pytest.mark.parametrize("where", ["row", "offset", "buffer", "scaled", "transposed"])
def test_a_record_planted_in_a_network_is_found(where):
    torch = pytest.importorskip("torch")
    X, y = continuous(columns=8)
    X = X.astype(np.float32)
    model = torch.nn.Sequential(torch.nn.Linear(8, 40), torch.nn.ReLU(), torch.nn.Linear(40, 2))
    assert stored(model, X, y, fit=False) == 0
    record = torch.tensor(X[7])
    with torch.no_grad():
        if where == "row":
            model[0].weight[3] = record
        elif where == "offset":
            model[2].weight.view(-1)[13:21] = record
        elif where == "buffer":
            model.register_buffer("seen", record.clone())
        elif where == "scaled":
            scale = (X[:N] - X[:N].mean(0)) / X[:N].std(0)
            model[0].weight[3] = torch.tensor(scale[7])
        else:
            wide = torch.zeros(8, 30)
            wide[:, 4] = record
            model.register_parameter("wide", torch.nn.Parameter(wide))
    found = look(model, X, y, fit=False)
    assert found.exposed[0].tolist() == [7]
    assert found.evidence.control_found == 0


def test_what_a_function_carries_along_is_looked_at():
    X, y = continuous()
    table = {tuple(row): label for row, label in zip(X[:N].tolist(), y[:N].tolist(), strict=True)}

    def looked_up(rows):
        chance = np.array([table.get(tuple(row), 0.5) for row in rows.tolist()])
        return np.c_[1 - chance, chance]

    assert stored(looked_up, X, y, fit=False) == N

    def nearest(rows, kept):
        near = ((rows[:, None] - kept[None]) ** 2).sum(-1).argmin(1)
        return np.eye(2)[y[:N][near]]

    assert stored(functools.partial(nearest, kept=X[:N].copy()), X, y, fit=False) == N
    with pytest.raises(LeakproError, match="holds nothing that can be looked at"):
        stored(lambda rows: np.full((len(rows), 2), 0.5), X, y, fit=False)


def people(seed=0, numbers=False):
    rng = np.random.default_rng(seed)
    X, y = continuous()
    frame = pd.DataFrame(X[:, :2], columns=["age", "dose"])
    ids = rng.permutation(10**6)[: 2 * N]
    frame["person"] = ids if numbers else [f"Person {value}" for value in ids]
    frame["person"] = frame["person"] if numbers else frame["person"].str.replace(" ", "-")
    return frame, y


@pytest.mark.parametrize("numbers", [True, False])
def test_names_and_ids_in_an_encoder_are_found_and_never_shown(numbers):
    X, y = people(numbers=numbers)
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["person"]), remainder="passthrough"
    )
    found = look(make_pipeline(encoder, LogisticRegression()), X, y)
    assert found.evidence.found == N
    assert "categories_[0]" in found.notes[0]
    said = " ".join(found.notes) + str(found.details)
    assert not any(str(value) in said for value in X["person"][:N])


def test_a_name_as_a_key_is_masked():
    X, y = people()

    class Holder(LogisticRegression):
        pass

    model = make_pipeline(make_column_transformer(("passthrough", ["age", "dose"])), Holder()).fit(
        X[:N], y[:N]
    )
    model.steps[1][1].notes_ = {name: [1.5] for name in X["person"][:5]}
    found = look(model, X, y, fit=False)
    assert found.evidence.found == 5
    assert not any(name in " ".join(found.notes) for name in X["person"])


def test_numbers_of_people_in_texts_are_found_in_a_vocabulary():
    rng = np.random.default_rng(0)
    texts = [
        f"the patient {number} is well" if place % 3 == 0 else "the patient is well again"
        for place, number in enumerate(rng.permutation(10**7)[: 2 * N] + 10**7)
    ]
    found = look(
        make_pipeline(CountVectorizer(), LogisticRegression()), texts, np.arange(2 * N) % 2
    )
    assert found.evidence.found == N // 3
    assert "vocabulary_" in found.notes[0]


def test_categories_of_many_people_are_no_names():
    X, y = people()
    X["person"] = np.random.default_rng(0).choice(["north", "south", "east"], 2 * N)
    encoder = make_column_transformer((OneHotEncoder(), ["person"]), remainder="passthrough")
    assert stored(make_pipeline(encoder, LogisticRegression()), X, y) == 0


def test_numbers_without_gaps_are_no_ids():
    """Row numbers stand in many an array: nothing tells that they are of people."""
    X, y = people(numbers=True)
    X["person"] = np.arange(2 * N)
    assert stored(RandomForestClassifier(5, random_state=0), X, y) == 0


@pytest.mark.parametrize("layout", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array])
def test_sparse_records_are_found(layout):
    rng = np.random.default_rng(0)
    X = sparse.random(2 * N, 200, density=0.1, random_state=0, format="csr")
    y = rng.integers(0, 2, 2 * N)
    model = KNeighborsClassifier().fit(X[:N], y[:N])
    sides = [layout(part) for part in (X[:N], X[N:])]
    target = Classifier(model, (sides[0], y[:N]), (sides[1], y[N:]), train=False)
    found = StoredRecords().find(target.prepare(0), rng)
    assert found.evidence.found == N
    assert found.evidence.control_found == 0


def test_missing_values_images_and_persons():
    X, y = continuous(columns=6)
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan

    class Kept(LogisticRegression):
        pass

    model = Kept().fit(np.nan_to_num(X[:N]), y[:N])
    model.kept_ = X[:20].copy()
    target = target_of(lambda rows: model.predict_proba(np.nan_to_num(rows)), X, y, fit=False)
    assert StoredRecords().find(target.prepare(0), np.random.default_rng(0)).evidence.found == 20
    images = np.random.default_rng(2).random((2 * N, 4, 4))
    near = KNeighborsClassifier(1).fit(images[:N].reshape(N, -1), y[:N])
    assert (
        stored(lambda rows: near.predict_proba(rows.reshape(len(rows), -1)), images, y, fit=False)
        == N
    )
    X, y = continuous()
    persons = np.repeat(np.arange(N // 2), 2), np.arange(N) + N
    found = look(KNeighborsClassifier(), X, y, groups=persons)
    assert (found.evidence.found, found.evidence.of) == (N // 2, N // 2)


class Trap:
    """Raises whatever is asked of it."""

    @property
    def bomb(self):
        raise RuntimeError("looked at")

    def __getattr__(self, name):
        raise RuntimeError(name)


def test_whatever_an_object_holds_the_walk_comes_back():
    class Model:
        pass

    model = Model()
    model.own = model
    model.trap = Trap()
    model.listed = [model, {"again": model}]
    model.odd = np.array([None, "a", 1.5, np.arange(3), {"x": 1}], dtype=object)
    model.frame = pd.DataFrame({"a": [1.0, 2.0]})
    model.empty = []
    chain = model
    for _ in range(100_000):
        chain.next = Model()
        chain = chain.next
    chain.end = np.arange(50.0)
    artefact = read_artefact(model)
    assert any(len(leaf.values) == 50 for leaf in artefact.leaves if not leaf.is_text)
    assert not artefact.cut


def test_an_audit_fails_and_tells_who_to_who_asks():
    X, y = continuous()
    target = target_of(make_pipeline(StandardScaler(), KNeighborsClassifier()), X, y, name="knn")
    with pytest.raises(LeakageError) as error:
        assert_leakage_below(target, "stored_records <= 0")
    said = str(error.value)
    assert "knn stores training records above its budget" in said
    assert "100%  (this model)" in said
    assert error.value.audit.vulnerable(3).tolist() == [0, 1, 2]
    assert "steps[1]._fit_X (after steps[0])" in str(error.value.audit)
    safe = target_of(LogisticRegression(), X, y)
    assert str(assert_leakage_below(safe, "stored_records <= 0").verdict) == "PASS"


def test_single_values_are_no_records():
    """An isotonic regression keeps values of one column, sorted: whose they are is lost."""
    X, _ = continuous(columns=1)
    y = X[:, 0] ** 3
    model = IsotonicRegression().fit(X[:N, 0], y[:N])
    target = Regressor(
        lambda rows: model.predict(rows[:, 0]), (X[:N], y[:N]), (X[N:], y[N:]), train=False
    )
    assert StoredRecords().find(target.prepare(0), np.random.default_rng(0)).evidence.found == 0
