"""Attacks with shadow models: exchangeable data, known answers, variants, ranking.

Shadow signals are simulated here; `tests/auditing/test_shadow_audits.py` trains real models.
"""

import numpy as np
import pytest

from pytest_leakpro import LeakproError, Regressor, ShadowSignals
from pytest_leakpro.attacks.membership.further_attack import FurtherShadowAttack
from pytest_leakpro.attacks.membership.lira import LikelihoodRatio
from pytest_leakpro.attacks.membership.loss import LossThreshold
from pytest_leakpro.attacks.membership.rmia import RatioToReference
from pytest_leakpro.attacks.membership.shadow_attack import (
    ShadowAttack,
    clip_at_resolution,
    resolution,
)
from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.auditing import ranking
from pytest_leakpro.auditing.ranking import best_variant, rank_attacks
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from pytest_leakpro.store import scratch
from tests.attacks.shadow_views import simulated

SHADOW_ATTACKS = {
    name: attack
    for name, attack in builtin_attacks().items()
    if attack.needs_shadow and attack.access is not None
}
# Views simulated here hold losses alone; attacks that read more have tests of their own.
OF_LOSSES = sorted(
    name for name, attack in SHADOW_ATTACKS.items() if not isinstance(attack, FurtherShadowAttack)
)
# That learns a classifier at each run; test_learned.py lets it learn once.
QUICK = sorted({*OF_LOSSES} - {"learned"})


def settled(attack):
    return attack.variants(regression=False)[0]


@pytest.mark.parametrize("n_classes", [2, pytest.param(10, marks=pytest.mark.slow), 100])
@pytest.mark.parametrize("name", QUICK)
def test_no_attack_finds_what_is_not_there(name, n_classes):
    # At a true error of 2.5 % more than 0.025 + 4 sqrt(0.025 * 0.975 / 120) FAILs of 120 come with
    # probability below 1e-4.
    attack, runs, failed = settled(SHADOW_ATTACKS[name]), 120, 0
    for seed in range(runs):
        evidence = attack.run(
            simulated(seed, 200, n_classes=n_classes), np.random.default_rng(seed)
        )
        k = choose_rank(200, 200, 0.05, 0.05, 0.025)
        failed += tpr_p_value(evidence.members_above(k), 200, k, 200, 0.05, 0.05) <= 0.025
    assert failed / runs <= 0.025 + 4 * np.sqrt(0.025 * 0.975 / runs)


@pytest.mark.parametrize("name", OF_LOSSES)
def test_calibration_sees_what_a_threshold_cannot(name):
    view = simulated(0, 2000, gain=1.5)
    calibrated = settled(SHADOW_ATTACKS[name]).run(view, np.random.default_rng(0))
    threshold = LossThreshold().run(view, np.random.default_rng(0))

    def at_one_percent(evidence):
        return float(np.mean(evidence.members > np.sort(evidence.nonmembers)[-20]))

    assert at_one_percent(calibrated) > 3 * at_one_percent(threshold)


def test_lira_is_near_the_optimal_test():
    # Signals are normal with known means: the exact likelihood ratio is a shift of gain / spread.
    from scipy import special

    view = simulated(1, 4000, gain=1.5, n_models=64)
    attack = LikelihoodRatio(signal="logit")
    evidence = attack.run(view, np.random.default_rng(0))
    reached = float(np.mean(evidence.members > np.sort(evidence.nonmembers)[-40]))
    exact = special.ndtr(special.ndtri(0.01) + 1.5 / 0.7)
    assert reached > 0.85 * exact


def test_resolution_of_a_forest_and_of_a_network():
    votes = np.arange(0, 101) / 100
    with np.errstate(divide="ignore"):
        log_odds = np.clip(np.log(votes) - np.log(1 - votes), -690, 690)
    assert resolution(log_odds[None]) == pytest.approx(1 / 200)
    clipped = clip_at_resolution(log_odds, 1 / 200)
    assert clipped.max() == pytest.approx(np.log(199))
    assert resolution(np.array([[-50.0, 3.0]])) < 1e-20
    assert resolution(np.array([[690.0, -690.0]])) == pytest.approx(5e-7)


def test_variants_are_chosen_by_shadow_models_alone():
    view = simulated(2, 500, gain=1.5)
    power, chosen = best_variant(LikelihoodRatio(), view.shadow, 0.01, regression=False)
    assert chosen.signal in {"logit", "probability", "loss"}
    assert 0 < power <= 1
    fixed = LikelihoodRatio(signal="loss", variance="global")
    assert best_variant(fixed, view.shadow, None, regression=False)[1] == fixed
    assert [v.signal for v in LikelihoodRatio().variants(regression=True)] == ["error", "log-error"]


def test_attacks_are_ranked_by_their_power():
    view = simulated(3, 500, gain=1.5)
    suite = [LossThreshold(), RatioToReference(), LikelihoodRatio()]
    ranked = rank_attacks(suite, view.shadow, 0.01, regression=False)
    assert [attack.name for attack in ranked][-1] == "loss"
    assert {attack.name for attack in ranked} == {"loss", "rmia", "lira"}


def test_with_four_models_nothing_is_chosen_but_all_runs():
    view = simulated(4, 300, gain=1.5, n_models=4)
    power, chosen = best_variant(LikelihoodRatio(), view.shadow, 0.01, regression=False)
    assert power == 0
    assert np.isfinite(chosen.run(view, np.random.default_rng(0)).members).all()


def test_scores_follow_the_records_and_not_the_sides():
    attack = settled(SHADOW_ATTACKS["lira"])
    view = simulated(5, 100, gain=1.0)
    target = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
    order = np.random.default_rng(0).permutation(200)
    straight = attack.score_records(target, view.shadow.shadow, view.shadow.included)
    mixed = attack.score_records(
        target[order], view.shadow.shadow[:, order], view.shadow.included[:, order]
    )
    assert mixed == pytest.approx(straight[order])


def test_pairs_need_a_population_and_rank_as_the_ratio_does():
    view = simulated(6, 200, gain=1.0)
    with pytest.raises(LeakproError, match="needs a population="):
        RatioToReference(by="pairs").score(view, np.random.default_rng(0))


def test_relative_attacks_need_probabilities():
    x = np.random.default_rng(0).normal(size=(20, 1))
    regressor = Regressor(lambda X: X[:, 0], (x, x[:, 0]), (x + 1, x[:, 0]))
    assert "does not attack a Regressor" in RatioToReference().mismatch(regressor)
    assert LikelihoodRatio().mismatch(regressor) is None


@pytest.mark.parametrize("attack", SHADOW_ATTACKS.values(), ids=lambda attack: attack.name)
def test_shadow_attacks_are_calibrated(attack):
    assert isinstance(attack, ShadowAttack)
    assert attack.calibrated


class Counts(LikelihoodRatio):
    """Scores a record by how many shadow models saw it, which no membership may show in."""

    def variants(self, *, regression):
        return (self,)

    def score_records(self, target, shadow, included):
        return included.sum(axis=0).astype(float)


def test_where_a_shadow_model_plays_the_target_counts_tell_nothing():
    view = simulated(0, 100, gain=3.0)
    power, _ = best_variant(Counts(), view.shadow, None, regression=False)
    assert power == 0.5


def test_a_ranking_takes_some_of_many_records(monkeypatch):
    view = simulated(0, 4000, gain=3.0)
    sizes = []

    class Sizes(Counts):
        def score_records(self, target, shadow, included):
            sizes.append(shadow.shape)
            return super().score_records(target, shadow, included)

    monkeypatch.setattr(ranking, "_MOST_RECORDS", 1000)
    for fpr in (None, 0.01, 0.001):
        rank_attacks([Sizes()], view.shadow, fpr, regression=False)
    assert sizes == [(14, 1000)] * 16 + [(14, 4000)] * 16 + [(14, 8000)] * 16


def test_signals_are_read_row_by_row_whatever_holds_them(monkeypatch, tmp_path):
    view = simulated(0, 500, gain=1.0)
    target = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
    np.save(tmp_path / "shadow.npy", view.shadow.shadow)
    mapped = ShadowSignals(tmp_path / "shadow.npy", view.shadow.included)
    for name in ("lira", "lira_offline", "rmia", "rmia_offline"):
        attack = settled(SHADOW_ATTACKS[name])
        usual = attack.score_records(target, view.shadow.shadow, view.shadow.included)
        monkeypatch.setattr(scratch, "_SMALL", 0)
        assert isinstance(scratch.scratch_array((2, 2), float), np.memmap)
        taken = mapped.take(np.arange(10, 1000, 2))
        assert isinstance(taken.shadow.base, np.memmap)
        assert np.array_equal(taken.shadow, view.shadow.shadow[:, 10:1000:2])
        assert np.array_equal(taken.included, view.shadow.included[:, 10:1000:2])
        again = attack.score_records(target, mapped.shadow, mapped.included)
        assert np.array_equal(usual, again)
        monkeypatch.undo()


def test_what_stands_side_by_side_is_not_copied():
    view = simulated(0, 50)
    beside = view.shadow.take(np.arange(20, 60))
    assert np.shares_memory(beside.shadow, view.shadow.shadow)
    assert np.array_equal(beside.included, view.shadow.included[:, 20:60])
