"""Arrays that were sent by name, as the weights of a torch module.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["parameters_of", "with_weights"]


def with_weights(model: Any, arrays: Mapping[str, NDArray[Any]], what: str) -> Any:
    """Give a copy of a module with other weights.

    Parameters
    ----------
    model : torch.nn.Module
        Left as it is; the copy is in the same mode.
    arrays : mapping of str to ndarray
        By the names of the state dict, in any order; or, where no names were sent
        (``"0"``, ``"1"``, …), in the order of the state dict or of the parameters. Buffers that
        are missing, such as batch statistics that a client keeps to itself, stay the model's own,
        and so do parameters that are not trained.
    what : str
        What the arrays are, for messages.

    Raises
    ------
    LeakproError
        If a trained parameter is missing, an array is none of the model's, or a shape differs.
    """
    state = _named(model, arrays, what)
    loaded = copy.deepcopy(model)
    loaded.load_state_dict({**loaded.state_dict(), **state})
    return loaded


def parameters_of(model: Any, arrays: Mapping[str, NDArray[Any]], what: str) -> list[Any]:
    """Give arrays as tensors, one per trained parameter, in the order of ``model.parameters()``.

    Parameters are as in `with_weights`, and so are the errors.
    """
    state = _named(model, arrays, what)
    return [state[name] for name in _trained(model)]


def _named(model: Any, arrays: Mapping[str, NDArray[Any]], what: str) -> dict[str, Any]:
    import torch

    own = model.state_dict()
    given = _by_position(own, [name for name, _ in model.named_parameters()], arrays)
    advice = "give the model that the clients train"
    for name in given:
        if name not in own:
            raise LeakproError(
                f"{what} holds {name!r}, which the model has not{nearest_match(name, own)}: "
                f"{advice}"
            )
    for name in _trained(model):
        if name not in given:
            raise LeakproError(
                f"{what} holds nothing of the model's parameter {name!r}: {advice}, with the "
                "parameters that are sent and no others"
            )
    for name, array in given.items():
        if tuple(array.shape) != tuple(own[name].shape):
            raise LeakproError(
                f"{what}: {name} has shape {tuple(array.shape)}, in the model "
                f"{tuple(own[name].shape)}: {advice}"
            )
    return {
        name: torch.tensor(array, dtype=own[name].dtype, device=own[name].device)
        for name, array in given.items()
    }


def _trained(model: Any) -> list[str]:
    return [name for name, weight in model.named_parameters() if weight.requires_grad]


def _by_position(
    own: Mapping[str, Any], parameters: list[str], arrays: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Name arrays that were sent as a list, which Flower numbers."""
    if set(arrays) & set(own) or list(arrays) != [str(number) for number in range(len(arrays))]:
        return dict(arrays)
    for names in (list(own), parameters):
        if len(names) == len(arrays):
            return dict(zip(names, arrays.values(), strict=True))
    return dict(arrays)
