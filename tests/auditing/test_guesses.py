"""Guesses and counts of another tool: from counts to verdict, and what is said of them."""

import warnings

import pytest

from pytest_leakpro import (
    Counts,
    Guesses,
    InconclusiveError,
    LeakageError,
    LeakproError,
    PytestLeakproWarning,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.auditing.brought import Brought, BroughtOfColumn
from pytest_leakpro.auditing.conductor import _warn, judge
from pytest_leakpro.auditing.log import AuditLog
from pytest_leakpro.auditing.measuring import Context, measure, measure_columns
from pytest_leakpro.auditing.outcome import Audit
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.change import compare_records
from pytest_leakpro.gate.increase import Allowance
from pytest_leakpro.gate.planner import null_pass_chance
from pytest_leakpro.gate.table import html_table, remarks_on
from pytest_leakpro.report.finding import details, statement

BUDGET = "linkability <= 5%"
SAFE = Guesses((41, 1000), (30, 1000), (1, 1000))
LEAKY = Guesses((141, 1000), (30, 1000), (1, 1000))


def message_of(error, evidence, *budgets):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PytestLeakproWarning)
        with pytest.raises(error) as caught:
            assert_leakage_below(evidence, *budgets)
    return str(caught.value)


def test_a_safe_release_passes():
    found = assert_leakage_below(SAFE, BUDGET)
    (entry,) = found.measurements
    assert entry.verdict is Verdict.PASS
    assert entry.value == pytest.approx((0.041 - 0.03) / (1 - 0.03))
    assert entry.to_plain()["sizes"] == {"attempts": 1000, "control_attempts": 1000}
    assert entry.control_rate == 0.03
    assert entry.strength == "guesses as given, not checked"
    assert not entry.weak_suite
    assert entry.notes == entry.remarks == ()


def test_the_chance_of_a_pass_is_that_at_the_controls_rate():
    (entry,) = audit(SAFE, BUDGET).measurements
    sizes = (entry.n_members, entry.n_nonmembers)
    at_rate = null_pass_chance(entry.metric, 0.05, sizes, 0.05, 1, control_rate=0.03)
    assert entry.pass_chance == at_rate < null_pass_chance(entry.metric, 0.05, sizes, 0.05, 1)


def test_a_leaking_release_fails_and_says_all():
    message = message_of(LeakageError, LEAKY, BUDGET)
    for part in (
        "guesses lets records be linked above its budget",
        "measured  11%  (95% bounds 8.6% to 15%)",
        "rates     main 14%, control 3.0%, naive 0.10%",
        "sizes     1,000 attempts, 1,000 on the control     seed 0",
        "train the generator with DP",
    ):
        assert part in message
    assert "member" not in message
    assert "model" not in message


def test_what_lies_between_says_how_many_attempts_decide():
    message = message_of(InconclusiveError, Guesses((90, 1000), (30, 1000)), BUDGET)
    assert "attempts and" in message
    assert "on the control for a FAIL of leakage as measured" in message
    assert "on the control for a PASS of a release without leakage" in message
    assert "audit with more attempts" in message


def test_too_few_attempts_are_told_before_they_are_counted():
    with pytest.warns(PytestLeakproWarning, match="cannot PASS with 50 attempts and 50 on the con"):
        audit(Guesses((0, 50), (0, 50)), BUDGET)


def test_a_gate_that_is_often_red_says_at_which_rate():
    with pytest.warns(PytestLeakproWarning) as caught:
        audit(Guesses((90, 300), (90, 300)), BUDGET)
    (said,) = [str(entry.message) for entry in caught]
    assert "with 300 attempts and 300 on the control, where the control succeeds 30% of" in said
    assert "a release without leakage passes" in said
    assert "on the control or a limit of" in said


def test_an_attack_on_anybody_decides_nothing_and_says_why():
    with pytest.warns(PytestLeakproWarning, match="control succeeds 100% of the time"):
        (entry,) = audit(Guesses((1000, 1000), (1000, 1000)), BUDGET).measurements
    assert entry.verdict is Verdict.INCONCLUSIVE
    assert (entry.value, entry.high, entry.pass_chance) == (0, 1, 0)
    message = message_of(InconclusiveError, Guesses((1000, 1000), (1000, 1000)), BUDGET)
    assert "no number of attempts decides it where the attack succeeds on every" in message


def test_a_weak_attack_is_noted_and_decides_all_the_same():
    found = assert_leakage_below(Guesses((30, 1000), (30, 1000), (30, 1000)), BUDGET)
    (entry,) = found.measurements
    assert entry.verdict is Verdict.PASS
    assert entry.notes == ()
    (remark,) = entry.remarks
    assert remark.startswith("weak attack: it succeeds 3.0% of the time")
    (record,) = found.to_plain()
    record |= {"error": None, "earlier": [], "attempt": 1, "test": "test_a.py::test_a"}
    assert f"note: {remark}" in str(found)
    assert "weak attack" in html_table([record])
    assert f"note: {remark}" in [entry.text for entry in remarks_on(record)]
    assert ("note", remark) in details(record)


def test_a_weak_attack_that_leaves_it_open_asks_for_more_attempts():
    message = message_of(InconclusiveError, Guesses((90, 1000), (30, 1000), (95, 1000)), BUDGET)
    assert "note      weak attack" in message
    assert "needed    it takes about" in message
    assert "mend" not in message


@pytest.mark.parametrize("main", [30, 141])
def test_an_attack_worse_than_guessing_is_no_verdict(main):
    evidence = Guesses((main, 1000), (30, 1000), (400, 1000))
    (entry,) = audit(evidence, BUDGET).measurements
    assert entry.verdict is Verdict.INCONCLUSIVE
    assert "misconfigured" in entry.notes[0]
    assert entry.remarks == ()
    message = message_of(InconclusiveError, evidence, BUDGET)
    assert "because   misconfigured: the attack succeeds" in message
    assert "mend what keeps the verdict" in message


def test_where_the_bounds_decide_nothing_it_is_said_too_that_the_attack_is_wrong():
    (entry,) = audit(Guesses((90, 1000), (30, 1000), (400, 1000)), BUDGET).measurements
    assert entry.verdict is Verdict.INCONCLUSIVE
    assert entry.notes == ()
    assert "misconfigured" in entry.remarks[0]


def measured(*evidence):
    brought = [Brought(f"attack {i}", entry, 0.0) for i, entry in enumerate(evidence)]
    context = Context("release", "release", "two attacks", 0.05, 0)
    budget = Budget.parse(BUDGET)
    return measure(budget.metric, budget, brought, context, len(brought))


def test_a_fail_stands_whatever_is_wrong_with_another_attack():
    wrong = Guesses((30, 1000), (30, 1000), (400, 1000))
    entry = measured(wrong, LEAKY)
    assert (entry.verdict, entry.attack) == (Verdict.FAIL, "attack 1")
    assert entry.remarks[0].startswith("attack 0: misconfigured")
    entry = measured(Guesses((141, 1000), (30, 1000), (400, 1000)), SAFE)
    assert entry.verdict is Verdict.INCONCLUSIVE
    entry = measured(wrong, SAFE)
    assert entry.verdict is Verdict.INCONCLUSIVE
    assert entry.notes[0].startswith("attack 0: misconfigured")


def test_sizes_and_rates_are_those_of_the_attack_that_decides():
    entry = measured(SAFE, Guesses((282, 2000), (40, 2000)))
    assert (entry.attack, entry.n_members, entry.control_rate) == ("attack 1", 2000, 0.02)
    assert entry.evidence["successes"]["main"] == 282


def test_a_census_passes_or_fails():
    found = assert_leakage_below(Counts(0, 1000), "exact_copies <= 0")
    assert found.verdict is Verdict.PASS
    assert "by counts; 0 of 1,000; counts as given, not checked; 1,000; 0.0 s" in str(found)
    message = message_of(LeakageError, Counts(3, 1000, 1, 900), "exact_copies <= 0")
    assert "counts holds copies of its source above its budget" in message
    assert "measured  0.30%  (all counted)" in message
    assert "rates     3 of 1,000, control 1 of 900" in message
    assert "sizes     1,000 rows" in message


def test_without_a_budget_nobody_knows_the_metric():
    with pytest.raises(
        LeakproError, match=r"it \(.*inference, linkability, .* as '.*inference <= 5%'"
    ):
        audit(SAFE)
    with pytest.raises(LeakproError, match="counts alone do not tell which metric"):
        audit(Counts(3, 1000))
    with pytest.raises(LeakproError, match="does not go with guesses"):
        audit(SAFE, BUDGET, attacks=["lira"])
    with pytest.raises(LeakproError, match="auc is read off MembershipScores"):
        audit(SAFE, "auc <= 0.55")


def test_rates_stand_below_every_row_and_in_every_report():
    long = Guesses((41, 1000), (30, 1000), (1, 1000), name="a release with quite a long name")
    found = audit(long, BUDGET)
    rates = "main 4.1%, control 3.0%, naive 0.10%"
    below = next(line for line in str(found).splitlines() if "by a release" in line)
    assert rates in below
    assert len(below) <= 80
    (record,) = found.to_plain()
    record |= {"error": None, "earlier": [], "attempt": 1, "test": "test_a.py::test_a"}
    assert ("rates", rates) in details(record)
    assert ("sizes", "1,000 attempts, 1,000 on the control") in details(record)
    assert any("a release without leakage passes" in text for _, text in details(record))
    assert rates in statement(record)


def test_a_scaled_control_shows_its_scaled_rate():
    evidence = Guesses((200, 1000), (10, 1000), control_scale=3, control_most=14)
    message = message_of(LeakageError, evidence, BUDGET)
    assert "main 20%, control 3.0% to 4.2%" in message


def test_releases_are_compared_with_their_baseline():
    def record(evidence):
        log = AuditLog()
        token = session_variable.set(SessionDefaults(log=log))
        try:
            audit(evidence, BUDGET)
        finally:
            session_variable.reset(token)
        return log.audits[0].records[0]

    none = Allowance(None, 0.0)
    worse = compare_records(record(SAFE), record(LEAKY), none)
    assert worse.outcome == "regression"
    assert worse.shown.startswith("baseline 1.1%: +10pp, at least +")
    assert compare_records(record(SAFE), record(SAFE), none).outcome == "no regression"
    assert compare_records(record(LEAKY), record(SAFE), none).outcome == "no regression"


def of_columns(limit, **columns):
    parts = [
        BroughtOfColumn(
            name, tuple(Brought(f"attack {i}", entry, 0.0) for i, entry in enumerate(of))
        )
        for name, of in columns.items()
    ]
    budget = Budget.parse(f"inference <= {limit}")
    context = Context("release", "release", "one attack", 0.05, 0)
    return measure_columns(budget.metric, budget, parts, context)


WRONG = Guesses((30, 1000), (30, 1000), (400, 1000))
WEAK = Guesses((30, 1000), (30, 1000), (31, 1000))


def test_an_attack_that_is_wrong_on_one_column_keeps_all_from_a_pass_and_none_from_a_fail():
    entry = of_columns("5%", age=[SAFE], sex=[WRONG], region=[SAFE])
    assert (entry.verdict, entry.slice) == (Verdict.INCONCLUSIVE, "column=sex")
    assert "misconfigured" in entry.notes[0]
    verdicts = [part.verdict for part in entry.slices]
    assert verdicts == [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.PASS]
    entry = of_columns("5%", age=[SAFE], sex=[WRONG], region=[LEAKY])
    assert (entry.verdict, entry.slice) == (Verdict.FAIL, "column=region")
    assert entry.remarks == (f"of the column sex: {misconfigured()}",)


def misconfigured():
    (text,) = of_columns("5%", sex=[WRONG]).notes
    return text


def test_remarks_name_their_column_and_are_few():
    entry = of_columns("5%", **{f"c{i}": [WEAK] for i in range(7)})
    assert len(entry.remarks) == 1 + 3 + 1
    assert entry.remarks[0].startswith("weak attack")
    assert entry.remarks[1].startswith("of the column c1: weak attack")
    assert entry.remarks[-1] == "3 more such remarks"


def test_the_chance_of_a_pass_is_that_of_every_column_at_the_rate_of_its_control():
    rates = [Guesses((300, 1000), (300, 1000)), SAFE]
    entry = of_columns("10%", age=rates[:1], sex=rates[1:])
    chances = [
        null_pass_chance(entry.metric, 0.1, one.sizes, 0.05, 1, control_rate=one.control_rate)
        for one in rates
    ]
    assert entry.pass_chance == pytest.approx(chances[0] * chances[1])
    assert chances[0] < 0.95 < 0.99 < chances[1]


def told(budget, evidence_of_columns, error):
    """What an audit of these columns says, as a message and as warnings."""
    entry = of_columns(budget, **evidence_of_columns)
    found = Audit("release", (entry,), 0, 0.05)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(error) as raised:
            judge_loudly(found)
    return str(raised.value), [str(entry.message) for entry in caught]


def judge_loudly(found):
    _warn(found, SessionDefaults())
    judge(found, SessionDefaults())


def test_columns_are_called_columns():
    noisy = Guesses((300, 1000), (300, 1000))
    message, (warning,) = told("5%", {"age": [noisy], "sex": [noisy]}, InconclusiveError)
    assert "of the column age (1,000 attempts, 1,000 on the control)" in message
    assert "INCONCLUSIVE too: sex (1,000 attempts" in message
    assert "for a PASS of a release without leakage, of this column" in message
    assert "on the control on each of 2 columns, where the control succeeds 30% of" in warning
    assert "on each column or a limit of" in warning
    assert "slice" not in message + warning
    message, _ = told("5%", {"age": [SAFE], "sex": [LEAKY]}, LeakageError)
    assert "of the column sex (1,000 attempts" in message
