"""The hook that other plugins may implement.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_leakpro.attacks.base import Attack


def pytest_leakpro_attacks(config: pytest.Config) -> Sequence[Attack]:  # type: ignore[empty-body]
    """Give attacks that can be named in ``attacks=``; they never run unless they are named."""
