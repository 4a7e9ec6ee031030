"""What a defence costs, and whether less leaks with it: measured side by side."""

import pytest
from sklearn.ensemble import RandomForestClassifier

from pytest_leakpro import Classifier
from pytest_leakpro.attacks.membership.label_lira import LabelLikelihoodRatio
from pytest_leakpro.defences import labels_only, rounded, top_k

BUDGETS = ("auc <= 0.6", "tpr@1%fpr <= 5%")


def readers(digits, models, recipes=None):
    """Give models with whose records they read and whose not, by the name of the defence."""
    return {
        label: Classifier(
            model,
            members=digits.train,
            nonmembers=digits.holdout,
            train=None if recipes is None else recipes[label],
            output=None if recipes is None else "logits",
        )
        for label, model in models.items()
    }


@pytest.mark.leakage(*BUDGETS, attacks=["lira", "rmia"], shadow_models=8)
def test_training_a_network_otherwise(leakpro, networks, digits):
    """Regularisation, a smaller network, early stopping and DP-SGD."""
    X, y = digits.test

    def accuracy(model):
        return float((model(networks.torch.tensor(X)).argmax(1).numpy() == y).mean())

    models = {label: fit(*digits.train, seed=1) for label, fit in networks.DEFENCES.items()}
    found = leakpro.compare(
        readers(digits, models, networks.DEFENCES), utility=accuracy, name="networks"
    )
    assert {"early stopping", "DP-SGD"} <= set(found.lower("auc"))


@pytest.fixture(scope="module")
def forests(digits):
    def fit(**settings):
        return RandomForestClassifier(15, random_state=0, **settings).fit(*digits.train)

    return {
        "none": fit(),
        "5 in each leaf": fit(min_samples_leaf=5),
        "depth of 6": fit(max_depth=6),
    }


@pytest.mark.leakage(*BUDGETS, shadow_models=8)
def test_hiding_the_scores_of_a_forest(leakpro, forests, digits):
    """Smaller trees leak less; rounding does not help, and labels alone are not enough."""
    X, y = digits.test
    exposed = forests["none"]
    models = {
        **forests,
        "1 digit": rounded(exposed, 1),
        "top 1": top_k(exposed, 1),
        "labels only": labels_only(exposed),
    }
    found = leakpro.compare(
        readers(digits, models),
        attacks=["lira", "rmia", LabelLikelihoodRatio(copies=4)],
        utility=lambda model: (model.predict(X) == y).mean(),
        utility_name="accuracy",
        name="forests",
    )
    hidden = ("1 digit", "top 1", "labels only")
    lower = found.lower("auc")
    assert {"5 in each leaf", "depth of 6", "labels only"} <= set(lower)
    assert not {"1 digit", "top 1"} & set(lower)
    assert found.leaks_less("depth of 6", "top 1", "auc")
    # It costs no accuracy, and is not enough: what labels give away is still beyond the budget.
    assert {found.utilities[label] for label in hidden} == {found.utilities["none"]}
    assert all(found[label].verdict.value == "FAIL" for label in hidden)
