"""Attacks on language models, on texts without leakage: FAIL at most alpha/2.

As in test_exchangeable.py, at the budget without any room: with an error of 2.5 % more than
``0.025 + 4 sqrt(0.025 * 0.975 / RUNS)`` FAILs come with probability below 1e-4 per test.
"""

import numpy as np
import pytest

from pytest_leakpro import LanguageModel
from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.registry import builtin_attacks
from pytest_leakpro.attacks.text.neighbourhood import NeighbourhoodComparison
from pytest_leakpro.stats.tpr_lower import choose_rank, tpr_p_value
from tests.targets.languages import Remembering, random_texts

WITHOUT_SHADOWS = sorted(
    name
    for name, attack in builtin_attacks().items()
    if isinstance(attack, MembershipAttack)
    and LanguageModel in attack.targets
    and not attack.needs_shadow
)
RUNS = 30
SIZE = 120
QUICK = {"neighbourhood": NeighbourhoodComparison(neighbours=2)}


class Guesses(Remembering):
    """Says something of each word, and something of each text, that follows from it alone."""

    def token_logprobs(self, texts):
        self.texts += len(texts)
        return [
            -(1 + len(text) % 13 / 13) * np.array([1 + int(w[1:]) % 17 for w in text.split()]) / 9
            for text in texts
        ]


def test_all_attacks_are_here():
    assert {"loss", "min_k", "min_k_plus_plus", "neighbourhood"} < {*WITHOUT_SHADOWS}


@pytest.mark.parametrize("name", WITHOUT_SHADOWS)
def test_no_attack_finds_what_is_not_there(name):
    attack = QUICK.get(name, builtin_attacks()[name])
    failed = {0.01: 0, 0.1: 0}
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        members, others = (random_texts(rng, SIZE, 200, (3, 20)) for _ in range(2))
        target = LanguageModel(
            Guesses([], statistics=True),
            members=members,
            nonmembers=others,
            reference=Remembering(members + others),
        )
        evidence = attack.run(target.prepare(seed), np.random.default_rng(seed))
        m, n = evidence.sizes
        for fpr in failed:
            k = choose_rank(m, n, fpr, fpr, 0.025)
            failed[fpr] += tpr_p_value(evidence.members_above(k), m, k, n, fpr, fpr) <= 0.025
    assert max(failed.values()) / RUNS <= 0.025 + 4 * np.sqrt(0.025 * 0.975 / RUNS)
