"""Whether a target that was trained in another way is noticed, and one that was not is let be."""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

from pytest_leakpro import Classifier
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.shadow.fidelity import LEVEL, compare_with_shadows
from pytest_leakpro.targets.shadow_signals import ShadowSignals


def simulated(rng, shift=0.0, n=400, n_models=16):
    """Signals of models that share each record's difficulty and have an own level each."""
    included = np.stack(Assignment(2 * n, n_models, n_models // 2, int(rng.integers(1 << 30))))
    difficulty = rng.normal(size=2 * n)
    level = rng.normal(0, 0.05, n_models)[:, None]
    noise = rng.normal(0, 0.5, (n_models, 2 * n))
    shadow = difficulty + level + included * 1.0 + noise
    inside = np.arange(2 * n) < n
    own = rng.normal(0, 0.05) + shift
    target = difficulty + own + inside * 1.0 + rng.normal(0, 0.5, 2 * n)
    return target, ShadowSignals(shadow, included), n


def test_a_faithful_recipe_is_let_be():
    # 2,000 runs at level 0.001: two alarms expected; more than 9 come with probability below 5e-5.
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(2000):
        target, shadow, n = simulated(rng, n=60)
        alarms += compare_with_shadows(target, shadow, n, n) is not None
    assert LEVEL == 0.001
    assert alarms <= 9


def test_another_recipe_is_noticed():
    rng = np.random.default_rng(1)
    for shift, word in ((0.6, "better"), (-0.6, "worse")):
        target, shadow, n = simulated(rng, shift)
        said = compare_with_shadows(target, shadow, n, n)
        assert word in said
        assert "train= does not train as the target was trained" in said


def test_real_models_of_one_recipe_and_of_another():
    X, y = make_classification(800, 10, n_informative=4, flip_y=0.2, random_state=0)
    sides = (X[:400], y[:400]), (X[400:], y[400:])
    included = np.stack(Assignment(800, 16, 8, 0))

    def signals(depth, rows, seed):
        model = RandomForestClassifier(15, max_depth=depth, random_state=seed).fit(X[rows], y[rows])
        view = Classifier(model, *sides).prepare(0)
        return np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])

    shadow = ShadowSignals(
        np.stack([signals(None, rows, seed) for seed, rows in enumerate(included)]), included
    )
    inside = np.arange(800) < 400
    assert compare_with_shadows(signals(None, inside, 99), shadow, 400, 400) is None
    assert compare_with_shadows(signals(3, inside, 99), shadow, 400, 400) is not None


def test_a_population_is_left_out_and_constant_models_are_alike():
    included = np.stack(Assignment(40, 8, 4, 0))
    shadow = ShadowSignals(np.zeros((8, 40)), included)
    assert compare_with_shadows(np.zeros(50), shadow, 20, 20) is None
    assert compare_with_shadows(np.ones(50), shadow, 20, 20) is not None
