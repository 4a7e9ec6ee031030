"""What training one module and training many have in common: weights, minibatches, loss.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.torch_model import as_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = [
    "Order",
    "check_loss",
    "fused",
    "image_layout",
    "inputs_on",
    "kept_epochs",
    "labels_on",
    "loss_function",
    "new_modules",
    "one_optimiser",
    "order_of",
    "seeded",
    "trained_parameters",
]

# Torch has one random state per process, so only one thread at a time may seed it.
_RANDOM_STATE = threading.RLock()
_FUSED_SINCE = (2, 4)
_FEW = 4


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch's own random state, and put it back afterwards."""
    import torch

    # fork_rng takes the numbers of CUDA devices, and would save all of them by default.
    on_gpu = torch.device(device).type == "cuda"
    devices = [torch.device(device).index or 0] if on_gpu else []
    with _RANDOM_STATE, torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def new_modules(factory: Callable[[], Any], seeds: Sequence[int], device: str) -> list[Any]:
    """Make untrained modules, each as its seed wants it.

    Raises
    ------
    LeakproError
        If the factory returns something else, nothing that can be trained, or one module twice.
    """
    import torch

    modules = []
    for seed in seeds:
        with seeded(seed, device):
            module = factory()
        if not isinstance(module, torch.nn.Module):
            raise LeakproError(
                f"TorchTrainer: module() returned a {type(module).__name__}: it must return a new "
                "torch.nn.Module"
            )
        modules.append(module.to(device))
    if not trained_parameters(modules[0]):
        raise LeakproError("TorchTrainer: module() returned a module without weights to train")
    where = [{value.data_ptr() for _, value in trained_parameters(module)} for module in modules]
    if len(where) > 1 and (modules[0] is modules[1] or where[0] & where[1]):
        raise LeakproError(
            "TorchTrainer: module() returned the same module twice, or two that share weights: "
            "make a new one in it each time, as in lambda: Net()"
        )
    return modules


def trained_parameters(module: Any) -> list[tuple[str, Any]]:
    """Give the weights that are trained, with their names: frozen ones stay as they are."""
    return [pair for pair in module.named_parameters() if pair[1].requires_grad]


def inputs_on(device: str, X: Any, module: Any) -> Any:
    """Give records as one tensor, in the floating type of a module; it is not to be written to."""
    import torch

    tensor = as_tensor(X, shared=True).detach()
    if tensor.is_floating_point():
        kinds = [value.dtype for value in module.parameters() if value.is_floating_point()]
        tensor = tensor.to(dtype=kinds[0] if kinds else torch.float32)
    return tensor.to(device)


def labels_on(device: str, y: Any, loss: Any) -> Any:
    """Give labels as one tensor: whole numbers for cross entropy, else 32-bit where floating.

    Raises
    ------
    LeakproError
        If classes are not numbered from 0.
    """
    import torch

    try:
        tensor = as_tensor(y).detach()
    except LeakproError:
        tensor = None
    if loss == "cross_entropy":
        if tensor is None or tensor.is_complex() or bool((tensor != tensor.long()).any()):
            raise LeakproError(
                "TorchTrainer: cross_entropy takes classes as the whole numbers 0, 1, …, and y "
                "holds something else: encode it, or give a loss of your own"
            )
        tensor = tensor.long()
        if tensor.ndim == 2 and tensor.shape[1] == 1:
            tensor = tensor[:, 0]
        if tensor.ndim != 1 or int(tensor.min()) < 0:
            raise LeakproError(
                "TorchTrainer: cross_entropy takes one class per record, counted from 0"
            )
    elif tensor is None:
        raise LeakproError("TorchTrainer: y holds no numbers: encode it")
    elif loss == "mse" or tensor.dtype == torch.float64:
        tensor = tensor.to(torch.float32)
    return tensor.to(device)


def loss_function(loss: Any) -> Callable[[Any, Any], Any]:
    """Give the function from outputs and targets to the mean over the minibatch."""
    if loss == "cross_entropy":
        return _cross_entropy
    if loss == "mse":
        return _mean_square
    function: Callable[[Any, Any], Any] = loss
    return function


def _cross_entropy(outputs: Any, targets: Any) -> Any:
    import torch

    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise LeakproError(
            f"TorchTrainer: cross_entropy takes one output per class, and the module returned "
            f"shape {tuple(outputs.shape)} on {len(targets)} records: give it at least two "
            "outputs, or a loss of your own"
        )
    return torch.nn.functional.cross_entropy(outputs, targets)


def _mean_square(outputs: Any, targets: Any) -> Any:
    if outputs.numel() != targets.numel():
        raise LeakproError(
            f"TorchTrainer: the module returned shape {tuple(outputs.shape)} for targets of shape "
            f"{tuple(targets.shape)}: mse takes as many outputs as targets"
        )
    return (outputs.reshape(targets.shape) - targets).square().mean()


def check_loss(loss: Any) -> Any:
    """Check that a loss is one number.

    Raises
    ------
    LeakproError
        If it is a vector, or no tensor.
    """
    shape = getattr(loss, "shape", None)
    if shape is None or len(shape):
        what = f"shape {tuple(shape)}" if shape is not None else f"a {type(loss).__name__}"
        raise LeakproError(
            f"TorchTrainer: the loss returned {what}: it must return the mean over the minibatch, "
            "as a tensor without axes"
        )
    return loss


class Order:
    """The order in which one model sees its records, epoch by epoch; see `order_of`."""

    def __init__(self, seed: int, n_records: int) -> None:
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._n_records = n_records

    def epoch(self) -> Any:
        """Give the positions of the records in the next epoch, as a tensor of int64."""
        import torch

        return torch.from_numpy(self._random.permutation(self._n_records))


def order_of(seed: int, n_records: int) -> Order:
    """Give the order that follows from a seed.

    Raises
    ------
    LeakproError
        Where there are no records.
    """
    if n_records == 0:
        raise LeakproError("TorchTrainer: there are no records to train on")
    return Order(seed, n_records)


def kept_epochs(epochs: int, checkpoints: int) -> list[int]:
    """Give the epochs, counted from 0, after which a state is kept: evenly, the last of them too.

    Returns
    -------
    list of int
        As many as `checkpoints`, of which there are at most as many as epochs.
    """
    return [(place * epochs) // checkpoints - 1 for place in range(1, checkpoints + 1)]


def image_layout(module: Any, loss: Callable[[Any, Any], Any], inputs: Any, labels: Any) -> Any:
    """Give the order of axes in memory by which convolutions on a CPU are fastest.

    Channels last, which saves a third of the time of a small network, unless the module or the
    loss takes views that only the usual order allows.

    Parameters
    ----------
    module : torch.nn.Module
        In training mode; it is tried as a copy.
    loss : callable
        As `loss_function` gives it.
    inputs, labels : Tensor
        Of which the first few are tried.

    Returns
    -------
    torch.memory_format
    """
    import torch

    usual = torch.contiguous_format
    convolves = any(isinstance(layer, torch.nn.Conv2d) for layer in module.modules())
    if inputs.device.type != "cpu" or inputs.ndim != 4 or not convolves:
        return usual
    try:
        trial = copy.deepcopy(module).to(memory_format=torch.channels_last)
        # A copy: a module may write into what it is given.
        few = inputs[:_FEW].clone(memory_format=torch.channels_last)
        loss(trial(few), labels[:_FEW]).backward()
    except Exception:
        # What is wrong in any order is raised again by the training itself.
        return usual
    return torch.channels_last


def fused(device: str) -> bool:
    """Tell whether this torch updates all weights in one pass on a device."""
    import torch

    version = tuple(map(int, torch.__version__.split("+")[0].split(".")[:2]))
    return torch.device(device).type == "cuda" or version >= _FUSED_SINCE


def one_optimiser(trainer: TorchTrainer, parameters: list[Any]) -> Any:
    """Give torch's optimiser for one module."""
    import torch

    settings: dict[str, Any] = {
        "lr": trainer.lr,
        "weight_decay": trainer.weight_decay,
        "fused": fused(trainer.device),
    }
    if trainer.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=trainer.momentum, **settings)
    kind = torch.optim.Adam if trainer.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, **settings)
