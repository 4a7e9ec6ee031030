"""Exact recovery from a first fully connected layer.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.federated.linear_layers import first_linear
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.row_ratios import records_from_rows, single_record
from pytest_leakpro.targets.containers import as_numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["FirstLayer", "flat_bounds"]


@dataclass(frozen=True)
class FirstLayer(UpdateAttack):
    """Divide the gradient of the first layer's weights by that of its biases.

    Of one record that gives the record exactly. Of several it gives those that drive some neuron
    alone: behind a ReLU, many of a small batch.

    References
    ----------
    Phong, Aono, Hayashi, Wang and Moriai (2018), Privacy-preserving deep learning via additively
    homomorphic encryption, IEEE TIFS 13, section III.
    Geiping, Bauermeister, Dröge and Moeller (2020), Inverting gradients: how easy is it to break
    privacy in federated learning?, NeurIPS, proposition 3.1.
    Boenisch et al. (2023), When the curious abandon honesty: federated learning is not private,
    EuroS&P, section 4 (several records, by neurons that one alone activates).
    """

    name: ClassVar[str] = "first_layer"
    forms: ClassVar[tuple[str, ...]] = ("images", "table")
    rank: ClassVar[int] = 301

    def mismatch(self, target: Any) -> str | None:
        """Say why the attack does not match a target; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and not target.starts_linear:
            reason = "the model does not begin with a fully connected layer that has a bias"
        return reason

    def rebuild(
        self,
        view: UpdateView,
        rng: np.random.Generator,  # noqa: ARG002 - nothing is drawn
        say: Callable[[str], None],  # noqa: ARG002 - it takes no time
    ) -> Rebuilt:
        """Divide row by row; see `UpdateAttack.rebuild`."""
        torch = sys.modules["torch"]
        layer = first_linear(view)
        assert layer is not None
        assert layer.bias is not None
        weight, bias = as_numpy(layer.weight), as_numpy(layer.bias)
        if view.n_records == 1:
            one = single_record(weight, bias)
            found = np.empty((0, weight.shape[1])) if one is None else one[None]
        else:
            found = records_from_rows(weight, bias, view.n_records, flat_bounds(view))
        rows = torch.as_tensor(found, dtype=view.dtype, device=view.device)
        return Rebuilt(rows.reshape(len(rows), *view.shape))


def flat_bounds(view: UpdateView) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None:
    """Give the bounds of a flattened record, each of shape (d,); None where there are none."""
    torch = sys.modules["torch"]
    if view.bounds is None:
        return None
    low, high = (as_numpy(torch.broadcast_to(side, view.shape)).reshape(-1) for side in view.bounds)
    return low, high
