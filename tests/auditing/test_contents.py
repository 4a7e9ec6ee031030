"""Audits of what training records hold, by attacks that find what they are told."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from pytest_leakpro import (
    Classifier,
    Counts,
    FederatedRounds,
    Guesses,
    LeakageError,
    LeakproError,
    PytestLeakproWarning,
    Recipe,
    Reconstructions,
    Regressor,
    assert_leakage_below,
    audit,
)
from pytest_leakpro.attacks.content_attack import ContentAttack, Found
from pytest_leakpro.attacks.reconstruction.base_attack import ReconstructionAttack
from pytest_leakpro.attacks.reconstruction.nearness import Attempts
from pytest_leakpro.auditing.session import SessionDefaults, session_variable
from pytest_leakpro.shadow.deadline import Deadline
from pytest_leakpro.targets.access import Access
from tests.auditing.cohorts import cohort, safe_target


@dataclass(frozen=True)
class Census(ContentAttack):
    """Finds the first so many members stored."""

    name: ClassVar[str] = "census"
    metrics: ClassVar[tuple[str, ...]] = ("stored_records",)
    access: ClassVar[None] = None

    found: int = 0

    def find(self, view, rng, part=None, say=print):
        assert view.artefact is not None
        members = np.arange(self.found)
        return Found(
            Counts(self.found, view.n_members),
            (f"{self.found} stand in _fit_X",),
            {"_fit_X": self.found},
            (members, np.ones(self.found)),
        )


@dataclass(frozen=True)
class Guessing(ContentAttack):
    """Guesses columns right at a given rate, and asks the model once a record."""

    name: ClassVar[str] = "guessing"
    metrics: ClassVar[tuple[str, ...]] = ("attribute_inference",)

    rate: float = 0.0
    columns: tuple[str, ...] = ("a", "b")
    seen: list = field(default_factory=list, compare=False)

    def parts_of(self, view, metric):
        return self.columns if metric.argument is None else (metric.argument,)

    def find(self, view, rng, part=None, say=print):
        self.seen.append((view.access.value, part, int(rng.integers(1 << 30))))
        view.ask(view.records("members"))
        say("asked")
        n, m = view.n_members, view.n_nonmembers
        rate = self.rate if part == "b" else 0.0
        return Found(Guesses((round(rate * n), n), (0, m), (0, n)))


@dataclass(frozen=True)
class Weights(Guessing):
    """The same for those who see weights."""

    name: ClassVar[str] = "weights"
    access: ClassVar[Access] = Access.WHITE_BOX


@dataclass(frozen=True)
class Rebuilding(ContentAttack):
    """Comes near to so many members."""

    name: ClassVar[str] = "rebuilding"
    metrics: ClassVar[tuple[str, ...]] = ("reconstruction",)

    near: int = 0
    attempts: int = 400

    def sizes(self, view, part=None):
        return self.attempts, 0

    def find(self, view, rng, part=None, say=print):
        quality = np.where(np.arange(self.attempts) < self.near, 0.1, 1.0)
        return Found(
            Reconstructions({"near": quality}, {"near": 1 / quality}, range(self.attempts))
        )


def told(text):
    del text


def test_a_census_of_the_artefact_says_where_and_to_who_asks_which():
    with pytest.raises(LeakageError) as error:
        assert_leakage_below(safe_target(name="m"), "stored_records <= 0", attacks=[Census(3)])
    text = str(error.value)
    assert "m stores training records above its budget" in text
    assert "0.50%  (this model)   by census; artefact" in text
    found = error.value.audit
    assert found.vulnerable(5).tolist() == [0, 1, 2]
    assert "note: census: 3 stand in _fit_X" in str(found)
    assert found.details["checks"]["contents"] == {"census": {"": {"_fit_X": 3}}}
    measured = found.measurements[0]
    assert (measured.low, measured.value, measured.high) == (0.005, 0.005, 0.005)
    assert measured.census
    assert not measured.weak_suite
    assert measured.access == "artefact"


def test_nothing_stored_passes_whatever_the_attacker_sees():
    found = audit(safe_target(access="label"), "stored_records <= 0", attacks=[Census()])
    assert str(found.verdict) == "PASS"
    assert len(found.measurements) == 1


def test_of_columns_the_worst_decides_by_holm():
    found = audit(
        safe_target(), "attribute_inference <= 5%", attacks=[Guessing(0.2)], seed=3
    ).measurements[0]
    assert str(found.verdict) == "FAIL"
    assert found.slice == "column=b"
    assert [(part.label, str(part.verdict)) for part in found.slices] == [
        ("a", "PASS"),
        ("b", "FAIL"),
    ]
    assert found.figures[0].queries == 600
    alone = audit(safe_target(), "attribute_inference[a] <= 5%", attacks=[Guessing(0.2)])
    assert str(alone.verdict) == "PASS"


def test_every_part_has_a_stream_of_its_own_that_follows_from_the_seed():
    streams = []
    for _ in range(2):
        attack = Guessing()
        audit(safe_target(), "attribute_inference <= 5%", attacks=[attack], seed=7)
        streams.append(attack.seen)
    assert streams[0] == streams[1]
    assert streams[0][0][2] != streams[0][1][2]


def test_a_row_per_attacker_who_has_an_attack_and_one_of_a_census():
    members, nonmembers = cohort(200)
    target = safe_target(200, train=False)
    target = Classifier(
        target.model, members, nonmembers, train=False,
        attackers=["scores", "white-box"],
    )  # fmt: skip
    found = audit(
        target,
        "stored_records <= 0",
        "attribute_inference[a] <= 20%",
        attacks=[Census(), Guessing()],
    )
    assert [(str(entry.metric), entry.access) for entry in found.measurements] == [
        ("stored_records", "artefact"),
        ("attribute_inference[a]", "scores"),
        ("attribute_inference[a]", "white-box"),
    ]
    attack = Weights()
    found = audit(target, "attribute_inference[a] <= 20%", attacks=[attack])
    assert [entry.access for entry in found.measurements] == ["white-box"]


def test_an_attack_nobody_can_run_says_why():
    with pytest.raises(LeakproError, match="does not match: it needs access to white-box"):
        audit(safe_target(), "attribute_inference[a] <= 5%", attacks=[Weights()])


def test_budgets_of_both_kinds_stand_in_their_order():
    found = audit(
        safe_target(name="m"),
        "stored_records <= 0",
        "auc <= 0.7",
        "reconstruction[near] <= 2%",
        attacks=["loss", Census(), Rebuilding()],
    )
    assert [str(entry.metric) for entry in found.measurements] == [
        "stored_records",
        "auc",
        "reconstruction[near]",
    ]
    assert [entry.attack for entry in found.measurements] == ["census", "loss", "rebuilding"]
    assert str(found.verdict) == "PASS"
    assert {"blind", "contents"} <= set(found.details["checks"])
    assert found.details["queries"] > 0


def test_attacks_that_are_named_hold_for_what_they_measure():
    found = audit(safe_target(), "auc <= 0.7", "stored_records <= 0", attacks=[Census()])
    assert found.measurements[0].attack != "census"
    with pytest.raises(LeakproError, match="names loss, and no budget asks"):
        audit(safe_target(), "stored_records <= 0", attacks=["loss", Census()])
    with pytest.raises(LeakproError, match="names census, and no budget asks"):
        audit(safe_target(), "reconstruction[near] <= 2%", attacks=[Rebuilding(), Census()])


def test_of_a_finished_model_nearness_is_what_counts():
    with pytest.raises(LeakproError, match=r"how near it is.*reconstruction\[near\]"):
        audit(safe_target(), "reconstruction[ssim>=0.5] <= 5%", attacks=[Rebuilding()])


@pytest.mark.parametrize(("near", "verdict"), [(0, "PASS"), (40, "FAIL")])
def test_attempts_are_what_is_counted(near, verdict):
    found = audit(safe_target(), "reconstruction[near] <= 2%", attacks=[Rebuilding(near)])
    assert str(found.verdict) == verdict
    measured = found.measurements[0]
    assert (measured.n_members, measured.value) == (400, near / 400)
    assert not measured.census


def test_too_few_attempts_are_told_of_beforehand():
    with pytest.warns(PytestLeakproWarning, match=r"cannot PASS with 40 attempts.*attempts"):
        found = audit(
            safe_target(), "reconstruction[near] <= 1%", attacks=[Rebuilding(attempts=40)]
        )
    assert str(found.verdict) == "INCONCLUSIVE"


def test_sides_that_differ_hold_a_fail_back():
    members, nonmembers = cohort(400)
    shifted = (nonmembers[0] + 5, nonmembers[1])
    target = Classifier(safe_target(400).model, members, shifted, train=False)
    found = audit(target, "reconstruction[near] <= 2%", attacks=[Rebuilding(40)])
    assert str(found.verdict) == "INCONCLUSIVE"
    assert "differ without the model" in found.measurements[0].notes[0]
    # Counting what is stored compares nothing.
    found = audit(target, "stored_records <= 0", attacks=[Census(1)])
    assert str(found.verdict) == "FAIL"


def test_the_end_of_the_time_leaves_budgets_undecided():
    over = Deadline(0.0, "1s")
    token = session_variable.set(SessionDefaults(cache_dir=None, deadline=over))
    try:
        found = audit(safe_target(), "stored_records <= 0", attacks=[Census(1)])
    finally:
        session_variable.reset(token)
    assert str(found.verdict) == "INCONCLUSIVE"
    assert "time budget" in found.measurements[0].notes[0]


def test_a_recipe_and_a_regressor_are_audited_alike():
    members, nonmembers = cohort(200)
    from sklearn.linear_model import LinearRegression, LogisticRegression

    recipe = Recipe(LogisticRegression(), *members)
    assert str(audit(recipe, "stored_records <= 0", attacks=[Census()]).verdict) == "PASS"
    target = Regressor(LinearRegression().fit(*members), members, nonmembers, train=False)
    assert str(audit(target, "stored_records <= 0", attacks=[Census(1)]).verdict) == "FAIL"


def test_rounds_are_no_finished_model():
    reason = Census().mismatch(FederatedRounds.__new__(FederatedRounds))
    assert reason is not None
    assert "one finished model" in reason


def test_without_budgets_membership_is_measured():
    found = audit(safe_target(), attacks=["loss"])
    assert {entry.metric.name for entry in found.measurements} == {"tpr", "auc", "advantage"}


@pytest.mark.parametrize("secret", [["1", 4], 1, "1"])
def test_secrets_are_named_or_numbered(secret):
    target = safe_target(20, secret=secret)
    assert target.secrets[0] == 1


def test_a_secret_that_is_no_column_is_an_error():
    with pytest.raises(LeakproError, match=r"secret: .* no column 'smoker'; X has 6"):
        safe_target(20, secret="smoker")


def test_what_draws_records_says_from_how_many_numbers():
    with pytest.raises(LeakproError, match=r"latent_dim"):
        safe_target(20, generator=lambda z, labels: z)


@dataclass(frozen=True)
class Copying(ReconstructionAttack):
    """Gives some members back, and noise besides."""

    name: ClassVar[str] = "copying"

    def rebuild(self, view, rng, say):
        copies = view.records("members").inputs[:5].reshape(5, -1)
        noise = rng.normal(size=(self.n_attempts(view) - 5, copies.shape[1])) + 9
        return Attempts(np.concatenate([copies, noise]))


@pytest.mark.parametrize("wanted", [True, False])
def test_pictures_are_kept_for_those_who_ask(wanted, tmp_path):
    pytest.importorskip("PIL")
    X = np.random.default_rng(0).normal(size=(60, 4, 4))
    y = np.arange(60) % 2
    target = Classifier(
        lambda X: np.full((len(X), 2), 0.5), (X[:30], y[:30]), (X[30:], y[30:]), name="pictures"
    )
    session = SessionDefaults(cache_dir=None, private=str(tmp_path), save_reconstructions=wanted)
    token = session_variable.set(session)
    try:
        found = audit(target, "reconstruction[near] <= 1%", attacks=[Copying()])
    finally:
        session_variable.reset(token)
    assert found.measurements[0].value == pytest.approx(5 / 400)
    written = list(tmp_path.rglob("*.png"))
    assert len(written) == wanted
    assert any("personal data" in note for note in found.notes) == wanted
