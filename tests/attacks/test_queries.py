"""What each attacker asks of the model, seen by a model that keeps count."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier

from pytest_leakpro import Classifier, LeakproError, TorchTrainer, audit
from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.membership.boundary import BoundaryDistance
from pytest_leakpro.attacks.membership.label_lira import LabelLikelihoodRatio
from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.targets.access import Access

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
N = 60
LABEL_ONLY = [
    name
    for name, attack in builtin_attacks().items()
    if isinstance(attack, MembershipAttack) and attack.access is Access.LABEL
]


class LabelsOnly(ClassifierMixin, BaseEstimator):
    """An estimator that counts the rows it labels, and breaks when it is asked for more."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.inside_ = KNeighborsClassifier(3).fit(X, y)
        self.rows = 0
        return self

    def predict(self, X):
        self.rows += len(X)
        return self.inside_.predict(X)

    def predict_proba(self, X):
        raise AssertionError("an attacker who sees labels asked for probabilities")

    predict_log_proba = decision_function = predict_proba


def sides(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * N, 3))
    y = (X[:, 0] + rng.normal(size=2 * N) > 0).astype(int)
    return (X[:N], y[:N]), (X[N:], y[N:])


def labels_only(**options):
    members, nonmembers = sides()
    model = LabelsOnly().fit(*members)
    return model, Classifier(model, members, nonmembers, access="label", **options)


def small(name):
    return BoundaryDistance(queries=100) if name == "boundary" else builtin_attacks()[name]


@pytest.mark.parametrize("name", LABEL_ONLY)
def test_labels_are_all_that_is_asked_for_and_every_row_is_counted(name):
    attack = small(name)
    model, target = labels_only()
    found = audit(target, attacks=[attack], shadow_models=6, workers=1)
    (figures,) = found.measurements[0].figures
    assert found.details["queries"] == model.rows
    # Shadow models must resemble the target, which is asked for its plain labels to compare.
    beside = 2 * N if attack.needs_shadow else 0
    assert figures.queries == pytest.approx(model.rows, abs=beside)
    assert figures.queries >= 2 * N


def test_what_each_attack_asks_stands_in_the_record():
    attacks = ["gap", "votes", "label_lira", BoundaryDistance(queries=100)]
    model, target = labels_only()
    found = audit(target, "auc <= 0.9", attacks=attacks, shadow_models=6, workers=1)
    (record,) = found.to_plain()
    queries = {entry["attack"]: entry["queries"] / (2 * N) for entry in record["figures"]}
    assert (queries["gap"], queries["votes"], queries["label_lira"]) == (1, 25, 25)
    assert 1 < queries["boundary"] <= 101
    assert found.details["queries"] == model.rows
    assert "queries each" in str(found)


def test_who_sees_scores_may_use_labels_too():
    members, nonmembers = sides()
    target = Classifier(KNeighborsClassifier(1).fit(*members), members, nonmembers)
    found = audit(target, "auc <= 0.99", attacks=["gap", "label_lira"], shadow_models=6, workers=1)
    gap, ratio = found.measurements[0].figures
    assert (gap.queries, ratio.queries) == (2 * N, 50 * N)
    assert ratio.value > 0.6


class Sealed(torch.nn.Module):
    """A network whose weights cannot be read but by itself, nor their gradients be taken."""

    def __init__(self):
        super().__init__()
        self.inside = torch.nn.Linear(3, 2)
        self.sealed = False

    def forward(self, x):
        assert not torch.is_grad_enabled() or not self.sealed
        return self.inside(x)

    def _refuse(self, *arguments, **options):
        if self.sealed:
            raise AssertionError("an attacker who sees scores looked at the weights")
        return

    def state_dict(self, *arguments, **options):
        self._refuse()
        return super().state_dict(*arguments, **options)

    def get_parameter(self, target):
        self._refuse()
        return super().get_parameter(target)

    def register_forward_hook(self, *arguments, **options):
        self._refuse()
        return super().register_forward_hook(*arguments, **options)


@pytest.mark.parametrize("access", ["label", "scores"])
def test_black_box_attacks_do_not_touch_weights(access):
    # The adapter asks parameters() for device and type, which the model's own loader knows anyway.
    members, nonmembers = ((X.astype(np.float32), y) for X, y in sides())
    model = Sealed()
    model.sealed = True
    chosen = [
        small(name)
        for name, attack in builtin_attacks().items()
        if isinstance(attack, MembershipAttack)
        and attack.access not in (None, Access.WHITE_BOX)
        and Access(access).covers(attack.access)
    ]
    target = Classifier(
        model, members, nonmembers, access=access, population=sides(1)[0], output="logits",
        train=TorchTrainer(module=lambda: torch.nn.Linear(3, 2), epochs=2),
    )  # fmt: skip
    attacks = [attack for attack in chosen if attack.mismatch(target) is None]
    assert {"gap", "boundary", "votes", "label_lira"} <= {attack.name for attack in attacks}
    found = audit(target, attacks=attacks, shadow_models=8, workers=1)
    assert len(found.measurements[0].figures) == len(attacks)
    if access == "scores":
        assert {"lira", "learned", "loss"} <= {attack.name for attack in attacks}


def test_the_weights_are_handed_out_under_white_box_access_only():
    members, nonmembers = sides()
    model = LabelsOnly().fit(*members)
    for access in ("label", "scores"):
        view = Classifier(model, members, nonmembers, access=access).prepare(0)
        with pytest.raises(LeakproError, match="declares white-box access"):
            _ = view.model
    view = Classifier(model, members, nonmembers, access="white-box").prepare(0)
    assert view.model is model


def test_more_access_than_the_target_gives_is_refused():
    _, target = labels_only()
    with pytest.raises(LeakproError, match="'lira' does not match: it needs access to scores"):
        audit(target, "auc <= 0.9", attacks=["lira"])


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda X: np.full((len(X), 1), 0.7), "the model returned a single column"),
        (lambda X: np.full(len(X), 7), "none of the model's classes"),
        (lambda X: np.array(["nobody"] * len(X)), "none of the model's classes"),
        (lambda X: np.full(len(X), np.nan), "NaN|missing"),
        (lambda X: np.zeros(len(X) - 1, int), "records"),
    ],
)
def test_models_that_give_no_labels_of_the_targets(model, says):
    target = Classifier(model, *sides(), access="label", classes=[0, 1])
    with pytest.raises(LeakproError, match=says):
        audit(target, "auc <= 0.9", attacks=["gap"])


def test_label_lira_reads_the_same_copies_of_every_model():
    _, target = labels_only()
    first, second = (LabelLikelihoodRatio().reading(target.prepare(0)) for _ in range(2))
    here = target.prepare(0).records("members")
    for (_, one), (_, other) in zip(first.copies.make(here), second.copies.make(here), strict=True):
        assert np.array_equal(one.inputs, other.inputs)
