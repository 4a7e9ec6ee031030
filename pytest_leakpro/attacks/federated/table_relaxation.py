"""Records of a table as variables that can be moved smoothly, and several guesses made one.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.federated.quality import assigned
from pytest_leakpro.targets.column_groups import ColumnGroups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import UpdateView

__all__ = ["TableRelaxation"]

_NOT_ALIKE = 1e6
_LEAST = 1e-12


@dataclass(frozen=True, repr=False, eq=False)
class TableRelaxation:
    """Reads a table's records off free variables: numbers in units of their spread, logits.

    Attributes
    ----------
    columns : ColumnGroups
        Which columns are numbers and which one-hot groups.
    centre, spread : tensor of shape (d,)
        Of each column.
    low, high : tensor of shape (d,)
        Bounds of the variables of numbers; infinite where there are none.
    """

    columns: ColumnGroups
    centre: Any
    spread: Any
    low: Any
    high: Any

    @classmethod
    def of(cls, view: UpdateView) -> TableRelaxation:
        """Take units from the population; without one from the bounds; without those 0 and 1."""
        torch = sys.modules["torch"]
        width = view.shape[0]
        like = {"dtype": view.dtype, "device": view.device}
        centre, spread = torch.zeros(width, **like), torch.ones(width, **like)
        low = torch.full((width,), -float("inf"), **like)
        high = -low
        if view.bounds is not None:
            low, high = (torch.broadcast_to(side, (width,)) for side in view.bounds)
            finite = torch.isfinite(low) & torch.isfinite(high)
            centre = torch.where(finite, (low + high) / 2, centre)
            spread = torch.where(finite & (high > low), (high - low) / 4, spread)
        if view.population is not None:
            inputs = view.population[0]
            centre, deviations = inputs.mean(0), inputs.std(0, correction=0)
            spread = torch.where(deviations > 0, deviations, spread)
        columns = view.columns or ColumnGroups.read(None, width)
        return cls(columns, centre, spread, (low - centre) / spread, (high - centre) / spread)

    def starts(self, rng: np.random.Generator, m: int, n: int) -> Any:
        """Draw m starts for n records, of shape (m, n, d)."""
        torch = sys.modules["torch"]
        drawn = rng.normal(size=(m, n, len(self.centre)))
        start = torch.as_tensor(drawn, dtype=self.centre.dtype, device=self.centre.device)
        self.confine(start)
        return start

    def confine(self, variables: Any) -> None:
        """Bring numbers back into their bounds, in place."""
        numbers = list(self.columns.numbers)
        if numbers:
            inside = variables[..., numbers].clamp(self.low[numbers], self.high[numbers])
            variables[..., numbers] = inside

    def records(self, variables: Any) -> Any:
        """Give the records, categories as probabilities; differentiable, of the same shape."""
        torch = sys.modules["torch"]
        given = self.centre + self.spread * variables
        for group in self.columns.categories:
            places = torch.as_tensor(group, device=variables.device)
            soft = torch.softmax(variables[..., list(group)], -1)
            given = given.index_copy(-1, places, soft)
        return given

    def rounded(self, records: Any) -> Any:
        """Give the records with the likeliest category of each group."""
        torch = sys.modules["torch"]
        firm = records.clone()
        for group in self.columns.categories:
            most = records[..., list(group)].argmax(-1)
            firm[..., list(group)] = torch.nn.functional.one_hot(most, len(group)).to(firm.dtype)
        return firm

    def variables(self, records: Any) -> Any:
        """Give the variables of the numbers of records; those of categories are of no use."""
        return (records - self.centre) / self.spread

    def with_numbers(self, records: Any, variables: Any) -> Any:
        """Give the records with the numbers that variables stand for; differentiable."""
        torch = sys.modules["torch"]
        numbers = list(self.columns.numbers)
        if not numbers:
            return records
        places = torch.as_tensor(numbers, device=records.device)
        values = (self.centre + self.spread * variables)[..., numbers]
        return records.index_copy(-1, places, values)

    def pooled(
        self,
        records: NDArray[np.float64],
        labels: NDArray[Any],
        losses: NDArray[np.float64],
        *,
        weighted: bool,
    ) -> NDArray[np.float64]:
        """Make one guess of those of several starts.

        Parameters
        ----------
        records : ndarray of shape (m, n, d)
            Categories as probabilities.
        labels : ndarray of shape (m, n, ...)
            Records of different classes are not pooled.
        losses : ndarray of shape (m,)
            The records of the lowest are what the others' are assigned to.
        weighted : bool
            Whether starts weigh as the inverse of their losses, and else alike.

        Returns
        -------
        ndarray of shape (n, d)
            Medians of numbers and means of probabilities.

        References
        ----------
        Vero, Balunović, Dimitrov and Vechev (2023), TabLeak: tabular data leakage in federated
        learning, ICML, section 4 (pooled ensembling).
        """
        best = int(np.argmin(losses))
        centre, spread = (
            side.cpu().numpy().astype(np.float64) for side in (self.centre, self.spread)
        )
        scaled = records.copy()
        numbers = list(self.columns.numbers)
        scaled[..., numbers] = (records[..., numbers] - centre[numbers]) / spread[numbers]
        moved = np.empty_like(records)
        for place, mine in enumerate(scaled):
            cost = np.square(scaled[best][:, None, :] - mine[None, :, :]).sum(-1)
            if labels.ndim == 2 and np.issubdtype(labels.dtype, np.integer):
                cost += _NOT_ALIKE * (labels[best][:, None] != labels[place][None, :])
            moved[place] = records[place][assigned(cost)]
        weights = 1 / (losses + _LEAST) if weighted else np.ones(len(losses))
        weights = weights / weights.sum()
        pooled: NDArray[np.float64] = np.tensordot(weights, moved, axes=1)
        pooled[:, numbers] = _medians(moved[..., numbers], weights)
        return pooled


def _medians(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give weighted medians along the first axis; of two in the middle the lower one."""
    order = np.argsort(values, axis=0, kind="stable")
    reached = np.cumsum(weights[order], axis=0) >= 0.5 - 1e-12
    first = np.take_along_axis(order, reached.argmax(axis=0)[None], axis=0)
    found: NDArray[np.float64] = np.take_along_axis(values, first, axis=0)[0]
    return found
