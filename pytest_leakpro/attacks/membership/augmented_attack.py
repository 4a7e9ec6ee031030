"""Attacks that ask about a record and about augmented copies of it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.membership.further_attack import FurtherShadowAttack
from pytest_leakpro.targets.augmentations import Augmentation, augmented
from pytest_leakpro.targets.readings import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["AugmentedAttack", "AugmentedSignals"]


@dataclass(frozen=True)
class AugmentedSignals(Reading):
    """The signal of a record, then that of each of its copies: 1 + A numbers, as many queries.

    Attributes
    ----------
    functions : tuple of callable
        From the inputs of records to those of as many copies.
    """

    name: ClassVar[str] = "augmented"

    functions: tuple[Augmentation, ...]

    @property
    def width(self) -> int:
        """See `Reading.width`."""
        return 1 + len(self.functions)

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """See `Reading.read`."""
        rows = [reader.negative_loss(model, records)]
        for number, function in enumerate(self.functions):
            copies = augmented(function, records.inputs, f"augmentations[{number}]")
            rows.append(reader.negative_loss(model, replace(records, inputs=copies)))
        return np.stack(rows)


@dataclass(frozen=True)
class AugmentedAttack(FurtherShadowAttack):
    """An attack that reads the signals of copies which the target's augmentations make."""

    default: ClassVar[bool] = False

    @property
    def reading_name(self) -> str:
        """See `FurtherShadowAttack.reading_name`."""
        return AugmentedSignals.name

    def reading(self, view: MembershipView) -> Reading:
        """Read the record and its copies; see `FurtherShadowAttack.reading`."""
        return AugmentedSignals(view.augmentations)

    def mismatch(self, target: Any) -> str | None:
        """Refuse a target without augmentations; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and not target.augmentations:
            return (
                "there is no augmentation: give augmentations=[…], functions X -> X' (only images "
                "of shape (n, h, w), (n, c, h, w) or (n, h, w, c) have some by default)"
            )
        return reason
