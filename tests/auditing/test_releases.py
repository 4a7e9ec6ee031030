"""Audits of synthetic data from end to end."""

import json

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import (
    InconclusiveError,
    LeakageError,
    LeakproError,
    PytestLeakproWarning,
    SyntheticData,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.attacks.synthetic.inference import InferenceByModel
from pytest_leakpro.attacks.synthetic.linkability import Linkability
from pytest_leakpro.auditing.records import records_of
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.shadow.deadline import Deadline

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore:.*PASS .weak suite.")]


def people(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "region": rng.choice(list("ABCDEFGHIJ"), n),
            "income": np.round(rng.lognormal(10, 1, n)),
            "visits": rng.poisson(4.0, n),
            "weight": np.round(rng.normal(70, 12, n), 1),
        }
    )


SAFE = people(800, 0), people(800, 1), people(800, 2)
LEAKY = SAFE[0], SAFE[0].sample(frac=1, random_state=0), SAFE[2]
BUDGETS = (
    "singling_out <= 10%",
    "linkability <= 5%",
    "inference[region] <= 15%",
    "auc <= 0.6",
    "exact_copies <= 0",
)


@pytest.fixture(autouse=True)
def _no_cache(tmp_path):
    token = session_variable.set(SessionDefaults(cache_dir=str(tmp_path / "cache")))
    yield
    session_variable.reset(token)


def test_a_release_that_has_nothing_to_do_with_its_source_passes():
    found = assert_leakage_below(SyntheticData(*SAFE), *BUDGETS)
    assert [entry.verdict for entry in found.measurements] == [Verdict.PASS] * 5
    assert [str(entry.metric) for entry in found.measurements][2] == "inference[region]"
    assert {entry.access for entry in found.measurements} == {"release"}
    assert not any(entry.weak_suite for entry in found.measurements)  # DOMIAS is calibrated


def test_a_copy_fails_everything():
    with pytest.raises(LeakageError, match="lets people be singled out above its budget") as caught:
        assert_leakage_below(SyntheticData(*LEAKY), *BUDGETS)
    found = caught.value.audit.measurements
    assert [entry.verdict for entry in found] == [Verdict.FAIL] * 5
    assert found[1].value > 0.97
    assert found[4].value == found[4].low == found[4].high == 1.0
    assert len(set(caught.value.audit.vulnerable(20).tolist())) == 20


def test_without_budgets_the_usual_metrics_are_measured():
    found = audit(SyntheticData(*SAFE))
    assert [str(entry.metric) for entry in found.measurements] == [
        "singling_out",
        "linkability",
        "inference",
        "missing_values",
        "exact_copies",
        "tpr@1%fpr",
        "auc",
    ]
    assert found.verdict is None
    assert all(0 <= entry.low <= entry.value <= entry.high <= 1 for entry in found.measurements)
    # Which columns an attacker knows is the first that a user asks.
    told = str(found)
    assert (
        "linkability: who knows income, visits, region is linked to weight, age (proposed" in told
    )
    assert "inference: age, region, income, visits, weight from all other columns" in told
    assert "distance to the closest row" in told


class TestColumns:
    @pytest.fixture
    def one_column_leaks(self):
        """Of everybody the region is given away to who knows the rest."""
        source, _, control = SAFE
        release = people(800, 3)
        given_away = [name for name in release if name != "weight"]
        release.loc[:399, given_away] = source.loc[:399, given_away]
        return SyntheticData(
            source,
            release,
            control,
            secret=["region", "weight"],
            quasi_identifiers=["age", "income", "visits"],
        )

    def test_one_that_leaks_fails_the_budget_on_all(self, one_column_leaks):
        found = audit(one_column_leaks, "inference <= 10%").measurements[0]
        assert found.verdict is Verdict.FAIL
        assert found.slice == "column=region"
        assert {part.label: part.verdict for part in found.slices} == {
            "region": Verdict.FAIL,
            "weight": Verdict.PASS,
        }
        assert found.value == next(part.value for part in found.slices if part.label == "region")

    def test_one_is_measured_by_name_with_the_same_figures(self, one_column_leaks):
        every, region, weight = (
            audit(one_column_leaks, budget).measurements[0]
            for budget in (
                "inference <= 10%",
                "inference[region] <= 10%",
                "inference[weight] <= 10%",
            )
        )
        assert (region.verdict, weight.verdict) == (Verdict.FAIL, Verdict.PASS)
        assert region.slice is None
        assert region.value == every.value
        assert every.low < region.low  # the error is shared

    def test_without_a_budget_the_column_that_leaks_most_is_shown(self, one_column_leaks):
        found = next(
            entry
            for entry in audit(one_column_leaks).measurements
            if str(entry.metric) == "inference"
        )
        assert found.slice == "column=region"

    @pytest.mark.parametrize(
        ("budget", "given", "said"),
        [
            ("inference[regoin] <= 10%", {}, "no column 'regoin' .did you mean 'region'"),
            (
                "inference[age] <= 10%",
                {"quasi_identifiers": ["age", "income"]},
                "the attacker knows this column",
            ),
            ("inference[age] <= 10%", {"secret": "region"}, "not among the secrets"),
            ("exact_copies[age] <= 0", {}, "the column is no free text"),
            ("inference <= 10%", {"quasi_identifiers": list(SAFE[0])}, "no column to infer"),
        ],
    )
    def test_a_column_that_cannot_be_attacked_is_refused(self, budget, given, said):
        with pytest.raises(LeakproError, match=said):
            audit(SyntheticData(*SAFE, **given), budget)


class TestSuites:
    def test_attacks_are_named_and_set(self):
        found = audit(
            SyntheticData(*SAFE),
            "linkability <= 10%",
            "inference[region] <= 20%",
            attacks=[
                Linkability(attempts=300, neighbours=2),
                "inference",
                InferenceByModel(attempts=200),
            ],
        )
        link, infer = found.measurements
        assert link.n_members == 300
        assert [entry.attack for entry in infer.figures] == ["inference", "inference_model"]

    @pytest.mark.parametrize(
        ("attacks", "said"),
        [
            (["lira"], "'lira' does not match: it does not attack a SyntheticData"),
            (["linkability", "linkability"], "named twice"),
            (["singling_out"], "linkability is budgeted, and none of the attacks asked for"),
            (["linkability", "inference"], "names inference, and no budget asks"),
            (["linkabilty"], "did you mean 'linkability'"),
            (["groundhog"], "give generate="),
            ([3], "takes names and Attack objects"),
            ([], "is empty"),
        ],
    )
    def test_attacks_that_do_not_fit_are_refused(self, attacks, said):
        with pytest.raises(LeakproError, match=said):
            audit(SyntheticData(*SAFE), "linkability <= 10%", attacks=attacks)

    def test_a_metric_that_no_attack_measures_is_refused(self):
        with pytest.raises(LeakproError, match="advantage is budgeted, and none of the attacks"):
            audit(SyntheticData(*SAFE), "advantage <= 0.5", attacks=["linkability"])

    def test_without_budgets_named_attacks_measure_what_they_can(self):
        found = audit(SyntheticData(*SAFE), attacks=["linkability", "closest_record"])
        measured = {str(entry.metric) for entry in found.measurements}
        assert measured == {"linkability", "tpr@1%fpr", "auc"}

    def test_all_attacks_run_when_asked_for(self):
        found = audit(SyntheticData(*SAFE), "singling_out <= 20%", attacks="all").measurements[0]
        assert {entry.attack for entry in found.figures} == {
            "singling_out",
            "singling_out_univariate",
            "singling_out_multivariate",
        }

    def test_shadow_generators_are_trained_where_there_is_a_generator(self):
        target = SyntheticData(
            *LEAKY, generate=lambda frame, seed: frame.sample(frac=1, random_state=seed)
        )
        found = audit(target, "auc <= 0.6", shadow_models=8, workers=1)
        measured = found.measurements[0]
        assert measured.verdict is Verdict.FAIL
        assert {"groundhog", "domias"} <= {entry.attack for entry in measured.figures}
        assert "8 shadow generators" in measured.strength


class TestVerdicts:
    def test_nothing_is_trained_for_what_sizes_cannot_decide(self):
        def never(frame, seed):
            raise AssertionError("nothing needs a shadow generator here")

        tables = [table[:12] for table in SAFE]
        target = SyntheticData(*tables, generate=never, population=people(100, 9))
        with pytest.warns(PytestLeakproWarning, match="nothing is scored"):
            found = audit(target, "tpr@0.1%fpr <= 20%")
        assert found.verdict is Verdict.INCONCLUSIVE

    def test_where_the_time_is_over_only_what_needs_generators_is_undecided(self):
        over = Deadline(0.0, "1s")
        token = session_variable.set(SessionDefaults(cache_dir=None, deadline=over))
        try:
            found = audit(
                SyntheticData(*SAFE, generate=lambda frame, seed: frame.sample(frac=1)),
                "linkability <= 5%",
                "auc <= 0.6",
                shadow_models=8,
                workers=1,
            )
        finally:
            session_variable.reset(token)
        assert [entry.verdict for entry in found.measurements] == [
            Verdict.PASS,
            Verdict.INCONCLUSIVE,
        ]
        assert "time budget" in found.measurements[1].notes[0]

    def test_usual_metrics_that_cannot_be_measured_lose_no_others(self):
        two = [table[["income", "weight"]] for table in SAFE]
        found = audit(SyntheticData(*two, aux_columns=(["income"], ["weight"])))
        measured = {entry.metric.name for entry in found.measurements}
        assert measured == {"singling_out", "linkability", "exact_copies", "tpr", "auc"}
        assert any("missing_values could not attack" in note for note in found.notes)
        assert any("inference was not measured" in note for note in found.notes)

    def test_tables_of_nothing_but_keys_are_refused(self):
        keys = [pd.DataFrame({"id": [f"{name}{k}" for k in range(50)]}) for name in "abc"]
        with pytest.raises(LeakproError, match="every column is a unique key"):
            audit(SyntheticData(*keys), "exact_copies <= 0")

    def test_texts_alone_are_compared_and_single_nobody_out(self):
        notes = [
            pd.DataFrame({"note": [f"the note {k} of cohort {name} alone" for k in range(50)]})
            for name in "abc"
        ]
        found = audit(SyntheticData(*notes), "exact_copies <= 0", "singling_out <= 50%")
        assert [entry.verdict for entry in found.measurements] == [
            Verdict.PASS,
            Verdict.INCONCLUSIVE,
        ]

    def test_a_pass_without_a_calibrated_attack_is_weak(self):
        given = {"attacks": ["closest_record"], "weak_suite": "warn"}
        found = audit(SyntheticData(*SAFE), "auc <= 0.6", **given).measurements[0]
        assert found.shown_verdict == "PASS (weak suite)"
        given["weak_suite"] = "inconclusive"
        found = audit(SyntheticData(*SAFE), "auc <= 0.6", **given)
        assert found.verdict is Verdict.INCONCLUSIVE

    def test_too_few_rows_are_said_before_anything_is_attacked(self):
        small = [table[:25] for table in SAFE]
        with pytest.warns(PytestLeakproWarning, match="cannot PASS"):
            found = audit(SyntheticData(*small), "linkability <= 5%")
        assert found.verdict is Verdict.INCONCLUSIVE

    def test_what_cannot_be_attacked_is_undecided_and_says_why(self):
        target = SyntheticData(SAFE[0], SAFE[0].iloc[[0] * 30], SAFE[2])
        with pytest.raises(
            InconclusiveError, match="singling_out could not attack: only 1 predicates"
        ):
            assert_leakage_below(target, "singling_out <= 10%")

    def test_rows_on_both_sides_keep_it_from_passing(self):
        both = pd.concat([SAFE[2], SAFE[0][:100]])
        target = SyntheticData(SAFE[0], SAFE[1], both, allow_overlap=True)
        found = audit(target, "linkability <= 5%").measurements[0]
        assert found.verdict is Verdict.INCONCLUSIVE
        assert "allow_overlap" in found.notes[0]
        leaky = SyntheticData(SAFE[0], LEAKY[1], both, allow_overlap=True)
        assert audit(leaky, "linkability <= 5%").verdict is Verdict.FAIL

    def test_a_control_of_other_people_fakes_no_leakage(self):
        """The control earns ten times as much: nothing about it can be linked or inferred."""
        others = SAFE[2].assign(income=SAFE[2]["income"] * 10 + 1e6, region="Z")
        found = audit(SyntheticData(SAFE[0], SAFE[1], others), "inference[region] <= 1%")
        entry = found.measurements[0]
        assert entry.verdict is not Verdict.FAIL
        # A copy is worse than any such difference explains.
        assert audit(SyntheticData(SAFE[0], LEAKY[1], others), "linkability <= 5%").verdict in (
            Verdict.FAIL,
            Verdict.INCONCLUSIVE,
        )

    def test_a_naive_guess_that_is_better_blocks_the_verdict(self):
        """The release says of every region the next: an attack on it is worse than guessing."""
        source = SAFE[0].assign(region=np.where(np.arange(800) % 10, "A", "B"))
        control = SAFE[2].assign(region=np.where(np.arange(800) % 10, "A", "B"))
        release = source.assign(region=source["region"].map({"A": "B", "B": "A"}))
        release = pd.concat([release, SAFE[1].assign(region="A")] * 4)
        found = audit(SyntheticData(source, release, control), "inference[region] <= 30%")
        assert found.verdict is Verdict.INCONCLUSIVE
        assert any("misconfigured" in note for note in found.measurements[0].notes)


def test_the_same_seed_gives_the_same_audit_on_any_number_of_workers():
    first, second = (
        audit(SyntheticData(*SAFE), seed=3, workers=workers).to_plain() for workers in (1, 2)
    )
    for one, two in zip(first, second, strict=True):
        assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_records_keep_the_schema_and_hold_no_value():
    from pytest_leakpro.store.schema import check_document

    tables = [
        table.assign(note=[f"note number {k} of cohort {name} about nobody" for k in range(800)])
        for name, table in zip("abc", SAFE, strict=True)
    ]
    found = audit(SyntheticData(*tables, name="cohort"), *BUDGETS)
    logged = records_of(found, SessionDefaults(test="t"))
    records = [
        {**record, "location": "", "attempt": 1, "earlier": [], "commit": None}
        for record in logged.records
    ]
    text = json.dumps(records)
    assert "closeness" in text
    assert "about nobody" not in text
    for record in records:
        assert record["evidence"]["kind"] in ("guesses", "membership_scores", "counts")
    del check_document
