"""The hooks that run in every session: they cost next to nothing while audits are off.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_leakpro.plugin import marker, newhooks, options

if TYPE_CHECKING:
    from pytest_leakpro.plugin.fixture import Leakpro

SKIP_REASON = "leakage audits run with --leakpro"
SESSION_PLUGIN = "leakpro-session"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare flags and ini keys."""
    options.add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hook for attacks of other plugins."""
    pluginmanager.add_hookspecs(newhooks)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and where audits run the plugin that conducts the session."""
    config.addinivalue_line("markers", marker.DECLARATION)
    if options.is_enabled(config):
        from pytest_leakpro.plugin.session import LeakproSession

        config.pluginmanager.register(LeakproSession(config), SESSION_PLUGIN)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark tests that request the fixture."""
    marker.claim(item)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers, and skip marked tests where audits are off."""
    marker.check_markers(config, items)
    if not config.pluginmanager.has_plugin(SESSION_PLUGIN):
        skip = pytest.mark.skip(reason=SKIP_REASON)
        for item in items:
            if item.get_closest_marker("leakage"):
                item.add_marker(skip)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker is wrong where collection could not say so."""
    marker.refuse_wrong_marker(item)


@pytest.fixture
def leakpro() -> Leakpro:
    """Audit targets against the budgets of the test's ``leakage`` marker."""
    from pytest_leakpro.plugin.fixture import Leakpro

    return Leakpro()
