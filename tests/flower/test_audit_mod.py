"""The mod records what a client receives and replies, and changes nothing."""

import stat
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("flwr.serverapp.strategy")

from flwr.app import ArrayRecord, ConfigRecord, Error, Message, RecordDict
from flwr.client import NumPyClient
from flwr.clientapp import ClientApp

from pytest_leakpro import LeakproError
from pytest_leakpro.flower import audit_mod, audit_mod_to, recorded_rounds
from tests.flower.exchange import adding, context, instruction, record

WEIGHTS = {"b": np.arange(3, dtype=np.float32), "a": np.ones((2, 2), np.float32)}


def through_app(mod, message, client_context, client):
    app = ClientApp(mods=[mod])
    app.train()(client)
    app.train("warm_up")(client)
    app.evaluate()(client)
    return app(message, client_context)


def test_the_reply_passes_unchanged_and_is_recorded(tmp_path):
    message = instruction({"arrays": record(**WEIGHTS)})
    reply = through_app(audit_mod_to(tmp_path), message, context(), adding(0.5))
    assert list(reply.content["arrays"]) == ["b", "a"]
    np.testing.assert_array_equal(reply.content["arrays"]["a"].numpy(), np.full((2, 2), 1.5))
    rounds = recorded_rounds(tmp_path)
    assert (rounds.run, rounds.nodes, rounds.rounds, rounds.node_of(0)) == (7, (11,), (1,), 11)
    assert list(rounds.received(11, 1)) == ["b", "a"]
    for name, array in WEIGHTS.items():
        np.testing.assert_array_equal(rounds.received(11, 1)[name], array)
        np.testing.assert_array_equal(rounds.sent(11, 1)[name], array + 0.5)
        np.testing.assert_array_equal(rounds.update(11, 1)[name], np.full_like(array, 0.5))
    assert rounds.n_examples(11, 1) == 8
    assert rounds.metrics(11, 1) == {"num-examples": 8, "loss": 0.5}


def test_what_a_mod_behind_it_does_is_recorded(tmp_path):
    def doubling(message, client_context, call_next):
        reply = call_next(message, client_context)
        sent = {name: 2 * array.numpy() for name, array in reply.content["arrays"].items()}
        reply.content["arrays"] = record(**sent)
        return reply

    app = ClientApp(mods=[audit_mod_to(tmp_path), doubling])
    app.train()(adding(1))
    app(instruction({"arrays": record(**WEIGHTS)}), context())
    np.testing.assert_array_equal(recorded_rounds(tmp_path).sent(11, 1)["b"], [2, 4, 6])


def test_arrays_are_found_under_any_key(tmp_path):
    message = instruction({"weights": record(**WEIGHTS)})
    through_app(audit_mod_to(tmp_path), message, context(), adding(1, key="after"))
    np.testing.assert_array_equal(recorded_rounds(tmp_path).update(11, 1)["b"], [1, 1, 1])


def test_a_numpy_client(tmp_path):
    class Adding(NumPyClient):
        def fit(self, parameters, config):
            return [array + 1 for array in parameters], 5, {}

    app = ClientApp(lambda _: Adding().to_client(), mods=[audit_mod_to(tmp_path)])
    content = {
        "fitins.parameters": ArrayRecord(list(WEIGHTS.values())),
        "fitins.config": ConfigRecord(),
    }
    app(instruction(content, round_=None, group="2"), context())
    rounds = recorded_rounds(tmp_path)
    assert rounds.n_examples(11, 2) == 5
    np.testing.assert_array_equal(rounds.update(11, 2)["0"], [1, 1, 1])


def test_several_array_records_and_none_are_errors(tmp_path):
    several = {"weights": record(**WEIGHTS), "controls": record(**WEIGHTS)}
    with pytest.raises(LeakproError, match=r"received in round 1.*2 ArrayRecords \('weights', '"):
        through_app(audit_mod_to(tmp_path), instruction(several), context(), adding(1))
    with pytest.raises(LeakproError, match="received in round 1 holds no arrays"):
        through_app(audit_mod_to(tmp_path), instruction({}), context(), adding(1))

    def silent(message, client_context):
        return Message(RecordDict(), reply_to=message)

    message = instruction({"arrays": record(**WEIGHTS)})
    with pytest.raises(LeakproError, match="node 11 replied in round 1 holds no arrays"):
        through_app(audit_mod_to(tmp_path), message, context(), silent)
    assert not list(tmp_path.rglob("*.npz"))


def test_messages_of_other_kinds_and_errors_pass_unrecorded(tmp_path):
    content = {"arrays": record(**WEIGHTS)}
    evaluate = instruction(content, kind="evaluate")
    through_app(audit_mod_to(tmp_path), evaluate, context(), adding(1))

    def failing(message, client_context):
        return Message(Error(code=1, reason="out of memory"), reply_to=message)

    reply = through_app(audit_mod_to(tmp_path), instruction(content), context(), failing)
    assert reply.has_error()
    assert not list(tmp_path.rglob("*.npz"))


def test_the_round_is_read_off_the_group_where_no_configuration_says_it(tmp_path):
    content = {"arrays": record(**WEIGHTS)}
    message = instruction(content, round_=None, group="4")
    through_app(audit_mod_to(tmp_path), message, context(), adding(1))
    assert recorded_rounds(tmp_path).rounds == (4,)
    message = instruction(content, round_=None)
    with pytest.raises(LeakproError, match="which round it belongs to"):
        through_app(audit_mod_to(tmp_path), message, context(), adding(1))


def test_a_second_training_in_a_round_is_an_error_and_the_same_message_is_not(tmp_path):
    content = {"arrays": record(**WEIGHTS)}
    for _ in range(2):
        through_app(audit_mod_to(tmp_path), instruction(content), context(), adding(1))
    second = instruction(content, kind="train.warm_up", identity="m2")
    with pytest.raises(LeakproError, match="a second time in round 1"):
        through_app(audit_mod_to(tmp_path), second, context(), adding(2))
    np.testing.assert_array_equal(recorded_rounds(tmp_path).update(11, 1)["b"], [1, 1, 1])


def test_nodes_record_side_by_side(tmp_path):
    mod = audit_mod_to(tmp_path)
    jobs = [(node, number) for node in range(1, 9) for number in (1, 2)]

    def one(job):
        node, number = job
        message = instruction({"arrays": record(**WEIGHTS)}, node=node, round_=number)
        through_app(mod, message, context(node, partition=node - 1), adding(node))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, jobs))
    rounds = recorded_rounds(tmp_path)
    assert rounds.nodes == tuple(range(1, 9))
    assert rounds.rounds == (1, 2)
    for node, number in jobs:
        assert rounds.update(node, number)["b"][0] == node
        assert rounds.node_of(node - 1) == node
    assert not [path for path in tmp_path.rglob(".*") if path.name != ".gitignore"]


def test_where_it_records(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEAKPRO_FLOWER_DIR", raising=False)
    message = instruction({"arrays": record(**WEIGHTS)})
    through_app(audit_mod, message, context(), adding(1))
    assert recorded_rounds(tmp_path / ".leakpro" / "flower").nodes == (11,)
    assert (tmp_path / ".leakpro" / ".gitignore").read_text() == "*\n"
    monkeypatch.setenv("LEAKPRO_FLOWER_DIR", str(tmp_path / "env"))
    through_app(audit_mod, message, context(), adding(1))
    assert recorded_rounds(tmp_path / "env").nodes == (11,)
    configured = context(**{"leakpro-dir": str(tmp_path / "configured")})
    through_app(audit_mod, message, configured, adding(1))
    assert recorded_rounds(tmp_path / "configured").nodes == (11,)
    if sys.platform != "win32":
        folders = [path for path in tmp_path.rglob("*") if path.is_dir()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
