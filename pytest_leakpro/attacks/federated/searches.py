"""Searches for the records of which an update is.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_leakpro.attacks.federated.watch import Watch

__all__ = ["Found", "quasi_newton", "signed_descent"]

_STRIDE = 10
_MEMORY = 30
_SCALE = 1e4  # of the value that is minimised: the optimiser compares changes with constants


@dataclass(frozen=True, repr=False, eq=False)
class Found:
    """Where a search ended, and the value there; infinite where it found nothing finite."""

    point: tuple[Any, ...]
    value: float


def signed_descent(
    objective: Callable[..., Any],
    start: tuple[Any, ...],
    *,
    steps: int,
    step_size: float,
    within: Callable[[Any], Any],
    watch: Watch,
) -> Found:
    """Minimise by Adam on the signs of the gradient, with a rate that falls at 3/8, 5/8 and 7/8.

    Parameters
    ----------
    objective : callable
        ``objective(*point)`` gives a scalar.
    start : tuple of tensor
        The first of them is kept within bounds.
    steps : int
        How many.
    step_size : float
        The first rate.
    within : callable
        Brings the first tensor within its bounds.
    watch : Watch
        May end it.

    Returns
    -------
    Found
        The best point, not the last.

    References
    ----------
    Geiping et al. (2020), Inverting gradients: how easy is it to break privacy in federated
    learning?, NeurIPS, section 5 and appendix A.
    """
    torch = sys.modules["torch"]
    point = [part.detach().clone().requires_grad_() for part in start]
    optimiser = torch.optim.Adam(point, lr=step_size)
    falls = [steps * eighth // 8 for eighth in (3, 5, 7)]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, falls, gamma=0.1)
    best = Found(tuple(part.detach().clone() for part in point), math.inf)
    for step in range(steps):
        value = objective(*point)
        slopes = torch.autograd.grad(value, point)
        reached = float(value.detach())
        if reached < best.value:
            best = Found(tuple(part.detach().clone() for part in point), reached)
        watch.tell(_progress(step, steps, reached, best.value))
        if watch.out_of_time() or not math.isfinite(reached):
            break
        for part, slope in zip(point, slopes, strict=True):
            part.grad = slope.sign()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            point[0].copy_(within(point[0]))
    return best


def quasi_newton(
    objective: Callable[..., Any], start: tuple[Any, ...], *, steps: int, watch: Watch
) -> Found:
    """Minimise by L-BFGS with a line search.

    Parameters
    ----------
    objective : callable
        ``objective(*point)`` gives a scalar.
    start : tuple of tensor
        Where to begin.
    steps : int
        Of the search, each of one or a few evaluations.
    watch : Watch
        May end it, at every tenth step.

    Returns
    -------
    Found

    References
    ----------
    Liu and Nocedal (1989), On the limited memory BFGS method for large scale optimization,
    Mathematical Programming 45.
    """
    torch = sys.modules["torch"]
    point = [part.detach().clone().requires_grad_() for part in start]
    optimiser = torch.optim.LBFGS(
        point,
        max_iter=_STRIDE,
        max_eval=2 * _STRIDE,
        history_size=_MEMORY,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def evaluate() -> Any:
        value = _SCALE * objective(*point)
        for part, slope in zip(point, torch.autograd.grad(value, point), strict=True):
            part.grad = slope.contiguous()
        return value.detach()

    best = Found(tuple(part.detach().clone() for part in point), math.inf)
    for step in range(0, steps, _STRIDE):
        optimiser.step(evaluate)
        reached = float(evaluate()) / _SCALE
        stalled = not reached < best.value
        if not stalled:
            best = Found(tuple(part.detach().clone() for part in point), reached)
        watch.tell(_progress(step + _STRIDE, steps, reached, best.value))
        if stalled or watch.out_of_time():
            break
    return best


def _progress(step: int, steps: int, value: float, best: float) -> str:
    return f"step {step} of {steps}, misfit {value:.3g}, best {best:.3g}"
