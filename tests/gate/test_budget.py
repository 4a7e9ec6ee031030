"""The grammar of budgets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import Budget, LeakproError
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import metric_named, metrics


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("tpr@0.1%fpr <= 1%", "tpr@0.1%fpr <= 1%"),
        ("tpr@fpr=0.001 <= 0.01", "tpr@0.1%fpr <= 1%"),
        ("  tpr @ 1e-3 fpr<=1e-2 ", "tpr@0.1%fpr <= 1%"),
        ("tpr@FPR = 0.1% <= 1 %", "tpr@0.1%fpr <= 1%"),
        ("auc <= .55", "auc <= 0.55"),
        ("auc<=55%", "auc <= 0.55"),
        ("advantage <= 5%", "advantage <= 5%"),
    ],
)
def test_is_read_however_it_is_spaced(text, canonical):
    budget = Budget.parse(text)
    assert str(budget) == canonical
    assert repr(budget) == f"Budget({canonical!r})"
    assert Budget.parse(canonical) == budget


@given(st.floats(0.0001, 0.4), st.floats(0.0, 0.99))
def test_what_is_written_is_read_again(fpr, part):
    limit = fpr + (1 - fpr) * part
    budget = Budget.parse(f"tpr@fpr={fpr!r} <= {limit!r}")
    again = Budget.parse(str(budget))
    assert again.limit == pytest.approx(budget.limit, rel=1e-10)
    assert again.metric.fpr == pytest.approx(budget.metric.fpr, rel=1e-10)


def test_a_percentage_is_the_number_it_stands_for():
    assert Budget.parse("tpr@0.1%fpr <= 0.3%").metric.fpr == 0.001
    assert Budget.parse("tpr@0.1%fpr <= 0.3%").limit == 0.003


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("tpr@0.1%fpr < 1%", 12, 'expected "<="'),
        ("tpr@0.1%fpr >= 1%", 12, 'expected "<="'),
        ("tpr@0.1%fpr", 11, 'expected "<=" and a limit'),
        ("tpr@0.1%fpr <=", 14, "expected the limit"),
        ("tpr@x <= 1%", 4, "expected a false-positive rate"),
        ("tpr@0.1% <= 1%", 9, 'expected "fpr"'),
        ("tpr@fpr 0.1% <= 1%", 8, 'expected "="'),
        ("auc <= 0.55 please", 12, "did not expect"),
        ("aucc <= 0.55", 0, "did you mean 'auc'"),
        ("auc[x <= 0.55", 3, "never closed"),
        ("auc[] <= 0.55", 4, "expected an argument"),
        ("", 0, "expected the name"),
        ("<= 1%", 0, "expected the name"),
    ],
)
def test_an_error_points_at_the_character(text, place, says):
    with pytest.raises(LeakproError) as caught:
        Budget.parse(text)
    _, line, pointer = str(caught.value).split("\n")
    assert line == f"    {text}"
    assert pointer.index("^") == 4 + place
    assert says in pointer


def test_the_pointer_stays_in_place_behind_escaped_characters():
    with pytest.raises(LeakproError) as caught:
        Budget.parse("auc[\x1b] <= 0.55 !")
    _, line, pointer = str(caught.value).split("\n")
    assert "\x1b" not in line
    assert line[pointer.index("^")] == "!"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tpr@0%fpr <= 1%", "false-positive rate lies above 0%"),
        ("tpr@60%fpr <= 90%", "below 50%"),
        ("tpr@1%fpr <= 0.5%", "guessing alone reaches 1%"),
        ("tpr@1%fpr <= 5", "did you mean 5%"),
        ("tpr@1%fpr <= 100%", "every model stays within"),
        ("tpr <= 1%", "needs the false-positive rate"),
        ("auc@1%fpr <= 0.6", "not read at a false-positive rate"),
        ("auc <= 0.4", "guessing alone reaches 0.5"),
        ("auc <= 1", "every model stays within"),
        ("auc <= -0.1", "cannot be negative"),
        ("auc[x] <= 0.6", "takes no argument"),
        ("advantage <= -5%", "cannot be negative"),
        ("auc <= 1e999", "finite"),
    ],
)
def test_an_impossible_budget_is_refused(text, says):
    with pytest.raises(LeakproError, match=says):
        Budget.parse(text)


@pytest.mark.parametrize("value", [None, 3, b"auc <= 0.6", ["auc <= 0.6"]])
def test_only_text_is_read(value):
    with pytest.raises(LeakproError, match=r"a budget is text"):
        Budget.parse(value)


def test_where_it_was_declared_does_not_make_it_another_budget():
    assert Budget.parse("auc <= 0.55", "marker") == Budget.parse("auc <= 0.55", "ini file")


def test_a_metric_alone():
    assert str(parse_metric("tpr@fpr=0.01")) == "tpr@1%fpr"
    with pytest.raises(LeakproError, match="did not expect"):
        parse_metric("auc <= 0.5")


@pytest.mark.parametrize("name", sorted(metrics()))
def test_every_metric_has_its_row(name):
    metric = metric_named(name)
    assert metric.name == name
    assert metric.meaning
    assert metric.__doc__
    assert metric.evidence.__doc__
