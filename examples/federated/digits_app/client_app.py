"""The client: one step on a few records a round; where asked for, clipped and with noise."""

import torch
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.clientapp.mod import LocalDpMod
from flwr.clientapp.typing import ClientAppCallable

from digits_app.task import LEARNING_RATE, batch_of, make_model
from pytest_leakpro.flower import audit_mod

CLIPPING_NORM = 0.5
NOISE = LocalDpMod(clipping_norm=CLIPPING_NORM, sensitivity=CLIPPING_NORM, epsilon=20.0, delta=1e-5)


def privacy_mod(message: Message, context: Context, call_next: ClientAppCallable) -> Message:
    """Clip what leaves and add noise to it, where the run is to be private."""
    if context.run_config["private"]:
        return NOISE(message, context, call_next)
    return call_next(message, context)


# The first mod is the last to see the reply: it records what leaves, not what was computed.
app = ClientApp(mods=[audit_mod, privacy_mod])


@app.train()
def train(message: Message, context: Context) -> Message:
    """Take one step from the global model, on the records of this round."""
    torch.set_num_threads(1)
    model = make_model()
    model.load_state_dict(message.content["arrays"].to_torch_state_dict())
    images, labels = batch_of(
        int(context.node_config["partition-id"]),
        int(message.content["config"]["server-round"]),
    )
    optimiser = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimiser.step()
    reply = RecordDict(
        {
            "arrays": ArrayRecord(model.state_dict()),
            "metrics": MetricRecord({"num-examples": len(labels), "loss": loss.item()}),
        }
    )
    return Message(reply, reply_to=message)
