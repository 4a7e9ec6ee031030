"""What language models give of texts, against known answers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import (
    Canaries,
    LanguageModel,
    LeakageError,
    LeakproError,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.attacks.text.extraction import discoverable
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.metrics.extraction import Continuation, continuation
from tests.targets.languages import Words, bigram, law, random_texts

N, SIZE = 40, 12


def texts_of(seed, n=N, lengths=(30, 40)):
    return random_texts(np.random.default_rng(seed), n, SIZE, lengths)


class Stores:
    """A client of an API that goes on with texts that it stores, and is otherwise uniform."""

    def __init__(self, stored, likely=-0.01, echo=False):
        self.stored, self.likely, self.echo = list(stored), likely, echo
        self.asked = 0

    def token_logprobs(self, texts):
        known = set(self.stored)
        begun = {text[:place] for text in known for place in range(len(text) + 1)}
        return [
            np.full(len(text.split()), self.likely if text in begun else -math.log(SIZE))
            for text in texts
        ]

    def generate(self, prefixes, n_tokens):
        self.asked += len(prefixes)
        answers = []
        for prefix in prefixes:
            found = [text for text in self.stored if text.startswith(prefix)]
            rest = found[0][len(prefix) :] if found else " w0" * n_tokens
            answers.append((prefix if self.echo else "") + rest)
        return answers


def stored(n, **options):
    members, others = texts_of(0), texts_of(1)
    return LanguageModel(Stores(members[:n], **options), members=members, nonmembers=others)


def measured(target, budget, attacks=None):
    return audit(target, budget, attacks=attacks).measurements[0]


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
class TestExtraction:
    @pytest.mark.parametrize("echo", [False, True])
    @pytest.mark.parametrize("n", [0, 10, N])
    def test_as_many_as_are_stored_come_out(self, n, echo):
        found = measured(stored(n, echo=echo), "extraction[k=10] <= 5%")
        assert found.value == pytest.approx(n / N)
        assert (found.attack, found.access) == ("extraction", "scores")
        assert (found.n_members, found.n_nonmembers) == (N, N)
        assert str(found.verdict) == ("FAIL" if n > 0 else "INCONCLUSIVE")

    def test_the_likeliest_tokens_of_a_causal_model_are_its_own(self):
        """A bigram model that goes round in a ring continues every text that does."""
        pytest.importorskip("torch")
        ring = np.full((SIZE, SIZE), 0.1 / (SIZE - 1))
        ring[np.arange(SIZE), (np.arange(SIZE) + 1) % SIZE] = 0.9
        around = [
            " ".join(f"w{(start + step) % SIZE}" for step in range(length))
            for start in range(SIZE)
            for length in (24, 30)
        ]
        model = LanguageModel(bigram(ring), Words(), around, texts_of(1, len(around)))
        found = measured(model, "extraction[k=12] <= 5%")
        assert found.value == pytest.approx(1.0)
        again = measured(
            LanguageModel(bigram(ring), Words(), texts_of(1, len(around)), around),
            "extraction[k=12] <= 5%",
        )
        assert again.value == 0

    def test_the_chance_of_a_sample_is_the_product_of_its_tokens(self):
        """Of a ring with probability 0.9 a step, ten steps are right with 0.9^10 = 0.349."""
        pytest.importorskip("torch")
        ring = np.full((SIZE, SIZE), 0.1 / (SIZE - 1))
        ring[np.arange(SIZE), (np.arange(SIZE) + 1) % SIZE] = 0.9
        around = [
            " ".join(f"w{(k + step) % SIZE}" for step in range(20 + k % 2)) for k in range(24)
        ]
        target = LanguageModel(bigram(ring), Words(), around, texts_of(1, 24))
        for n, p, expected in ((1, 0.34, 1), (1, 0.36, 0), (4, 0.82, 1), (4, 0.821, 0)):
            # 1 - (1 - 0.9^10)^4 = 0.82004
            assert 1 - (1 - 0.9**10) ** n == pytest.approx({1: 0.34868, 4: 0.82004}[n], abs=1e-5)
            found = measured(target, f"extraction[k=10, n={n}, p={p}] <= 5%")
            assert found.value == pytest.approx(expected)

    def test_of_an_api_chances_are_ratios_of_two_texts(self):
        """Ten words of -0.01 each: 0.905 a sample."""
        target = stored(10)
        assert measured(target, "extraction[k=10, n=1, p=0.9] <= 5%").value == pytest.approx(0.25)
        assert measured(target, "extraction[k=10, n=1, p=0.91] <= 5%").value == 0
        assert measured(target, "extraction[k=10, n=2, p=0.99] <= 5%").value == pytest.approx(0.25)

    def test_what_is_near_counts_where_it_is_asked_for(self):
        pytest.importorskip("rapidfuzz")
        members = texts_of(0)
        changed = []
        for text in members:
            words = text.split()
            words[12] = "w99"  # one of ten
            changed.append(" ".join(words))
        model = Stores([])
        prefixes = {" ".join(text.split()[:10]): text for text in changed}
        model.generate = lambda texts, n: [prefixes.get(one, one)[len(one) :] for one in texts]
        target = LanguageModel(model, members=members, nonmembers=texts_of(1))
        assert measured(target, "extraction[k=10] <= 5%").value == 0
        assert measured(target, "extraction[k=10, near=0.1] <= 5%").value == pytest.approx(1)
        assert measured(target, "extraction[k=10, near=0.09] <= 5%").value == 0

    def test_short_texts_are_left_out_and_too_few_are_an_error(self):
        members = texts_of(0) + texts_of(2, 15, (5, 8))
        target = LanguageModel(Stores(members), members=members, nonmembers=texts_of(1))
        found = audit(target, "extraction[k=10] <= 5%")
        assert found.measurements[0].n_members == N
        assert any("15 of 55 members are shorter than 20 words" in note for note in found.notes)
        with pytest.raises(LeakproError, match=r"have 100 words or more \(k=50\)"):
            audit(target, "extraction <= 5%")

    def test_persons_count_once(self):
        members, others = texts_of(0), texts_of(1)
        ids = np.arange(N) // 2
        target = LanguageModel(
            Stores([*members[:2], members[4]]), members=members, nonmembers=others,
            groups=(ids, ids + N),
        )  # fmt: skip
        found = audit(target, "extraction[k=10] <= 5%")
        assert found.measurements[0].value == pytest.approx(2 / 20)
        assert set(found.vulnerable(2).tolist()) == {0, 2}

    def test_no_text_is_shown(self):
        with pytest.raises(LeakageError) as error:
            assert_leakage_below(stored(N), "extraction[k=10] <= 5%")
        assert "extraction[k=10] <= 5%" in str(error.value)
        assert "gives training texts away word by word" in str(error.value)
        assert " w" not in str(error.value).replace(" word", "").replace(" with", "")

    def test_what_cannot_generate_is_asked_for_chances_only(self):
        model = Stores(texts_of(0))
        model.generate = None
        target = LanguageModel(model, members=texts_of(0), nonmembers=texts_of(1))
        with pytest.raises(LeakproError, match=r"no generate\(prefixes, n_tokens\)"):
            audit(target, "extraction[k=10] <= 5%")
        assert measured(target, "extraction[k=10, n=1] <= 5%").value == pytest.approx(1)
        model.generate = lambda texts, n: texts[1:]
        with pytest.raises(LeakproError, match="one text each"):
            audit(target, "extraction[k=10] <= 5%")

    def test_a_masked_model_continues_nothing(self):
        pytest.importorskip("torch")
        target = LanguageModel(
            bigram(law(SIZE)), Words(mask=0), texts_of(0), texts_of(1), masked=True
        )
        with pytest.raises(LeakproError, match="masked language model continues no texts"):
            audit(target, "extraction[k=10] <= 5%")


@given(st.floats(-50, 0), st.integers(1, 10**6))
def test_one_of_n_samples_is_right(log_q, n):
    q = math.exp(log_q)
    found = float(discoverable(np.array([log_q]), n)[0])
    exact = -math.expm1(n * math.log1p(-q)) if q < 1 else 1.0
    assert found == pytest.approx(exact, rel=1e-9)
    assert 0 <= found <= 1
    assert found >= float(discoverable(np.array([log_q]), 1)[0]) - 1e-12
    assert float(discoverable(np.array([-1.0]), 3)[0]) == pytest.approx(1 - (1 - math.exp(-1)) ** 3)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("extraction <= 1%", Continuation(50, 50)),
        ("extraction[k=20] <= 1%", Continuation(20, 20)),
        ("extraction[k=20, suffix=5] <= 1%", Continuation(20, 5)),
        ("extraction[ n=100,k=20 , p=50%] <= 1%", Continuation(20, 20, 100, 0.5)),
        ("extraction[k=20,near=10%] <= 1%", Continuation(20, 20, near=0.1)),
    ],
)
def test_arguments_are_read(text, wanted):
    assert continuation(Budget.parse(text).metric) == wanted


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("k=0", "at least 1"),
        ("k=2.5", "whole number"),
        ("k=5, k=6", "once each"),
        ("words=5", "are known"),
        ("p=0.5", "number of samples"),
        ("n=3, p=1", "below 1"),
        ("n=3, near=0.1", "not with samples"),
        ("near=0", "above 0"),
    ],
)
def test_wrong_arguments_are_errors(argument, says):
    with pytest.raises(LeakproError, match=says):
        Budget.parse(f"extraction[{argument}] <= 1%")


def letters(kind, n=30, seed=0):
    rng = np.random.default_rng(seed)
    return [
        f"Dear {kind} number w{i}, write to {kind}{i}.{rng.integers(1000)}@example.org or call. Yes"
        for i in range(n)
    ]


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
class TestPersonalData:
    def target(self, known, **options):
        members, others = letters("member"), letters("other", seed=1)
        return LanguageModel(
            Stores(members[:known]), members=members, nonmembers=others,
            **({"detector": self.detector} | options),
        )  # fmt: skip

    @staticmethod
    def detector(text):
        place = text.index("write to ") + 9
        return [(place, text.index(" or call"), "email"), (0, 4, "name")]

    @pytest.mark.parametrize("kind", ["", "[email]"])
    def test_as_many_as_are_stored_are_completed(self, kind):
        found = audit(self.target(12), f"pii{kind} <= 5%")
        assert found.measurements[0].value == pytest.approx(12 / 30)
        assert found.measurements[0].attack == "completion"
        assert any("30 members, 30 nonmembers hold" in note for note in found.notes)
        assert "@" not in str(found)

    def test_data_at_the_beginning_are_not_tried(self):
        with pytest.raises(LeakproError, match="of the kind name behind their beginning"):
            audit(self.target(12), "pii[name] <= 5%")

    def test_the_usual_detector_finds_addresses(self):
        pytest.importorskip("phonenumbers")
        found = measured(self.target(6, detector=None), "pii[email] <= 5%")
        assert found.value == pytest.approx(0.2)

    def test_a_detector_is_a_function(self):
        with pytest.raises(LeakproError, match="detector is a list"):
            self.target(6, detector=[])


@pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
class TestExposure:
    """Canaries of four digits: 10,000 codes, of which the model knows the losses."""

    def canaries(self, **options):
        return Canaries.generate(60, "The code is {digits:4}", seed=1, **options)

    class Ranks:
        """Finds each code the likelier the smaller it is, but for those that it learned."""

        def __init__(self, learned=(), flat=False):
            self.learned, self.flat = set(learned), flat

        def token_logprobs(self, texts):
            scores = []
            for text in texts:
                code = 0 if self.flat else int(text.split()[-1])
                scores.append(np.array([-1.0, 0.0 if text in self.learned else -1 - code / 1e4]))
            return scores

    def target(self, canaries, **model):
        return LanguageModel(
            self.Ranks(**model), members=texts_of(0), nonmembers=texts_of(1), canaries=canaries
        )

    def test_the_exposure_is_log2_of_all_codes_less_that_of_the_rank(self):
        canaries = self.canaries()
        found = measured(self.target(canaries), "exposure <= 6", attacks=None)
        inserted = [int(text.split()[-1]) for text in canaries.side(included=True)]
        # All candidates are ranked among: a rank is one more than the codes below that are none.
        own = {int(text.split()[-1]) for text in canaries.texts}
        space = 10_000 - len(own) + 1
        bits = [
            math.log2(space) - math.log2(1 + sum(low not in own for low in range(code)))
            for code in inserted
        ]
        from pytest_leakpro.attacks.text.exposure import ExposureOfCanaries

        every = ExposureOfCanaries(candidates=10_000)
        whole = measured(self.target(canaries), "exposure <= 6", attacks=[every])
        assert whole.value == pytest.approx(np.mean(bits), abs=1e-9)
        assert found.value == pytest.approx(np.mean(bits), abs=0.5)  # of half the candidates

    def test_a_model_that_knows_nothing_has_about_one_bit(self):
        found = measured(self.target(self.canaries(), flat=True), "exposure <= 6")
        assert found.value == pytest.approx(1.0, abs=0.01)

    def test_learned_canaries_are_ahead_of_all(self):
        canaries = self.canaries(multiplicity=[1, 4])
        learned = canaries.side(included=True)
        found = audit(self.target(canaries, learned=learned), "exposure <= 6", "exposure[x=4] <= 6")
        assert [str(entry.verdict) for entry in found.measurements] == ["FAIL", "FAIL"]
        assert found.details["queries"] == 60 + 5000
        assert found.measurements[0].value > 12

    def test_epsilon_is_of_those_that_were_inserted_once(self):
        canaries = Canaries.generate(400, "The code is {digits:6}", seed=1)
        target = LanguageModel(
            self.Ranks(learned=canaries.side(included=True)), members=texts_of(0),
            nonmembers=texts_of(1), canaries=canaries, delta=1e-5, claimed_epsilon=2.0,
        )  # fmt: skip
        found = audit(target)
        assert str(found.measurements[0].metric) == "epsilon"
        assert str(found.verdict) == "FAIL"
        both = audit(target, "epsilon <= 2", "exposure <= 9")
        assert [str(entry.metric) for entry in both.measurements] == ["epsilon", "exposure"]

    def test_canaries_alone_are_both_sides(self):
        canaries = Canaries.generate(400, "The code is {digits:6}", seed=1)
        model = self.Ranks(learned=canaries.side(included=True))
        target = LanguageModel(model, canaries=canaries, delta=1e-5)
        assert target.n_members == canaries.included.sum()
        assert str(audit(target, "epsilon <= 2").verdict) == "FAIL"

    def test_what_lacks_is_said(self):
        sides = {"members": texts_of(0), "nonmembers": texts_of(1)}
        with pytest.raises(LeakproError, match=r"make them with Canaries\.generate"):
            audit(LanguageModel(self.Ranks(), **sides), "exposure <= 6")
        with pytest.raises(LeakproError, match="delta= is missing"):
            audit(self.target(self.canaries()), "epsilon <= 3")
        with pytest.raises(LeakproError, match="delta is missing"):
            LanguageModel(self.Ranks(), **sides, canaries=self.canaries(), claimed_epsilon=1.0)
        with pytest.raises(LeakproError, match="given without canaries"):
            LanguageModel(self.Ranks(), **sides, claimed_epsilon=1.0)
        with pytest.raises(LeakproError, match=r"of Canaries\.generate"):
            LanguageModel(self.Ranks(), **sides, canaries=["The code is 1"])
