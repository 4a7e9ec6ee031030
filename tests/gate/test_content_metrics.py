"""Metrics of what a finished model tells of its records: names, limits, words."""

import numpy as np
import pytest

from pytest_leakpro import Budget, Counts, Guesses, LeakproError, Reconstructions, required_sizes
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import definition_of, metric_named, metrics
from pytest_leakpro.gate.metrics.structural_risk import smallest_group
from tests.gate.simulate import read


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("stored_records <= 0", "stored_records <= 0%"),
        ("structural_risk[ k = 5 ] <= 5%", "structural_risk[k=5] <= 5%"),
        ("structural_risk <= 0.05", "structural_risk <= 5%"),
        ("attribute_inference[smoker] <= 5%", "attribute_inference[smoker] <= 5%"),
        ("attribute_inference <= 5%", "attribute_inference <= 5%"),
        ("reconstruction[near] <= 1%", "reconstruction[near] <= 1%"),
        ("reconstruction[near<=0.5] <= 1%", "reconstruction[near] <= 1%"),
        ("reconstruction[ near <= 0.25 ] <= 1%", "reconstruction[near<=0.25] <= 1%"),
    ],
)
def test_budgets_are_read(text, tidy):
    assert str(Budget.parse(text)) == tidy
    assert Budget.parse(tidy) == Budget.parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stored_records[x] <= 0", "takes no argument"),
        ("stored_records <= -1", "cannot be negative"),
        ("structural_risk[k=1] <= 5%", r"at least 2, as structural_risk\[k=10\]"),
        ("structural_risk[5] <= 5%", r"at least 2, as structural_risk\[k=10\]"),
        ("attribute_inference <= 100%", "every model stays within"),
    ],
)
def test_budgets_that_are_impossible(text, says):
    with pytest.raises(LeakproError, match=says):
        Budget.parse(text)


def test_the_smallest_safe_group_stands_in_the_brackets():
    assert smallest_group(parse_metric("structural_risk[k=7]")) == 7
    assert smallest_group(parse_metric("structural_risk")) == 10


def test_the_argument_tells_an_update_from_a_finished_model():
    update, model = (
        definition_of(parse_metric(f"reconstruction[{name}]")) for name in ("ssim>=0.5", "near")
    )
    assert (update.nouns.unit, model.nouns.unit) == ("batches", "attempts")
    assert metrics()["reconstruction"] is update
    assert metric_named("reconstruction") is update
    assert model.variant(parse_metric("reconstruction[near]")) is model
    assert "attempts" in str(required_sizes("reconstruction[near] <= 1%"))


@pytest.mark.parametrize("name", ["stored_records", "structural_risk"])
def test_what_is_counted_is_exact(name):
    budget = f"{name} <= 1%"
    reading = read(budget, Counts(3, 200))
    assert (reading.low, reading.value, reading.high, reading.p_value) == (0.015,) * 3 + (0.0,)
    assert read(budget, Counts(2, 200)).p_value == 1


def test_attempts_near_to_members_count_beyond_those_near_to_others():
    near = np.array([0.1] * 30 + [4.0] * 10 + [1.0] * 360)
    evidence = Reconstructions({"near": near}, {"near": 1 / near}, range(400))
    reading = read("reconstruction[near] <= 1%", evidence)
    assert reading.value == pytest.approx(20 / 400)
    assert reading.low < 0.05 < reading.high
    # 4 is beyond one half, and not beyond a quarter.
    assert read("reconstruction[near<=0.2] <= 1%", evidence).value == pytest.approx(30 / 400)


def test_guesses_of_an_attribute_say_how_well_an_imputation_does():
    definition = metric_named("attribute_inference")
    metric = parse_metric("attribute_inference[smoker]")
    worse = Guesses(main=(100, 1000), control=(100, 1000), naive=(800, 1000))
    said = definition.remarks(metric, worse)
    assert not said.blocks  # the attack shows what the model adds, however weak it is
    assert "10% of the time of members, 10% of non-members, and 80%" in said.notes[0]
    assert not definition.remarks(metric, Guesses(main=(1, 10), control=(1, 10))).notes
