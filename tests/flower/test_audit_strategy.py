"""The audited strategy records global models and replies, and is otherwise the strategy it was."""

import numpy as np
import pytest

pytest.importorskip("flwr.serverapp.strategy")

from flwr.app import Error, Message
from flwr.serverapp.strategy import DifferentialPrivacyServerSideFixedClipping, FedAdam, FedAvg
from flwr.supercore.task_identity import TaskIdentity

from pytest_leakpro import LeakproError
from pytest_leakpro.flower import audit_mod_to, audit_strategy, recorded_rounds
from tests.flower.exchange import RUN, StubGrid, adding, record

START = {"w": np.zeros(2, np.float32)}
# Steps of 1 on 8 examples and of 4 on 24: an average of 3.25.
CLIENTS = {11: adding(1, examples=8), 12: adding(4, examples=24)}


@pytest.fixture(autouse=True)
def _in_a_run(monkeypatch):
    """Messages can only be made in the process of a run's task."""
    for name, number in (("_task_id", 3), ("_run_id", RUN), ("_node_id", 1)):
        monkeypatch.setattr(TaskIdentity, name, number)


def failing(message, context):
    return Message(Error(code=1, reason="out of memory"), reply_to=message)


def started(strategy, clients=CLIENTS, rounds=2):
    return strategy.start(StubGrid(clients), record(**START), num_rounds=rounds)


def test_rounds_and_replies_are_recorded_as_the_server_sees_them(tmp_path):
    strategy = audit_strategy(FedAvg(fraction_evaluate=0), tmp_path)
    result = started(strategy)
    np.testing.assert_allclose(result.arrays["w"].numpy(), [6.5, 6.5])
    rounds = recorded_rounds(tmp_path)
    assert (rounds.nodes, rounds.rounds) == ((11, 12), (1, 2))
    for number in range(3):
        np.testing.assert_allclose(rounds.global_state(number)["w"], [3.25 * number] * 2)
    np.testing.assert_allclose(rounds.received(12, 2)["w"], [3.25, 3.25])
    np.testing.assert_allclose(rounds.update(12, 2)["w"], [4, 4])
    assert rounds.n_examples(12, 2) == 24


def test_the_strategy_itself_stays_as_it_is(tmp_path):
    strategy = FedAvg(fraction_evaluate=0)
    audited = audit_strategy(strategy, tmp_path)
    assert type(strategy) is FedAvg
    assert isinstance(audited, FedAvg)
    assert audited.weighted_by_key == strategy.weighted_by_key
    started(strategy)
    assert not list(tmp_path.iterdir())


def test_a_strategy_with_a_start_and_a_state_of_its_own(tmp_path):
    class Counting(FedAvg):
        seen = 0

        def start(self, *args, **kwargs):
            result = super().start(*args, **kwargs)
            result.train_metrics_clientapp["seen"] = self.seen
            return result

        def aggregate_train(self, server_round, replies):
            self.seen += 1
            return super().aggregate_train(server_round, replies)

    result = started(audit_strategy(Counting(fraction_evaluate=0), tmp_path))
    assert result.train_metrics_clientapp["seen"] == 2
    assert recorded_rounds(tmp_path).rounds == (1, 2)


@pytest.mark.parametrize(
    "strategy",
    [
        FedAdam(fraction_evaluate=0),
        DifferentialPrivacyServerSideFixedClipping(FedAvg(fraction_evaluate=0), 0.1, 1.0, 2),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_other_strategies_run_through_it(strategy, tmp_path):
    result = started(audit_strategy(strategy, tmp_path))
    last = recorded_rounds(tmp_path).global_state(2)
    np.testing.assert_array_equal(last["w"], result.arrays["w"].numpy())


def test_a_client_that_fails_is_left_out(tmp_path):
    started(audit_strategy(FedAvg(fraction_evaluate=0), tmp_path), {**CLIENTS, 12: failing})
    rounds = recorded_rounds(tmp_path)
    assert rounds.nodes == (11,)
    np.testing.assert_allclose(rounds.global_state(2)["w"], [2, 2])


def test_where_all_fail_the_global_model_stays(tmp_path):
    started(audit_strategy(FedAvg(fraction_evaluate=0), tmp_path), {11: failing, 12: failing})
    rounds = recorded_rounds(tmp_path)
    np.testing.assert_array_equal(rounds.global_state(1)["w"], [0, 0])
    with pytest.raises(LeakproError, match="nothing was recorded of node 11"):
        rounds.sent(11, 1)


def test_what_the_server_got_counts_before_what_the_client_recorded(tmp_path):
    """A mod that stands before the audit mod, as a compression, is seen by the server alone."""

    def halved(message, context):
        reply = audit_mod_to(tmp_path)(message, context, adding(1))
        reply.content["arrays"] = record(w=reply.content["arrays"]["w"].numpy() / 2)
        return reply

    started(audit_strategy(FedAvg(fraction_evaluate=0), tmp_path), {11: halved, 12: halved}, 1)
    rounds = recorded_rounds(tmp_path)
    np.testing.assert_array_equal(rounds.update(11, 1)["w"], [0.5, 0.5])
    assert rounds.node_of(1) == 11


def test_no_strategy_of_the_message_api(tmp_path):
    with pytest.raises(LeakproError, match="was given a int: give a strategy"):
        audit_strategy(3, tmp_path)
