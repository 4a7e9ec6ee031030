"""Attacks on language models: against plain references, and against models that remember."""

import zlib

import numpy as np
import pytest

from pytest_leakpro import LanguageModel, LeakproError
from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.attacks.text.min_k import LeastLikelyTokens
from pytest_leakpro.attacks.text.min_k_plus_plus import StandardisedTokens
from pytest_leakpro.attacks.text.neighbourhood import NeighbourhoodComparison
from pytest_leakpro.attacks.text.reference_ratio import ReferenceRatio
from pytest_leakpro.auditing.suite import choose_suite
from tests.targets.languages import Remembering, Words, random_texts

RNG = np.random.default_rng(7)
MEMBERS, OTHERS = (random_texts(RNG, 40, 12, (5, 60)) for _ in range(2))


def bigram_target(**options):
    pytest.importorskip("torch")
    from tests.targets.languages import bigram, law

    return LanguageModel(bigram(law(12)), Words(), members=MEMBERS, nonmembers=OTHERS, **options)


def client(**options):
    model = Remembering(MEMBERS, statistics=options.pop("statistics", False))
    return LanguageModel(model, members=MEMBERS, nonmembers=OTHERS, **options)


def scores(attack, target):
    attack = builtin_attacks()[attack] if isinstance(attack, str) else attack
    evidence = attack.run(target.prepare(0), np.random.default_rng(0))
    return np.concatenate([evidence.members, evidence.nonmembers])


def plain_scores(text):
    from tests.targets.languages import law, plain

    return plain(law(12), text)


def zlib_reference(text):
    """Carlini et al. 2021: the log-perplexity over the bits (here bytes) of the zlib entropy."""
    log_perplexity = -np.mean(plain_scores(text)[0])
    return -log_perplexity / len(zlib.compress(bytes(text, "utf-8")))


def min_k_reference(text, share=0.2):
    """Shi et al. 2024: mean over the set of the k% tokens with minimum probability."""
    log_p = sorted(plain_scores(text)[0])
    chosen = log_p[: max(1, int(len(log_p) * share))]
    return sum(chosen) / len(chosen)


def min_k_plus_plus_reference(text, share=0.2):
    """Zhang et al. 2025: the same of (log p - mu) / sigma, over the next token's distribution."""
    log_p, mu, sigma = plain_scores(text)
    standardised = sorted((log_p - mu) / sigma)
    chosen = standardised[: max(1, int(len(standardised) * share))]
    return sum(chosen) / len(chosen)


@pytest.mark.parametrize(
    ("attack", "reference"),
    [
        ("zlib_ratio", zlib_reference),
        ("min_k", min_k_reference),
        ("min_k_plus_plus", min_k_plus_plus_reference),
        ("loss", lambda text: np.mean(plain_scores(text)[0])),
        (LeastLikelyTokens(k=0.5), lambda text: min_k_reference(text, 0.5)),
        (StandardisedTokens(k=1.0), lambda text: min_k_plus_plus_reference(text, 1.0)),
    ],
)
def test_scores_are_those_of_the_papers(attack, reference):
    expected = [reference(text) for text in MEMBERS + OTHERS]
    assert np.allclose(scores(attack, bigram_target()), expected, rtol=1e-9)


def test_a_reference_model_is_compared_by_likelihood_or_loss():
    pytest.importorskip("torch")
    from tests.targets.languages import bigram, law

    target = bigram_target(reference=bigram(law(12, seed=3)))
    from tests.targets.languages import plain

    both = [
        (np.mean(plain_scores(text)[0]), np.mean(plain(law(12, seed=3), text)[0]))
        for text in MEMBERS + OTHERS
    ]
    assert np.allclose(scores("reference_ratio", target), [own - other for own, other in both])
    assert np.allclose(
        scores(ReferenceRatio(by="loss"), target), [-own / other for own, other in both]
    )


def test_a_reference_with_another_tokenizer_is_compared_by_whole_texts():
    class Letters:
        def token_logprobs(self, texts):
            return [np.full(len(text), -1.0) for text in texts]

    found = scores("reference_ratio", client(reference=Letters()))
    totals = [np.sum(entry) for entry in Remembering(MEMBERS).token_logprobs(MEMBERS + OTHERS)]
    expected = [
        (total + len(text)) / len(text.split())
        for total, text in zip(totals, MEMBERS + OTHERS, strict=True)
    ]
    assert np.allclose(found, expected)


class CaseCounts:
    """A capital makes a token more likely by 1 nat."""

    def token_logprobs(self, texts):
        return [
            np.array([-2.0 + any(letter.isupper() for letter in word) for word in text.split()])
            for text in texts
        ]


def test_lower_case_is_asked_for():
    members = [f"One two {number}" for number in range(20)]
    others = [f"one two {number} x" for number in range(20)]
    target = LanguageModel(CaseCounts(), members=members, nonmembers=others)
    view = target.prepare(0)
    evidence = builtin_attacks()["lowercase_ratio"].run(view, np.random.default_rng(0))
    assert np.allclose(evidence.members, -(5 / 3) / 2)
    assert np.allclose(evidence.nonmembers, -1)
    assert view.queries == 80


def test_neighbours_are_less_likely_where_a_model_remembers():
    attack = NeighbourhoodComparison(neighbours=3)
    target = client()
    view = target.prepare(0)
    evidence = attack.run(view, np.random.default_rng(0))
    # Only the texts themselves are known by heart; lengths differ by chance.
    assert evidence.members.min() > 2 > 0.2 > np.abs(evidence.nonmembers).max()
    assert view.queries == 4 * 80


@pytest.mark.parametrize(
    "name", ["loss", "zlib_ratio", "min_k", "min_k_plus_plus", "neighbourhood", "reference_ratio"]
)
@pytest.mark.parametrize("population", [None, ["w1 w2", *random_texts(RNG, 20, 12)]])
def test_scores_do_not_depend_on_who_is_a_member(name, population):
    # Swapping the sides swaps the scores: nothing is fitted on membership.
    there, back = (
        LanguageModel(
            Remembering(MEMBERS, statistics=True), members=sides[0], nonmembers=sides[1],
            population=population, reference=Remembering(OTHERS),
        ) for sides in ((MEMBERS, OTHERS), (OTHERS, MEMBERS))
    )  # fmt: skip
    attack = builtin_attacks()[name]
    first, second = (
        attack.run(target.prepare(0), np.random.default_rng(5)) for target in (there, back)
    )
    assert np.array_equal(first.members, second.nonmembers)
    assert np.array_equal(first.nonmembers, second.members)


def names(target, **options):
    return [attack.name for attack in choose_suite(target, None, **options)]


def test_default_suites():
    full = client(statistics=True)
    assert names(full) == ["min_k_plus_plus", "zlib_ratio"]
    assert names(client()) == ["min_k", "zlib_ratio"]
    reference = Remembering([])
    assert names(client(statistics=True, reference=reference)) == [
        "reference_ratio", "min_k_plus_plus", "zlib_ratio",
    ]  # fmt: skip
    assert names(full, shadows=True) == ["learned", "lira", "rmia_text"]
    every = {attack.name for attack in choose_suite(full, "all")}
    assert every == {
        "loss", "min_k", "min_k_plus_plus", "zlib_ratio", "lowercase_ratio", "neighbourhood",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("attack", "says"),
    [
        ("min_k_plus_plus", r"let the model have token_statistics\(texts\)"),
        ("reference_ratio", "give one as reference="),
        ("rmia", "does not attack a LanguageModel"),
        ("rmia_text", "it needs shadow models"),
        ("gap", "does not attack a LanguageModel"),
    ],
)
def test_attacks_say_why_they_do_not_match(attack, says):
    with pytest.raises(LeakproError, match=says):
        choose_suite(client(), [attack])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LeastLikelyTokens(k=0), "min_k: k is a share"),
        (lambda: StandardisedTokens(k=1.5), "min_k_plus_plus: k is a share"),
        (lambda: NeighbourhoodComparison(neighbours=0), "neighbours is a whole number"),
        (lambda: NeighbourhoodComparison(replaced="all"), "replaced is a share"),
        (lambda: ReferenceRatio(by="losses"), "no ratio by 'losses' .did you mean 'loss'"),
    ],
)
def test_parameters_are_checked(make, says):
    with pytest.raises(LeakproError, match=says):
        make()
