"""Exposures that users bring, and the metric that is read off them."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import Budget, Exposures, LeakproError, Verdict, required_sizes
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.detectable import detectable_increase
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.plain import plain
from pytest_leakpro.stats.exposure import UNLEARNED
from pytest_leakpro.stats.seeding import derive_rng
from tests.gate.simulate import A, read

SPACE = 10**9
METRIC = parse_metric("exposure")
DEFINITION = metric_named("exposure")


def uniform(n, seed=0, **extra):
    ranks = np.random.default_rng(seed).integers(1, SPACE + 1, n)
    return Exposures(ranks, SPACE, **extra)


def of_losses(shift, n=40, candidates=2000, seed=0, **extra):
    rng = np.random.default_rng(seed)
    losses = rng.normal(size=n) - shift
    return Exposures.from_losses(losses, rng.normal(size=candidates), space=SPACE, **extra)


def remarks(evidence, metric=METRIC):
    return DEFINITION.remarks(metric, evidence)


def test_what_it_holds_and_shows():
    one = Exposures([1, 2, 2.5, 4, 8, 1024, 1, 1, 1, 1], 1024)
    assert repr(one) == "Exposures(10, candidates=1024)"
    assert (one.sizes, one.census, one.control_rate, one.per_unit()) == ((10, 0), False, None, None)
    assert (one.named, one.sampled, one.times, one.space) == (False, False, 1, 1024)
    np.testing.assert_allclose(one.bits()[:4], [10, 9, 10 - math.log2(2.5), 8])
    assert uniform(10, name="mine").named
    sampled = of_losses(0.0, assume="skew-normal")
    assert repr(sampled) == (
        "Exposures(40, candidates=2001, space=1000000000, assume='skew-normal')"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        one.ranks[0] = 3


def test_the_mean_is_log2_of_the_candidates_less_that_of_the_rank():
    found = read("exposure <= 5", Exposures([1] * 30, SPACE))
    assert found.value == pytest.approx(math.log2(SPACE))
    assert found.low > 25
    assert found.p_value < 1e-9
    same = Exposures.from_losses(np.zeros(30), np.zeros(4095))  # a model that tells nothing apart
    assert read("exposure <= 5", same).value == pytest.approx(1, abs=1e-3)
    assert read("exposure <= 5", same).high <= 5


@settings(max_examples=30)
@given(
    bits=st.lists(st.integers(0, 20), min_size=10, max_size=30),
    limit=st.floats(1.5, 19),
    sampled=st.booleans(),
    error=st.floats(0.001, 0.3),
)
def test_bounds_contain_the_mean_and_agree_with_the_p_value(bits, limit, sampled, error):
    ranks = [2 ** (20 - each) for each in bits]
    evidence = Exposures(ranks, 2**20, space=2**30 if sampled else None)
    budget = f"exposure <= {limit}"
    found = read(budget, evidence, error, error)
    assert 0 <= found.low <= found.value <= found.high <= evidence.most
    assert found.value == pytest.approx(np.mean(bits))
    if abs(found.low - limit) > 1e-6:
        assert (found.p_value <= error) == (found.low > limit)
    shuffled = Exposures(ranks[::-1], 2**20, space=evidence.space)
    assert read(budget, shuffled, error, error).low == pytest.approx(found.low, abs=1e-6)


def test_ranks_among_a_sample_say_less_than_among_all():
    some, every = Exposures([8] * 40, 1024, space=SPACE), Exposures([8] * 40, 1024)
    wide, narrow = read("exposure <= 5", some), read("exposure <= 5", every)
    assert wide.value == narrow.value == 7
    assert wide.low < narrow.low < 7 < narrow.high < wide.high


def test_who_is_ahead_of_all_candidates_does_not_pass_for_want_of_candidates():
    """A hundred candidates show 6.6 bits: no proof that there are no more."""
    found = read("exposure <= 10", Exposures([1] * 40, 100, space=SPACE))
    assert found.value == pytest.approx(math.log2(100))
    assert found.high == math.log2(SPACE)
    assert found.p_value > A
    with pytest.raises(LeakproError, match=r"no canary among 100 texts has more than 6\.644 bits"):
        read("exposure <= 10", Exposures([1] * 40, 100))


def test_a_law_that_fits_may_be_assumed():
    ahead = of_losses(7.0)  # seven standard deviations: 39 bits, of which a secret has 29.9
    assert read("exposure <= 10", ahead).p_value > A
    assert "ahead of all candidates: 40 of 40 canaries; each counts 11.0" in str(remarks(ahead))
    assert "extrapolated by a skew-normal law (Kolmogorov-Smirnov p = " in str(remarks(ahead))
    assumed = of_losses(7.0, assume="skew-normal")
    found = read("exposure <= 10", assumed)
    assert found.low > 10
    assert found.value > 25
    assert "assumes that losses follow a skew-normal law" in remarks(assumed).notes[0]
    assert read("exposure <= 10", of_losses(0.0, assume="skew-normal")).high < 10
    rng = np.random.default_rng(0)
    two = np.concatenate([rng.normal(0, 1, 500), rng.normal(9, 1, 500)])
    peaks = Exposures.from_losses(rng.normal(size=20), two, space=SPACE)
    assert "do not follow a skew-normal law" in str(remarks(peaks))
    with pytest.raises(LeakproError, match="do not follow that law"):
        Exposures.from_losses(rng.normal(size=20), two, space=SPACE, assume="skew-normal")


def test_multiplicities_are_read_apart():
    ranks = np.repeat([SPACE // 2, 1024, 1], [20, 15, 12])
    mixed = Exposures(ranks, SPACE, multiplicities=np.repeat([0, 1, 16], [20, 15, 12]))
    once, often = (read(f"exposure{argument} <= 10", mixed) for argument in ("", "[x=16]"))
    assert once.value == pytest.approx(math.log2(SPACE) - 10)
    assert often.value == pytest.approx(math.log2(SPACE))
    assert read("exposure[x=1] <= 10", mixed) == once
    assert mixed.inserted(16).sizes == (12, 0)
    assert mixed.inserted(1) is mixed
    note = remarks(mixed).notes[1]
    assert note == (
        "bits of those inserted not at all 1.00 (20 canaries), 16 times 29.90 (12 canaries)"
    )
    with pytest.raises(LeakproError, match="these were inserted once, 16 times"):
        read("exposure[x=4] <= 10", mixed)
    with pytest.raises(LeakproError, match="there are 0 canaries that were inserted once"):
        read("exposure <= 10", Exposures([1] * 10, 1024, multiplicities=4))


def test_canaries_that_were_not_inserted_show_whether_candidates_are_like_them():
    ranks = np.repeat([2000, 1000], 30)
    unlike = Exposures(ranks, SPACE, multiplicities=np.repeat([1, 0], 30))
    assert "not of the kind of the candidates" in remarks(unlike).blocks[0]
    drawn = np.random.default_rng(0).integers(1, SPACE, 30)
    like = Exposures([*ranks[:30], *drawn], SPACE, multiplicities=np.repeat([1, 0], 30))
    assert remarks(like).blocks == ()


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("exposure <= 10", "exposure <= 10"),
        ("exposure[ x = 16 ] <= 7.5", "exposure[x=16] <= 7.5"),
    ],
)
def test_budgets_are_in_bits(text, tidy):
    assert str(Budget.parse(text)) == tidy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exposure <= 1", r"never saw have an exposure of 1\.443 bits"),
        ("exposure <= 10%", r"never saw have an exposure of 1\.443 bits"),
        ("exposure <= -1", "negative"),
        ("exposure <= 200", "exposure is at most 128"),
        ("exposure[16] <= 10", r"as exposure\[x=16\]"),
        ("exposure[x=0] <= 10", r"as exposure\[x=16\]"),
        ("exposure@1%fpr <= 10", "not read at"),
    ],
)
def test_budgets_that_mean_nothing(text, says):
    with pytest.raises(LeakproError, match=says):
        Budget.parse(text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"ranks": [1] * 9}, "fewer than 10"),
        ({"ranks": [0] * 10}, "10 of 10 ranks are not among 1 to 1,024"),
        ({"ranks": [1025] * 10}, "candidates counts the canary too"),
        ({"ranks": [1.3] * 10}, "in halves"),
        ({"ranks": [math.nan] * 10}, "10 of 10 ranks"),
        ({"ranks": [[1] * 10]}, r"shape \(1, 10\)"),
        ({"ranks": "abc"}, "ranks are not all numbers"),
        ({"ranks": None}, "ranks are not all numbers"),
        ({"candidates": 1}, "candidates is how many"),
        ({"candidates": True}, "candidates is how many"),
        ({"candidates": "many"}, "candidates is how many"),
        ({"candidates": 1024.5}, "candidates is how many"),
        ({"space": 1000}, "space is how many texts there are: .* at least 1,024"),
        ({"multiplicities": 0}, "no canary was inserted"),
        ({"multiplicities": [1, 2]}, r"shape \(2,\) for 10 canaries"),
        ({"multiplicities": 1.5}, "whole numbers"),
        ({"multiplicities": -1}, "at least 0"),
        ({"extrapolated": [1.0]}, "1 extrapolated exposures of 10"),
        ({"extrapolated": [11.0] * 10}, "not among 0 to 10 bits"),
        ({"agreement": 2}, "p-value"),
        ({"assume": "normal"}, "give 'skew-normal'"),
        ({"assume": "skew-normal"}, "no law was fitted"),
    ],
)
def test_what_is_no_exposure(arguments, says):
    with pytest.raises(LeakproError, match=says) as caught:
        Exposures(**{"ranks": [1] * 10, "candidates": 1024} | arguments)
    assert "1.3" not in str(caught.value)  # nothing of a canary


@pytest.mark.parametrize(
    ("canaries", "candidates", "says"),
    [
        (np.zeros(10), np.full(20, np.inf), "20 of 20 losses of the candidates are NaN"),
        (np.zeros(10), [], "losses of the candidates have shape"),
        (np.zeros((10, 2)), np.zeros(20), "losses of the canaries have shape"),
        (np.zeros(10), np.zeros((9, 20)), "candidates of 9 canaries for 10"),
        (["a"] * 10, np.zeros(20), "losses of the canaries are not all numbers"),
    ],
)
def test_what_are_no_losses(canaries, candidates, says):
    with pytest.raises(LeakproError, match=says):
        Exposures.from_losses(canaries, candidates)


def test_spaces_of_any_size():
    huge = Exposures([10**38] * 20, 10**40, space=10**60)
    assert huge.bits()[0] == pytest.approx(math.log2(100))
    assert huge.most == pytest.approx(60 * math.log2(10))
    assert read("exposure <= 100", huge).low > 0
    assert 0 < huge.null_pass_chance(150.0, A) <= 1
    assert Exposures([1] * 10, 1e9).candidates == SPACE


def test_a_record_counts_canaries_and_names_none():
    summary = plain(DEFINITION.summary(METRIC, Exposures([1, 2, 2, 3] + [4] * 8, 16)))
    assert summary == {
        "kind": "exposures",
        "candidates": 16,
        "most_bits": 4.0,
        "times": 1,
        "assumes": "by rank, assumes no law of losses",
        "curve": {"kind": "ranks", "x": "0 1 2 3 4", "y": "0 0 9 2 1"},
    }


def test_a_few_dozen_canaries_decide():
    assert [required_sizes(f"exposure <= {limit}").members for limit in (10, 5, 3)] == [14, 38, 96]
    assert str(required_sizes("exposure <= 5")) == "38 canaries"
    fails = required_sizes("exposure <= 10", true_leakage=20.0)
    assert fails.verdict is Verdict.FAIL
    assert fails.members < 20
    assert required_sizes("exposure <= 40", true_leakage=60.0).members < 100  # more than 9 digits
    with pytest.raises(LeakproError, match="lies at the limit"):
        required_sizes("exposure <= 10", true_leakage=10.0)


@pytest.mark.parametrize("evidence", [uniform(20), uniform(38), of_losses(0.0, 60)])
def test_the_chance_to_pass_is_that_of_a_model_that_saw_nothing(evidence):
    """150 and 400 runs: beyond 4 standard errors (0.2) with a chance below 1e-4."""
    rng = derive_rng(1, "other ranks")
    n, candidates = len(evidence.ranks), evidence.candidates
    passed = np.mean(
        [
            read(
                "exposure <= 5",
                Exposures(rng.integers(1, candidates + 1, n), candidates, space=evidence.space),
            ).high
            <= 5
            for _ in range(150)
        ]
    )
    assert evidence.null_pass_chance(5.0, A) == pytest.approx(passed, abs=0.2)


def test_typical_evidence_shows_the_leakage_that_it_stands_for():
    for true in (UNLEARNED, 8.0, 25.0, 60.0):
        evidence = DEFINITION.typical_evidence(METRIC, Sizes(1000, 0), true)
        assert evidence.sizes == (1000, 0)
        assert DEFINITION.estimate(METRIC, evidence) == pytest.approx(true, rel=0.01)
    lucky, unlucky = (
        DEFINITION.estimate(METRIC, DEFINITION.typical_evidence(METRIC, Sizes(50, 0), 8.0, luck))
        for luck in (0.9, 0.1)
    )
    assert unlucky < 8 < lucky
    small, large = (detectable_increase(METRIC, Sizes(size, 0)) for size in (50, 500))
    assert 0 < large < 1 < small < 6


def coverage(shift, candidates, runs, n=40):
    """Count how often the true mean lies below and above the bounds, candidates shared by all.

    The model's losses are N(0, 1), and those of canaries N(-shift, 1): the true exposure of a loss
    is -log2 of the share of texts below it, of which there are a billion.
    """
    from scipy import special

    rng = np.random.default_rng(7)

    def true_bits(losses):
        return -np.log2(special.ndtr(losses) + 1 / SPACE)

    mean = true_bits(rng.normal(size=1_000_000) - shift).mean()
    below = above = 0
    for _ in range(runs):
        losses = rng.normal(size=n) - shift
        evidence = Exposures.from_losses(losses, rng.normal(size=candidates))
        sampled = Exposures(evidence.ranks, evidence.candidates, space=SPACE)
        found = read("exposure <= 20", sampled)
        below += mean < found.low
        above += mean > found.high
    return below / runs, above / runs


def allowed(runs):
    """An error that is truly A is seen above this with a probability below 5e-5."""
    return A + 4 * np.sqrt(A * (1 - A) / runs)


def test_bounds_cover_the_mean_in_the_space():
    assert max(coverage(1.0, 300, 60)) <= allowed(60)


@pytest.mark.slow
@pytest.mark.parametrize("candidates", [30, 1000, 30_000])
@pytest.mark.parametrize("shift", [0.0, 2.0, 4.0])
def test_bounds_cover_the_mean_in_the_space_in_500_runs(shift, candidates):
    assert max(coverage(shift, candidates, 500)) <= allowed(500)
