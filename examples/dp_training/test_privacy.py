"""The gate: a training that claims epsilon = 3 keeps it, and one with a mistake is found out."""

import pytest

from pytest_leakpro import Canaries, Classifier, LeakageError

EPSILON, DELTA = 3.0, 1e-5
SEEN_BY_THE_AUDIT = ("noise over batch", "clipped per batch")
SEEN_IN_THE_SET_UP = {
    "noise over batch": "the noise has a multiplier of",
    "clipped per batch": "not clipped record by record",
    "batch normalisation": "batch normalisation",
    "shuffled batches": "all batches have 250 records",
    "more steps": "cost epsilon = 6",
}


@pytest.mark.leakage("epsilon <= 3")
def test_the_promise_is_kept(leakpro, trained):
    """Who sees every step and knows all other records does not refute it."""
    watched = trained().watched
    leakpro.audit(watched.canary_scores(DELTA, assume="gaussian", name="as it should be"))
    assert watched.check(EPSILON, DELTA) < EPSILON


@pytest.mark.leakage
def test_the_model_that_is_released_does_not_refute_it(leakpro, training, digits):
    """Who asks the finished model about digits with wrong labels does not refute it either."""
    canaries = Canaries.mislabelled(*digits.train, 1000)
    released = training.train(*canaries.insert(*digits.train))
    assert training.accuracy(released.model, *digits.test) > 0.8
    leakpro.audit(
        Classifier(
            released.model,
            canaries=canaries,
            claimed_epsilon=EPSILON,
            delta=DELTA,
            assume="gaussian",
            output="logits",
            name="released",
        )
    )


@pytest.mark.xfail(raises=LeakageError, strict=True, reason="one record moves more than the noise")
@pytest.mark.leakage("epsilon <= 3")
@pytest.mark.parametrize("mistake", SEEN_BY_THE_AUDIT)
def test_gradients_tell_of_a_mistake(leakpro, trained, mistake):
    leakpro.audit(trained(mistake).watched.canary_scores(DELTA, assume="gaussian", name=mistake))


@pytest.mark.parametrize("mistake", SEEN_IN_THE_SET_UP)
def test_the_set_up_tells_of_every_mistake(trained, mistake):
    """No audit: what was clipped, added, drawn and run is looked at."""
    with pytest.raises(LeakageError, match=SEEN_IN_THE_SET_UP[mistake]):
        trained(mistake).watched.check(EPSILON, DELTA)
