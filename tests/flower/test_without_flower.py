"""Without Flower the submodule says what to install."""

import importlib
import sys

import pytest

from pytest_leakpro import LeakproError


def test_the_import_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "pytest_leakpro.flower", raising=False)
    for name in ("flwr", "flwr.serverapp", "flwr.serverapp.strategy"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LeakproError, match=r"pip install 'pytest-leakpro\[flower\]'"):
        importlib.import_module("pytest_leakpro.flower")
