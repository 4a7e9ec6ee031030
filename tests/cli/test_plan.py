"""``plan``: the planner's figures, for the whole suite."""

import re

import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.planner import limit_passed_safely, null_pass_chance, required_sizes
from pytest_leakpro.stats.guessing import fail_chance
from tests.cli.reading import numbers_of


def plan(capsys, *arguments):
    code = main(["plan", *arguments])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 100
    return out


def test_a_row_for_each_power_by_the_planner(capsys):
    out = plan(capsys, "auc <= 0.55", "--attacks", "2")
    rows = dict(re.findall(r"^ +(\d+)% +([\d,]+)$", out, re.M))
    assert list(rows) == ["50", "80", "90", "95", "99"]
    for power, size in rows.items():
        needed = required_sizes("auc <= 0.55", power=int(power) / 100, attacks=2)
        assert size == f"{needed.members:,}"


def test_the_default_suite_is_that_of_a_classifier_that_can_be_retrained(capsys):
    out = plan(capsys, "auc <= 0.55", "--power", "90%")
    assert "(learned, lira, rmia)" in out
    assert f"{required_sizes('auc <= 0.55', power=0.9, attacks=3).members:,}" in out
    one = plan(capsys, "auc <= 0.55", "--power", "0.9", "--attacks", "1", "--alpha", "0.1")
    assert "one attack; alpha 0.1" in one
    assert f"{required_sizes('auc <= 0.55', None, 0.9, 1, 0.1).members:,}" in one


@pytest.mark.parametrize(("true", "share"), [("52%", 0.52), ("0.6", 0.6)])
def test_a_true_leakage_adds_its_verdict(true, share, capsys):
    out = plan(capsys, "auc <= 0.55", "--true", true, "--power", "0.8")
    needed = required_sizes("auc <= 0.55", share, 0.8, 3)
    verdict = "FAIL" if share > 0.55 else "PASS"
    assert f"{verdict} of a model" in out
    assert numbers_of(out, "80%")[-1] == needed.members


def test_sizes_say_what_they_decide(capsys):
    out = plan(capsys, "tpr@1%fpr <= 3%", "auc <= 0.55", "--sizes", "1000,800")
    for text in ("tpr@1%fpr <= 3%", "auc <= 0.55"):
        budget = Budget.parse(text)
        block = out[out.index(f"{text}: what 1,000 members and 800 non-members can decide") :]
        chance = null_pass_chance(budget.metric, budget.limit, Sizes(1000, 800), 0.05, 3)
        assert f"{chance:.0%} of the time" in block
        start = 0.5 if "auc" in text else 0.01
        safe = limit_passed_safely(budget.metric, start, Sizes(1000, 800), 0.05, 3)
        shown = f"{safe:g}" if "auc" in text else f"{safe * 100:g}%"
        assert f"smallest safe limit              {shown}:" in block
        assert "possible; 95% of the time for a model that leaks" in block


def test_sizes_with_a_true_leakage(capsys):
    out = plan(capsys, "auc <= 0.55", "--sizes", "500", "--true", "0.6")
    assert "PASS of a model that leaks 0.6" in out
    assert re.search(r"FAIL of a model that leaks 0\.6 +42% of the time", out)


def test_sizes_that_decide_nothing_say_so(capsys):
    out = plan(capsys, "tpr@0.1%fpr <= 1%", "--sizes", "20,20")
    assert len(re.findall("not possible at these sizes, whatever the model", out)) == 2


def test_attempts_are_planned_by_the_controls_rate(capsys):
    out = plan(capsys, "linkability <= 5%", "--control-rate", "3%", "--power", "95%")
    needed = required_sizes("linkability <= 5%", power=0.95, control_rate=0.03)
    assert numbers_of(out, "95%") == [needed.members]
    assert "attempts, and as many on the control, that a verdict takes" in out
    assert "PASS of a release" in out
    assert "whose control succeeds 3% of the time (--control-rate)" in out
    assert "whose control succeeds 0% of the time" in plan(capsys, "linkability <= 5%")


def test_attempts_say_what_they_decide(capsys):
    options = ("--sizes", "1000,800", "--control-rate", "3%", "--true", "8%")
    out = plan(capsys, "linkability <= 5%", *options)
    assert "what 1,000 attempts and 800 on the control can decide" in out
    budget, sizes = Budget.parse("linkability <= 5%"), Sizes(1000, 800)
    safe = limit_passed_safely(budget.metric, 0.001, sizes, 0.05, 1, control_rate=0.03)
    assert f"{safe * 100:g}%: a release without leakage passes it" in out
    fails = fail_chance(1000, 800, 0.05, 0.025, 0.08, 0.03)
    assert re.search(rf"FAIL of a release that leaks 8% +{fails:.0%} of the time", out)
    never = plan(capsys, "linkability <= 5%", "--sizes", "50", "--control-rate", "100%")
    assert "whatever the release" in never


def test_membership_beside_it_has_no_control_rate(capsys):
    out = plan(capsys, "auc <= 0.55", "linkability <= 5%", "--control-rate", "3%", "--power", "80%")
    assert f"{required_sizes('auc <= 0.55', power=0.8, attacks=3).members:,}" in out
    assert out.count("--control-rate") == 1


def test_a_census_decides_at_every_size(capsys):
    out = plan(capsys, "exact_copies <= 0")
    assert "exact_copies <= 0%: rows that a verdict takes" in out
    assert numbers_of(out, "99%") == [10]
    out = plan(capsys, "exact_copies <= 0", "--sizes", "1000")
    assert "what 1,000 rows can decide" in out
    assert "whenever more than the limit is found" in out
    assert "always noticed" in out
    assert "safe limit" not in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["auc <= 0.55", "--control-rate", "3%"], "auc is read off no guesses"),
        (["linkability <= 5%", "--control-rate", "3"], "--control-rate is a share"),
        (["linkability <= 5%", "--control-rate", "x"], "--control-rate is 'x'"),
        (["linkability <= 5%", "--control-rate", "1"], "nothing is left to learn from a release"),
        (["linkability <= 5%", "--true=-1%"], "a release without leakage has 0%"),
        (["tpr@1%fpr <= 1%"], "no number of records decides tpr@1%fpr <= 1%"),
        (["auc <= 0.4"], "guessing alone reaches 0.5"),
        (["auk <= 0.6"], "did you mean 'auc'?"),
        (["auc < 0.6"], 'expected "<="'),
        (["auc <= 0.55", "--true", "55%"], "it lies at the limit"),
        (["auc <= 0.55", "--true", "0.3%"], "a model without leakage has 0.5"),
        (["auc <= 0.55", "--true", "many"], "--true is 'many'"),
        (["auc <= 0.55", "advantage <= 10%", "--true", "0.6"], "these budgets have 2"),
        (["auc <= 0.55", "--sizes", "0,5"], "--sizes is '0,5'"),
        (["auc <= 0.55", "--sizes", "1,2,3"], "--sizes is '1,2,3'"),
        (["auc <= 0.55", "--sizes", "9999999999"], "a hundred million"),
        (["auc <= 0.55", "--power", "1"], "--power is a chance between 0 and 1, not 1"),
        (["auc <= 0.55", "--alpha", "nan"], "--alpha is 'nan'"),
        (["auc <= 0.55", "--alpha", "5"], "--alpha is a probability"),
        (["auc <= 0.55", "--attacks", "0"], "a suite has at least one, not 0"),
        (
            ["label_recovery <= 5%", "--seconds-per-batch", "soon"],
            "'soon': give a number of seconds",
        ),
        (["label_recovery <= 5%", "--seconds-per-batch", "0"], "give a number of seconds"),
        (["auc <= 0.55", "--seconds-per-batch", "20"], "auc is read off no batches"),
    ],
)
def test_what_cannot_be_planned(arguments, says, capsys):
    assert main(["plan", *arguments]) == 2
    out, err = capsys.readouterr()
    assert says in err
    assert out == ""


def test_updates_are_planned_in_batches_and_in_time(capsys):
    out = plan(
        capsys, "reconstruction[ssim>=0.5] <= 5%", "--power", "95%", "--seconds-per-batch", "20"
    )
    assert "batches that a verdict takes" in out
    assert "PASS of an update" in out
    assert "72 (24.0 min)" in out
    assert numbers_of(plan(capsys, "label_recovery <= 50%", "--power", "95%"), "95%") == [10]
