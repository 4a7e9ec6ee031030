"""Budgets that are decided on slices too: errors, power, what is said and what never is."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_leakpro import (
    Classifier,
    InconclusiveError,
    LeakageError,
    PytestLeakproWarning,
    Recipe,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.auditing.brought import Brought
from pytest_leakpro.auditing.feasibility import false_alarm_message, feasibility
from pytest_leakpro.auditing.log import AuditLog
from pytest_leakpro.auditing.measuring import Context, measure
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.auditing.slicing import slice_evidence
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.change import compare_records
from pytest_leakpro.gate.evidence import MembershipScores
from pytest_leakpro.gate.increase import Allowance
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.planner import null_pass_chance
from pytest_leakpro.report.markdown import job_summary
from pytest_leakpro.report.page import html_fragment
from pytest_leakpro.store.documents import read_document, write_run
from pytest_leakpro.targets.slices import Slice
from tests.auditing.cohorts import cohort, safe_target

pytestmark = pytest.mark.long

quiet = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")


def slices_of(size, number):
    """As many slices of one size on each side."""
    numbers = np.arange(size * number) // size
    return [Slice("x", str(index), numbers == index, numbers == index) for index in range(number)]


def measured(budget, evidence, slices):
    budget = Budget.parse(budget)
    brought = [Brought(f"attack{place}", scores, 0.0) for place, scores in enumerate(evidence)]
    context = Context(
        "t", "scores", "", 0.05, 0, slices=tuple(Sizes(*part.sizes) for part in slices)
    )
    sliced = slice_evidence(brought, slices)
    return measure(budget.metric, budget, brought, context, len(brought), sliced)


@pytest.mark.parametrize("budget", ["advantage <= 0%", "tpr@10%fpr <= 10%"])
def test_exchangeable_scores_fail_no_more_often_than_they_may(budget):
    # The truth lies at the limit on the whole and on each of four slices. A rate of 2.5 % would
    # give more than 14 of 200 with a probability below 0.1 %.
    rng = np.random.default_rng(0)
    slices = slices_of(40, 4)
    failed = uncorrected = 0
    for _ in range(200):
        scores = [MembershipScores(*rng.normal(size=(2, 160)))]
        found = measured(budget, scores, slices)
        p_values = [found.figures[0].p_value, *(part.p_value for part in found.slices)]
        failed += found.verdict is Verdict.FAIL
        uncorrected += min(p_values) <= 0.025
        assert (found.verdict is Verdict.FAIL) == (min(p_values) <= 0.025 / 5)
        assert (found.verdict is Verdict.FAIL) == (found.low > found.limit)
        for part in found.slices:
            assert (part.verdict is Verdict.FAIL) == (part.low > found.limit)
    assert failed <= 14
    assert uncorrected > failed


def test_bounds_agree_with_verdicts_also_in_later_steps_of_holm():
    # Slices that leak near the limit, so that some are rejected only in a later step.
    rng = np.random.default_rng(1)
    slices = slices_of(150, 3)
    later = 0
    for _ in range(30):
        members = np.concatenate([rng.normal(shift, 1, 150) for shift in (0.7, 0.9, 1.5)])
        others = rng.normal(size=450)
        scores = [MembershipScores(members, others)]
        found = measured("tpr@10%fpr <= 15%", scores, slices)
        for part in found.slices:
            assert (part.verdict is Verdict.FAIL) == (part.low > found.limit)
            later += part.p_value > 0.025 / 4 and part.verdict is Verdict.FAIL
    assert later  # there were such


def test_the_whole_is_measured_as_without_slices():
    rng = np.random.default_rng(0)
    scores = [MembershipScores(rng.normal(0.3, 1, 400), rng.normal(size=400))]
    alone = measured("auc <= 0.6", scores, [])
    sliced = measured("auc <= 0.6", scores, slices_of(100, 4))
    assert sliced.comparable == alone.comparable
    assert sliced.figures[0].value == alone.figures[0].value
    assert sliced.figures[0].high == alone.figures[0].high
    assert sliced.figures[0].p_value == alone.figures[0].p_value
    assert sliced.figures[0].low < alone.figures[0].low  # five hypotheses share the error
    assert (sliced.n_members, sliced.n_nonmembers) == (400, 400)
    assert alone.slices == ()
    assert alone.slice is None


def test_a_slice_alone_is_found_and_named():
    rng = np.random.default_rng(0)
    members = np.concatenate([rng.normal(size=1500), rng.normal(3, 1, 100)])
    scores = [MembershipScores(members, rng.normal(size=1600))]
    slices = [
        Slice("sex", label, mask, mask)
        for label, mask in (("F", np.arange(1600) < 1500), ("M", np.arange(1600) >= 1500))
    ]
    assert measured("auc <= 0.65", scores, []).verdict is Verdict.PASS
    found = measured("auc <= 0.65", scores, slices)
    assert found.verdict is Verdict.FAIL
    assert found.slice == "sex=M"
    assert [part.verdict for part in found.slices] == [Verdict.PASS, Verdict.FAIL]
    assert (found.value, found.low, found.high) == (
        found.slices[1].value,
        found.slices[1].low,
        found.slices[1].high,
    )


def test_chance_of_a_pass_counts_every_slice():
    metric = Budget.parse("advantage <= 22%").metric
    rng = np.random.default_rng(2)
    slices = slices_of(250, 4)
    said = null_pass_chance(metric, 0.22, Sizes(1000, 1000), 0.05, 1, [Sizes(250, 250)] * 4)
    assert said == pytest.approx(
        null_pass_chance(metric, 0.22, Sizes(1000, 1000), 0.05, 1)
        * null_pass_chance(metric, 0.22, Sizes(250, 250), 0.05, 1) ** 4
    )
    passed = 0
    for _ in range(300):
        found = measured(
            "advantage <= 22%", [MembershipScores(*rng.normal(size=(2, 1000)))], slices
        )
        assert found.pass_chance == said
        passed += found.verdict is Verdict.PASS
    assert 0.05 < said < 0.95
    # What is said is rather too little; three standard errors either way would be 0.09.
    assert said - 0.09 < passed / 300 < said + 0.12


def test_a_gate_that_is_red_too_often_says_what_would_do():
    budget, sizes = Budget.parse("auc <= 0.58"), Sizes(2000, 2000)
    assert false_alarm_message(budget, sizes, 0.05, 1, 0.999) is None
    slices = [Sizes(500, 500)] * 4
    message = false_alarm_message(budget, sizes, 0.05, 1, 0.5, slices)
    assert "2,000 members and 2,000 non-members in 4 slices" in message
    assert "in each slice or a limit of 0." in message
    limit = float(message.partition("a limit of ")[2].split()[0])
    assert null_pass_chance(budget.metric, limit, sizes, 0.05, 1, slices) >= 0.95
    assert null_pass_chance(budget.metric, limit - 0.01, sizes, 0.05, 1, slices) < 0.95


def test_slices_too_small_for_a_pass_are_named_beforehand():
    budget = Budget.parse("tpr@0.1%fpr <= 1%")
    sizes, small = Sizes(5000, 5000), Sizes(60, 55)
    slices = {"sex=F": Sizes(4940, 4945), "sex=M": small}
    outlook = feasibility(budget, sizes, 0.05, 1, slices)
    assert not outlook.can_pass
    assert outlook.can_fail
    assert "this is too small: sex=M (60 members and 55 non-members)" in outlook.message
    assert "in each slice: join values into larger groups" in outlook.message
    many = {f"x={index}": small for index in range(5)}
    assert "and 2 more" in feasibility(budget, sizes, 0.05, 1, many).message
    assert feasibility(budget, sizes, 0.05, 1).can_pass


def test_no_figure_where_no_hypothesis_can_be_decided():
    asked = []

    def model(X):
        asked.append(len(X))
        return np.full((len(X), 2), 0.5)

    members, nonmembers = cohort(24)
    half = np.arange(24) % 2
    with pytest.warns(PytestLeakproWarning, match="cannot PASS"):
        found = audit(
            Classifier(model, members, nonmembers, slices={"x": (half, half)}), "tpr@0.1%fpr <= 20%"
        )
    assert found.verdict is Verdict.INCONCLUSIVE
    assert asked == []


def memorising(size=800, seed=0):
    """A model that has learned the women by heart, and their slices; three people are neither."""
    (X, y), (X2, y2) = cohort(size, seed=seed)
    sex = [np.array(["men"] * (size // 2) + ["women"] * (size // 2 - 3) + ["hidden"] * 3)] * 2
    rows = {row.tobytes() for row in X[sex[0] == "women"]}
    base = LogisticRegression().fit(X, y)
    labels = {row.tobytes(): label for row, label in zip(X, y, strict=True)}

    def model(X):
        odds = base.predict_proba(X)
        for place, row in enumerate(X):
            if row.tobytes() in rows:
                odds[place] = 0.01
                odds[place, labels[row.tobytes()]] = 0.99
        return odds

    return model, (X, y), (X2, y2), {"sex": tuple(sex)}


@quiet
def test_the_failure_names_the_slice():
    model, members, nonmembers, _ = memorising()
    band = (["M"] * 400 + ["F"] * 400, ["M"] * 400 + ["F"] * 400)
    target = Classifier(model, members, nonmembers, slices={"sex": band}, name="net")
    with pytest.raises(LeakageError) as caught:
        assert_leakage_below(target, "auc <= 0.8")
    (entry,) = caught.value.audit.measurements
    assert entry.slice == "sex=F"
    assert [part.verdict for part in entry.slices] == [Verdict.FAIL, Verdict.PASS]
    message = str(caught.value)
    assert "in the slice sex=F (400 members, 400 non-members)" in message
    assert "sizes     800 members, 800 non-members" in message
    assert "sex=M" not in message
    table = str(caught.value.audit)
    assert "in the slice sex=F by loss" in table
    lines = [line for line in table.splitlines() if line.startswith("  sex=")]
    assert [line.split()[0] for line in lines] == ["sex=F", "sex=M"]
    assert [line.split()[-1] for line in lines] == ["FAIL", "PASS"]
    assert "400 + 400" in lines[0]
    assert all(len(line) <= 80 for line in table.splitlines() if "note:" not in line)
    html = caught.value.audit._repr_html_()
    assert html.count("<tr") == 5
    assert "sex=F" in html


@quiet
def test_an_undecided_slice_says_what_it_takes():
    half = np.arange(700) % 2
    target = safe_target(700, slices={"x": (half, half)})
    with pytest.raises(InconclusiveError) as caught:
        assert_leakage_below(target, "auc <= 0.57")
    message = str(caught.value)
    assert "in the slice x=" in message
    assert "for a PASS of a model without leakage, in the slice" in message


@quiet
def test_small_slices_never_appear(tmp_path):
    model, members, nonmembers, slices = memorising()
    log = AuditLog()
    token = session_variable.set(SessionDefaults(log=log, test="test_x.py::test_it"))
    try:
        found = audit(Classifier(model, members, nonmembers, slices=slices), "auc <= 0.8")
    finally:
        session_variable.reset(token)
    assert found.verdict is Verdict.FAIL
    assert [part.name for part in found.measurements[0].slices] == ["sex=men", "sex=(the rest)"]
    records = [
        {
            **record,
            "location": {"path": "test_x.py", "line": 1},
            "attempt": 1,
            "earlier": [],
            "notes": [*found.notes, *record["notes"]],
            "commit": None,
        }
        for record in log.audits[0].records
    ]
    write_run(tmp_path / "run.json", records, "0.1.0")
    assert read_document(tmp_path / "run.json", "run")["measurements"][0]["slices"]
    for text in (
        str(found),
        found._repr_html_(),
        repr(found),
        json.dumps(log.audits[0].records),
        job_summary(records),
        html_fragment(records),
        (tmp_path / "run.json").read_text(),
    ):
        assert "sex" in text
        assert "hidden" not in text
        assert "women" not in text  # the slice that joins it is not named either


@quiet
def test_several_targets_share_slices():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = (X[:, 0] > 0).astype(int)
    sex = np.where(np.arange(600) % 2, "F", "M")
    recipe = Recipe(LogisticRegression(), X, y, targets=3, slices={"sex": sex})
    (entry,) = audit(recipe, "auc <= 0.7", attacks="loss").measurements
    assert [part.name for part in entry.slices] == ["sex=F", "sex=M"]
    assert entry.verdict is Verdict.PASS
    assert all(part.verdict is Verdict.PASS for part in entry.slices)
    assert all(part.low <= part.value <= part.high <= 0.7 for part in entry.slices)


@quiet
def test_usual_metrics_have_slices_too():
    half = np.arange(600) % 2
    found = audit(safe_target(600, slices={"x": (half, half)}))
    for entry in found.measurements:
        assert entry.slice is None
        assert [part.name for part in entry.slices] == ["x=0", "x=1"]
        assert all(part.verdict is None and part.p_value is None for part in entry.slices)


@quiet
def test_a_weak_suite_that_may_not_pass_leaves_no_slice_passed():
    half = np.arange(2000) % 2
    found = audit(
        safe_target(2000, slices={"x": (half, half)}), "auc <= 0.65", weak_suite="inconclusive"
    )
    assert {part.verdict for part in found.measurements[0].slices} == {Verdict.INCONCLUSIVE}


def test_what_is_compared_is_the_whole():
    rng = np.random.default_rng(0)
    members = np.concatenate([rng.normal(size=1500), rng.normal(3, 1, 100)])
    mask = np.arange(1600) >= 1500
    slices = [Slice("sex", "F", ~mask, ~mask), Slice("sex", "M", mask, mask)]
    scores = [MembershipScores(members, rng.normal(size=1600))]
    about = {"configuration": {}, "digests": {}}
    old = {**measured("auc <= 0.65", scores, []).to_plain(), **about}
    new = {**measured("auc <= 0.65", scores, slices).to_plain(), **about}
    change = compare_records(old, new, Allowance(None, 0.0))
    assert change.outcome == "no regression"
    assert change.difference == 0
    assert "compared on the whole, while the figures are of the slice sex=M" in change.notes
