"""Exposures of another tool: from ranks to verdict, and what is said of them."""

import json
import warnings
from importlib.resources import files

import jsonschema
import numpy as np
import pytest

from pytest_leakpro import (
    Exposures,
    InconclusiveError,
    LeakageError,
    LeakproError,
    PytestLeakproWarning,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.auditing.log import AuditLog
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.gate.change import compare_records
from pytest_leakpro.gate.increase import Allowance
from pytest_leakpro.report.finding import details, statement

SPACE = 2**30


def exposures(bits, n=40, **extra):
    return Exposures([round(SPACE / 2**bits)] * n, SPACE, **extra)


def logged(evidence, *budgets):
    log = AuditLog()
    token = session_variable.set(SessionDefaults(log=log))
    try:
        audit(evidence, *budgets)
    finally:
        session_variable.reset(token)
    return log.audits[0].records


def test_a_model_that_memorises_fails_and_says_how_it_was_told():
    with pytest.raises(LeakageError) as caught:
        assert_leakage_below(exposures(25, name="notes"), "exposure <= 10")
    message = str(caught.value)
    for part in (
        "notes memorises what it was trained on above its budget",
        "budget    exposure <= 10",
        "measured  25.0",
        "40 canaries inserted once, 1,073,741,824 candidates: by rank, assumes no law of losses",
        "sizes     40 canaries     seed 0",
        "next      remove duplicates, stop training earlier, or train with DP",
    ):
        assert part in message
    assert "%  (" not in message
    assert "member" not in message


def test_canaries_that_were_not_learned_pass_without_a_warning():
    ranks = np.random.default_rng(0).integers(1, SPACE, 60)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PytestLeakproWarning)
        found = assert_leakage_below(Exposures(ranks, SPACE), "exposure <= 5", "exposure[x=1] <= 9")
    assert [entry.verdict for entry in found.measurements] == [Verdict.PASS] * 2
    assert all(entry.pass_chance > 0.99 for entry in found.measurements)


def test_too_few_canaries_decide_nothing_and_are_told_how_many_would():
    with pytest.raises(InconclusiveError, match="38 canaries for a PASS of a model without"):
        assert_leakage_below(exposures(2, 20), "exposure <= 5")
    ranks = np.random.default_rng(0).integers(1, SPACE, 33)
    with pytest.warns(PytestLeakproWarning, match="a model without leakage passes .* 38 canaries"):
        audit(Exposures(ranks, SPACE), "exposure <= 5")


def test_no_number_of_canaries_is_said_to_help_where_candidates_are_lacking():
    """Of 60 candidates a model without leakage leaves one canary in 60 ahead of all."""
    rng = np.random.default_rng(0)
    few = Exposures(rng.integers(2, 61, 60), 60, space=SPACE)
    with pytest.warns(PytestLeakproWarning, match="although nothing leaks$"):
        found = audit(few, "exposure <= 8")
    assert found.measurements[0].pass_chance < 0.95


def test_each_multiplicity_has_its_own_verdict():
    ranks = [SPACE // 3] * 40 + [1] * 15 + list(range(1, SPACE, SPACE // 30))
    times = np.repeat([1, 16, 0], [40, 15, len(ranks) - 55])
    mixed = Exposures(ranks, SPACE, multiplicities=times)
    found = audit(mixed, "exposure <= 5", "exposure[x=16] <= 5")
    once, often = found.measurements
    assert (once.verdict, often.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert (once.n_members, often.n_members) == (40, 15)
    assert "15 canaries inserted 16 times" in str(found)
    with pytest.raises(LeakproError, match="there are 0 canaries that were inserted 3 times"):
        audit(mixed, "exposure[x=3] <= 5")


def test_candidates_of_another_kind_keep_any_verdict_from_being_given():
    ranks = [1] * 80
    unlike = Exposures(ranks, SPACE, multiplicities=np.repeat([1, 0], 40))
    found = audit(unlike, "exposure <= 10")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "not of the kind of the candidates" in found.measurements[0].notes[0]


def test_records_keep_to_their_schema_and_say_the_same_everywhere():
    records = logged(exposures(25), "exposure <= 10")
    rng = np.random.default_rng(0)
    sampled = Exposures.from_losses(
        rng.normal(size=50), rng.normal(size=2000), space=SPACE, assume="skew-normal"
    )
    records += logged(sampled, "exposure <= 10")
    schema = json.loads(files("pytest_leakpro.store").joinpath("record.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(
        schema["$defs"]["measurement"] | {"$defs": schema["$defs"]}
    )
    for record in records:
        validator.validate(json.loads(json.dumps(record)))
    fails = records[0] | {"attempt": 1, "earlier": []}
    assert records[0]["sizes"] == {"canaries": 40, "control_canaries": 0}
    assert "measured 25.0" in statement(fails)
    assert ("sizes", "40 canaries") in details(fails)
    assert records[1]["evidence"]["assumes"] == "assumes that losses follow a skew-normal law"


def test_exposures_are_compared_with_their_baseline():
    none = Allowance(None, 0.0)
    old, same, worse = (logged(exposures(bits), "exposure <= 29")[0] for bits in (5, 5.5, 25))
    assert compare_records(old, same, none).outcome == "no regression"
    found = compare_records(old, worse, none)
    assert found.outcome == "regression"
    assert "pp" not in found.shown  # bits are no percentage points


def test_without_a_budget_nobody_knows_the_limit():
    with pytest.raises(LeakproError, match=r"names it \(exposure\), as 'exposure <= 10'"):
        audit(exposures(5))
    with pytest.raises(LeakproError, match="tpr@1%fpr is read off MembershipScores"):
        audit(exposures(5), "tpr@1%fpr <= 3%")
