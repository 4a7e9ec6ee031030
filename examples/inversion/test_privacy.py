"""The gate: a model that holds records, or tells of them, is not released."""

import clinic
import pytest

from pytest_leakpro import Classifier, LeakageError

CONTENTS = ("stored_records <= 0", "structural_risk[k=10] <= 5%")


def of_patients(model, patients, name, **options):
    return Classifier(
        model, members=patients.train, nonmembers=patients.holdout, name=name, **options
    )


@pytest.mark.leakage(*CONTENTS, "attribute_inference[sex] <= 15%")
def test_logistic_regression_tells_of_nobody(leakpro, logistic_regression, patients):
    leakpro.audit(
        of_patients(logistic_regression, patients, "logistic regression", secret=clinic.SECRET)
    )


@pytest.mark.xfail(raises=LeakageError, strict=True, reason="neighbours are kept to be compared")
@pytest.mark.leakage("stored_records <= 0")
def test_neighbours_stay_at_home(leakpro, patients):
    leakpro.audit(of_patients(clinic.train_neighbours(patients), patients, "neighbours"))


@pytest.mark.leakage(*CONTENTS)
def test_leaves_hold_many_people(leakpro, patients):
    model = clinic.train_boosting(patients, smallest_leaf=clinic.LARGE)
    leakpro.audit(of_patients(model, patients, "large leaves"))


@pytest.mark.xfail(raises=LeakageError, strict=True, reason="leaves of one are somebody")
@pytest.mark.leakage("structural_risk[k=10] <= 5%")
def test_leaves_may_hold_one_person(leakpro, patients):
    model = clinic.train_boosting(patients, smallest_leaf=1)
    leakpro.audit(of_patients(model, patients, "leaves of one"))


@pytest.mark.xfail(raises=LeakageError, strict=True, reason="who knows all others knows the last")
@pytest.mark.leakage("reconstruction[near] <= 1%", attacks=["informed"])
def test_nobody_knows_all_others(leakpro, logistic_regression, patients):
    """The attacker that differential privacy is defined by; named, since few know as much."""
    leakpro.audit(
        of_patients(
            logistic_regression, patients, "logistic regression, informed", access="white-box"
        )
    )


@pytest.mark.leakage("stored_records <= 0", "reconstruction[near] <= 1%")
def test_digits_that_are_rebuilt_are_nobodys(leakpro, reader, generator, digits):
    """What a generator makes of the network is a digit of each kind, and no one's digit."""
    leakpro.audit(
        Classifier(
            reader,
            members=digits.train,
            nonmembers=digits.holdout,
            access="white-box",
            generator=generator,
            train=False,
            name="digits",
        )
    )
