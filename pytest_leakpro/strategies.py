"""Hypothesis strategies for neighbouring data sets, for `pytest_leakpro.assert_dp`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from pytest_leakpro.mechanisms.neighbours import arrays, tables

__all__ = ["arrays", "tables"]
