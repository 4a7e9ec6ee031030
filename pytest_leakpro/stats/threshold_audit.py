"""A lower bound on epsilon from both error rates of one test, as of many trainings.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_leakpro.stats.gaussian_audit import Halves

__all__ = ["threshold_lower"]


def threshold_lower(counts: Halves, delta: float, error: float) -> float:
    """Bound epsilon from below by exact bounds on the rates above and below one cut.

    It holds where canaries do not influence each other, as if each had a training of its own; of
    one training with many canaries nobody knows that.

    Parameters
    ----------
    counts : Halves
        From `pytest_leakpro.stats.gaussian_audit.split_counts`: the cut was chosen on one half.
    delta : float
        In [0, 1).
    error : float
        In (0, 1), half of it for either rate.

    Returns
    -------
    float
        The largest epsilon that the rates refute, at least 0.

    References
    ----------
    Jagielski, Ullman and Oprea (2020), Auditing differentially private machine learning, NeurIPS,
    section 3; Kairouz, Oh and Viswanath (2015), The composition theorem for differential privacy,
    theorem 2.1, for the region of both rates. Clopper and Pearson (1934).
    """
    from scipy.stats import beta

    hits, members, alarms, nonmembers = counts
    tpr = float(beta.ppf(error / 2, hits, members - hits + 1)) if hits else 0.0
    fpr = (
        float(beta.ppf(1 - error / 2, alarms + 1, nonmembers - alarms))
        if alarms < nonmembers
        else 1.0
    )
    found = 0.0
    for likely, rare in ((tpr - delta, fpr), (1 - fpr - delta, 1 - tpr)):
        if likely > rare > 0:
            found = max(found, math.log(likely / rare))
    return found
