"""The gate: a model that exposes the people it was trained on is not released."""

import pytest

from pytest_leakpro import Classifier, LeakageError


@pytest.mark.leakage("tpr@0.1%fpr <= 1%", "auc <= 0.55")
def test_logistic_regression_may_be_shared(leakpro, logistic_regression, cohort):
    leakpro.audit(
        Classifier(
            logistic_regression,
            members=cohort.train,
            nonmembers=cohort.holdout,
            name="logistic regression",
        )
    )


@pytest.mark.xfail(raises=LeakageError, strict=True, reason="a deep forest remembers its people")
@pytest.mark.leakage("auc <= 0.55")
def test_deep_forest_may_be_shared(leakpro, deep_forest, cohort):
    leakpro.audit(
        Classifier(deep_forest, members=cohort.train, nonmembers=cohort.holdout, name="deep forest")
    )
