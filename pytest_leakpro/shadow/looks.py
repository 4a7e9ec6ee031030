"""At which numbers of shadow models the evidence is looked at.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

__all__ = ["AUTO", "FEWEST_EITHER_WAY", "numbers_of_models"]

AUTO = "auto"
FEWEST_EITHER_WAY = 4
_LOOKS = (8, 16, 32, 64)


def numbers_of_models(wanted: int | str, share: float) -> tuple[int, ...]:
    """Give the numbers of shadow models at which the evidence is looked at.

    Parameters
    ----------
    wanted : int or "auto"
        A number is the only look; auto stands for 8, 16, 32 and 64.
    share : float
        The share of the pool that the target was trained on, in (0, 1).

    Returns
    -------
    tuple of int
        Of auto only those from which on the share can be had with four models in and four out, so
        that all models are trained alike.
    """
    if isinstance(wanted, int):
        return (wanted,)
    honoured = [
        number
        for number in _LOOKS
        if FEWEST_EITHER_WAY <= round(number * share) <= number - FEWEST_EITHER_WAY
    ]
    return tuple(honoured) or _LOOKS[-1:]
