"""The probabilities of tokens, and what a model makes likely in their places, from its logits.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LEAST", "token_laws"]

LEAST = -1000.0
"""Log-probabilities are clipped here from below: the model rules such tokens out."""

# Values that are worked on at once: what a processor keeps near, and what a device takes in a step.
_VALUES_ON_CPU = 1 << 18
_VALUES_ELSEWHERE = 1 << 25


def token_laws(
    logits: Any, rows: NDArray[np.intp], tokens: NDArray[np.intp], *, statistics: bool = True
) -> NDArray[np.float64]:
    """Read log-probabilities off logits, in slices of bounded size and in single precision.

    Parameters
    ----------
    logits : torch.Tensor, shape (r, V)
        What a model returned; in double precision where they are.
    rows : ndarray of int, shape (t,)
        Which rows to read.
    tokens : ndarray of int, shape (t,)
        The token of each, below V.
    statistics : bool
        Whether means and deviations are wanted, too.

    Returns
    -------
    ndarray of float64, shape (3, t), or (1, t) without statistics
        The log-probability of each token; the mean of the log-probability under the law of its
        place; its standard deviation. Natural logarithms, finite.

    Raises
    ------
    LeakproError
        Where logits are NaN or plus infinity.
    """
    torch = sys.modules["torch"]
    size = logits.shape[1]
    most = _VALUES_ON_CPU if logits.device.type == "cpu" else _VALUES_ELSEWHERE
    step = max(1, most // size)
    found = torch.empty((3 if statistics else 1, len(rows)), dtype=torch.float64)
    found = found.to(logits.device)
    where = torch.as_tensor(rows, device=logits.device)
    chosen = torch.as_tensor(tokens, device=logits.device)
    for start in range(0, len(rows), step):
        part = logits.index_select(0, where[start : start + step])
        own = chosen[start : start + step, None]
        values = _laws(part, own, statistics, clip=False)
        if not bool(torch.isfinite(values).all()):
            # Tokens that are ruled out: rare, and clipping them costs as much as all the rest.
            part = logits.index_select(0, where[start : start + step])
            values = _laws(part, own, statistics, clip=True)
            if not bool(torch.isfinite(values).all()):
                raise LeakproError(
                    "the model returned logits that are NaN or infinite: it does not work in its "
                    "floating type, or its training went astray"
                )
        found[:, start : start + step] = values
    array: NDArray[np.float64] = found.cpu().numpy()
    return array


def _laws(part: Any, own: Any, statistics: bool, *, clip: bool) -> Any:
    torch = sys.modules["torch"]
    # A copy already, so that all that follows may write into it.
    values = part if part.dtype in (torch.float32, torch.float64) else part.float()
    # Less the largest: exponentials are then at most 1, and a uniform law has a deviation of 0.
    values -= values.amax(dim=1, keepdim=True)
    if clip:
        values.clamp_(min=LEAST)
    token = values.gather(1, own)[:, 0]
    weights = values.exp()
    total = weights.sum(dim=1)
    log_p = (token - total.log()).clamp_(max=0.0)
    if not statistics:
        return log_p[None]
    weights *= values
    mean = weights.sum(dim=1) / total
    square = weights.mul_(values).sum(dim=1) / total
    deviation = (square - mean**2).clamp_(min=0.0).sqrt()
    return torch.stack([log_p, mean - total.log(), deviation])
