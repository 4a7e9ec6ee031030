"""Reconstructions of another tool: from qualities to verdict, and what is said of them."""

import json
import warnings
from importlib.resources import files

import jsonschema
import numpy as np
import pytest

from pytest_leakpro import (
    InconclusiveError,
    LeakageError,
    LeakproError,
    PytestLeakproWarning,
    Reconstructions,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.auditing.brought import Brought
from pytest_leakpro.auditing.log import AuditLog
from pytest_leakpro.auditing.measuring import Context, measure
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.change import compare_records
from pytest_leakpro.gate.increase import Allowance
from pytest_leakpro.report.finding import bounds, details, statement

BUDGET = "reconstruction[ssim>=0.5] <= 5%"


def update(rebuilt, of=8, batches=None, **extra):
    quality = {"ssim": [0.9] * rebuilt + [0.1] * (of - rebuilt)}
    return Reconstructions(quality, {"ssim": [0.2] * of}, batches, **extra)


def logged(evidence, *budgets):
    log = AuditLog()
    token = session_variable.set(SessionDefaults(log=log))
    try:
        audit(evidence, *budgets)
    finally:
        session_variable.reset(token)
    return log.audits[0].records


def test_one_update_fails_and_says_that_it_is_this_one():
    with pytest.raises(LeakageError) as caught:
        assert_leakage_below(update(3, name="site 4"), BUDGET)
    message = str(caught.value)
    for part in (
        "site 4 gives records away above its budget",
        "measured  38%  (this update)",
        "rates     3 of 8 records, baseline 0 of 8",
        "sizes     8 records, this update     seed 0",
        "next      clip and add noise to the update",
    ):
        assert part in message
    assert "member" not in message
    assert "bounds" not in message


def test_one_update_is_decided_without_a_word_on_its_size():
    with warnings.catch_warnings():
        warnings.simplefilter("error", PytestLeakproWarning)
        found = assert_leakage_below(update(0, of=1), BUDGET)
    (entry,) = found.measurements
    assert (entry.verdict, entry.census, entry.pass_chance) == (Verdict.PASS, True, 1.0)
    assert "this update  5%     PASS" in str(found)
    assert "0 of 1 records" in str(found)


def test_of_several_attacks_on_one_update_the_strongest_counts():
    brought = [Brought("a", update(0), 0.0), Brought("b", update(2), 0.0)]
    context = Context("update", "server", "two attacks", 0.05, 0)
    entry = measure(Budget.parse(BUDGET).metric, Budget.parse(BUDGET), brought, context, 2)
    assert (entry.verdict, entry.attack, entry.value) == (Verdict.FAIL, "b", 0.25)


def test_several_updates_have_bounds():
    drawn = update(0, of=144, batches=np.arange(144) // 2)
    (entry,) = assert_leakage_below(drawn, BUDGET).measurements
    assert not entry.census
    assert (entry.low, entry.n_members, entry.n_nonmembers) == (0, 72, 0)
    assert 0.04 < entry.high <= 0.05
    with (
        pytest.warns(PytestLeakproWarning, match="cannot PASS with 20 batches, whatever the upd"),
        pytest.raises(InconclusiveError, match="72 batches for a PASS of an update without"),
    ):
        assert_leakage_below(update(0, of=20, batches=range(20)), BUDGET)
    with pytest.raises(LeakageError, match="95% bounds"):
        assert_leakage_below(update(60, of=100, batches=range(100)), BUDGET)


def test_records_keep_to_their_schema_and_say_the_same_everywhere():
    records = logged(update(3, of=20), BUDGET) + logged(update(3, of=80, batches=range(80)), BUDGET)
    schema = json.loads(files("pytest_leakpro.store").joinpath("record.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(
        schema["$defs"]["measurement"] | {"$defs": schema["$defs"]}
    )
    for record in records:
        whole = json.loads(json.dumps(record))
        validator.validate(whole)
        assert whole["evidence"]["successes"] == {"main": 3, "baseline": 0}
        assert whole["evidence"]["curve"]["kind"] == "quality"
        of = whole["evidence"]["attempts"]["main"]
        said = dict(details(whole | {"attempt": 1, "earlier": []}))
        assert said["rates"] == f"3 of {of} records, baseline 0 of {of}"
    one, several = (record | {"attempt": 1, "earlier": []} for record in records)
    assert bounds(one) == "this update"
    assert "measured 15% (this update)" in statement(one)
    assert ("sizes", "20 records, this update") in details(one)
    assert "chance" not in dict(details(one))
    assert ("sizes", "80 batches") in details(several)
    assert "an update without leakage passes" in dict(details(several))["chance"]


def test_updates_are_compared_with_their_baseline():
    none = Allowance(None, 0.0)
    old, new = logged(update(1), BUDGET)[0], logged(update(2), BUDGET)[0]
    worse = compare_records(old, new, none)
    assert worse.outcome == "regression"
    assert worse.shown.startswith("baseline 12%: +12pp, at least +1")
    assert compare_records(old, old, none).outcome == "no regression"
    assert compare_records(new, old, none).outcome == "no regression"
    drawn = [logged(update(n, of=80, batches=range(80)), BUDGET)[0] for n in (3, 5, 60)]
    assert compare_records(drawn[0], drawn[1], none).outcome == "no regression"
    assert compare_records(drawn[0], drawn[2], none).outcome == "regression"


def test_without_a_budget_nobody_knows_the_criterion():
    with pytest.raises(LeakproError, match="reconstructions alone do not tell which metric"):
        audit(update(3))
    with pytest.raises(LeakproError, match="read off the quality 'psnr'"):
        audit(update(3), "reconstruction[psnr>=20] <= 10%")
