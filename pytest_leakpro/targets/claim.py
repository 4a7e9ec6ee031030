"""What is claimed of a training's differential privacy, and the canaries that test it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.canaries import Canaries
from pytest_leakpro.targets.text_canaries import TextCanaries

__all__ = ["Claim", "canaries_alone", "sides_of"]

ASSUMPTIONS = ("gaussian",)


@dataclass(frozen=True, repr=False, eq=False)
class Claim:
    """What is claimed, and how it is tested.

    Attributes
    ----------
    canaries : Canaries or TextCanaries
        What was inserted at random, each at most once.
    epsilon : float or None
        What is claimed, above 0.
    delta : float
        With which delta, in [0, 1).
    assume : "gaussian" or None
        What may be taken for granted of the training.
    alone : bool
        Whether the canaries are all the records that there are.
    """

    canaries: Canaries | TextCanaries
    epsilon: float | None
    delta: float
    assume: str | None
    alone: bool = False

    @classmethod
    def read(
        cls,
        canaries: Any,
        epsilon: Any,
        delta: Any,
        assume: Any,
        *kinds: type[Canaries | TextCanaries],
    ) -> Claim | None:
        """Check what the user says; None where that is nothing.

        Parameters
        ----------
        canaries, epsilon, delta, assume
            As given. Of text canaries those are kept that are inserted once: epsilon is about one
            record.
        kinds : type
            Which canaries go with the target; `Canaries` where nothing is said.

        Raises
        ------
        LeakproError
            Where an epsilon is claimed without a delta or without canaries, or a value is none.
        """
        if canaries is None:
            for name, value in (
                ("claimed_epsilon", epsilon), ("delta", delta), ("assume", assume),
            ):  # fmt: skip
                if value is not None:
                    raise LeakproError(
                        f"{name} is given without canaries: epsilon is bounded by records that "
                        "were inserted with the toss of a coin each: make them with Canaries, "
                        "train on canaries.insert(X, y) and give canaries="
                    )
            return None
        if not isinstance(canaries, kinds or Canaries):
            wanted = "Canaries.generate(…)" if TextCanaries in kinds else "Canaries(…)"
            raise LeakproError(f"canaries is a {type(canaries).__name__}: give {wanted}")
        if isinstance(canaries, TextCanaries):
            canaries = canaries.inserted_once
        if canaries.included.all() or not canaries.included.any():
            which = "all" if canaries.included.all() else "none"
            raise LeakproError(
                f"canaries: {which} of them were included, so nothing tells them apart from "
                "others: each is inserted with probability 1/2"
            )
        if epsilon is not None and not _is_number(epsilon, 0, math.inf):
            raise LeakproError("claimed_epsilon is a finite number above 0")
        if delta is None:
            raise LeakproError(
                "delta is missing: epsilon means nothing without it; give that of the claim, such "
                "as delta=1e-5 (0 for pure differential privacy)"
            )
        if delta != 0 and not _is_number(delta, 0, 1):
            raise LeakproError("delta is a number of at least 0 and below 1, such as 1e-5")
        if assume is not None and assume not in ASSUMPTIONS:
            raise LeakproError(f"assume is {assume!r}: give 'gaussian', or nothing")
        return cls(canaries, epsilon, float(delta), assume)


def sides_of(
    claim: Claim | None, members: Any, nonmembers: Any, train: Any
) -> tuple[Claim | None, Any, Any, Any]:
    """Give the claim, both sides, which may be the canaries, and the recipe, if there is one.

    Raises
    ------
    LeakproError
        Where a side is missing, or shadow models are asked for of canaries alone.
    """
    if not canaries_alone(None if claim is None else claim.canaries, members, nonmembers, train):
        return claim, members, nonmembers, train
    assert claim is not None
    inside, outside = (claim.canaries.side(included=which) for which in (True, False))
    return replace(claim, alone=True), inside, outside, False


def canaries_alone(
    canaries: Canaries | TextCanaries | None,
    members: Any,
    nonmembers: Any,
    train: Any,
    records: str = "a pair (X, y) of records",
) -> bool:
    """Tell whether the canaries are all the records that there are.

    Parameters
    ----------
    canaries, members, nonmembers, train
        As given to a target.
    records : str
        What a side is, for errors.

    Raises
    ------
    LeakproError
        Where a side is missing, or shadow models are asked for of canaries alone.
    """
    if members is not None and nonmembers is not None:
        return False
    if members is not None or nonmembers is not None or canaries is None:
        lacking = "nonmembers" if nonmembers is None else "members"
        raise LeakproError(
            f"{lacking}: None given: give {records} that were, or were not, in the training data; "
            "only with canaries= both may be left out"
        )
    if train:
        raise LeakproError(
            "train= with canaries alone: shadow models cannot be trained as the model was, since "
            f"the {records.split()[-1]} beside the canaries are not here: give members and "
            "nonmembers too, or leave train= out"
        )
    return True


def _is_number(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, Real) and not isinstance(value, bool)
    return number and low < float(value) < high
