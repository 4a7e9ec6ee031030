"""Language models audited: what is decided, and what keeps a verdict back."""

import numpy as np
import pytest

from pytest_leakpro import LanguageModel, LeakageError, LeakproError, assert_leakage_below, audit
from tests.targets.languages import Remembering, random_texts

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")
RNG = np.random.default_rng(8)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where nothing is cached


MEMBERS, OTHERS = (random_texts(RNG, 200, 400, (5, 40)) for _ in range(2))


def target(model, **options):
    given = {"members": MEMBERS, "nonmembers": OTHERS, "name": "notes"} | options
    return LanguageModel(model, **given)


def test_a_model_that_remembers_its_texts_fails():
    with pytest.raises(LeakageError) as caught:
        assert_leakage_below(target(Remembering(MEMBERS)), "auc <= 0.6", "tpr@1%fpr <= 3%")
    found = caught.value.audit
    assert found.measurements[0].value > 0.99
    assert found.measurements[0].attack == "min_k"
    assert len(found.measurements[0].figures) == 2
    assert found.details["queries"] == 400
    # The most exposed members are known by their place, and no text is shown.
    assert len(found.vulnerable(3)) == 3
    assert not any(text in str(found) + str(caught.value) for text in MEMBERS)


def test_a_model_that_knows_nothing_does_not_fail():
    found = audit(target(Remembering([])), "auc <= 0.7", "tpr@10%fpr <= 10%", attacks="all")
    assert [entry.verdict.value for entry in found.measurements] == ["PASS", "INCONCLUSIVE"]
    assert abs(found.measurements[0].value - 0.5) < 0.1  # three standard deviations are 0.087


def test_without_budgets_the_usual_metrics_are_measured():
    found = audit(target(Remembering(MEMBERS)))
    assert [str(entry.metric) for entry in found.measurements] == [
        "tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage",
    ]  # fmt: skip


def test_sides_that_differ_in_topic_fake_leakage():
    # Non-members speak of other things, so a model that knows the topic finds its texts easier.
    def topic(numbers):
        return [" ".join(f"w{i}" for i in RNG.choice(numbers, 20)) for _ in range(200)]

    members, others = topic(np.arange(60)), topic(np.arange(50, 110))

    class Topical(Remembering):
        def token_logprobs(self, texts):
            return [
                np.array([-1.0 - (int(w[1:]) > 52) for w in text.split()]) - len(text) % 9 / 20
                for text in texts
            ]

    lm = LanguageModel(Topical([]), members=members, nonmembers=others)
    (entry,) = audit(lm, "auc <= 0.6").measurements
    assert entry.value > 0.9
    assert entry.verdict.value == "INCONCLUSIVE"
    assert any("members and non-members differ without the model" in note for note in entry.notes)


def test_near_copies_on_the_other_side_are_told():
    copies = [text.rsplit(" ", 1)[0] + " w999" for text in MEMBERS[:20] if len(text.split()) > 16]
    with pytest.warns(match="have a near-duplicate among the non-members"):
        found = audit(target(Remembering([]), nonmembers=OTHERS + copies), "auc <= 0.6")
    assert found.details["checks"]["near_duplicates"] == {"members": len(copies), "of": 200}


class Forgetful(Remembering):
    """Remembers its texts a little; words are as easy for one model as for another."""

    def token_logprobs(self, texts):
        rng = np.random.default_rng(len(self.known) + sum(map(len, sorted(self.known)[:5])))
        return [
            np.minimum(
                0.0,
                -3.0
                + 0.4 * (text in self.known)
                + np.array([int(w[1:]) % 11 / 5 - 1 for w in text.split()])
                + rng.normal(size=len(text.split())) * 0.3,
            )
            for text in texts
        ]


@pytest.mark.parametrize("attack", ["lira", "lira_offline", "rmia_text", "learned", None])
def test_shadow_models_calibrate_each_text(attack):
    trained = []

    def train(texts, seed):
        assert isinstance(texts, list)
        trained.append(seed)
        return Forgetful(texts)

    lm = target(Forgetful(MEMBERS), train=train)
    attacks = None if attack is None else [attack]
    found = audit(lm, "auc <= 0.55", attacks=attacks, shadow_models=8, workers=1)
    assert len(trained) == 8
    (entry,) = found.measurements
    assert entry.verdict.value == "FAIL"
    loss = audit(lm, "auc <= 0.55", attacks=["loss"]).measurements[0]
    assert entry.value > loss.value + 0.05
    if attack is None:
        assert len(entry.figures) == 3


def test_signals_of_shadow_models_can_be_brought_along():
    from pytest_leakpro import ShadowSignals

    rng = np.random.default_rng(9)
    texts = MEMBERS + OTHERS
    halves = np.stack([rng.permutation(np.arange(400) < 200) for _ in range(4)])
    included = np.concatenate([halves, ~halves])
    seen = [[texts[place] for place in np.flatnonzero(row)] for row in included]
    models = list(map(Forgetful, seen))
    signals = ShadowSignals(
        shadow=[[float(np.mean(s)) for s in model.token_logprobs(texts)] for model in models],
        included=included,
    )
    found = audit(target(Forgetful(MEMBERS), signals=signals), "auc <= 0.55", attacks=["lira"])
    assert found.verdict.value == "FAIL"


def test_attackers_without_the_recipe_have_no_shadow_models():
    lm = target(
        Forgetful(MEMBERS),
        train=lambda texts, seed: Forgetful(texts),
        attackers=["scores without recipe", "scores"],
    )
    found = audit(lm, "auc <= 0.9", shadow_models=8, workers=1)
    assert [entry.access for entry in found.measurements] == ["scores without recipe", "scores"]
    assert found.measurements[0].attack in {"min_k", "zlib_ratio"}


def test_epsilon_needs_canaries():
    with pytest.raises(LeakproError, match=r"epsilon takes canaries= of Canaries\.generate"):
        audit(target(Remembering([])), "epsilon <= 3")
