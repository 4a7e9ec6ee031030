"""Whether an update is what it is said to be, and depends on the records at all.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.client_answers import trained_weights
from pytest_leakpro.targets.client_batch import ClientBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.targets.client_answers import ClientAnswers
    from pytest_leakpro.targets.client_training import LocalTraining

__all__ = ["check_training", "depends_on_batch"]

_ENOUGH = 64
_OPPOSITE = -0.5
_PERHAPS = {
    "gradient": "the gradient of the loss; is it the change of the weights?",
    "delta": "the weights after minus before; is it before minus after?",
    "weights": "the weights after training; are they those before?",
}


def check_training(
    model: Any,
    training: LocalTraining,
    batch: ClientBatch,
    sent: tuple[Any, ...] | None,
    kind: str,
) -> None:
    """Check that the loss can be computed, and that an update does not point the other way.

    Parameters
    ----------
    model : torch.nn.Module
        The model before.
    training : LocalTraining
        What is known of the client's.
    batch : ClientBatch
        Its records.
    sent : tuple of tensor or None
        In the form of `UpdateView.update`, where it was given.
    kind : str
        What it was said to be.

    Raises
    ------
    LeakproError
    """
    few = batch if sent is not None else batch.take(np.arange(min(len(batch), _ENOUGH)))
    weights = tuple(trained_weights(model).values())
    try:
        plain = training.simulate(model, weights, *few.pair(), differentiable=False)
    except LeakproError:
        raise
    except Exception as error:
        raise LeakproError(
            f"the loss of the model on the client's records cannot be computed: {error}"
        ) from error
    alike = 0.0 if sent is None else _cosine(sent, plain)
    if alike < _OPPOSITE:
        raise LeakproError(
            f"update points against what a client would send of the batch (cosine {alike:.2f}): "
            f"kind={kind!r} says that it is {_PERHAPS[kind]}"
        )


def depends_on_batch(
    answers: ClientAnswers, model: Any, batch: ClientBatch, sent: tuple[Any, ...], seed: int
) -> bool:
    """Tell whether the client sends anything else of other records.

    Parameters
    ----------
    answers : ClientAnswers
        The client.
    model : torch.nn.Module
        The model before.
    batch : ClientBatch
        The client's records.
    sent : tuple of tensor
        What it sent of them.
    seed : int
        With which it was asked.
    """
    torch = sys.modules["torch"]
    inputs = batch.inputs
    if inputs.is_floating_point():
        others = inputs.amin() + inputs.amax() - inputs  # negatives, within the same range
        others = others if not torch.equal(others, inputs) else inputs + 1
    else:
        others = inputs.flip(1)
    again = answers.ask(model, ClientBatch(others, batch.labels.roll(1, 0)), seed)
    return not all(torch.equal(one, two) for one, two in zip(sent, again, strict=True))


def _cosine(one: Sequence[Any], two: Sequence[Any]) -> float:
    dot = sum(float((a * b).sum()) for a, b in zip(one, two, strict=True))
    norms = [math.sqrt(sum(float((a * a).sum()) for a in side)) for side in (one, two)]
    return dot / (norms[0] * norms[1]) if all(norms) else 0.0
