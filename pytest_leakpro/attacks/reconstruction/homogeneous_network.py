"""Networks of which one number times all weights changes nothing but the size of the outputs.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.end_layers import model_outputs
from pytest_leakpro.targets.torch_model import evaluating, is_module, tensor_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HomogeneousNetwork", "homogeneous_network"]

_PASSED_OVER = ("Flatten", "Identity", "ReLU")
_PROBES = 16
_TOLERANCE = 1e-3


@dataclass(frozen=True, repr=False, eq=False)
class HomogeneousNetwork:
    """Fully connected layers with ReLU between them, a bias in the first one alone, one output.

    Attributes
    ----------
    weights : tuple of ndarray of shape (out, in)
        At least two; the last one of shape (1, in): of two outputs the second less the first.
    bias : ndarray of shape (out,)
        The first layer's.
    """

    weights: tuple[NDArray[np.float64], ...]
    bias: NDArray[np.float64]

    @property
    def start(self) -> float:
        """About half the length of a training record.

        Rows of the first layer are sums of records, biases the sums of the same factors.
        """
        bias = float(np.linalg.norm(self.bias))
        return float(np.linalg.norm(self.weights[0])) / (2 * bias) if bias > 0 else 1.0

    def __call__(self, records: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the output on records of shape (n, d), shape (n,)."""
        values = records @ self.weights[0].T + self.bias
        for weight in self.weights[1:]:
            values = np.maximum(values, 0) @ weight.T
        return values[:, 0]


def homogeneous_network(model: Any, shape: tuple[int, ...] | None) -> HomogeneousNetwork | str:
    """Read a model as such a network, or say why it is none.

    Parameters
    ----------
    model : object
        A torch module, or else it is none.
    shape : tuple of int, or None
        Of one record; None where they differ.

    Returns
    -------
    HomogeneousNetwork or str
        What the module computes is compared on a few made-up records, so that it does not matter
        where its ReLUs stand; nothing of it is changed.
    """
    if not is_module(model):
        return "it reads the layers of a torch module"
    torch = sys.modules["torch"]
    leaves = [part for part in model.modules() if next(part.children(), None) is None]
    layers = [part for part in leaves if isinstance(part, torch.nn.Linear)]
    strange = {
        type(part).__name__
        for part in leaves
        if not isinstance(part, torch.nn.Linear) and type(part).__name__ not in _PASSED_OVER
    }
    if strange:
        return (
            "it takes fully connected layers with ReLU between them, and the module has "
            f"{', '.join(sorted(strange))}"
        )
    if len(layers) < 2:
        return "it takes networks with at least one hidden layer"
    if layers[0].bias is None:
        return "without a bias in the first layer nothing tells how large records are"
    if any(layer.bias is not None for layer in layers[1:]):
        return (
            "with biases after the first layer the network is not homogeneous, and no stationarity "
            "conditions are known: build these layers with bias=False"
        )
    if layers[-1].out_features > 2:
        return f"it takes networks of two classes, and the module has {layers[-1].out_features}"
    return _checked(model, layers, shape)


def _checked(
    model: Any, layers: list[Any], shape: tuple[int, ...] | None
) -> HomogeneousNetwork | str:
    """Read the weights, and compare with what the module itself computes."""
    weights = [_array(layer.weight) for layer in layers]
    if shape is None or int(np.prod(shape)) != weights[0].shape[1]:
        return "its first layer does not take the records as they are"
    if any(after.shape[1] != before.shape[0] for before, after in pairwise(weights)):
        return "its layers do not follow one on another"
    if len(weights[-1]) == 2:
        weights[-1] = weights[-1][1:] - weights[-1][:1]
    network = HomogeneousNetwork(tuple(weights), _array(layers[0].bias))
    probes = np.random.default_rng(0).normal(size=(_PROBES, *shape))
    with evaluating(model):
        returned = _array(model_outputs(model, tensor_for(model, probes)))
    returned = returned.reshape(_PROBES, -1)
    outputs = returned[:, -1] - (returned[:, 0] if returned.shape[1] == 2 else 0)
    difference = np.abs(outputs - network(probes.reshape(_PROBES, -1))).max()
    if not difference <= _TOLERANCE * np.abs(returned).max():
        return "the module computes something else than its layers one after another with ReLU"
    return network


def _array(tensor: Any) -> NDArray[np.float64]:
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float64)
