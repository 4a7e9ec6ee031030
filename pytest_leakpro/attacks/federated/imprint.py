"""A malicious server: an imprint layer in front of the model, which sorts records into bins.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.federated.base_attack import UpdateAttack
from pytest_leakpro.attacks.federated.blind_guess import drawn_records
from pytest_leakpro.attacks.federated.first_layer import flat_bounds
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.attacks.federated.row_ratios import records_from_rows
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import as_numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["Imprint"]

_PROBES = 2000


@dataclass(frozen=True)
class Imprint(UpdateAttack):
    """Send the model with a layer in front whose neurons cut one measure of the records into bins.

    The gradients of two neurons that follow each other differ by the records of one bin; alone in
    it, a record is recovered exactly, whatever the batch size. A client that refuses the model, for
    example since it has more weights than agreed on, is not attacked: that is what is checked.

    Parameters
    ----------
    bins : int
        Number of neurons, at least 2.

    References
    ----------
    Fowl, Geiping, Czaja, Goldblum and Goldstein (2022), Robbing the Fed: directly obtaining private
    data in federated learning with modified models, ICLR, section 3.
    """

    name: ClassVar[str] = "imprint"
    forms: ClassVar[tuple[str, ...]] = ("images", "table")
    needs_malicious: ClassVar[bool] = True
    needs_also: ClassVar[str] = "a malicious server"
    rank: ClassVar[int] = 300

    bins: int = 256

    def __post_init__(self) -> None:
        if not isinstance(self.bins, int) or isinstance(self.bins, bool) or self.bins < 2:
            raise LeakproError("imprint: bins is a whole number of at least 2")

    def rebuild(
        self,
        view: UpdateView,
        rng: np.random.Generator,
        say: Callable[[str], None],  # noqa: ARG002 - it takes no time
    ) -> Rebuilt:
        """Send the imprinted model and read its bins; see `UpdateAttack.rebuild`."""
        assert view.respond is not None
        probes = as_numpy(drawn_records(view, _PROBES, rng)).reshape(_PROBES, -1)
        direction = rng.normal(size=probes.shape[1]) / np.sqrt(probes.shape[1])
        cuts = _cuts(probes @ direction, self.bins)
        model = _imprinted(view, direction, cuts)
        try:
            update = view.respond(model)
        except Exception as error:
            return Rebuilt(
                remark=f"the client did not answer to the imprinted model ({type(error).__name__}),"
                " which is what a client should do"
            )
        weight, bias = (as_numpy(part).astype(np.float64) for part in update[:2])
        # Bins are the differences of neurons: each sees the records above its own cut.
        weight, bias = (
            np.concatenate([part[:-1] - part[1:], part[-1:]]) for part in (weight, bias)
        )
        found = _alone(weight, bias, view.n_records, flat_bounds(view))
        torch = sys.modules["torch"]
        rows = torch.as_tensor(found, dtype=view.dtype, device=view.device)
        return Rebuilt(rows.reshape(len(rows), *view.shape))


def _cuts(measures: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Give cuts between which the measure of a record falls about equally often."""
    from scipy.stats import norm

    centre, spread = measures.mean(), measures.std() or 1.0
    # A normal law rather than quantiles, so that bins go on beyond what was seen.
    cuts: NDArray[np.float64] = centre + spread * norm.ppf((np.arange(bins) + 0.5) / (bins + 1))
    return cuts


def _alone(
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    n: int,
    bounds: tuple[NDArray[Any], NDArray[Any]] | None,
) -> NDArray[np.float64]:
    """Give the records of the n fullest bins; empty ones differ by rounding only."""
    full = np.argsort(-np.abs(bias), kind="stable")[:n]
    return records_from_rows(weight[full], bias[full], n, bounds)


def _imprinted(view: UpdateView, direction: NDArray[Any], cuts: NDArray[Any]) -> Any:
    """Give the model with the imprint in front; its weights come first of all."""
    torch = sys.modules["torch"]

    class Imprinted(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.measure = torch.nn.Linear(len(direction), len(cuts))
            self.model = copy.deepcopy(view.model)

        def forward(self, inputs: Any) -> Any:
            bins = torch.relu(self.measure(inputs.flatten(1)))
            # All neurons act on the model alike, so that their gradients can be subtracted.
            return self.model(inputs + bins.mean(1).reshape(-1, *[1] * (inputs.dim() - 1)))

    model = Imprinted().to(device=view.device, dtype=view.dtype)
    rows = np.repeat(direction[None], len(cuts), axis=0)
    with torch.no_grad():
        model.measure.weight.copy_(torch.as_tensor(rows))
        model.measure.bias.copy_(torch.as_tensor(-cuts))
    model.train(view.model.training)
    return model
