"""Messages, made by Flower's own classes, between a server and clients that are functions."""

from types import SimpleNamespace

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.app.metadata import Metadata

RUN = 7


def record(**arrays):
    return ArrayRecord({name: ArrayRecord([array])["0"] for name, array in arrays.items()})


def instruction(content, *, node=11, round_=1, kind="train", group="", identity="m1"):
    """Give a message as it arrives at a client."""
    if round_ is not None:
        content = {**content, "config": ConfigRecord({"server-round": round_})}
    metadata = Metadata(RUN, identity, 1, node, "", group, 0.0, 60.0, kind)
    return Message(content=RecordDict(content), metadata=metadata)


def context(node=11, *, partition=0, **run_config):
    config = {} if partition is None else {"partition-id": partition}
    return Context(RUN, node, config, RecordDict(), run_config)


def adding(step, *, key="arrays", examples=8):
    """Give a client that adds a number to all that it receives, where it stands."""

    def client(message, context):
        (received,) = message.content.array_records.values()
        sent = {name: array.numpy() + np.float32(step) for name, array in received.items()}
        metrics = MetricRecord({"num-examples": examples, "loss": 0.5})
        return Message(RecordDict({key: record(**sent), "metrics": metrics}), reply_to=message)

    return client


class StubGrid:
    """Takes messages to clients by their node numbers, and brings the replies as an iterator."""

    def __init__(self, clients):
        self.clients = clients
        self.run = SimpleNamespace(run_id=RUN)

    def get_node_ids(self):
        return list(self.clients)

    def send_and_receive(self, messages, *, timeout=None):
        replies = []
        for message in messages:
            node = message.metadata.dst_node_id
            message.metadata.__dict__["_message_id"] = f"to {node}"
            replies.append(self.clients[node](message, context(node, partition=node % 10)))
        return iter(replies)
