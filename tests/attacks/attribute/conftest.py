"""Forests of few trees, which are as valid and quicker."""

import pytest

from pytest_leakpro.attacks.attribute import imputation


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Let all attacks here plant few trees."""
    monkeypatch.setattr(imputation, "_TREES", 15)
