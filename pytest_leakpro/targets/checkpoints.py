"""The models that a training run left on its way, checked to be of one kind.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import is_tensor
from pytest_leakpro.targets.torch_model import is_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.targets.model_adapter import ModelAdapter

__all__ = ["MOST_CHECKPOINTS", "load_state", "read_checkpoints"]

MOST_CHECKPOINTS = 100
"""Every one is asked about every record, and later ones say little that earlier ones do not."""

_WANTED = "a list of models in the order of the training, such as [after_epoch_5, after_epoch_10]"
_NAMED = 3


def read_checkpoints(
    given: Any, model: Any, adapt: Callable[[Any], ModelAdapter]
) -> tuple[Any, ...]:
    """Check the checkpoints of a model.

    Parameters
    ----------
    given : list or tuple, or None
        Of models like `model`, in the order of the training. Of a torch module also its state
        dicts, and paths to files of such, which are loaded into copies of the model.
    model : estimator, torch.nn.Module or callable
        What the training ended with.
    adapt : callable
        Gives the adapter of a model; raises LeakproError where it is none.

    Returns
    -------
    tuple
        The models, of which the last is `model` itself; empty where nothing was given.

    Raises
    ------
    LeakproError
        If there is none or more than 100, or one is of another kind or shape than the model, or
        shares its weights with another.
    """
    if given is None:
        return ()
    if not isinstance(given, (list, tuple)):
        raise LeakproError(f"checkpoints is a {type(given).__name__}: give {_WANTED}")
    if not given:
        raise LeakproError(f"checkpoints is empty: leave it out, or give {_WANTED}")
    if len(given) > MOST_CHECKPOINTS:
        raise LeakproError(
            f"checkpoints: {len(given):,} are too many: give at most {MOST_CHECKPOINTS}, evenly "
            "over the training"
        )
    if is_module(model):
        models = _torch_checkpoints(given, model)
    else:
        models = [_alike(entry, model, number, adapt) for number, entry in enumerate(given, 1)]
        _require_distinct([id(entry) for entry in models])
    if not _is_same(models[-1], model):
        models.append(model)
    if len(models) == 1:
        raise LeakproError(
            "checkpoints holds the model itself and nothing before it: give earlier states of the "
            "training as well"
        )
    return (*models[:-1], model)


def _alike(entry: Any, model: Any, number: int, adapt: Callable[[Any], ModelAdapter]) -> Any:
    """Check one checkpoint of a model that is no torch module."""
    where = f"checkpoint {number}"
    is_function = not hasattr(model, "fit")
    kinds = type(model), type(entry)
    if kinds[0] is not kinds[1] and not (is_function and callable(entry)):
        raise LeakproError(
            f"{where} is a {kinds[1].__name__}, the model a {kinds[0].__name__}: give models of "
            "one kind, in the order of the training"
        )
    if entry is model:
        return entry
    try:
        classes = adapt(entry).classes
    except LeakproError as error:
        raise LeakproError(f"{where}: {error}") from error
    known = adapt(model).classes
    if classes != known:
        raise LeakproError(
            f"{where} knows other classes than the model ({len(classes or ())} and "
            f"{len(known or ())} of them): give checkpoints of the same training"
        )
    widths = getattr(model, "n_features_in_", None), getattr(entry, "n_features_in_", None)
    if widths[0] != widths[1]:
        raise LeakproError(
            f"{where} takes {widths[1]} columns, the model {widths[0]}: give checkpoints of the "
            "same training"
        )
    return entry


def _torch_checkpoints(given: Any, model: Any) -> list[Any]:
    states: list[Any] = []
    for number, entry in enumerate(given, 1):
        where = f"checkpoint {number}"
        state = _state_of(entry, where)
        _require_shapes(state, model, where)
        states.append(state)
    own = _storage(model.state_dict())
    storages = [_storage(state) for state in states]
    # The last one may be the model itself, as it stands.
    _require_distinct(storages if storages[-1] == own else [*storages, own])
    models = []
    for entry, state in zip(given, states, strict=True):
        if is_module(entry):
            models.append(entry)
            continue
        models.append(_with_state(model, state))
    return models


def load_state(entry: Any, model: Any, where: str) -> Any:
    """Give a copy of a torch module with the weights of a state dict, or of a file of one.

    Parameters
    ----------
    entry : mapping or path
    model : torch.nn.Module
        Left as it is.
    where : str
        What to call the entry in errors.

    Raises
    ------
    LeakproError
        Where it is no state dict, or one of another architecture.
    """
    state = _state_of(entry, where)
    _require_shapes(state, model, where)
    return _with_state(model, state)


def _with_state(model: Any, state: Mapping[str, Any]) -> Any:
    loaded = copy.deepcopy(model)
    loaded.load_state_dict(state)
    return loaded


def _state_of(entry: Any, where: str) -> Mapping[str, Any]:
    """Give the weights of a module, a state dict or a file of one."""
    if is_module(entry):
        state: Mapping[str, Any] = entry.state_dict()
        return state
    if isinstance(entry, (str, os.PathLike)):
        entry = _loaded(entry, where)
    if not isinstance(entry, Mapping):
        raise LeakproError(
            f"{where} is a {type(entry).__name__}, and the model a torch module: give modules like "
            "it, or their state dicts"
        )
    if not all(is_tensor(value) for value in entry.values()):
        others = [str(name) for name, value in entry.items() if not is_tensor(value)][:_NAMED]
        raise LeakproError(
            f"{where} holds more than weights ({', '.join(others)}): give the state dict alone, as "
            "module.state_dict() returns it"
        )
    return entry


def _loaded(path: Any, where: str) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle's and zip's errors, too
        raise LeakproError(
            f"{where} cannot be read from {os.fspath(path)} as a state dict ({type(error).__name__}"
            "; only files of weights are loaded, nothing is unpickled): save it by "
            "torch.save(module.state_dict(), path)"
        ) from error


def _require_shapes(state: Mapping[str, Any], model: Any, where: str) -> None:
    own = model.state_dict()
    differing = [str(name) for name in (*own, *state) if (name in own) != (name in state)]
    if differing:
        raise LeakproError(
            f"{where} is of another architecture than the model: the weights "
            f"{', '.join(differing[:_NAMED])} are in one and not in the other"
        )
    for name, value in own.items():
        if tuple(value.shape) != tuple(state[name].shape):
            raise LeakproError(
                f"{where} is of another architecture than the model: {name} has shape "
                f"{tuple(state[name].shape)}, in the model {tuple(value.shape)}"
            )


def _storage(state: Mapping[str, Any]) -> tuple[int, ...]:
    """Say where weights stand in memory; modules may share some, such as a frozen part."""
    return tuple(int(value.data_ptr()) for value in state.values())


def _require_distinct(places: list[Any]) -> None:
    """Check that no two stand in the same place: then both are what came last."""
    for number, place in enumerate(places, 1):
        first = places.index(place) + 1
        if first != number:
            raise LeakproError(
                f"checkpoints {first} and {number} are one and the same object, so both are what "
                "came last: keep copy.deepcopy(model), or copy.deepcopy(model.state_dict()), as "
                "the training goes on"
            )


def _is_same(last: Any, model: Any) -> bool:
    """Tell whether the last checkpoint is the model, or a torch module with its weights."""
    if last is model:
        return True
    if not is_module(model):
        return False
    import torch

    own, other = model.state_dict(), last.state_dict()
    return all(torch.equal(value.cpu(), other[name].cpu()) for name, value in own.items())
