"""Attacks of several queries, and of several signals of one: exchangeable data, known answers."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import Classifier, LeakproError, Recipe, Regressor, ShadowSignals, audit
from pytest_leakpro.attacks.membership.augmented_attack import AugmentedSignals
from pytest_leakpro.attacks.membership.lira import LikelihoodRatio
from pytest_leakpro.attacks.membership.lira_forecast import ForecastErrors, ForecastLikelihoodRatio
from pytest_leakpro.attacks.membership.lira_multi import MultiQueryLikelihoodRatio
from pytest_leakpro.attacks.membership.lira_signals import MultiSignalLikelihoodRatio
from pytest_leakpro.attacks.membership.ramia import RangeMembership
from pytest_leakpro.attacks.membership.rmia import RatioToReference
from pytest_leakpro.attacks.membership.rmia_multi import MultiQueryRatioToReference
from pytest_leakpro.attacks.membership.table_noise import TableNoise, column_spreads, has_numbers
from pytest_leakpro.auditing.ranking import best_variant, rank_attacks
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.shadow.digest import digest_trainer
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from tests.attacks.further_views import classes, forecasts
from tests.targets.examples import never, regression_sides, side

QUERIES = [
    variant
    for attack in (MultiQueryLikelihoodRatio(), MultiQueryRatioToReference(), RangeMembership())
    for variant in attack.variants(regression=False)
]
SIGNALS = list(MultiSignalLikelihoodRatio().variants(regression=False))
FORECASTS = list(ForecastLikelihoodRatio().variants(regression=True))
RNG = np.random.default_rng(0)


def fails(attack, view, size):
    evidence = attack.run(view, RNG)
    k = choose_rank(size, size, 0.05, 0.05, 0.025)
    return tpr_p_value(evidence.members_above(k), size, k, size, 0.05, 0.05) <= 0.025


def power(attack, view, fpr=0.01):
    evidence = attack.run(view, RNG)
    threshold = np.sort(evidence.nonmembers)[-int(fpr * len(evidence.nonmembers))]
    return float(np.mean(evidence.members > threshold))


# At a true error of 2.5 % more than 0.025 + 4 sqrt(0.025 * 0.975 / 40) FAILs of 40, that is six
# and more, come with probability below 1e-3; the seeds are fixed.
RUNS = 40
ALLOWED = 0.025 + 4 * np.sqrt(0.025 * 0.975 / RUNS)


@pytest.mark.parametrize("n_classes", [2, pytest.param(10, marks=pytest.mark.slow), 100])
def test_no_attack_of_several_queries_finds_what_is_not_there(n_classes):
    failed = np.zeros(len(QUERIES))
    for seed in range(RUNS):
        view = classes(QUERIES[0], seed, 100, n_classes=n_classes, n_models=8)
        failed += [fails(attack, view, 100) for attack in QUERIES]
    assert failed.max() / RUNS <= ALLOWED


@pytest.mark.parametrize("n_classes", [3, pytest.param(10, marks=pytest.mark.slow), 100])
def test_no_attack_of_several_signals_finds_what_is_not_there(n_classes):
    failed = np.zeros(len(SIGNALS))
    for seed in range(RUNS):
        view = classes(SIGNALS[0], seed, 100, n_classes=n_classes, n_models=8, copies=1)
        failed += [fails(attack, view, 100) for attack in SIGNALS]
    assert failed.max() / RUNS <= ALLOWED


@pytest.mark.parametrize("horizons", [2, 12])
def test_no_attack_on_forecasts_finds_what_is_not_there(horizons):
    failed = np.zeros(len(FORECASTS))
    for seed in range(RUNS):
        view = forecasts(FORECASTS[0], seed, 100, horizons=horizons, n_models=8)
        failed += [fails(attack, view, 100) for attack in FORECASTS]
    assert failed.max() / RUNS <= ALLOWED


def test_several_queries_see_more_than_one():
    # The exact test of three independent queries is a shift of gain sqrt(3) / 0.7 deviations.
    from scipy import special

    view = classes(QUERIES[0], 0, 2000, gain=1.0, copies=3)
    exact = special.ndtr(special.ndtri(0.01) + 1.0 * np.sqrt(3) / 0.7)
    alone = power(LikelihoodRatio(signal="logit"), view)
    together = power(MultiQueryLikelihoodRatio(signal="logit"), view)
    assert alone + 0.1 < together <= exact + 0.03
    assert together > 0.5 * exact
    for attack in (*QUERIES[3:5], RangeMembership(0.0, 0.0)):
        assert power(attack, view) > power(RatioToReference(), view) + 0.1


@pytest.mark.parametrize(
    ("several", "one"),
    [
        (
            MultiQueryLikelihoodRatio(signal="logit", means="own", variance="per-example"),
            LikelihoodRatio(signal="logit", variance="per-example"),
        ),
        (MultiQueryLikelihoodRatio(signal="loss", means="own"), LikelihoodRatio(signal="loss")),
        (MultiQueryRatioToReference(combine="mean"), RatioToReference()),
        (MultiQueryRatioToReference(combine="median"), RatioToReference()),
    ],
)
def test_without_copies_they_are_the_attacks_of_one_query(several, one):
    view = classes(several, 3, 100, gain=1.0, copies=1)
    found, known = several.run(view, RNG), one.run(view, RNG)
    assert found.members == pytest.approx(known.members, rel=1e-9)
    assert found.nonmembers == pytest.approx(known.nonmembers, rel=1e-9)


def test_the_median_is_the_vote_of_the_majority():
    view = classes(QUERIES[0], 4, 50, gain=1.0, copies=5)
    target = view.further(AugmentedSignals(view.augmentations))
    read = view.shadow.further["augmented"], view.shadow.included
    ratios = np.stack(
        [
            RatioToReference().score_records(target[row], read[0][:, row], read[1])
            for row in range(5)
        ]
    )
    score = MultiQueryRatioToReference(combine="median").score_further(target, *read)
    for threshold in np.quantile(ratios, [0.2, 0.5, 0.9]):
        assert np.array_equal(score > threshold, (ratios > threshold).sum(axis=0) >= 3)
    trimmed = RangeMembership(0.2, 0.4).score_further(target, *read)
    assert trimmed == pytest.approx(np.sort(ratios, axis=0)[1:3].mean(axis=0))


def test_what_other_classes_gain_shows_in_several_signals():
    view = classes(SIGNALS[0], 5, 2000, gain=0.5, beside=1.0, n_classes=5, copies=1)
    alone = power(LikelihoodRatio(signal="logit"), view)
    assert power(MultiSignalLikelihoodRatio(signal="logit"), view) > alone + 0.1


def test_every_horizon_is_a_witness():
    view = forecasts(FORECASTS[0], 6, 2000, gain=0.7)
    alone = max(power(LikelihoodRatio(signal=name), view) for name in ("error", "log-error"))
    by_name = {attack.signals: power(attack, view) for attack in FORECASTS}
    assert min(by_name["errors"], by_name["scaled"]) > alone + 0.2
    assert by_name["all"] > alone


def test_variants_are_chosen_and_ranked_by_shadow_models():
    view = forecasts(FORECASTS[0], 7, 300, gain=0.7, n_models=8)
    reach, chosen = best_variant(ForecastLikelihoodRatio(), view.shadow, 0.01, regression=True)
    assert chosen.signals in {"errors", "scaled", "all"}
    assert 0.1 < reach <= 1
    suite = [LikelihoodRatio(), ForecastLikelihoodRatio()]
    ranked = rank_attacks(suite, view.shadow, 0.01, regression=True)
    assert [attack.name for attack in ranked] == ["lira_forecast", "lira"]


def test_queries_are_counted():
    view = classes(QUERIES[0], 8, 50, copies=3)
    view.queries_of()
    QUERIES[0].run(view, RNG)
    assert view.queries_of() == 3 * 100
    assert view.queries == 3 * 100


def test_signals_of_models_that_agree_or_saturate_are_finite():
    # Forests: probabilities in steps, many of them 0 and 1; and forecasts without any error.
    rng = np.random.default_rng(9)
    n, models = 60, 8
    for regression in (False, True):
        votes = rng.multinomial(5, [0.8, 0.1, 0.1], (1 + models, 1, n)) * 200.0
        y = np.zeros((n, 3)) if regression else rng.integers(0, 3, n)
        answers = np.where(votes > 600, votes, 0.0) if regression else votes
        from tests.attacks.further_views import included_and_saw, looked_up

        included, _ = included_and_saw(9, n, models)
        attacks = list(ForecastLikelihoodRatio().variants(regression=True))
        for attack in attacks if regression else SIGNALS:
            view = looked_up(attack, answers[0], answers[1:], y, included, regression=regression)
            evidence = attack.run(view, RNG)
            assert np.isfinite(evidence.members).all()


@pytest.mark.parametrize(
    ("attack", "target", "said"),
    [
        (MultiQueryLikelihoodRatio(), {}, "no augmentation: give augmentations="),
        (MultiQueryRatioToReference(), {}, "no augmentation: give augmentations="),
        (MultiSignalLikelihoodRatio(), {"classes": [0, 1]}, "of two classes"),
        (ForecastLikelihoodRatio(), {}, "does not attack a Classifier"),
        (RangeMembership(), {}, None),
        (MultiSignalLikelihoodRatio(), {"classes": [0, 1, 2]}, None),
        (MultiQueryLikelihoodRatio(), {"augmentations": [np.negative]}, None),
        (RangeMembership(), {"access": "label"}, "needs access to scores"),
    ],
)
def test_which_classifiers_they_match(attack, target, said):
    found = attack.mismatch(Classifier(never, side(20, 1), side(20, 2), **target))
    assert found is None if said is None else said in found


@pytest.mark.parametrize(
    ("attack", "outputs", "said"),
    [
        (ForecastLikelihoodRatio(), None, "one number per record: the attack 'lira' reads it"),
        (ForecastLikelihoodRatio(), 4, None),
        (ForecastLikelihoodRatio(season=2), 4, None),
        (ForecastLikelihoodRatio(season=3), 4, "at most 2, or none"),
        (RangeMembership(), 4, "does not attack a Regressor"),
    ],
)
def test_which_regressors_they_match(attack, outputs, said):
    found = attack.mismatch(Regressor(never, *regression_sides(20, outputs)))
    assert found is None if said is None else said in found


def test_ranges_need_numbers():
    texts = (["one", "two", "three", "four"] * 5, [0, 1] * 10)
    target = Classifier(never, texts, ([f"{text}!" for text in texts[0]], texts[1]))
    assert "no table with numbers" in RangeMembership().mismatch(target)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RangeMembership(trim_low=0.4), "both trim_low and trim_high"),
        (lambda: RangeMembership(0.6, 0.4), "leave something"),
        (lambda: RangeMembership(-0.1, 0.4), "at least 0"),
        (lambda: RangeMembership(copies=0), "copies=0"),
        (lambda: RangeMembership(noise=0), "noise=0"),
        (lambda: ForecastLikelihoodRatio(signals="error"), "signals='error'"),
        (lambda: ForecastLikelihoodRatio(season=1), "season=1"),
        (lambda: ForecastLikelihoodRatio(most_horizons=0), "most_horizons=0"),
        (lambda: MultiSignalLikelihoodRatio(signal="loss"), "signal='loss'"),
    ],
)
def test_parameters_that_cannot_be(make, said):
    with pytest.raises(LeakproError, match=said):
        make()


def test_signals_that_were_brought_along_lack_the_copies():
    included = np.arange(4)[:, None] % 2 == np.arange(40) % 2
    target = Classifier(
        lambda X: X,
        side(20, 1),
        side(20, 2),
        output="logits",
        classes=range(3),
        signals=ShadowSignals(np.zeros((4, 40)), included),
    )
    with pytest.raises(LeakproError, match="'ramia' does not match: it reads augmented of the sh"):
        audit(target, "auc <= 0.7", attacks=["ramia"])


def test_noise_moves_numbers_and_nothing_else():
    frame = pd.DataFrame(
        {
            "age": [40, 50, 60, 70] * 5,
            "sex": [0, 1] * 10,
            "mass": [60.5, None, 80.0, 70.25] * 5,
            "town": ["x", "y"] * 10,
        }
    )
    y = [0, 1] * 10
    view = Classifier(never, (frame, y), (frame.assign(age=frame["age"] + 1), y)).prepare(0)
    spreads = column_spreads(view)
    both = np.r_[frame["age"], frame["age"] + 1]
    assert spreads == pytest.approx([both.std(), 0.0, np.nanstd(frame["mass"])])
    moved = TableNoise(np.array([0.6, 0.0, -0.25]))(frame)
    assert moved.dtypes.equals(frame.dtypes)
    assert moved["age"].tolist() == [41, 51, 61, 71] * 5
    assert moved["mass"].isna().tolist() == frame["mass"].isna().tolist()
    assert moved["mass"][0] == 60.25
    assert moved[["sex", "town"]].equals(frame[["sex", "town"]])
    small = TableNoise(np.array([3.0, -3.0]))(np.array([[254, 1]], np.uint8))
    assert small.tolist() == [[255, 0]]
    assert small.dtype == np.uint8
    torch = pytest.importorskip("torch")
    tensor = TableNoise(np.array([0.5]))(torch.ones(3, 1, dtype=torch.float32))
    assert tensor.dtype == torch.float32
    assert tensor.tolist() == [[1.5]] * 3
    assert has_numbers(frame)
    assert not has_numbers(frame[["town"]])
    assert not has_numbers(np.zeros((3, 2, 2)))


def test_the_range_of_a_table_is_the_same_for_all_and_told_apart():
    def reading(**options):
        view = Classifier(never, side(20, 1), side(20, 2)).prepare(0)
        return RangeMembership(**options).reading(view)

    plain = reading()
    assert plain.width == 9
    assert digest_trainer(plain) == digest_trainer(reading())
    others = [reading(seed=1), reading(noise=0.2), reading(copies=7)]
    assert len({digest_trainer(entry) for entry in [plain, *others]}) == 4
    assert digest_trainer(ForecastErrors(4)) != digest_trainer(ForecastErrors(4, 2))


@pytest.fixture
def session(tmp_path):
    """A cache of its own, one process, and what was said."""
    said = []
    token = session_variable.set(
        SessionDefaults(
            cache_dir=str(tmp_path / "cache"), workers=1, shadow_models=6, say=said.append
        )
    )
    yield said
    session_variable.reset(token)


def forest(X, y, seed):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    flat = FunctionTransformer(lambda images: images.reshape(len(images), -1))
    return make_pipeline(flat, RandomForestClassifier(10, random_state=seed)).fit(X, y)


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
def test_audits_of_images_use_their_copies_and_the_cache_keeps_what_was_read(session):
    from sklearn.datasets import load_digits

    digits = load_digits()
    names = ["lira_multi", "rmia_multi", "ramia", "lira_signals"]
    recipe = Recipe(forest, digits.images[:600], digits.target[:600])
    found = audit(recipe, "auc <= 0.6", attacks=names)
    (entry,) = found.measurements
    assert {figure.attack for figure in entry.figures} == set(names)
    assert all(figure.value > 0.6 for figure in entry.figures)
    assert len(session) == 1
    again = audit(recipe, "auc <= 0.6", attacks=names)
    assert len(session) == 1  # nothing was trained
    assert [f.value for f in again.measurements[0].figures] == [f.value for f in entry.figures]
    other = Recipe(
        forest, digits.images[:600], digits.target[:600], augmentations=[lambda X: X[:, ::-1]]
    )
    audit(other, "auc <= 0.6", attacks=["lira_multi"])
    assert len(session) == 2


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
def test_audits_of_tables_and_forecasts(session):
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier

    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    recipe = Recipe(RandomForestClassifier(10), X, y)
    (entry,) = audit(recipe, "auc <= 0.9", attacks=["ramia"]).measurements
    assert entry.value > 0.55
    t = np.arange(12)
    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 6, (400, 1))
    series = np.sin(t + phase) + rng.normal(0, 0.5, (400, 12))
    recipe = Recipe(ExtraTreesRegressor(10), series[:, :8], series[:, 8:], regression=True)
    found = audit(recipe, "auc <= 0.6", attacks=["lira_forecast", "lira"]).measurements[0]
    assert found.verdict.value == "FAIL"
    by_name = {figure.attack: figure.value for figure in found.figures}
    assert by_name["lira_forecast"] > 0.9
