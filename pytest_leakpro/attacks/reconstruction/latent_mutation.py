"""A search without gradients through what a generator can make, for what a model is sure of.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.reconstruction.latent_prior import LatentPrior, require_finite

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

__all__ = ["LatentMutation"]

# One fifth of the mutations succeed where their length is right.
_LONGER, _SHORTER = 1.5, 0.9


@dataclass(frozen=True, repr=False, eq=False)
class LatentMutation:
    """Searches by mutations of which the better ones stay, of every start by itself.

    Attributes
    ----------
    prior : LatentPrior
    ask : callable
        ``ask(records, labels)`` gives the margins of records of shape (n, ...), as float64 of
        shape (n,).
    steps : int
        At most how many mutations of each.
    step_size : float
        The length of a coordinate of the first, in standard deviations; those that follow get
        longer by half after a success and shorter by a tenth after a failure.
    enough : float
        The margin beyond which nothing more is wanted, nor asked.

    References
    ----------
    Rechenberg (1973), Evolutionsstrategie: the rule of one success in five.
    """

    prior: LatentPrior
    ask: Callable[[Any, Any], Any]
    steps: int
    step_size: float
    enough: float

    def run(
        self, z: Any, labels: Any, rng: np.random.Generator, tell: Callable[[str], None]
    ) -> tuple[Any, Any]:
        """Search from each start for a record of a class; see `LatentClimb.run`."""
        torch = sys.modules["torch"]
        with torch.no_grad():
            kept = self.prior.records(z, labels).detach().clone()
            require_finite(kept, "the generator")
            best = self.ask(kept, labels)
            length = torch.full((len(z), 1), self.step_size, dtype=z.dtype, device=z.device)
            z = z.clone()
            for step in range(self.steps):
                rows = torch.nonzero(best < self.enough)[:, 0]
                tell(f"step {step} of {self.steps}, {len(rows)} unsure")
                if len(rows) == 0:
                    break
                noise = self.prior.tensor(rng.standard_normal((len(rows), z.shape[1])))
                tried = self.prior.within(z[rows] + length[rows] * noise)
                records = self.prior.records(tried, labels[rows]).detach()
                margins = self.ask(records, labels[rows])
                better = margins > best[rows]
                length[rows] *= torch.where(better, _LONGER, _SHORTER)[:, None].to(length)
                won = rows[better]
                z[won], kept[won], best[won] = tried[better], records[better], margins[better]
        return kept, best
