"""What the learned attack reads of every model beyond its loss, as far as the attacker can see it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_leakpro.attacks.text.token_readings import TokenReading
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.gradients import GradientReading, gradient_reading, gradients_lacking
from pytest_leakpro.targets.text_view import TextView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.readings import Reading

__all__ = ["LEARNED_READINGS", "readings_to_learn_from"]


def _gradients(view: MembershipView) -> Reading | None:
    if view.access is not Access.WHITE_BOX or isinstance(view, TextView):
        return None
    if gradients_lacking(view.model) is not None:
        return None
    return gradient_reading(view.model)


def _tokens(view: MembershipView) -> Reading | None:
    if not isinstance(view, TextView):
        return None
    return TokenReading(statistics=view.gives_statistics)


LEARNED_READINGS: dict[str, Callable[[MembershipView], Reading | None]] = {
    GradientReading.name: _gradients,
    TokenReading.name: _tokens,
}
"""By name: gives the reading for a view, or None where it cannot be had there."""


def readings_to_learn_from(names: Iterable[str], view: MembershipView) -> tuple[Reading, ...]:
    """Give those of the named readings that can be had of a view's models."""
    found = (LEARNED_READINGS[name](view) for name in names)
    return tuple(reading for reading in found if reading is not None)
