"""Where the pages of the documentation are run."""

import os

import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in, outside of any CI system."""
    for name in [*os.environ]:
        if name.startswith(("CI", "GITHUB", "GITLAB", "LEAKPRO", "BUILD_", "PYTEST")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return tmp_path
