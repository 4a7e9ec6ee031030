"""The gate: what a client sends must not give away the records that it learned from."""

import pytest
from torch import no_grad
from torch.nn.functional import cross_entropy

from digits_app.task import LEARNING_RATE, batch_of, make_model, others, records_of
from pytest_leakpro import FederatedRounds, LeakageError

CLIENT = 0
ROUND = 1
POPULATION = 200

UPDATE = ("reconstruction[psnr>=20] <= 5%", "label_recovery <= 35%")
# Of 48 members: the sizes allow no narrower budget.
MEMBERSHIP = "auc <= 0.85"


def update(rounds, name):
    """Give what the server got of one client in the first round, and the records it is of."""
    images, labels = others()
    return rounds.federated_update(
        make_model(),
        rounds.node_of(CLIENT),
        ROUND,
        batch=batch_of(CLIENT, ROUND),
        loss=cross_entropy,
        learning_rate=LEARNING_RATE,
        population=(images[:POPULATION], labels[:POPULATION]),
        name=name,
    )


def membership(rounds, name):
    """Give what the other client saw, round by round, of whose records were learned from."""
    images, labels = others()
    return FederatedRounds(
        rounds.models(make_model),
        members=records_of(CLIENT),
        nonmembers=(images[POPULATION:], labels[POPULATION:]),
        own=records_of(1 - CLIENT),
        population=(images[:POPULATION], labels[:POPULATION]),
        access="client",
        output="logits",
        name=name,
    )


def accuracy(rounds):
    """Give the share of other digits that the model after the last round reads right."""
    images, labels = others()
    *_, model = rounds.models(make_model)
    with no_grad():
        return float((model(images).argmax(1) == labels).double().mean())


@pytest.mark.xfail(raises=LeakageError, strict=True, reason="one step on few records shows them")
@pytest.mark.leakage(*UPDATE)
def test_plain_updates_keep_their_records(leakpro, plain):
    leakpro.audit(update(plain, "plain update"))


@pytest.mark.leakage(*UPDATE)
def test_private_updates_keep_their_records(leakpro, private):
    leakpro.audit(update(private, "private update"))


@pytest.mark.leakage(*UPDATE)
def test_noise_hides_records_at_a_price(leakpro, plain, private):
    """Both side by side, and what is learned. The noise is another in each run of the app."""
    runs = {"none": plain, "clipping and noise": private}
    found = leakpro.compare(
        {label: update(rounds, label) for label, rounds in runs.items()},
        utility={label: accuracy(rounds) for label, rounds in runs.items()},
        utility_name="accuracy",
        name="updates",
    )
    assert found.lower("reconstruction[psnr>=20]") == ("clipping and noise",)


@pytest.mark.leakage(MEMBERSHIP)
def test_plain_rounds_do_not_tell_who_took_part(leakpro, plain):
    """Three steps say little of any one record to who sees their average alone."""
    leakpro.audit(membership(plain, "plain rounds"))


@pytest.mark.leakage(MEMBERSHIP)
def test_private_rounds_do_not_tell_who_took_part(leakpro, private):
    leakpro.audit(membership(private, "private rounds"))
