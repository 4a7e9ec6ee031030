"""What a network gives away of the digits that it was trained on, and to whom."""

import digits
import pytest

from pytest_leakpro import Classifier, LeakageError

ATTACKERS = ["label", "scores without recipe", "scores", "white-box"]


@pytest.mark.leakage("tpr@1%fpr <= 5%", "auc <= 0.6")
def test_early_stopped_network_may_be_shared(leakpro, early_stopped, pictures):
    leakpro.audit(
        Classifier(
            early_stopped,
            members=pictures.train,
            nonmembers=pictures.holdout,
            train=digits.recipe(digits.EARLY_EPOCHS),
            attackers=ATTACKERS,
            name="early stopped",
        )
    )


@pytest.mark.xfail(raises=LeakageError, strict=True, reason="trained until it knows each digit")
@pytest.mark.leakage("tpr@1%fpr <= 5%", "auc <= 0.6")
def test_overfitted_network_may_be_shared(leakpro, overfitted, pictures):
    leakpro.audit(
        Classifier(
            overfitted,
            members=pictures.train,
            nonmembers=pictures.holdout,
            train=digits.recipe(digits.OVERFITTED_EPOCHS),
            attackers=ATTACKERS,
            name="overfitted",
        )
    )
