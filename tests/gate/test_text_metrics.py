"""Metrics of what a release of texts copies: names, limits, arguments."""

import pytest

from pytest_leakpro import Budget, Guesses, LeakproError, assert_leakage_below, required_sizes
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.metrics.near_copies import copied_run


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("near_copies <= 1%", "near_copies <= 1%"),
        ("near_copies[ words = 20 ] <= 0.01", "near_copies[words=20] <= 1%"),
        ("near_copies[notes] <= 1%", "near_copies[notes] <= 1%"),
        ("near_copies[notes,words=20] <= 1%", "near_copies[notes, words=20] <= 1%"),
        ("pii <= 1%", "pii <= 1%"),
        ("pii[email] <= 1%", "pii[email] <= 1%"),
    ],
)
def test_budgets_are_read(text, tidy):
    assert str(Budget.parse(text)) == tidy
    assert Budget.parse(tidy) == Budget.parse(text)


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("near_copies", (None, 40)),
        ("near_copies[words=20]", (None, 20)),
        ("near_copies[my, notes]", ("my, notes", 40)),
        ("near_copies[my, notes , words=8]", ("my, notes", 8)),
        ("near_copies[words]", ("words", 40)),
    ],
)
def test_the_argument_tells_the_column_and_the_words(text, run):
    assert copied_run(parse_metric(text)) == run


@pytest.mark.parametrize(
    "text", ["near_copies[words=7] <= 1%", "near_copies[notes, words=0] <= 1%"]
)
def test_so_few_words_are_no_copy(text):
    with pytest.raises(LeakproError, match="give at least 8"):
        Budget.parse(text)


def test_counts_of_others_are_gated_as_they_are():
    counts = Guesses(main=(2, 2000), control=(1, 2000))
    assert_leakage_below(counts, "near_copies <= 1%", "pii[email] <= 1%")
    assert "attempts" in str(required_sizes("pii <= 1%", control_rate=0.01))
