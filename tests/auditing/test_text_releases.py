"""Audits of releases of texts from end to end."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import (
    Canaries,
    LeakageError,
    LeakproError,
    PytestLeakproWarning,
    SyntheticData,
    Verdict,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.attacks.synthetic.near_copies import NearCopies
from tests.attacks.texts import SHARES, WORDS, texts

pytest.importorskip("phonenumbers", reason="needs pytest-leakpro[text]")
pytest.importorskip("stdnum", reason="needs pytest-leakpro[text]")

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore:.*PASS .weak suite.")]


def with_mails(n, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.choice(10**6, n, replace=False)
    return [f"{text} {k}@example.org" for text, k in zip(texts(n, 50, seed), numbers, strict=True)]


SOURCE, CONTROL, OTHERS = (with_mails(400, seed) for seed in (1, 2, 3))
BUDGETS = (
    "near_copies <= 3%",
    "near_copies[words=10] <= 3%",
    "pii <= 3%",
    "pii[email] <= 3%",
    "exact_copies <= 0",
    "auc <= 0.6",
)


def test_texts_that_have_nothing_to_do_with_the_source_pass():
    found = assert_leakage_below(SyntheticData(SOURCE, OTHERS, CONTROL), *BUDGETS)
    assert [entry.value for entry in found.measurements[:4]] == [0, 0, 0, 0]
    assert any("in the release: 0.0% are in the source" in note for note in found.notes)


def test_copied_texts_fail():
    target = SyntheticData(SOURCE, [*SOURCE[:150], *OTHERS[150:]], CONTROL, name="notes")
    with pytest.raises(LeakageError, match="notes holds texts of its source") as caught:
        assert_leakage_below(target, *BUDGETS)
    for entry in caught.value.audit.measurements:
        assert entry.verdict is Verdict.FAIL
    assert [entry.value for entry in caught.value.audit.measurements[:5]] == [0.375] * 5


def test_what_is_long_enough_is_said_by_each_budget():
    part = [" ".join(text.split()[:15]) for text in SOURCE]
    found = audit(SyntheticData(SOURCE, part, CONTROL), *BUDGETS[:2]).measurements
    assert [(entry.value, entry.verdict) for entry in found] == [
        (0.0, Verdict.PASS),
        (1.0, Verdict.FAIL),
    ]


def test_usual_metrics_are_those_of_texts():
    found = audit(SyntheticData(SOURCE, OTHERS, CONTROL))
    assert [str(entry.metric) for entry in found.measurements] == [
        "exact_copies", "near_copies", "pii", "tpr@1%fpr", "auc",
    ]  # fmt: skip
    assert not any("distance to the closest row" in note for note in found.notes)


def test_columns_of_texts_of_tables_pass_each():
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {
                "age": rng.integers(18, 90, 400),
                "ward": rng.integers(9, size=400),
                "note": notes,
                "plan": texts(400, 30, 10 + k),
            }
        )
        for k, notes in enumerate((SOURCE, [*SOURCE[:150], *OTHERS[150:]], CONTROL))
    ]
    target = SyntheticData(*frames)
    whole, plan, words = audit(
        target, "near_copies <= 3%", "near_copies[plan] <= 3%", "near_copies[note, words=12] <= 3%"
    ).measurements
    assert (whole.verdict, whole.slice) == (Verdict.FAIL, "column=note")
    assert (plan.verdict, words.verdict) == (Verdict.PASS, Verdict.FAIL)
    usual = {entry.metric.name for entry in audit(target).measurements}
    assert {"near_copies", "pii", "linkability"} <= usual


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ("singling_out <= 5%", "lists of texts have none"),
        ("near_copies[note] <= 5%", "lists of texts have no columns"),
        ("pii[emial] <= 5%", "did you mean 'email'"),
        ("epsilon <= 3", "make them with Canaries"),
        ("inference <= 5%", "lists of texts have none"),
    ],
)
def test_what_cannot_be_measured_is_refused(budget, said):
    with pytest.raises(LeakproError, match=said):
        audit(SyntheticData(SOURCE, OTHERS, CONTROL), budget)


def test_of_tables_without_texts_none_is_copied():
    frames = [pd.DataFrame({"a": np.arange(60) % 7, "b": np.arange(60) % 5})] * 3
    with pytest.raises(LeakproError, match="no column of free text"):
        audit(SyntheticData(*frames, allow_overlap=True), "near_copies <= 5%")


def test_where_there_are_no_personal_data_nothing_is_decided():
    sides = [texts(200, 30, seed) for seed in (1, 2, 3)]
    with pytest.warns(PytestLeakproWarning, match="cannot PASS with 0 attempts"):
        found = audit(SyntheticData(*sides), "pii <= 5%", "near_copies <= 5%")
    assert [entry.verdict for entry in found.measurements] == [
        Verdict.INCONCLUSIVE,
        Verdict.PASS,
    ]


def test_attacks_are_set_by_name():
    found = audit(
        SyntheticData(SOURCE, OTHERS, CONTROL),
        "near_copies <= 5%",
        attacks=[NearCopies(attempts=200)],
    )
    assert found.measurements[0].n_members == 200


def test_sides_of_another_topic_keep_a_verdict_from_fail():
    """The control is about something else, and so has less in common with any text."""
    rng = np.random.default_rng(5)
    shares = SHARES.copy()
    shares[:400] *= 0.2
    control = [" ".join(row) for row in rng.choice(WORDS, size=(400, 50), p=shares / shares.sum())]
    source = texts(400, 50, 6)
    shuffled = [" ".join(rng.permutation(text.split())) for text in texts(400, 50, 7)]
    found = audit(SyntheticData(source, shuffled, control), "auc <= 0.55").measurements[0]
    assert found.low > 0.55
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("source and control differ without the release" in note for note in found.notes)


class TestCanaries:
    canaries = Canaries(texts(600, 12, 20), np.zeros(600))

    def audited(self, release, *budgets, **given):
        target = SyntheticData(
            SOURCE, release, CONTROL, canaries=self.canaries, delta=1e-5, **given
        )
        return audit(target, *budgets)

    def test_released_canaries_refute_a_claim(self):
        release = [*OTHERS, *self.canaries.side(included=True)[0]]
        epsilon, copies = self.audited(release, "epsilon <= 1", "near_copies <= 3%").measurements
        assert (epsilon.verdict, copies.verdict) == (Verdict.FAIL, Verdict.PASS)
        assert (epsilon.attack, epsilon.n_members + epsilon.n_nonmembers) == ("text_overlap", 600)

    def test_canaries_that_were_not_released_refute_nothing(self):
        """Wrong in 2.5 % of runs at most; the seed is fixed."""
        found = self.audited(OTHERS, "epsilon <= 1").measurements[0]
        assert found.verdict is not Verdict.FAIL
        assert found.low < 1

    def test_a_claim_stands_for_a_budget(self):
        release = [*OTHERS, *self.canaries.side(included=True)[0]]
        target = SyntheticData(
            SOURCE, release, CONTROL, canaries=self.canaries, delta=1e-5, claimed_epsilon=1.0
        )
        with pytest.raises(LeakageError, match="epsilon <= 1"):
            assert_leakage_below(target)
