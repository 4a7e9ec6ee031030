"""Asking a client's function for its update, and checking what comes back.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.client_training import batch_statistics, norm_layers
from pytest_leakpro.targets.containers import is_tensor
from pytest_leakpro.targets.end_layers import model_outputs
from pytest_leakpro.targets.torch_model import is_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.targets.client_batch import ClientBatch
    from pytest_leakpro.targets.client_training import LocalTraining

__all__ = ["KINDS", "ClientAnswers", "read_statistics", "read_tensors", "trained_weights"]

Kind = Literal["gradient", "delta", "weights"]
KINDS: tuple[Kind, ...] = ("gradient", "delta", "weights")


@dataclass(frozen=True, repr=False, eq=False)
class ClientAnswers:
    """Turns records into what a client sends of them.

    Attributes
    ----------
    client : callable or None
        ``(model, batch) -> list of tensors``, one per trained weight; None for a client without a
        defence.
    kind : {"gradient", "delta", "weights"}
        What these are.
    training : LocalTraining
        How the client is known to train.
    """

    client: Callable[[Any, tuple[Any, Any]], Any] | None
    kind: Kind
    training: LocalTraining

    def ask(self, model: Any, batch: ClientBatch, seed: int) -> tuple[Any, ...]:
        """Ask the client, and bring its answer to the form that attacks work on.

        Parameters
        ----------
        model : torch.nn.Module
            Copied, so that the client may train it in place.
        batch : ClientBatch
            Its records.
        seed : int
            Of torch's and numpy's random numbers, such as those of a defence.

        Raises
        ------
        LeakproError
            Where the answer does not match the model. What the client raises is not caught.
        """
        if self.client is None:
            weights = tuple(value.detach() for value in trained_weights(model).values())
            return self.training.simulate(model, weights, *batch.pair(), differentiable=False)
        torch = sys.modules["torch"]
        state = np.random.get_state()  # noqa: NPY002 - the client's code may use it
        try:
            np.random.seed(seed % 2**32)  # noqa: NPY002
            with torch.random.fork_rng(devices=_devices(model)):
                torch.manual_seed(seed)
                with torch.enable_grad():
                    answer = self.client(copy.deepcopy(model), batch.pair())
        finally:
            np.random.set_state(state)  # noqa: NPY002
        return self.bring(read_tensors(answer, model, "client"), model)

    def bring(self, sent: tuple[Any, ...], model: Any) -> tuple[Any, ...]:
        """Bring what was sent to the form that attacks work on; see `UpdateView.update`."""
        if self.kind == "gradient":
            return sent
        if self.kind == "weights":
            sent = tuple(
                after - before.detach()
                for after, before in zip(sent, trained_weights(model).values(), strict=True)
            )
        if self.training.local_steps > 1:
            return sent
        return tuple(-value / (self.training.learning_rate or 1.0) for value in sent)


def _devices(model: Any) -> list[int]:
    device = next(iter(model.parameters())).device
    return [device.index or 0] if device.type == "cuda" else []


def trained_weights(model: Any) -> dict[str, Any]:
    """Give the weights that are trained, by name, in the order of ``model.parameters()``."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def read_tensors(given: Any, model: Any, where: str) -> tuple[Any, ...]:
    """Check that there is one finite tensor per trained weight, of its shape.

    Parameters
    ----------
    given : list of tensor or array, mapping by name, or torch.nn.Module
        Of a mapping or a module the entries of trained weights are taken.
    model : torch.nn.Module
        The model before.
    where : str
        What the argument is called.

    Raises
    ------
    LeakproError
    """
    weights = trained_weights(model)
    if is_module(given):
        given = dict(given.named_parameters())
    if isinstance(given, Mapping):
        missing = [name for name in weights if name not in given]
        if missing:
            raise LeakproError(
                f"{where}: there is nothing for the weight {missing[0]!r} (of {len(missing)} that "
                "are missing): give one tensor per trained weight of the model"
            )
        given = [given[name] for name in weights]
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        raise LeakproError(
            f"{where} gives a {type(given).__name__}: a list of tensors is wanted, one per trained "
            "weight, in the order of model.parameters()"
        )
    if len(given) != len(weights):
        raise LeakproError(
            f"{where} gives {len(given)} tensors, and the model has {len(weights)} trained "
            "weights: give one per weight, in the order of model.parameters()"
        )
    return tuple(
        _one(entry, name, weight, f"{where}: tensor {number}")
        for number, (entry, (name, weight)) in enumerate(
            zip(given, weights.items(), strict=True), 1
        )
    )


def _one(entry: Any, name: str, weight: Any, where: str) -> Any:
    torch = sys.modules["torch"]
    if entry is None:  # what torch gives of a weight that took no part
        return torch.zeros_like(weight)
    try:
        value = entry.detach() if is_tensor(entry) else torch.as_tensor(np.asarray(entry))
        value = value.to(device=weight.device, dtype=weight.dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        raise LeakproError(f"{where} cannot be read: {error}") from error
    if value.is_sparse:
        value = value.to_dense()
    if value.shape != weight.shape:
        raise LeakproError(
            f"{where} has shape {tuple(value.shape)}, and the weight {name!r} "
            f"{tuple(weight.shape)}: the update is of another model, or in another order"
        )
    wrong = int((~torch.isfinite(value)).sum())
    if wrong:
        raise LeakproError(
            f"{where} (weight {name!r}) holds NaN or infinite values ({wrong} of {value.numel()}): "
            "mend the client's training; nothing can be told of such an update"
        )
    return value.clone()


def read_statistics(given: Any, model: Any, batch: ClientBatch) -> Any:
    """Give the statistics of batch normalisation as they are sent.

    Parameters
    ----------
    given : "sent", list of pair, or None
        Of a list: mean and variance of the batch at each layer.
    model : torch.nn.Module
        The model before.
    batch : ClientBatch
        Of which they are computed where they are ``"sent"``.

    Raises
    ------
    LeakproError
        Where the model has no such layer, or there is not one pair per layer of its width.
    """
    torch = sys.modules["torch"]
    if given is None:
        return None
    layers = norm_layers(model)
    if not layers:
        raise LeakproError("statistics: the model has no batch normalisation: leave them out")
    if isinstance(given, str) and given == "sent":
        with batch_statistics(model) as found:
            model_outputs(model, batch.inputs)
        return tuple(found)
    if not isinstance(given, (list, tuple)) or len(given) != len(layers):
        count = f"{len(given)} pairs" if isinstance(given, (list, tuple)) else "no list"
        raise LeakproError(
            f"statistics: {count}, and the model has {len(layers)} layers of batch normalisation: "
            "give a pair (mean, variance) for each, in their order, or 'sent'"
        )
    read = []
    for number, (pair, layer) in enumerate(zip(given, layers, strict=True), 1):
        try:
            mean, variance = (
                torch.as_tensor(side, dtype=batch.inputs.dtype, device=batch.inputs.device)
                for side in pair
            )
        except (TypeError, ValueError):
            mean = variance = torch.zeros(0)
        if mean.shape != (layer.num_features,) or variance.shape != mean.shape:
            raise LeakproError(
                f"statistics: entry {number} is no pair (mean, variance) of {layer.num_features} "
                "values each, as its layer has channels"
            )
        read.append((mean, variance))
    return tuple(read)
