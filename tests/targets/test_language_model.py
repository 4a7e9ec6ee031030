"""The language model as a target: options, records, shadow models, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import Canaries, LanguageModel, LeakproError
from pytest_leakpro.shadow.digest import digest_trainer
from pytest_leakpro.targets.language_model import TextTrainer
from pytest_leakpro.targets.trainers import trainer_of
from tests.targets.languages import Remembering, Words, random_texts

RNG = np.random.default_rng(6)
MEMBERS, OTHERS, BESIDE = (random_texts(RNG, 30, 500) for _ in range(3))


def target(**options):
    given = {"members": MEMBERS, "nonmembers": OTHERS} | options
    return LanguageModel(given.pop("model", Remembering(MEMBERS)), **given)


def test_texts_are_read_once_and_every_text_is_a_query():
    model = Remembering(MEMBERS)
    view = target(model=model, population=BESIDE).prepare(0)
    assert view.queries == model.texts == 0
    signals = view.tokens("members")
    assert view.members is signals
    assert len(view.population) == 30
    assert view.queries == model.texts == 60
    assert view.output == "log-probabilities"
    assert view.texts("members") == MEMBERS
    assert signals.counts.tolist() == [len(text.split()) for text in MEMBERS]
    assert MEMBERS[0] not in repr(view) + repr(signals)


def test_options_of_targets_hold_for_texts():
    lm = target(
        members=np.array(MEMBERS), nonmembers=pd.Series(OTHERS), name="notes", audit_size=12,
        groups=([i // 2 for i in range(30)], [100 + i // 2 for i in range(30)]),
    )  # fmt: skip
    assert repr(lm) == ("LanguageModel('notes', members=(30,), nonmembers=(30,), access='scores')")
    assert (lm.n_members, lm.n_nonmembers) == (15, 15)
    view = lm.prepare(0)
    assert (view.n_members, view.n_nonmembers) == (12, 12)
    assert len(view.members) == 24


def test_texts_are_sliced_by_values_or_a_function():
    longer = [len(text.split()) % 2 for text in MEMBERS], [len(text.split()) % 2 for text in OTHERS]
    named = [["odd" if entry else "even" for entry in side] for side in longer]
    given = target(slices={"length": tuple(named)}).prepare(0)
    called = target(
        slices={"length": lambda texts: ["odd" if len(t.split()) % 2 else "even" for t in texts]}
    ).prepare(0)
    assert [part.name for part in given.slices] == ["length=even", "length=odd"]
    for one, other in zip(given.slices, called.slices, strict=True):
        assert np.array_equal(one.members, other.members)


def test_texts_on_both_sides_are_found():
    with pytest.raises(LeakproError, match=r"3 of 33 non-members .* stand on both sides"):
        target(nonmembers=[*OTHERS, *MEMBERS[:3]]).prepare(0)
    allowed = target(nonmembers=[*OTHERS, *MEMBERS[:3]], allow_overlap=True).prepare(0)
    assert allowed.blocks_pass


def test_a_reference_may_bring_its_own_tokenizer():
    reference = Remembering(OTHERS)
    view = target(reference=reference).prepare(0)
    assert view.has_reference
    assert view.reference("members") is view.reference("members")
    assert reference.texts == 30
    assert view.queries == 0
    with pytest.raises(LeakproError, match="give a model, or a pair"):
        target(reference=(reference, None, None))
    with pytest.raises(LeakproError, match="reference is a str"):
        target(reference="gpt2")
    with pytest.raises(LeakproError, match="give one as reference="):
        target().prepare(0).reference("members")


def test_errors_of_a_reference_say_so():
    class Broken:
        def token_logprobs(self, texts):
            raise ValueError("secret text")

    with pytest.raises(LeakproError, match="reference: the model raised ValueError") as caught:
        target(reference=Broken()).prepare(0).reference("members")
    assert "secret" not in str(caught.value)


def test_what_a_model_raises_is_told_without_a_text():
    class Broken:
        def token_logprobs(self, texts):
            raise KeyError(texts[0])

    with pytest.raises(LeakproError, match="raised KeyError while scoring 30 texts of the members"):
        target(model=Broken()).prepare(0).tokens("members")


def test_texts_without_a_token_to_score_are_counted():
    class Silent(Remembering):
        def token_logprobs(self, texts):
            scores = super().token_logprobs(texts)
            return [scores[0][:0], scores[1][:0], *scores[2:]]

    with pytest.raises(LeakproError, match="nonmembers: 2 of 30 texts have no token to score"):
        target(model=Silent([])).prepare(0).tokens("nonmembers")


def test_a_text_of_one_token_needs_a_token_that_begins_it():
    pytest.importorskip("torch")
    from tests.targets.languages import bigram, law

    short = [f"w{i}" for i in range(12)]
    texts = [" ".join(short[i:]) for i in range(12)]
    others = [f"w1 w1 {text}" for text in texts]
    model = bigram(law(12))
    lm = LanguageModel(model, Words(), members=texts, nonmembers=others)
    with pytest.raises(LeakproError, match="members: 1 of 12 texts have no token to score"):
        lm.prepare(0).tokens("members")
    begun = LanguageModel(model, Words(bos=0), members=texts, nonmembers=others)
    assert begun.prepare(0).tokens("members").counts.tolist() == list(range(12, 0, -1))


def test_canaries_may_be_all_the_texts_there_are():
    canaries = Canaries.generate(24, "The code is {digits:9}")
    lm = LanguageModel(Remembering([]), canaries=canaries)
    n_inserted = int(canaries.included.sum())
    assert (lm.n_members, lm.n_nonmembers) == (n_inserted, 24 - n_inserted)
    assert lm.canaries is canaries
    assert target(canaries=canaries).n_members == 30
    with pytest.raises(LeakproError, match="train= with canaries alone"):
        LanguageModel(Remembering([]), canaries=canaries, train=lambda texts, seed: None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"members": None}, "members: None given"),
        ({"nonmembers": None}, "nonmembers: None given"),
        ({"canaries": ["a"]}, r"canaries is a list: give texts .* of Canaries.generate"),
        ({"access": "label"}, "a language model gives no labels"),
        ({"access": "white-box"}, "gives log-probabilities and no weights"),
        ({"context": 1}, "context is the number of tokens"),
        ({"context": "all"}, "context is the number of tokens"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"train": 3}, r"train is a int: give a function \(texts, seed\) -> model"),
        ({"train": Remembering}, r"train is a type: give a function"),
        ({"tokenizer": Words()}, "leave tokenizer= out"),
        ({"population": ["a", ""]}, "population: 1 of 2 texts are empty"),
    ],
)
def test_options_that_cannot_be_are_refused(options, says):
    with pytest.raises(LeakproError, match=says):
        target(**options)


def test_a_trainer_is_told_by_the_users_function():
    def train(texts, seed):
        return Remembering(texts)

    def other(texts, seed):
        return Remembering(texts[:1])

    lm = target(train=train)
    assert isinstance(trainer_of(lm), TextTrainer)
    assert trainer_of(lm)(MEMBERS, None, 0).known == set(MEMBERS)
    assert trainer_of(target()) is None
    marks = [digest_trainer(TextTrainer(function)) for function in (train, train, other)]
    assert marks[0] == marks[1] != marks[2]


def test_a_reader_is_told_by_tokenizer_and_context():
    pytest.importorskip("torch")
    from tests.targets.languages import bigram, law

    def reader(*arguments, **options):
        given = {"members": MEMBERS, "nonmembers": OTHERS} | options
        return repr(LanguageModel(bigram(law(12)), *arguments, **given).model_reader)

    assert reader(Words()) == reader(Words())
    assert len({reader(Words()), reader(Words(bos=1)), reader(Words(), context=9)}) == 3
