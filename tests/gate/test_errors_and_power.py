"""Type I errors and power of the gate, by simulation with fixed seeds.

An error that is truly A = 2.5 % is seen above ``A + 4 sqrt(A (1 - A) / runs)`` with probability
below 5e-5 per test. `benchmarks/gate_errors.py` does the same with 2,000 runs at every size.
"""

import numpy as np
import pytest
from scipy import special

from pytest_leakpro.gate.evidence import MembershipScores
from tests.gate.simulate import A, binormal, outcomes, read, shift_for

RUNS = 400


def allowed(runs):
    return A + 4 * np.sqrt(A * (1 - A) / runs)


@pytest.mark.parametrize("size", [500, 2000, pytest.param(20_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("budget", "mu"),
    [
        ("tpr@0.1%fpr <= 1%", shift_for(0.01, 0.001)),
        ("tpr@1%fpr <= 3%", shift_for(0.03, 0.01)),
        ("auc <= 0.55", np.sqrt(2) * special.ndtri(0.55)),
        ("advantage <= 10%", 2 * special.ndtri(0.55)),
    ],
)
def test_exactly_at_the_budget_both_errors_keep_their_level(budget, mu, size):
    rng = np.random.default_rng(11)
    runs = RUNS if size < 20_000 else RUNS // 2
    failed, passed = outcomes(budget, lambda: binormal(rng, size, size, mu), runs)
    assert failed <= allowed(runs)
    assert passed <= allowed(runs)


def test_bounds_cover_the_true_tpr():
    rng = np.random.default_rng(12)
    true = special.ndtr(special.ndtri(0.001) + 1)
    missed = 0
    for _ in range(RUNS):
        reading = read("tpr@0.1%fpr <= 2.5%", binormal(rng, 2000, 2000, 1.0))
        missed += not reading.low <= true <= reading.high
        assert reading.low <= reading.value <= reading.high
    assert missed / RUNS <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / RUNS)


def test_power_against_a_leaking_model():
    rng = np.random.default_rng(13)
    failed, _ = outcomes("tpr@0.1%fpr <= 0.3%", lambda: binormal(rng, 2000, 2000, 1.0), RUNS)
    assert failed >= 0.95


# The floors are 90, 85 and 70 %; the true chances are 92, 88 and 74 %, so with 1,000 runs the
# shares lie above the floors but for about one seed in a hundred: this seed is one that does.
@pytest.mark.parametrize(
    ("size", "limit", "floor"), [(2000, "1%", 0.90), (1000, "1.5%", 0.85), (500, "2%", 0.70)]
)
def test_a_model_without_leakage_passes(size, limit, floor):
    rng = np.random.default_rng(14)
    failed, passed = outcomes(
        f"tpr@0.1%fpr <= {limit}", lambda: binormal(rng, size, size, 0.0), 1000
    )
    assert passed >= floor
    assert failed <= allowed(1000)


def test_a_curve_that_is_steep_just_beyond_the_rate_does_not_pass():
    # TPR 1.4 % at 0.1 % FPR, 36 % at 1 %: an attacker who stays silent nine times in ten reaches
    # 3.6 % at 0.1 %. The error allowed is A; 4 standard errors of 300 runs are added.
    rng = np.random.default_rng(15)

    def draw():
        size = 5000
        level = rng.uniform(size=size)
        members = np.where(level < 0.014, 3.0, np.where(level < 0.36, 2.0, 0.0))
        level = rng.uniform(size=size)
        nonmembers = np.where(level < 0.001, 3.0, np.where(level < 0.01, 2.0, 0.0))
        return MembershipScores(
            members + rng.uniform(0, 0.5, size), nonmembers + rng.uniform(0, 0.5, size)
        )

    _, passed = outcomes("tpr@0.1%fpr <= 2%", draw, 300)
    assert passed <= allowed(300)


def exchangeable_ties(kind, rng, size):
    scores = {
        "constant": lambda: np.zeros(size),
        "100 levels": lambda: np.floor(rng.uniform(size=size) * 100),
        "saturated": lambda: np.minimum(rng.normal(size=size), 1.5),
        "mostly zero": lambda: (rng.uniform(size=size) < 0.002) * 1.0,
    }[kind]
    return MembershipScores(scores(), scores())


@pytest.mark.parametrize("kind", ["constant", "100 levels", "saturated", "mostly zero"])
@pytest.mark.parametrize("budget", ["tpr@0.1%fpr <= 0.1%", "auc <= 0.5", "advantage <= 0%"])
def test_ties_without_leakage_never_fail_more_than_allowed(kind, budget):
    rng = np.random.default_rng(16)
    failed, passed = outcomes(budget, lambda: exchangeable_ties(kind, rng, 1000), RUNS)
    assert failed <= allowed(RUNS)
    assert passed <= allowed(RUNS)


@pytest.mark.parametrize("kind", ["constant", "100 levels", "saturated"])
def test_a_constant_or_coarse_score_passes_where_sizes_suffice(kind):
    rng = np.random.default_rng(17)
    # Constant scores tie at TPR = FPR on the curve, but the bound must count the whole tie.
    _, passed = outcomes("auc <= 0.55", lambda: exchangeable_ties(kind, rng, 4000), 50)
    assert passed == 1


@pytest.mark.parametrize("levels", [(1.0, 1.0), (0.1, 0.01), (0.5, 0.05)])
def test_exactly_at_the_budget_with_two_levels_both_errors_keep_their_level(levels):
    # A share x of the members and y of the non-members stand on the upper level: at an FPR a below
    # y guessing within it reaches a x / y, here 1 % (or 0.1 % where nothing tells them apart).
    x, y = levels
    rng = np.random.default_rng(20)
    limit = 0.001 * x / y

    def draw():
        return MembershipScores(*((rng.uniform(size=2000) < share) * 1.0 for share in (x, y)))

    failed, passed = outcomes(f"tpr@0.1%fpr <= {limit:.6%}", draw, 1000)
    assert failed <= allowed(1000)
    assert passed <= allowed(1000)


def test_coarse_scores_without_leakage_pass_as_often_as_fine_ones():
    # True chance 92 %; three standard errors of 300 runs are 4.7 points.
    rng = np.random.default_rng(21)
    for levels in (1, 2, 20):
        draw = lambda: MembershipScores(*rng.integers(0, levels, (2, 2000)))  # noqa: B023, E731
        _, passed = outcomes("tpr@0.1%fpr <= 1%", draw, 300)
        assert passed >= 0.92 - 0.047


def test_members_tied_with_the_cut_do_not_count_towards_a_fail():
    # Every score is the same: counted at-or-above, every member would lie above every cut, and the
    # lower bound would be near 1 although nothing leaks.
    evidence = MembershipScores(np.zeros(2000), np.zeros(2000))
    assert evidence.members_at_or_above(4) == 2000
    assert evidence.members_above(4) == 0
    assert read("tpr@0.1%fpr <= 1%", evidence).low == 0


def test_members_piled_on_the_cut_count_against_a_pass():
    # 30 % of the members and 0.05 % of the non-members share the highest score: an attacker who
    # accuses at that score has TPR 30 %. Counted strictly above, no member would stand above it.
    rng = np.random.default_rng(18)

    def side(share):
        scores = np.minimum(rng.normal(size=5000), 8.0)
        return np.where(rng.uniform(size=5000) < share, 9.0, scores)

    def draw():
        return MembershipScores(side(0.3), side(0.0005))

    _, passed = outcomes("tpr@0.1%fpr <= 5%", draw, 200)
    assert passed == 0


@pytest.mark.parametrize("side", [-1e-9, 1e-9])
def test_scores_piled_beside_the_threshold(side):
    # A quarter of the members sits just below or just above where 1 % of the non-members do. The
    # true TPR at 0.1 % FPR is what the tie at the top allows: 0.1 of the pile above, none below.
    rng = np.random.default_rng(19)

    def draw():
        def half(piled, at):
            return np.where(rng.uniform(size=3000) < piled, at, rng.normal(size=3000).clip(max=4))

        return MembershipScores(half(0.25, 5.0 + side), half(0.01, 5.0))

    failed, passed = outcomes("tpr@0.1%fpr <= 10%", draw, 200)
    if side > 0:  # true TPR 25 % at FPR 0
        assert failed == 1
    else:  # reached at 1 % FPR, so 2.5 % at 0.1 % by staying silent: within the budget
        assert failed <= allowed(200)
        assert passed > 0.5
