"""Text canaries: templates, what is inserted, what they are ranked among."""

import re
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import Canaries, Classifier, LeakproError, assert_leakage_below, audit
from pytest_leakpro.gate.errors import LeakageError
from pytest_leakpro.targets import text_template
from pytest_leakpro.targets.claim import Claim, sides_of
from pytest_leakpro.targets.text_canaries import TextCanaries
from pytest_leakpro.targets.text_template import TextTemplate
from tests.gate.simulate import read

TEMPLATE = "The number of the patient is {digits:9}."
TEXTS = [f"note {i} of a patient with a headache" for i in range(100)]


def generate(n=60, template=TEMPLATE, **extra):
    return Canaries.generate(n, template, **extra)


@settings(max_examples=25)
@given(
    n=st.integers(10, 60),
    digits=st.integers(3, 12),
    seed=st.integers(0, 5),
    multiplicity=st.lists(st.integers(1, 5), min_size=1, max_size=4),
)
def test_each_included_canary_is_inserted_as_often_as_it_should(n, digits, seed, multiplicity):
    canaries = generate(n, f"pin {{digits:{digits}}}", seed=seed, multiplicity=multiplicity)
    assert len(canaries) == len(set(canaries.texts)) == n
    assert all(re.fullmatch(rf"pin \d{{{digits}}}", text) for text in canaries.texts)
    assert canaries.multiplicities.tolist() == [
        multiplicity[i % len(multiplicity)] for i in range(n)
    ]
    counted = Counter(canaries.insert(TEXTS))
    for text, included, times in zip(
        canaries.texts, canaries.included, canaries.multiplicities, strict=True
    ):
        assert counted.pop(text, 0) == times * included
    assert counted == Counter(TEXTS)
    inside, outside = (canaries.side(included=which) for which in (True, False))
    assert sorted(inside + outside) == sorted(canaries.texts)
    assert len(inside) == canaries.included.sum()


@settings(max_examples=25)
@given(n=st.integers(10, 40), asked=st.integers(1, 300), seed=st.integers(0, 9))
def test_candidates_are_of_the_kind_and_no_canaries(n, asked, seed):
    canaries = generate(n, "pin {digits:3}", seed=1)
    candidates = canaries.candidates(asked, seed)
    assert len(set(candidates)) == asked
    assert not set(candidates) & set(canaries.texts)
    assert all(re.fullmatch(r"pin \d{3}", text) for text in candidates)
    assert candidates == canaries.candidates(asked, seed)


def test_all_candidates_can_be_had():
    canaries = generate(20, "pin {digits:2}")
    assert len(canaries.candidates(80)) == 80
    exact = canaries.exposures(np.arange(20), np.arange(80))
    assert (exact.candidates, exact.space, exact.sampled) == (81, 81, False)
    with pytest.raises(LeakproError, match="the template has 80 other fillings"):
        canaries.candidates(81)


def test_fillings_and_tosses_are_fair():
    """Beyond 4.5 standard errors with a chance below 1e-5 each; fixed seeds."""
    drawn = "".join(TextTemplate("{digits:4}").fillings(5000, 0, "test"))
    shares = np.array([drawn.count(str(digit)) for digit in range(10)]) / len(drawn)
    assert abs(shares - 0.1).max() < 4.5 * np.sqrt(0.09 / len(drawn))
    tosses = np.array([generate(200, seed=seed).included for seed in range(20)])
    assert abs(tosses.mean() - 0.5) < 4.5 * 0.5 / np.sqrt(tosses.size)
    assert len({tuple(row) for row in tosses}) == 20


def test_the_same_arguments_give_the_same_canaries():
    one, same, other = generate(seed=3), generate(seed=3), generate(seed=4)
    assert one.texts == same.texts
    assert one.included.tolist() == same.included.tolist()
    assert one.insert(TEXTS) == same.insert(TEXTS) != TEXTS
    assert not set(one.texts) & set(other.texts)
    assert one.space == 10**9
    assert repr(generate(multiplicity=[4, 1])) == "TextCanaries(60, multiplicities=[1, 4])"


def test_the_truth_is_remembered_in_a_file(tmp_path):
    truth = tmp_path / "truth.npz"
    first = generate(seed=1, truth=truth)
    assert generate(seed=1, truth=truth).included.tolist() == first.included.tolist()
    for others in ({"seed": 2}, {"seed": 1, "multiplicity": 4}):
        with pytest.raises(LeakproError, match="truth about other canaries"):
            generate(truth=truth, **others)


def test_braces_and_several_fields():
    canaries = generate(10, "{{id: {digits:2}-{digits:3}}}")
    assert all(re.fullmatch(r"\{id: \d\d-\d\d\d\}", text) for text in canaries.texts)
    assert canaries.space == 10**5


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("no field", "the template has no field"),
        ("{{digits:9}}", "the template has no field"),
        ("{digits}", "takes how many digits, from 1 to 36"),
        ("{digits:0}", "takes how many digits"),
        ("{digits:9999999999999}", "takes how many digits"),
        ("{digits:9", "cannot be read"),
        ("{}", "cannot be filled"),
        ("{name!r}", "cannot be filled"),
        ("{name.real}", "cannot be filled"),
        ("{__class__}", "cannot be filled"),
        ("{name:9}", "takes nothing behind a colon"),
        (7, "the template is a int"),
        ("{digits:1}", "10 texts of the kind of 60 canaries: at least 120"),
    ],
)
def test_what_is_no_template(template, says):
    with pytest.raises(LeakproError, match=says):
        generate(60, template)


def test_names_need_faker(monkeypatch):
    monkeypatch.setattr(text_template, "find_spec", lambda name: None)
    with pytest.raises(LeakproError, match=r"pip install 'pytest-leakpro\[text\]'"):
        generate(10, "{name}")
    assert "faker" not in sys.modules or generate(10).space == 10**9


def test_faker_fills_names_and_addresses():
    pytest.importorskip("faker")
    template = "{name} lives at {address}, number {digits:4}"
    canaries, same = (generate(20, template, seed=5, locale="sv_SE") for _ in range(2))
    assert canaries.texts == same.texts
    assert canaries.space is None  # nobody knows how many names there are
    assert all(re.fullmatch(r".+ lives at .+, number \d{4}", text) for text in canaries.texts)
    assert not set(canaries.candidates(200)) & set(canaries.texts)
    ranked = canaries.exposures(np.arange(20), np.arange(200))
    assert (ranked.candidates, ranked.space) == (201, 201)
    for bad, says in (
        ("{nmae}", "Faker has no provider 'nmae' .did you mean 'name'"),
        ("{seed_instance}", "Faker has no provider"),
        ("{boolean}", "of 40 texts that were asked for the template gave 2 different ones"),
    ):
        with pytest.raises(LeakproError, match=says):
            generate(20, bad)
    with pytest.raises(LeakproError, match="no locale 'xx_YY'"):
        generate(20, "{name}", locale="xx_YY")


OWN = [f"code {i}" for i in range(100)]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: generate(9), "at least 10"),
        (lambda: generate(True), "at least 10"),
        (lambda: generate(seed=-1), "seed is a whole number"),
        (lambda: generate(multiplicity=0), "multiplicity is how often"),
        (lambda: generate(multiplicity=[1, 2.5]), "multiplicity is how often"),
        (lambda: generate(multiplicity=[]), "multiplicity is how often"),
        (lambda: generate(multiplicity="16"), "multiplicity is how often"),
        (lambda: generate(multiplicity=True), "multiplicity is how often"),
        (lambda: generate().candidates(0), "at least 1"),
        (lambda: generate().insert("abc"), "a str: give a list"),
        (lambda: generate().insert([]), "0 texts are too few"),
        (lambda: generate().insert(["a", None]), "1 of 2 are no texts"),
        (lambda: generate().insert(["a", " "]), "1 of 2 are empty"),
        (lambda: generate().insert([*TEXTS, generate().texts[0]]), "1 of the training texts are"),
        (lambda: generate().exposures([1.0], [1.0]), r"shape \(1,\) for 60 canaries"),
        (
            lambda: TextCanaries(OWN[:20], candidates=OWN[5:]),
            "5 of 20 canaries are missing from them",
        ),
        (lambda: TextCanaries(OWN[:20], candidates=OWN[:30]), "at least 40 are needed"),
        (lambda: TextCanaries([OWN[0]] * 20, candidates=OWN), "19 texts stand among them more"),
        (lambda: TextCanaries(OWN[:9], candidates=OWN), "9 texts are too few"),
        (lambda: TextCanaries(OWN[:20], candidates=OWN).candidates(81), "there are 80 beside"),
    ],
)
def test_what_is_wrong_is_said(make, says):
    with pytest.raises(LeakproError, match=says) as caught:
        make()
    assert "code " not in str(caught.value)  # nothing of a text


def test_a_candidate_set_that_the_user_brings():
    canaries = TextCanaries(OWN[:20], candidates=OWN)
    assert canaries.space == 100
    assert set(canaries.candidates(80)) == set(OWN[20:])


def loss(counts, text, order=5):
    """Minus the log-probability under a character model that remembers its last characters."""
    padded = "^" * order + text
    total = 0.0
    for at in range(order, len(padded)):
        seen = counts.get(padded[at - order : at], {})
        total -= np.log((seen.get(padded[at], 0) + 0.1) / (sum(seen.values()) + 0.1 * 60))
    return total


def trained(texts, order=5):
    counts = {}
    for text in texts:
        padded = "^" * order + text
        for at in range(order, len(padded)):
            counts.setdefault(padded[at - order : at], Counter())[padded[at]] += 1
    return counts


def losses(canaries, texts, n_candidates):
    model = trained(texts)
    return tuple(
        np.array([loss(model, text) for text in of])
        for of in (canaries.texts, canaries.candidates(n_candidates))
    )


def test_a_model_that_remembers_its_texts_is_found():
    canaries = generate(80, multiplicity=[1, 16], seed=2)
    found = canaries.exposures(*losses(canaries, canaries.insert(TEXTS), 3000))
    inserted = canaries.included & (canaries.multiplicities == 16)
    assert found.inserted(16).sizes == (inserted.sum(), 0)
    assert found.bits(0).mean() < 3 < found.bits(1).mean() <= found.bits(16).mean()
    with pytest.raises(LeakageError, match="memorises what it was trained on"):
        assert_leakage_below(found, "exposure[x=16] <= 5")


def test_a_model_that_saw_none_passes():
    """Fixed seed; such a model passes with a chance that is told."""
    canaries = generate(120, seed=3)
    found = audit(canaries.exposures(*losses(canaries, TEXTS, 3000)), "exposure <= 5")
    assert str(found.verdict) == "PASS"
    assert found.measurements[0].pass_chance > 0.95


def test_epsilon_is_about_canaries_that_are_inserted_once():
    canaries = generate(400, multiplicity=[1, 16], seed=4)
    model = trained(canaries.insert(TEXTS))
    scores = canaries.scores([loss(model, text) for text in canaries.texts], delta=1e-5)
    once = canaries.inserted_once
    assert len(once) == len(scores.scores) == 200
    assert scores.included.tolist() == once.included.tolist()
    assert once.texts == canaries.texts[::2]
    assert read("epsilon <= 1", scores).low > 1
    assert generate().inserted_once.multiplicities.tolist() == [1] * 60
    with pytest.raises(LeakproError, match="0 have a multiplicity of 1"):
        _ = generate(multiplicity=2).inserted_once


def test_they_go_with_a_claim_of_a_target_that_takes_texts():
    canaries = generate(80, multiplicity=[1, 4])
    claim = Claim.read(canaries, 3.0, 1e-5, None, TextCanaries)
    assert len(claim.canaries) == 40
    alone, inside, outside, _ = sides_of(claim, None, None, None)
    assert alone.alone
    assert inside == canaries.inserted_once.side(included=True)
    assert len(inside) + len(outside) == 40
    with pytest.raises(LeakproError, match=r"is a TextCanaries: give Canaries\("):
        Classifier(len, canaries=canaries, delta=1e-5)
    records = Canaries(np.zeros((20, 2)) + np.arange(20)[:, None], np.zeros(20))
    with pytest.raises(LeakproError, match=r"give Canaries\.generate"):
        Claim.read(records, 3.0, 1e-5, None, TextCanaries)
