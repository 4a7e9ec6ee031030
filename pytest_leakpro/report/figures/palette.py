"""The colours of figures by what they mean.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ON_PAGE", "ON_PAPER", "Palette", "variable_of"]


class Palette(NamedTuple):
    """A colour for each meaning; never the only thing that tells two marks apart."""

    ink: str
    muted: str
    grid: str
    accent: str
    bad: str
    good: str
    warn: str
    member: str
    nonmember: str
    band: str
    limit: str
    paper: str


ON_PAPER = Palette(
    ink="#1d2126",
    muted="#5c6670",
    grid="#dfe3e7",
    accent="#0072b2",
    bad="#b7410e",
    good="#00795b",
    warn="#8a6100",
    member="#0072b2",
    nonmember="#b7410e",
    band="#d3e5f2",
    limit="#8f2d6b",
    paper="#ffffff",
)
"""Colours after Okabe and Ito (2008), Color universal design, darkened where text needs it."""

# Colours that nothing else has, to be replaced by variables of the page.
ON_PAGE = Palette(*(f"#0000{place:02x}" for place in range(1, len(Palette._fields) + 1)))


def variable_of(colour: str) -> str:
    """Give the CSS variable that a colour of `ON_PAGE` stands for; others stay as they are."""
    if colour not in ON_PAGE:
        return colour
    return f"var(--{Palette._fields[ON_PAGE.index(colour)]})"
