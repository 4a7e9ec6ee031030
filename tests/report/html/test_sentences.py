"""Measurements in words about people."""

import pytest

from pytest_leakpro.gate.catalogue import metrics
from pytest_leakpro.report.completing import complete
from pytest_leakpro.report.html.sentences import said_of
from pytest_leakpro.report.texts.catalogue import languages, words_of
from tests.report.examples import broken, record
from tests.store.samples import record as stored

WORDS = words_of("en")


def said(record, language="en"):
    return said_of(complete(record), words_of(language))


def measured(metric, value, low, high, limit=None, **more):
    shown = {"shown_value": "V", "shown_low": "L", "shown_high": "H", "shown_limit": "M"}
    figures = {"value": value, "low": low, "high": high, "limit": limit}
    return {**record(metric=metric), **shown, **figures, **more}


def test_a_rate_of_exposed_members():
    assert said(measured("tpr@0.1%fpr", 0.047, 0.031, 0.066, 0.01)) == (
        "Of 1,000 people in the training data an attacker who accepts 1 false accusation in 1,000 "
        "would expose about 47; at least 31, at most 66; the budget allows 10. Guessing alone "
        "exposes 1."
    )


def test_the_same_in_swedish():
    assert said(measured("tpr@0.5%fpr", 0.047, 0.031, 0.066, 0.01), "sv") == (
        "Av 1\u00a0000 personer i träningsdata skulle en angripare som godtar 5 falska anklagelser "
        "på 1\u00a0000 avslöja ungefär 47; minst 31, högst 66; budgeten tillåter 10. Enbart "
        "gissning avslöjar 5."
    )


def test_an_area_under_the_curve():
    text = said(measured("auc", 0.677, 0.587, 0.739, 0.6))
    assert "about 677 times in 1,000; at least 587, at most 739; the budget allows 600." in text


def test_an_advantage_is_how_many_more_are_placed_rightly():
    text = said(measured("advantage", 0.29, 0.15, 0.41, 0.2))
    assert "place about 645 rightly; at least 575, at most 705; the budget allows 600." in text


def test_a_lower_bound_has_no_upper_one():
    text = said(measured("epsilon", 5.116, 4.062, None, 8.0, shown_low="4.062", shown_limit="8"))
    assert "is at least 4.062: " in text
    assert "by a factor of 58; the budget allows 8. There is no upper bound" in text
    assert "no attack found" in said(measured("epsilon", 0.0, 0.0, None)).lower()
    assert "more than 1,000,000" in said(measured("epsilon", 30.0, 24.4, None))


def test_exposure_is_a_factor_of_two_per_bit():
    text = said(measured("exposure", 10.0, 9.0, 11.0, 12.0, shown_value="10.000"))
    assert "10.000 bits" in text
    assert "a factor of 1,000; at least L, at most H; the budget allows M." in text


def test_what_was_counted_is_not_uncertain():
    counts = {
        "kind": "counts",
        "successes": {"main": 3, "control": 1},
        "attempts": {"control": 900, "main": 4_000},
        "curve": None,
    }
    text = said(
        measured("exact_copies", 0.00075, 0.00075, 0.00075, 0.0, evidence=counts, census=True)
    )
    assert text.startswith("Of 4,000 rows of the release, 3 stand in the source as they are; ")
    assert "the budget allows 0. Everything was counted" in text


def test_few_are_fewer_than_one():
    assert "expose fewer than 1; at least 0, at most 1." in said(
        measured("tpr@0.1%fpr", 0.0002, 0.0, 0.001)
    )


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", metrics())
def test_every_metric_has_a_sentence_of_its_own(name, language):
    argument = {"reconstruction": "[ssim>=0.5]", "tpr": "@1%fpr"}.get(name, "")
    text = said(measured(name + argument, 0.3, 0.2, 0.4, 0.1), language)
    assert not text.startswith(f"{name}{argument}: ")
    assert text.endswith(".")


def test_reconstruction_of_a_model_is_of_attempts():
    assert "attempts" in said(measured("reconstruction[near]", 0.3, 0.2, 0.4))


def test_metrics_of_others_are_said_by_their_figures():
    text = said(measured("somebodys[x]", 3.0, 2.0, 4.0, 1.0))
    assert text == "somebodys[x]: V was measured; at least L, at most H; the budget allows M."


def test_without_figures_there_is_a_reason():
    assert "stopped with an error" in said(broken())
    empty = dict.fromkeys(("value", "low", "high"))
    assert "Nothing was attacked" in said(record(verdict="INCONCLUSIVE", **empty))


@pytest.mark.parametrize("metric", ["tpr@1%fpr", "auc", "advantage", "epsilon", "exposure", "pii"])
@pytest.mark.parametrize(
    "figures", [(1e308, 1e308, 1e308), (0.1, None, None), (-1.0, -2.0, 1e-320)]
)
def test_odd_figures_are_no_crash(metric, figures):
    for limit in (None, 0.0, 1e308):
        assert said(measured(metric, *figures, limit))


def test_a_baseline_has_sentences_too():
    kept = {
        key: value
        for key, value in stored().items()
        if not key.startswith("shown_") and key not in ("notes", "earlier", "weak_suite", "error")
    }
    assert "about 30; at least 20, at most 45" in said(kept)
    assert said({**kept, **dict.fromkeys(("value", "low", "high"), 1e308), "low": None})
