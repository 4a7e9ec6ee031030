"""Records at random, where only the time that training takes is asked for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["drawn_records", "read_shape"]


def read_shape(text: str) -> tuple[int, ...]:
    """Read ``1,28,28``: the shape of one record.

    Raises
    ------
    LeakproError
        Where these are no whole numbers of at least 1.
    """
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) >= 1 for part in parts):
        raise LeakproError(
            f"--shape is {printable(text, 100)!r}: give the shape of one record, such as 20 or "
            "1,28,28"
        )
    return tuple(map(int, parts))


def drawn_records(
    trainer: TorchTrainer, n_records: int, shape: tuple[int, ...] | None
) -> tuple[Any, Any]:
    """Draw records that a trainer takes.

    Parameters
    ----------
    trainer : TorchTrainer
    n_records : int
        At least 1.
    shape : tuple of int, optional
        Of one record; by default what the first layer takes, where that is a Linear.

    Returns
    -------
    X : ndarray of float32, shape (n_records, ...)
    y : ndarray, shape (n_records, ...)
        Classes, or numbers for the loss mse.

    Raises
    ------
    LeakproError
        Where the shape cannot be told, the module does not take such records, or the loss is one
        of the user's own.
    """
    import numpy as np
    import torch

    from pytest_leakpro.targets.torch_training import new_modules

    if callable(trainer.loss):
        raise LeakproError(
            "what labels a loss of your own takes cannot be told: give records with --data"
        )
    module = new_modules(trainer.module, [0, 0], "cpu")[0].eval()
    shape = shape or _shape_for(module)
    random = np.random.default_rng(0)
    X = random.standard_normal((n_records, *shape), dtype=np.float32)
    kind = next(module.parameters()).dtype
    try:
        with torch.no_grad():
            outputs = module(torch.from_numpy(X[:2]).to(kind))
    except Exception as error:
        raise LeakproError(
            f"the module does not take random records of shape {shape}: give their shape with "
            "--shape, or records with --data "
            f"({type(error).__name__}: {printable(str(error), 200)})"
        ) from error
    if trainer.loss == "mse":
        return X, random.standard_normal((n_records, *outputs.shape[1:]), dtype=np.float32)
    # Where there is not one output per class the trainer says so.
    n_classes = outputs.shape[1] if outputs.ndim == 2 else 1
    return X, random.integers(0, n_classes, n_records)


def _shape_for(module: Any) -> tuple[int, ...]:
    from torch import nn

    passing = (nn.Flatten, nn.Dropout, nn.Identity)
    layers = [layer for layer in module.modules() if not list(layer.children())]
    first = next((layer for layer in layers if not isinstance(layer, passing)), None)
    if not isinstance(first, nn.Linear):
        raise LeakproError(
            f"the shape of a record cannot be told from a {type(module).__name__} that begins "
            f"with {type(first).__name__}: give it with --shape, such as --shape 1,28,28, or "
            "records with --data"
        )
    return (int(first.in_features),)
