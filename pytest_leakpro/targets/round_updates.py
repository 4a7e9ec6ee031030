"""What the audited client sent in the rounds of a federated training, brought to one form.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import listed, quoted
from pytest_leakpro.targets.containers import kind_of
from pytest_leakpro.targets.torch_model import is_module

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Moves", "moved_by", "read_updates"]

Moves = dict[str, Any]
"""By how much the client would move each weight, by the name of the weight; of a gradient, its
negative."""

_KINDS = ("delta", "gradient")
_NAMED = 3


def read_updates(given: Any, updates_are: Any, models: Sequence[Any]) -> tuple[Moves | None, ...]:
    """Check the updates of a client.

    Parameters
    ----------
    given : sequence
        Per round what was sent: tensors or arrays, one per weight in the order of
        ``model.parameters()``, or by name as in a state dict. None where the client had no part.
    updates_are : {"delta", "gradient"}
        Weights after minus before, or the gradient of the loss.
    models : sequence of torch.nn.Module
        The global models; the t-th update was computed at the t-th of them.

    Returns
    -------
    tuple
        What was moved, or None, one entry per round.

    Raises
    ------
    LeakproError
        Where the numbers do not match, a weight is missing or has another shape, or a value is
        not finite.
    """
    if updates_are not in _KINDS:
        hint = nearest_match(updates_are, _KINDS) if isinstance(updates_are, str) else ""
        what = repr(updates_are) if isinstance(updates_are, str) else type(updates_are).__name__
        raise LeakproError(
            f"updates_are={what} is not known{hint}: give 'delta' for weights after minus before, "
            "or 'gradient'"
        )
    if not is_module(models[-1]):
        raise LeakproError(
            f"updates= of a {type(models[-1]).__name__}: updates are read of torch modules alone"
        )
    if not isinstance(given, (list, tuple)):
        raise LeakproError(
            f"updates is a {type(given).__name__}: give a list with one update per round, the t-th "
            "computed at models[t]"
        )
    if len(given) not in (len(models) - 1, len(models)):
        raise LeakproError(
            f"updates: {len(given):,} of them, and {len(models):,} models: the t-th update was "
            f"computed at models[t], so give {len(models) - 1:,}, or {len(models):,} where the "
            "client has answered the last model as well; None for a round without the client"
        )
    sign = 1 if updates_are == "delta" else -1
    moves = tuple(
        None if update is None else _moves(update, models[number], f"updates[{number}]", sign)
        for number, update in enumerate(given)
    )
    if all(update is None for update in moves):
        raise LeakproError("updates: the client had no part in any round: leave updates= out")
    return moves


def moved_by(model: Any, moves: Moves) -> Any:
    """Give a copy of a global model with the client's update added: the client's own model."""
    torch = sys.modules["torch"]
    moved = copy.deepcopy(model)
    with torch.no_grad():
        for name, weight in moved.named_parameters():
            if name in moves:
                weight.add_(moves[name].to(weight))
    return moved


def _moves(update: Any, model: Any, where: str, sign: int) -> Moves:
    weights = {name: value for name, value in model.named_parameters() if value.is_floating_point()}
    trained = {name: value for name, value in weights.items() if value.requires_grad} or weights
    named = _named(update, weights, trained, model, where)
    missing = [name for name in trained if name not in named]
    if missing:
        raise LeakproError(
            f"{where} lacks {listed(missing, _NAMED)}: give a tensor for each weight that is "
            "trained"
        )
    return {
        name: sign * _tensor(value, weights[name], f"{where}, {name}")
        for name, value in named.items()
    }


def _named(
    update: Any, weights: Moves, trained: Moves, model: Any, where: str
) -> Mapping[str, Any]:
    """Give what was sent by the names of the weights."""
    if isinstance(update, Mapping):
        known = set(model.state_dict()) | set(weights)
        unknown = [str(name) for name in update if name not in known]
        if unknown:
            hint = nearest_match(unknown[0], weights)
            foreign = listed([quoted(name) for name in unknown], _NAMED)
            raise LeakproError(f"{where} names {foreign}, which the model does not have{hint}")
        # Statistics of normalisation layers are sent along, and are no weights.
        return {name: value for name, value in update.items() if name in weights}
    if not isinstance(update, (list, tuple)):
        raise LeakproError(
            f"{where} is a {type(update).__name__}: give a list of tensors, one per weight in the "
            "order of model.parameters(), or a dict by their names"
        )
    for names in (weights, trained):
        if len(update) == len(names):
            return dict(zip(names, update, strict=True))
    raise LeakproError(
        f"{where} has {len(update):,} tensors, and the model {len(weights):,} weights: give one "
        "per weight, in the order of model.parameters(), or a dict by their names"
    )


def _tensor(value: Any, weight: Any, where: str) -> Any:
    torch = sys.modules["torch"]
    if kind_of(value) not in ("tensor", "array"):
        raise LeakproError(f"{where} is a {type(value).__name__}: give a tensor or an array")
    if tuple(value.shape) != tuple(weight.shape):
        raise LeakproError(
            f"{where} has shape {tuple(value.shape)}, the weight {tuple(weight.shape)}: give "
            "updates of this model"
        )
    sent = torch.as_tensor(value).detach().to(device=weight.device, dtype=weight.dtype)
    if not bool(torch.isfinite(sent).all()):
        raise LeakproError(
            f"{where} holds NaN or infinite values: the client's training has diverged there; "
            "leave the round out by None"
        )
    return sent
