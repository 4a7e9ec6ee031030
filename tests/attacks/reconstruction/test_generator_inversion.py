"""Inversion with a generator: where a search must end, what it must find, and what it must not."""

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import Classifier, LeakproError, Regressor, audit

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 - after the check that there is torch

from pytest_leakpro.attacks.reconstruction.generator_inversion import (  # noqa: E402
    GeneratorInversion,
)
from pytest_leakpro.attacks.reconstruction.generator_search import (  # noqa: E402
    GeneratorSearch,
)
from pytest_leakpro.attacks.reconstruction.latent_climb import margin  # noqa: E402
from pytest_leakpro.attacks.reconstruction.pseudo_labels import pseudo_labelled  # noqa: E402
from tests.attacks.reconstruction.generators import (  # noqa: E402
    Anchors,
    Straight,
    linear,
    sides,
    target_of,
)

BOTH = [GeneratorInversion, GeneratorSearch]
# Three directions a third of a turn apart: of each class the margin is largest along its own.
THIRDS = np.array([[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(3) / 3])


def rebuilt(target, attack, seed=0):
    return attack.rebuild(target.prepare(0), np.random.default_rng(seed), print).records


def wanted(n, n_classes, seed=0):
    """The classes in the order in which an attack takes them."""
    return np.resize(np.random.default_rng(seed).permutation(n_classes), n)


def silently(text):
    del text


def near_rates(target, attack, seed=0):
    evidence = attack.find(target.prepare(0), np.random.default_rng(seed), say=silently).evidence
    return [(sides["near"] <= 0.5).mean() for sides in (evidence.quality, evidence.baseline)]


def test_a_margin_is_the_lead_over_the_next_class():
    outputs = torch.tensor([[1.0, 4.0, 2.0], [5.0, 0.0, -1.0]])
    assert margin(outputs, torch.tensor([1, 2])).tolist() == [2.0, -6.0]


@pytest.mark.parametrize("kind", BOTH)
def test_without_an_end_the_largest_margin_is_found(kind):
    target = target_of(linear(THIRDS), Straight(), n_classes=3)
    attack = kind(attempts=30, steps=120, step_size=0.1, plausible=0.9, enough=1e6)
    found = rebuilt(target, attack)
    # Of two standard normal numbers 90 % have at most this norm.
    longest = stats.chi(2).ppf(0.9)
    assert np.allclose(np.linalg.norm(found, axis=1), longest, rtol=1e-3)
    assert np.allclose(found, longest * THIRDS[wanted(30, 3)], atol=0.05)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_one_column_of_two_classes_points_both_ways(kind, output):
    model = linear([[3.0, 4.0]])
    model = model if output == "logits" else nn.Sequential(model, nn.Sigmoid())
    target = target_of(model, Straight(), output=output)
    found = rebuilt(target, kind(attempts=20, steps=120, step_size=0.1, enough=1e6))
    signs = 2 * wanted(20, 2) - 1
    directions = signs[:, None] * [0.6, 0.8]
    assert np.allclose(found / np.linalg.norm(found, axis=1)[:, None], directions, atol=0.05)


@pytest.mark.parametrize("kind", BOTH)
def test_an_attempt_ends_where_the_model_is_sure_enough(kind):
    model = linear(10 * THIRDS)
    target = target_of(model, Straight(), n_classes=3)
    found = rebuilt(target, kind(attempts=60, steps=150, enough=2.0))
    reached = margin(model(torch.as_tensor(found).float()), torch.as_tensor(wanted(60, 3)))
    assert (reached > 2 - 1e-4).all()
    # Those that were sure at the start stayed there, so attempts differ.
    assert reached.max() > 8
    assert len(np.unique(np.round(found, 3), axis=0)) == 60


@pytest.mark.parametrize("kind", BOTH)
def test_a_generator_of_members_gives_members_and_one_of_others_others(kind):
    both = sides()
    model = linear(np.random.default_rng(1).normal(size=(2, 6)))
    attack = kind(attempts=20, steps=20, enough=0.01)
    members = near_rates(target_of(model, Anchors(*both[0]), both), attack)
    others = near_rates(target_of(model, Anchors(*both[1]), both), attack)
    strangers = near_rates(target_of(model, Anchors(*sides(9)[0]), both), attack)
    assert members[0] >= 0.6
    assert members[1] == 0
    assert others[1] >= 0.6
    assert others[0] == 0
    assert max(strangers) <= 0.2


def test_what_is_found_is_measured_and_said():
    both = sides()
    model = linear(np.random.default_rng(1).normal(size=(2, 6)))
    found = audit(
        target_of(model, Anchors(*both[0], latent_dim=16), both),
        "reconstruction[near] <= 10%",
        attacks=["generator_inversion"],
    )
    assert str(found.verdict) == "FAIL"
    assert "of what was rebuilt for the class that was wanted" in str(found)


@pytest.mark.parametrize("kind", BOTH)
def test_without_leakage_members_are_not_nearer_than_others(kind):
    """The mean difference over 25 targets is beyond 4 standard errors in less than 1e-3 of runs."""
    differences = []
    for seed in range(25):
        both = sides(seed, n=60, d=3)
        generator = Anchors(*(np.concatenate(part) for part in zip(*both, strict=True)), seed=seed)
        model = linear(np.random.default_rng(seed).normal(size=(2, 3)))
        attack = kind(attempts=30, steps=10, enough=1.0)
        near, baseline = near_rates(target_of(model, generator, both), attack, seed)
        differences.append(near - baseline)
    assert np.std(differences) > 0
    assert abs(np.mean(differences)) <= 4 * np.std(differences) / np.sqrt(len(differences))


def test_it_is_the_same_again_and_leaves_everything_as_it_was():
    class Noisy(Straight):
        def forward(self, z, labels):
            assert not self.training
            return z * self.scale + 0.1 * torch.randn_like(z)

    model, generator = nn.Sequential(linear(THIRDS), nn.Dropout()), Noisy()
    target = target_of(model, generator, n_classes=3)
    model.train()
    generator.train()
    state = torch.get_rng_state()
    attack = GeneratorInversion(attempts=12, steps=5)
    first, again = rebuilt(target, attack), rebuilt(target, attack)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, rebuilt(target, attack, seed=1))
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert generator.training
    assert generator.scale.grad is None
    assert model[0].weight.grad is None


@pytest.mark.parametrize("tensors", [True, False])
def test_copies_are_made_by_functions_that_let_a_gradient_through(tensors):
    calls = []

    def halved(X):
        calls.append(len(X))
        return X * 0.5

    both = sides(d=2)
    if tensors:
        both = tuple((torch.as_tensor(X), y) for X, y in both)
    target = target_of(linear([[1.0, 0], [0, 1]]), Straight(), both, augmentations=[halved])
    calls.clear()
    rebuilt(target, GeneratorInversion(attempts=10, steps=3, restarts=1, enough=1e6))
    assert calls == [10] * 3 * tensors


def test_of_images_shifted_copies_are_asked_about_and_mirrored_ones_not():
    class Seeing(nn.Module):
        seen = ()

        def forward(self, images):
            self.seen += (images.detach(),)
            return images.reshape(len(images), -1)[:, :2]

    class Ramp(Straight):
        def forward(self, z, labels):
            row = torch.arange(8.0) * self.scale
            return row.expand(len(z), 8, 8) + 0 * z.sum(dim=1)[:, None, None]

    rng = np.random.default_rng(0)
    both = tuple((rng.normal(size=(20, 8, 8)).astype(np.float32), [0, 1] * 10) for _ in range(2))
    model = Seeing()
    target = target_of(model, Ramp(), both)
    rebuilt(target, GeneratorInversion(attempts=10, steps=30, restarts=1, enough=1e6))
    made = {tuple(images[0, 0].tolist()) for images in model.seen if len(images) == 10}
    ramp = tuple(range(8))
    assert made == {ramp, (0, *ramp[:-1]), (*ramp[1:], 7)}


def test_a_model_that_gives_scores_need_be_no_network():
    both = sides(d=2)
    model = LogisticRegression().fit(*both[0])
    model.coef_, model.intercept_ = np.array([[3.0, 4.0]]), np.zeros(1)
    target = Classifier(model, *both, generator=Straight(), train=False)
    view = target.prepare(0)
    attack = GeneratorSearch(attempts=20, steps=50, enough=3.0)
    found = attack.rebuild(view, np.random.default_rng(0), silently).records
    assert ((found @ [3.0, 4.0] > 0) == wanted(20, 2)).all()
    assert 20 <= view.queries - len(both[1][0]) <= 20 * 51
    assert "takes gradients" in GeneratorInversion().mismatch(
        Classifier(model, *both, generator=Straight(), access="white-box")
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"generator": None}, "give generator="),
        ({"access": "label"}, "the target gives label"),
        ({"generator": type("Plain", (), {"latent_dim": 2, "__call__": print})()}, "torch modules"),
    ],
)
@pytest.mark.parametrize("kind", BOTH)
def test_targets_that_do_not_match(kind, change, says):
    options = {"generator": Straight()} | change
    target = target_of(linear(THIRDS[:2]), **options)
    assert says in kind().mismatch(target)


def test_regressors_and_texts_do_not_match():
    X, y = sides(d=2)[0]
    target = Regressor(linear(THIRDS[:1]), (X, y), (X + 1, y), access="white-box")
    assert "Regressor" in GeneratorInversion().mismatch(target)
    texts = [[f"text {i}" for i in range(20 * side, 20 * side + 20)] for side in range(2)]
    target = Classifier(
        lambda X: [[0.5, 0.5]] * len(X), *((side, [0, 1] * 10) for side in texts),
        generator=Straight(),
    )  # fmt: skip
    assert "numbers alone" in GeneratorSearch().mismatch(target)


class Broken(Straight):
    def __init__(self, makes):
        super().__init__()
        self.makes = makes

    def forward(self, z, labels):
        return self.makes(z * self.scale)


def raising(z):
    raise RuntimeError("5.25")


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("makes", "says"),
    [
        (lambda z: z[:, :1], r"of shape \(10, 1\).*have shape \(10, 2\)"),
        (lambda z: z * torch.nan, "NaN or infinite values where z is standard normal"),
        (lambda z: z.detach().numpy(), "it returned a ndarray"),
        (raising, r"it raised RuntimeError on z of shape \(10, 2\)"),
    ],
)
def test_generators_that_cannot_be_used(kind, makes, says):
    target = target_of(linear(THIRDS[:2]), Broken(makes))
    with pytest.raises(LeakproError, match=says) as error:
        rebuilt(target, kind(attempts=10, restarts=1))
    assert "5.25" not in str(error.value)


def test_a_gradient_must_come_through():
    target = target_of(linear(THIRDS[:2]), Broken(lambda z: z.detach()))
    with pytest.raises(LeakproError, match="no gradient of the model comes through"):
        rebuilt(target, GeneratorInversion(attempts=10, enough=1e6))
    # Without gradients the same generator will do.
    assert len(rebuilt(target, GeneratorSearch(attempts=10))) == 10


def test_slopes_that_are_no_numbers_are_not_followed():
    makes = Broken(lambda z: torch.stack([(0 * z[:, 0]).sqrt(), z[:, 1]], dim=1))
    attack = GeneratorInversion(attempts=10, steps=5, enough=1e6)
    assert np.isfinite(rebuilt(target_of(linear(THIRDS[:2]), makes), attack)).all()


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"restarts": 1.5},
        {"step_size": 0},
        {"plausible": 1.0},
        {"plausible": np.nan},
        {"enough": -1},
        {"attempts": 9},
    ],
)
@pytest.mark.parametrize("kind", BOTH)
def test_settings_that_cannot_be(kind, options):
    with pytest.raises(LeakproError, match=next(iter(options))):
        kind(**options)


class ClassMeans(nn.Module):
    """Digits of a class: their mean, and the ten directions in which they differ most."""

    latent_dim = 10

    def __init__(self, X, y):
        super().__init__()
        means, ways = [], []
        for digit in range(10):
            mine = X[y == digit]
            spectrum = np.linalg.svd(mine - mine.mean(axis=0), full_matrices=False)
            means.append(mine.mean(axis=0))
            ways.append(spectrum.S[:10, None] * spectrum.Vh[:10] / np.float32(len(mine) ** 0.5))
        self.register_buffer("means", torch.as_tensor(np.array(means)))
        self.register_buffer("ways", torch.as_tensor(np.array(ways)))

    def forward(self, z, labels):
        return self.means[labels] + torch.einsum("nk,nkd->nd", z, self.ways[labels])


def test_digits_are_rebuilt_that_are_nobodys():
    """The judge, trained on other digits, knows what is meant; no record is given away."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    public, judged, private, others = (slice(k, k + size) for k, size in zip(
        (0, 700, 1100, 1440), (700, 400, 340, 340), strict=True
    ))  # fmt: skip
    fitted = LogisticRegression(C=10).fit(X[private], y[private])
    model = linear(fitted.coef_)
    generator = ClassMeans(*pseudo_labelled(model, X[public], 60, output="logits"))
    target = target_of(model, generator, ((X[private], y[private]), (X[others], y[others])))
    judge = LogisticRegression(max_iter=1000).fit(X[judged], y[judged])
    for attack in (GeneratorInversion(), GeneratorSearch()):
        found = rebuilt(target, attack)
        assert judge.score(found, wanted(400, 10)) >= 0.6
        near, baseline = near_rates(target, attack)
        assert near <= 0.02
        assert baseline <= 0.02
