"""Which attacks there are, and which of them run."""

from dataclasses import FrozenInstanceError, dataclass, is_dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import numpy as np
import pytest

from pytest_leakpro import Attack, Classifier, LeakproError
from pytest_leakpro.attacks import registry
from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.attacks.registry import attack_named, builtin_attacks
from pytest_leakpro.auditing.suite import choose_suite
from tests.attacks.views import exchangeable

NAMES = {"loss", "gap"}


@dataclass(frozen=True)
class Coin(MembershipAttack):
    """An attack of somebody else's."""

    name: ClassVar[str] = "coin"

    def score(self, view, rng):
        return rng.normal(size=view.n_members), rng.normal(size=view.n_nonmembers)


def names(suite):
    return [attack.name for attack in suite]


def test_builtin_attacks_are_found_in_order():
    assert set(builtin_attacks()) > NAMES
    ranks = [attack.rank for attack in builtin_attacks().values()]
    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize("attack", builtin_attacks().values(), ids=lambda attack: attack.name)
def test_attacks_are_frozen_and_cite_their_paper(attack):
    assert is_dataclass(attack)
    with pytest.raises(FrozenInstanceError):
        attack.name = "other"
    assert "References" in type(attack).__doc__


def test_default_suites():
    assert names(choose_suite(exchangeable(0, 2, 50), None)) == ["loss"]
    assert names(choose_suite(exchangeable(0, 3, 50), None)) == ["loss", "modified_entropy"]
    with_population = exchangeable(0, 3, 100, population=True)
    assert names(choose_suite(with_population, None)) == ["qmia", "loss", "modified_entropy"]


def test_all_and_named_suites():
    target = exchangeable(0, 3, 50)
    alone, with_shadows = (
        set(names(choose_suite(target, "all", shadows=shadows))) for shadows in (False, True)
    )
    assert {"loss", "entropy", "gap"} <= alone < with_shadows
    assert with_shadows - alone >= {"learned", "lira", "rmia"}
    for name in with_shadows:
        attack = builtin_attacks()[name]
        assert attack.mismatch(target) is None
        assert not attack.needs_shadow or name not in alone
    assert names(choose_suite(target, ["entropy", "loss"])) == ["entropy", "loss"]
    assert names(choose_suite(target, "entropy")) == ["entropy"]
    assert names(choose_suite(target, [Coin()])) == ["coin"]
    assert names(choose_suite(target, ["coin"], [Coin()])) == ["coin"]


def test_attacks_of_others_run_only_when_named():
    target = exchangeable(0, 3, 50)
    assert "coin" not in names(choose_suite(target, None, [Coin()]))
    assert "coin" not in names(choose_suite(target, "all", [Coin()]))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["los"], "did you mean 'loss'"),
        (["modified_entropy"], "does not match: with two classes"),
        (["loss", "loss"], "named twice"),
        ([], "empty"),
        ([3], "not a int"),
        (["lira"], "it needs shadow models: give train="),
    ],
)
def test_suites_that_cannot_be(asked, says):
    with pytest.raises(LeakproError, match=says):
        choose_suite(exchangeable(0, 2, 50), asked)


def test_an_attacker_who_sees_labels_only():
    rng = np.random.default_rng(0)
    sides = [(rng.normal(size=(20, 2)), rng.integers(0, 2, 20)) for _ in range(2)]
    target = Classifier(lambda X: X, *sides, access="label")
    assert names(choose_suite(target, None)) == ["gap"]
    assert names(choose_suite(target, None, shadows=True)) == ["label_lira"]
    assert set(names(choose_suite(target, "all"))) == {"gap", "boundary", "votes"}
    assert set(names(choose_suite(target, "all", shadows=True))) > {"gap", "label_lira"}
    with pytest.raises(LeakproError, match="needs access to scores, the target gives label"):
        choose_suite(target, ["loss"])


def test_records_that_cannot_be_perturbed_are_left_out_of_all():
    sides = [
        ([f"text {i}" for i in numbers], [0, 1] * 10) for numbers in (range(20), range(20, 40))
    ]
    target = Classifier(lambda X: [0] * len(X), *sides, classes=[0, 1], access="label")
    assert names(choose_suite(target, "all", shadows=True)) == ["gap"]


def entry_point(value):
    return lambda group: [EntryPoint("theirs", value, group)]


def test_entry_points_are_loaded_when_named(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", entry_point("tests.attacks.test_registry:Coin"))
    assert isinstance(attack_named("theirs"), Coin)
    with pytest.raises(LeakproError, match=r"there is no attack 'their' .did you mean 'theirs'"):
        attack_named("their")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("tests.attacks.nowhere:Coin", "does not load"),
        ("tests.attacks.test_registry:NAMES", "gives a set, not an Attack"),
    ],
)
def test_entry_points_that_do_not_load(monkeypatch, value, says):
    monkeypatch.setattr(registry, "entry_points", entry_point(value))
    with pytest.raises(LeakproError, match=says):
        attack_named("theirs")


def test_attack_is_public():
    assert issubclass(Coin, Attack)
