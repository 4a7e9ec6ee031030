"""Reconstructions that users bring, criteria, and the metrics that are read off them."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import Budget, Counts, LeakproError, Reconstructions, Verdict, required_sizes
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named
from pytest_leakpro.gate.criterion import MEASURES, Criterion
from pytest_leakpro.gate.detectable import detectable_increase
from pytest_leakpro.gate.metrics.base import Remarks, Sizes
from pytest_leakpro.gate.plain import plain
from pytest_leakpro.gate.rates import records_counted, shown_rates
from tests.gate.simulate import read

BUDGET = "reconstruction[ssim>=0.5] <= 5%"
ONE = Reconstructions(
    {"ssim": [0.9, 0.8, 0.5, 0.49, 0, 0.1, 0.2, -0.3], "label": [1] * 8},
    {"ssim": [0.1] * 8, "label": [1, 1] + [0] * 6},
)
QUALITIES = st.lists(
    st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 5)), min_size=1, max_size=30
)


def of(rows, **extra):
    quality, baseline, batches = zip(*rows, strict=True)
    return Reconstructions({"ssim": quality}, {"ssim": baseline}, batches, **extra)


def test_what_it_holds_and_shows():
    assert repr(ONE) == "Reconstructions(records=8, batches=1, quality=['label', 'ssim'])"
    assert (ONE.sizes, ONE.census, ONE.control_rate, ONE.per_unit()) == ((1, 0), True, None, None)
    several = Reconstructions({"psnr": [np.inf, 3]}, {"psnr": [1, 2]}, np.array(["b", "a"]))
    assert (several.n_batches, several.census, several.named) == (2, False, False)
    assert Reconstructions({"mse": [0]}, {"mse": [1]}, [7], name="mine").named
    with pytest.raises(dataclasses.FrozenInstanceError):
        ONE.name = "other"
    with pytest.raises(TypeError):
        ONE.quality["ssim"] = 0
    with pytest.raises(ValueError, match="read-only"):
        ONE.quality["ssim"][0] = 0


def test_only_what_is_counted_is_exact():
    assert Counts(3, 10).census
    assert not of([(1, 0, 0), (1, 0, 1)]).census


def test_batches_are_averaged_by_their_ids():
    several = Reconstructions({"label": [1, 0, 1, 1]}, {"label": [0] * 4}, ["x", "y", "x", "y"])
    assert several.per_batch([1, 0, 1, 1]).tolist() == [1, 0.5]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"quality": [0.5]}, "quality is a list: give a mapping"),
        ({"quality": {}}, "quality holds no measure"),
        ({"quality": {"ssym": [0.5]}}, r"unknown measure 'ssym' \(did you mean 'ssim'"),
        ({"quality": {"ssim": []}}, r"shape \(0,\)"),
        ({"quality": {"ssim": [[0.5]]}}, r"shape \(1, 1\)"),
        ({"quality": {"ssim": ["a"]}}, "not all numbers"),
        ({"quality": {"ssim": [np.nan]}}, "1 of 1 are NaN or infinite"),
        ({"quality": {"ssim": [np.inf]}}, "1 of 1 are NaN or infinite"),
        ({"quality": {"ssim": [1.5]}}, "1 of 1 lie outside -1 to 1"),
        ({"quality": {"mse": [-1]}}, "lie outside 0 to inf"),
        ({"quality": {"psnr": [-np.inf]}}, "NaN or infinite"),
        ({"quality": {"ssim": [0.5, 1], "mse": [1]}}, "quality has 2 of ssim, 1 of mse"),
        ({"quality": {"ssim": [0.5], "mse": [1]}}, "baseline lacks mse"),
        ({"baseline": {"ssim": [0.5], "mse": [1]}}, "quality lacks mse"),
        ({"baseline": {"ssim": [0.5, 0.5]}}, "quality is of 1 records and baseline of 2"),
        ({"batches": [0, 1]}, "batches has 2 ids for 1 records"),
        ({"batches": "a"}, "batches is a str"),
        ({"batches": 3}, "batches is a int"),
        ({"batches": [0.5]}, "an id in batches is a float"),
        ({"batches": [True]}, "an id in batches is a bool"),
    ],
)
def test_what_is_no_reconstruction(arguments, says):
    with pytest.raises(LeakproError, match=says) as caught:
        Reconstructions(**{"quality": {"ssim": [0.5]}, "baseline": {"ssim": [0.1]}} | arguments)
    assert "1.5" not in str(caught.value)  # no record's quality


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("reconstruction[ssim>=0.5] <= 5%", None),
        ("reconstruction[ ssim >= .50 ] <= 5%", "reconstruction[ssim>=0.5] <= 5%"),
        ("reconstruction[mse <= 1e-3] <= 0", "reconstruction[mse<=0.001] <= 0%"),
        ("reconstruction[columns>=90%] <= 5%", "reconstruction[columns>=0.9] <= 5%"),
        ("reconstruction[psnr>=-3] <= 5%", "reconstruction[psnr>=-3] <= 5%"),
        ("label_recovery <= 50%", None),
    ],
)
def test_budgets_are_read(text, tidy):
    assert str(Budget.parse(text)) == (tidy or text)
    assert Budget.parse(str(Budget.parse(text))) == Budget.parse(text)


@pytest.mark.parametrize(
    ("criterion", "says"),
    [
        ("mse>=0.01", "the smaller the mse, the better .* write mse<=0.01"),
        ("ssim<=0.5", "the larger the ssim, the better .* write ssim>=0.5"),
        ("ssim>0.5", "'>' is no part of a criterion: write ssim>=0.5"),
        ("sim>=0.5", "no measure of quality 'sim' .did you mean 'ssim'"),
        ("label>=1", "is the metric label_recovery"),
        ("ssim", "cannot read the criterion 'ssim': .* as ssim>=0.5"),
        ("psnr>=", "as psnr>=20"),
        ("psnr>=20x", "cannot read"),
        (">=20", "cannot read"),
        ("ssim>=50%", "ssim is no share"),
        ("ssim>=1.1", "no reconstruction meets ssim>=1.1: ssim is at most 1"),
        ("mse<=-1", "no reconstruction meets mse<=-1: mse is at least 0"),
        ("ssim>=-1", "every reconstruction meets"),
        ("tokens>=0", "every reconstruction meets"),
        ("psnr>=1e999", "finite"),
        ("near<=1", "meets near<=1 by chance: give less than 1"),
        ("near>=0.5", "the smaller the near"),
        ("near 5", "cannot read"),
        ("near<=-1", "near is at least 0"),
    ],
)
def test_criteria_that_are_none(criterion, says):
    with pytest.raises(LeakproError, match=says):
        Budget.parse(f"reconstruction[{criterion}] <= 5%")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("reconstruction <= 5%", r"as reconstruction\[ssim>=0.5\]"),
        ("label_recovery[sex] <= 5%", "takes no argument"),
        ("label_recovery <= 100%", "every update stays within"),
        ("reconstruction[ssim>=0.5]@1%fpr <= 5%", "not read at a false-positive rate"),
    ],
)
def test_budgets_that_are_impossible(text, says):
    with pytest.raises(LeakproError, match=says):
        Budget.parse(text)


@pytest.mark.parametrize("text", [entry.example for entry in MEASURES.values() if entry.example])
def test_a_criterion_lies_between_what_it_counts_and_what_it_does_not(text):
    criterion = Criterion.parse(text)
    assert str(criterion) == text
    assert criterion.met(np.array([criterion.bound, criterion.miss])).tolist() == [True, False]
    cuts = MEASURES[criterion.measure].cuts
    assert len(cuts) <= 20
    assert sorted(cuts) == list(cuts)


def test_one_batch_is_a_census():
    reading = read(BUDGET, ONE)
    assert (reading.value, reading.low, reading.high, reading.p_value) == (0.375,) * 3 + (0.0,)
    assert read("reconstruction[ssim>=0.5] <= 37.5%", ONE).p_value == 1
    reading = read("label_recovery <= 75%", ONE)
    assert (reading.value, reading.p_value) == (0.75, 1.0)
    worse = of([(0.0, 0.9, 0), (0.0, 0.0, 0)])
    assert read(BUDGET, worse) == read(BUDGET, of([(0.0, 0.0, 0)]))


def test_a_batch_counts_once_whatever_its_size():
    rows = [(0.9, 0.0, 0)] * 9 + [(0.0, 0.0, 1)]
    assert read(BUDGET, of(rows)).value == 0.5


@given(rows=QUALITIES)
def test_a_reading_is_in_order(rows):
    reading = read(BUDGET, of(rows))
    assert 0 <= reading.low <= reading.value <= reading.high <= 1
    assert (reading.p_value <= 0.025) == (reading.low > 0.05)


@settings(max_examples=50)
@given(rows=QUALITIES, seed=st.integers(0, 99))
def test_the_order_of_records_and_the_names_of_batches_play_no_part(rows, seed):
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = [(*rows[place][:2], f"batch {rows[place][2]}") for place in order]
    first, second = (dataclasses.astuple(read(BUDGET, of(some))) for some in (rows, shuffled))
    assert first == pytest.approx(second, abs=1e-7)


@settings(max_examples=50)
@given(rows=QUALITIES, first=st.floats(0, 0.9), second=st.floats(0, 0.9))
def test_what_meets_a_higher_limit_is_refuted_by_no_lower_p_value(rows, first, second):
    metric, evidence = parse_metric("reconstruction[ssim>=0.5]"), of(rows)
    definition = metric_named("reconstruction")
    low, high = (
        definition.read(metric, evidence, limit, 0.025, 0.025) for limit in sorted((first, second))
    )
    assert low.p_value <= high.p_value * (1 + 1e-9)
    assert (low.low, low.high) == (high.low, high.high)


def test_quality_that_was_not_measured_is_asked_for():
    metric = parse_metric("reconstruction[psnr>=20]")
    with pytest.raises(LeakproError, match=r"the quality 'psnr', and these .* label, ssim"):
        metric_named("reconstruction").check_evidence(metric, ONE)
    with pytest.raises(LeakproError, match="label_recovery is read off Reconstructions"):
        metric_named("label_recovery").check_evidence(parse_metric("label_recovery"), Counts(1, 2))


def test_a_record_holds_counts_and_a_histogram_with_fixed_bins():
    metric = parse_metric("reconstruction[ssim>=0.5]")
    definition = metric_named("reconstruction")
    summary = plain(definition.summary(metric, ONE))
    assert summary == {
        "kind": "reconstructions",
        "successes": {"main": 3, "baseline": 0},
        "attempts": {"main": 8, "baseline": 8},
        "curve": None,  # of eight records it would tell of single ones
    }
    assert shown_rates(summary) == "3 of 8 records, baseline 0 of 8"
    assert records_counted(summary, census=True) == "8 records, this update"
    assert records_counted(summary, census=False) == ""
    assert shown_rates(ONE.summary()) == ""
    many = Reconstructions({"ssim": [-1, 0.55, 1] + [0.5] * 9}, {"ssim": [0] * 12})
    curve = definition.summary(metric, many)["curve"]
    counts = dict(zip(curve["x"].split(), map(int, curve["y"].split()), strict=True))
    assert {cut: count for cut, count in counts.items() if count} == {"-1": 1, "0.5": 10, "0.9": 1}


def test_an_attack_no_better_than_the_baseline_is_noted():
    def remarks(rebuilt, without):
        evidence = Reconstructions({"label": [rebuilt] * 2}, {"label": [without] * 2})
        return metric_named("label_recovery").remarks(parse_metric("label_recovery"), evidence)

    assert remarks(0.5, 0.4) == remarks(0.0, 0.0) == Remarks()
    assert (
        "weak attack: 30% of the records are given away, no more than"
        in (remarks(0.3, 0.4).notes[0])
    )


def test_seventy_two_batches_pass_five_percent():
    needed = required_sizes(BUDGET)
    assert (needed.members, needed.verdict, str(needed)) == (72, Verdict.PASS, "72 batches")
    leaky = required_sizes(BUDGET, true_leakage=0.2)
    assert leaky.verdict is Verdict.FAIL
    assert leaky.members < 100
    assert required_sizes("label_recovery <= 50%", true_leakage=0.2).members < 60
    with pytest.raises(LeakproError, match="lies at the limit"):
        required_sizes(BUDGET, true_leakage=0.05)


def test_one_drawn_batch_decides_nothing_when_it_is_planned():
    metric, definition = parse_metric("reconstruction[ssim>=0.5]"), metric_named("reconstruction")
    assert not definition.census
    assert definition.pass_chance(metric, 0.05, Sizes(1, 0), 0.025, None) == 0
    assert not definition.can_fail(metric, 0.05, Sizes(1, 0), 0.025)
    assert definition.pass_chance(metric, 0.05, Sizes(72, 0), 0.025, None) == 1


@pytest.mark.parametrize("name", ["reconstruction[mse<=0.1]", "label_recovery"])
def test_typical_evidence_shows_the_leakage_that_it_stands_for(name):
    metric = parse_metric(name)
    definition = metric_named(metric.name)
    for true in (0.0, 0.1, 1.0):
        evidence = definition.typical_evidence(metric, Sizes(1000, 0), true)
        assert evidence.sizes == (1000, 0)
        assert definition.estimate(metric, evidence) == pytest.approx(true, abs=1e-3)
    small, large = (detectable_increase(metric, Sizes(size, 0)) for size in (100, 1000))
    assert 0 < large < small < 0.3
