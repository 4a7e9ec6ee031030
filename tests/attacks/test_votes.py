"""Votes of copies: alone, and against shadow models by labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pytest_leakpro import Classifier, LeakproError, ShadowSignals, audit
from pytest_leakpro.attacks.membership import copies
from pytest_leakpro.attacks.membership.copies import (
    GivenCopies,
    NoisyCopies,
    RightVotes,
    ShiftedCopies,
)
from pytest_leakpro.attacks.membership.label_lira import LabelLikelihoodRatio
from pytest_leakpro.attacks.membership.perturbing import movable
from pytest_leakpro.attacks.membership.votes import AugmentationVotes
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.roc import auc
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.units import record_units

READER = ModelReader((0, 1), labels_only=True)


def records(X, labels=None):
    n = len(X)
    labels = np.ones(n, int) if labels is None else labels
    return Records("members", X, labels, record_units(n), labels, np.arange(n))


def test_noise_is_as_large_as_it_says_and_the_same_for_all_records():
    X = np.random.default_rng(0).normal(size=(50, 2)) * [1, 10]
    here = records(X)
    noisy = NoisyCopies(movable([here]), (0.01, 0.02), 200)
    assert noisy.sizes == (200, 200)
    steps = {0: [], 1: []}
    for kind, made in noisy.make(here):
        step = np.median(made.inputs - X, axis=0)
        assert np.mean(np.isclose(made.inputs - X, step)) > 0.9  # but for the edge of the range
        steps[kind].append(step / X.std(axis=0))
    # Standard deviations of 400 draws are known to 3.5 %; 20 % is over five of that.
    assert np.std(steps[0]) == pytest.approx(0.01, rel=0.2)
    assert np.std(steps[1]) == pytest.approx(0.02, rel=0.2)


def test_votes_are_shares_of_right_labels():
    # Right where x > 0: records far on either side are always or never right.
    X = np.linspace(-5, 5, 41)[:, None]
    here = records(X)
    reading = RightVotes(NoisyCopies(movable([here]), (0.1,), 300))
    votes = reading.read(lambda X: (X[:, 0] > 0).astype(int), READER, here)
    assert votes.shape == (reading.width, 41) == (2, 41)
    assert np.array_equal(votes[0], X[:, 0] > 0)
    assert set(votes[1, :5]) | set(votes[1, -5:]) == {0, 1}
    assert 0.3 < votes[1, 20] < 0.7
    assert np.all(np.diff(votes[1]) >= 0)


def test_blocks_change_nothing(monkeypatch):
    here = records(np.random.default_rng(1).normal(size=(30, 3)))
    reading = RightVotes(NoisyCopies(movable([here]), (0.5, 1.0), 4))

    def model(X):
        return (X.sum(axis=1) > 0).astype(int)

    at_once = reading.read(model, READER, here)
    monkeypatch.setattr(copies, "_CELLS", 21)
    assert np.array_equal(at_once, reading.read(model, READER, here))


IMAGE = np.arange(30.0).reshape(6, 5)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda image: image[None],
        lambda image: image[None, None],
        lambda image: np.repeat(image[..., None], 3, axis=2)[None],
        lambda image: torch.tensor(image)[None, None],
        lambda image: [torch.tensor(image)],
        lambda image: [image.tolist()],
    ],
)
def test_images_are_shifted_and_mirrored_with_repeated_edges(wrap):
    X = wrap(IMAGE)
    shifted = ShiftedCopies(2, flip=True)
    assert shifted.sizes == (4, 8, 1)
    seen = [[], [], []]
    for kind, made in shifted.make(records(X)):
        assert type(made.inputs) is type(X)
        seen[kind].append(np.squeeze(np.asarray(made.inputs[0])))
    assert tuple(map(len, seen)) == shifted.sizes
    as_given = np.squeeze(np.asarray(X[0]))
    down = as_given[[0, 0, 1, 2, 3, 4]]
    right = as_given[:, [0, 0, 1, 2, 3]]
    for wanted in (down, right):
        assert sum(np.array_equal(wanted, image) for image in seen[0]) == 1
    distinct = {image.tobytes() for image in [*seen[0], *seen[1]]}
    assert len(distinct) == 12
    assert np.array_equal(seen[2][0], as_given[:, ::-1])


def test_augmentations_of_the_users_make_the_copies():
    here = records(np.arange(6.0)[:, None])
    given = GivenCopies((lambda X: X + 1, lambda X: X - 10))
    votes = RightVotes(given).read(lambda X: (X[:, 0] > 3).astype(int), READER, here)
    assert votes.tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 0.5, 0.5, 0.5]]


def one_sided(n=60):
    X = np.random.default_rng(2).normal(size=(2 * n, 2))
    y = (X[:, 0] > 0).astype(int)
    y[::4] = 1 - y[::4]
    return X, y


def nearest(X, y):
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(1).fit(X, y)


def test_a_model_that_stores_its_records_votes_for_them():
    X, y = one_sided(300)
    target = Classifier(
        nearest(X[:300], y[:300]), (X[:300], y[:300]), (X[300:], y[300:]), access="label"
    )
    attacks = [AugmentationVotes(noise=(0.01,)), LabelLikelihoodRatio(noise=(0.01, 0.05))]
    found = audit(target, "auc <= 0.5", attacks=attacks, shadow_models=8, workers=1)
    assert found.verdict.value == "FAIL"
    votes, ratio = found.measurements[0].figures
    assert votes.value > 0.6
    assert ratio.value > votes.value


def label_view(seed, size, gain):
    """Shadow models whose rightness is drawn: members are right more often by `gain`."""
    rng = np.random.default_rng(seed)
    n = 2 * size
    included = np.stack(Assignment(n, 16, 8, seed))
    base = rng.uniform(0.1, 0.6, n)
    attack = LabelLikelihoodRatio(noise=(0.1,))

    def votes(saw):
        chance = np.clip(base + gain * saw, 0, 1)
        return np.stack([rng.random(n) < chance, rng.binomial(8, chance) / 8]).astype(float)

    X, y = rng.normal(size=(n, 2)), np.arange(n) % 2
    target = Classifier(
        lambda X: np.zeros(len(X), int), (X[:size], y[:size]), (X[size:], y[size:]),
        classes=[0, 1], access="label",
    )  # fmt: skip
    view = target.prepare(0)
    further = {attack.reading_name: np.stack([votes(saw) for saw in included])}
    shadow = np.stack([share[0] for share in further[attack.reading_name]])
    view.shadow = ShadowSignals(shadow, included, further)
    own = votes(np.arange(n) < size)
    view.further = lambda reading: own
    return attack, view


@pytest.mark.parametrize(("gain", "low", "high"), [(0.0, 0.45, 0.55), (0.35, 0.75, 1.0)])
def test_shadow_models_tell_by_votes_alone_what_there_is_to_tell(gain, low, high):
    # The AUC of chance at 2 x 500 has a standard deviation below 0.02.
    attack, view = label_view(0, 500, gain)
    found = attack.run(view, np.random.default_rng(0))
    assert low < auc(found.members, found.nonmembers) < high


def test_label_lira_finds_nothing_where_nothing_is():
    # With an error of 2.5 % more than 0.025 + 4 sqrt(0.025 * 0.975 / 80) come below 1e-4.
    runs, failed = 80, 0
    for seed in range(runs):
        attack, view = label_view(seed, 200, 0.0)
        found = attack.run(view, np.random.default_rng(seed))
        k = choose_rank(200, 200, 0.05, 0.05, 0.025)
        failed += tpr_p_value(found.members_above(k), 200, k, 200, 0.05, 0.05) <= 0.025
    assert failed / runs <= 0.025 + 4 * np.sqrt(0.025 * 0.975 / runs)


def test_the_recipe_is_needed_and_signals_alone_do_not_do():
    X, y = one_sided()
    sides = (X[:60], y[:60]), (X[60:], y[60:])
    included = np.arange(4)[:, None] % 2 == np.arange(120) % 2
    target = Classifier(
        nearest(X[:60], y[:60]), *sides, access="label",
        signals=ShadowSignals(included * 1.0, included),
    )  # fmt: skip
    with pytest.raises(LeakproError, match="it reads right votes of the shadow models"):
        audit(target, "auc <= 0.9", attacks=["label_lira"])
    target = Classifier(nearest(X[:60], y[:60]), *sides, access="label", train=False)
    with pytest.raises(LeakproError, match="it needs shadow models: give train="):
        audit(target, "auc <= 0.9", attacks=["label_lira"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"noise": 0.1}, "noise is 0.1: give a tuple"),
        ({"noise": ()}, "noise is"),
        ({"noise": (0.1, -1)}, "noise is"),
        ({"copies": 0}, "copies is 0"),
        ({"shift": True}, "shift is True"),
        ({"flip": 1}, "flip is 1"),
    ],
)
def test_bad_settings_are_refused(options, says):
    for attack in (AugmentationVotes, LabelLikelihoodRatio):
        with pytest.raises(LeakproError, match=says):
            attack(**options)


def test_label_lira_has_a_seed_and_a_prior():
    for options in ({"prior": 0}, {"prior": "1"}, {"seed": -1}):
        with pytest.raises(LeakproError, match=next(iter(options))):
            LabelLikelihoodRatio(**options)
    assert replace(LabelLikelihoodRatio(), seed=3).seed == 3
