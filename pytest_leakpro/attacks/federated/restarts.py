"""Gradient descent from several starts at once.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.attacks.federated.watch import Watch

__all__ = ["Descent", "descend"]

_ASKED = 20
_DECAY = (0.9, 0.999)
_LEAST = 1e-16


@dataclass(frozen=True, repr=False, eq=False)
class Descent:
    """Where a descent came to.

    Attributes
    ----------
    places : list of tensor of shape (m, ...)
        The best place of each start.
    losses : tensor of shape (m,)
        The objective there.
    """

    places: list[Any]
    losses: Any


def descend(
    starts: Sequence[Any],
    objective: Callable[[Sequence[Any]], Any],
    *,
    steps: int,
    rates: Any,
    watch: Watch,
    what: str,
    confine: Callable[[Sequence[Any]], None] | None = None,
    enough: float = 0.0,
    done: Callable[[Sequence[Any]], bool] | None = None,
) -> Descent:
    """Lower an objective from each start by Adam, with a step size that falls to zero.

    Parameters
    ----------
    starts : sequence of tensor of shape (m, ...)
        The variables, m starts of each.
    objective : callable
        ``objective(variables)`` gives the m values; each depends on its own start alone.
    steps : int
        How many.
    rates : tensor of shape (m,)
        The first step size of each start.
    watch : Watch
        Ends it early.
    what : str
        What is searched for, for those who wait.
    confine : callable, optional
        Brings variables back into their bounds, in place.
    enough : float
        The search ends where some start is below.
    done : callable, optional
        ``done(variables)`` is asked every 20 steps whether they tell what is sought.

    References
    ----------
    Kingma and Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 1.
    """
    torch = sys.modules["torch"]
    places = [start.detach().clone().requires_grad_(True) for start in starts]
    best = [place.detach().clone() for place in places]
    lowest = torch.full_like(rates, float("inf"))
    means = [torch.zeros_like(place) for place in places]
    squares = [torch.zeros_like(place) for place in places]
    for step in range(steps + 1):
        values = objective(places)
        _keep(best, lowest, places, values.detach())
        ended = step == steps or bool(lowest.min() < enough)
        if done is not None and step % _ASKED == _ASKED - 1:
            ended = ended or done(best)
        if ended or watch.over(f"{what}: step {step} of {steps}"):
            break
        slopes = torch.autograd.grad(values.sum(), places, allow_unused=True)
        left = 1 - step / steps
        with torch.no_grad():
            for place, slope, mean, square in zip(places, slopes, means, squares, strict=True):
                if slope is None:
                    continue
                slope = torch.nan_to_num(slope, posinf=0.0, neginf=0.0)
                mean.lerp_(slope, 1 - _DECAY[0])
                square.lerp_(slope.square(), 1 - _DECAY[1])
                ahead = mean / (1 - _DECAY[0] ** (step + 1))
                size = (square / (1 - _DECAY[1] ** (step + 1))).sqrt() + _LEAST
                place -= (left * rates).reshape(-1, *[1] * (place.dim() - 1)) * ahead / size
            if confine is not None:
                confine(places)
    return Descent(best, lowest)


def _keep(best: list[Any], lowest: Any, places: Sequence[Any], values: Any) -> None:
    """Note the places of starts that are lower than ever, in place."""
    torch = sys.modules["torch"]
    better = torch.nan_to_num(values, nan=float("inf")) < lowest
    lowest[better] = values[better]
    for kept, place in zip(best, places, strict=True):
        kept[better] = place.detach()[better]
