"""How many torch modules are trained at once: by a fixed table, from what the module is made of.

The way changes the last bits of the figures, so neither a stopwatch nor free memory has a say.
`benchmarks/stacked_training.py` measured what the table says.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["Way", "group_size", "known_layers", "obstacle", "way_for"]

# Weights of one module from which on its own matrix products keep a machine busy.
_LARGE = 4_000_000
# Of a stack's weights with their gradients and moments: on a CPU what its caches hold.
_STACK_BYTES = {"cpu": 4 << 20, "cuda": 2 << 30}
_LARGEST_GROUP = {"cpu": 16, "cuda": 1024}
_COPIES = 4

_ELEMENTWISE = (
    "ReLU",
    "ReLU6",
    "LeakyReLU",
    "ELU",
    "SELU",
    "CELU",
    "GELU",
    "SiLU",
    "Mish",
    "Tanh",
    "Sigmoid",
    "Softplus",
    "Hardtanh",
    "Hardswish",
    "Identity",
)


@dataclass(frozen=True)
class Way:
    """How shadow models are trained together.

    Attributes
    ----------
    name : {"products", "vmap", "processes"}
    reason : str
        Why, in words.
    group : int
        How many are stacked; 1 where none are.
    bytes : int
        What the weights of one group take, with their gradients and moments.
    """

    name: str
    reason: str
    group: int = 1
    bytes: int = 0

    @property
    def mark(self) -> str:
        """What of it changes figures."""
        return f"{self.name} {self.group}"

    @property
    def stacked(self) -> bool:
        """Whether models share one program."""
        return self.name != "processes"

    def __str__(self) -> str:
        words = {
            "products": f"{self.group} at a time as batched matrix products",
            "vmap": f"{self.group} at a time through torch.func",
            "processes": "one by one in processes",
        }
        return f"shadow models were trained {words[self.name]} ({self.reason})"


def way_for(trainer: TorchTrainer, module: Any, n_models: int) -> Way:
    """Choose how to train many modules.

    Parameters
    ----------
    trainer : TorchTrainer
        Its `stack` and `group` are kept to.
    module : torch.nn.Module
        One of them; only its layers and their shapes count.
    n_models : int
        How many there will be.

    Returns
    -------
    Way

    Raises
    ------
    LeakproError
        If the way that was asked for cannot train this module.
    """
    device = trainer.device.partition(":")[0]
    if trainer.stack is not None:
        name, reason = trainer.stack, f"stack={trainer.stack!r}"
        hindrance = obstacle(name, module)
        if hindrance:
            raise LeakproError(f"TorchTrainer: {reason} is not possible: {hindrance}")
    else:
        name, reason = _by_table(module, device)
    if name == "processes":
        return Way(name, reason)
    group = min(trainer.group or group_size(module, n_models, device), n_models)
    return Way(name, reason, group, group * _bytes_each(module))


def obstacle(name: str, module: Any) -> str:
    """Say what keeps a way from training a module; empty where nothing that can be seen does.

    Parameters
    ----------
    name : {"products", "vmap", "processes"}
    module : torch.nn.Module
    """
    if name == "processes":
        return ""
    return _cannot_be_stacked(module) or (_unknown_layer(module) if name == "products" else "")


def _by_table(module: Any, device: str) -> tuple[str, str]:
    unstackable = _cannot_be_stacked(module)
    if unstackable:
        return "processes", f"{unstackable}, so they cannot be stacked"
    unknown = _unknown_layer(module)
    if not unknown:
        if device == "cpu" and _n_weights(module) > _LARGE:
            return "processes", f"on a CPU nothing is gained above {_LARGE:,} weights"
        return "products", "a sequence of known layers"
    if device == "cpu" and _has_convolutions(module):
        return "processes", "on a CPU stacked convolutions are slower than single ones"
    return "vmap", unknown


def group_size(module: Any, n_models: int, device: str) -> int:
    """Give how many models are stacked: as many as a fixed amount of memory holds, shared evenly.

    Parameters
    ----------
    module : torch.nn.Module
    n_models : int
        At least 1.
    device : str
        Its kind, as ``"cpu"``.

    Returns
    -------
    int
        At least 1, at most `n_models`.
    """
    kind = "cpu" if device == "cpu" else "cuda"
    fitting = max(1, _STACK_BYTES[kind] // _bytes_each(module))
    # On a CPU groups are trained side by side, so there are two even of few models.
    share = -(-n_models // 2) if kind == "cpu" else n_models
    most = min(share, _LARGEST_GROUP[kind], fitting)
    n_groups = -(-n_models // most)
    return -(-n_models // n_groups)


def known_layers(module: Any) -> list[Any] | None:
    """Give the layers of a sequence that batched matrix products can do, in their order.

    Returns
    -------
    list of torch.nn.Module or None
        None where it is no such sequence.
    """
    return None if _unknown_layer(module) else list(_leaves(module))


def _leaves(module: Any) -> Any:
    from torch import nn

    if type(module).forward is nn.Sequential.forward:
        for child in module:
            yield from _leaves(child)
    else:
        yield module


def _unknown_layer(module: Any) -> str:
    """Name the first layer that is not known, in words; empty where all are."""
    from torch import nn

    elementwise = {getattr(nn, name) for name in _ELEMENTWISE}
    for layer in _leaves(module):
        kind = type(layer)
        flattens = kind is nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1)
        if kind not in {nn.Linear, nn.LayerNorm, nn.Dropout, *elementwise} and not flattens:
            return f"{kind.__name__} is no layer that batched matrix products can do"
    if _has_hooks(module):
        return "it has hooks, which batched matrix products leave out"
    return ""


def _cannot_be_stacked(module: Any) -> str:
    """Say what keeps a module from being stacked at all; empty where nothing does."""
    from torch import nn

    for layer in module.modules():
        name = type(layer).__name__
        if isinstance(layer, nn.modules.batchnorm._NormBase) and (
            isinstance(layer, nn.modules.batchnorm._BatchNorm) or layer.track_running_stats
        ):
            return f"{name} keeps running statistics of each model (GroupNorm or LayerNorm do not)"
        if isinstance(layer, (nn.RNNBase, nn.RNNCellBase)):
            return f"{name} is a recurrent layer, which torch.func does not stack"
        if isinstance(layer, nn.modules.lazy.LazyModuleMixin):
            return f"{name} has no shape before its first call"
        if hasattr(layer, "parametrizations"):
            return "it has parametrised weights"
    kinds = {value.dtype for value in module.parameters()}
    if len(kinds) > 1 or not next(iter(kinds)).is_floating_point:
        return "its weights are of several types"
    return ""


def _has_convolutions(module: Any) -> bool:
    from torch import nn

    return any(isinstance(layer, nn.modules.conv._ConvNd) for layer in module.modules())


def _has_hooks(module: Any) -> bool:
    return any(
        layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks
        for layer in module.modules()
    )


def _bytes_each(module: Any) -> int:
    return _COPIES * sum(
        int(value.numel()) * int(value.element_size()) for value in module.parameters()
    )


def _n_weights(module: Any) -> int:
    return sum(int(value.numel()) for value in module.parameters())
