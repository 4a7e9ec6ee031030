"""Which share of the records is found in most trainings that see them."""

import numpy as np
import pytest

from pytest_leakpro import LeakageError, assert_leakage_below, audit
from pytest_leakpro.auditing.exposure import share_found
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from tests.auditing.cohorts import leaky_target, safe_target

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")


@pytest.fixture(autouse=True)
def session(tmp_path):
    """A cache of its own, one process, eight shadow models."""
    defaults = SessionDefaults(
        cache_dir=str(tmp_path / "cache"), workers=1, shadow_models=8, say=lambda line: None
    )
    token = session_variable.set(defaults)
    yield
    session_variable.reset(token)


def plays(n, found, *, rounds=4, noise=0.0, seed=0):
    """Each half of the records in turn; `found` of them stand out whenever a model saw them."""
    rng = np.random.default_rng(seed)
    for index in range(2 * rounds):
        saw = np.arange(n) % 2 == index % 2
        scores = noise * rng.normal(size=n)
        scores[saw & (np.arange(n) < found)] += 10
        yield scores, saw


def test_those_that_stand_out_in_every_training_are_counted():
    assert share_found(plays(1000, 120, noise=1), np.arange(1000), 0.001) == 0.12
    assert share_found(plays(1000, 1000, noise=1), np.arange(1000), 0.01) == 1
    # By chance one in a hundred is found in a training, and next to none in three of four.
    assert share_found(plays(1000, 0, noise=1), np.arange(1000), 0.01) <= 0.001


def test_a_constant_score_finds_nobody():
    assert share_found(plays(100, 0), np.arange(100), 0.3) == 0


def test_half_of_the_trainings_are_not_most():
    scores = np.zeros(40)
    scores[0] = 1  # found in the first two of four
    played = [(scores if index < 2 else np.zeros(40), np.arange(40) < 20) for index in range(4)]
    assert share_found(played, np.arange(40), 0.001) == 0
    played = [(scores if index < 3 else np.zeros(40), np.arange(40) < 20) for index in range(4)]
    assert share_found(played, np.arange(40), 0.001) == 1 / 20


def test_persons_are_counted_by_the_mean_of_their_records():
    units = np.arange(200) // 2
    played = []
    for _ in range(3):
        scores = np.tile([4.0, -4.0], 100)
        scores[:2] = 3, 1
        played.append((scores, np.arange(200) < 100))
    assert share_found(played, units, 0.001) == 1 / 50


def test_too_few_trainings_tell_nothing():
    assert share_found(plays(100, 10, rounds=2), np.arange(100), 0.01) is None
    assert share_found([], np.arange(10), 0.01) is None


@pytest.mark.parametrize("attack", ["lira", None])
@pytest.mark.long
def test_an_overfitted_model_exposes_some_again_and_again(attack):
    with pytest.raises(LeakageError) as caught:
        assert_leakage_below(
            leaky_target(train=None), "tpr@5%fpr <= 6%", "auc <= 0.6", attacks=attack
        )
    tpr, auc = caught.value.audit.measurements
    assert 0.02 < tpr.exposed_share < 1
    assert auc.exposed_share is None
    assert "of the records are found in most trainings" in str(caught.value)
    assert tpr.to_plain()["exposed_share"] == tpr.exposed_share


def test_a_safe_model_exposes_next_to_nobody_and_thresholds_cannot_tell():
    found = audit(safe_target(train=None), "tpr@5%fpr <= 40%", attacks="rmia")
    assert found.measurements[0].exposed_share < 0.05
    assert audit(safe_target(), "tpr@5%fpr <= 40%").measurements[0].exposed_share is None
