"""The hooks that run in every session: they cost next to nothing while audits are off.

Each module that is imported costs about a millisecond at start-up, so the others are imported only
where a test audits something.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_leakpro.plugin import options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.plugin.declared_items import DeclarationFile
    from pytest_leakpro.plugin.fixture import Leakpro

MARKER = (
    "leakage(*budgets, attacks=None, seed=None, alpha=None, shadow_models=None, workers=None, "
    "inconclusive=None, weak_suite=None, max_increase=None, name=None): "
    "audit leakage against these budgets, as 'tpr@0.1%fpr <= 1%'; runs with --leakpro only."
)
SKIP_REASON = "leakage audits run with --leakpro"
SESSION_PLUGIN = "leakpro-session"
DECLARATIONS = "leakpro.toml"


class HookSpecifications:
    """The hooks that other plugins may implement."""

    @staticmethod
    def pytest_leakpro_attacks(  # type: ignore[empty-body]
        config: pytest.Config,
    ) -> Sequence[Attack]:
        """Give attacks that can be named in ``attacks=``; they never run unless they are named."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare flags and ini keys."""
    options.add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hook for attacks of other plugins."""
    pluginmanager.add_hookspecs(HookSpecifications)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and where audits run the plugin that conducts the session."""
    config.addinivalue_line("markers", MARKER)
    if options.is_enabled(config):
        from pytest_leakpro.plugin.session import LeakproSession

        config.pluginmanager.register(LeakproSession(config), SESSION_PLUGIN)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Have the root directory's ``leakpro.toml`` collected where `testpaths` leave it out."""
    config = session.config
    by_testpaths = config.args_source is config.ArgsSource.TESTPATHS
    if by_testpaths and (config.rootpath / DECLARATIONS).is_file():
        from pytest_leakpro.plugin.declared_items import add_root_file

        add_root_file(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DeclarationFile | None:
    """Collect the audits that a ``leakpro.toml`` declares."""
    if not f".{file_path.name}".endswith(f".{DECLARATIONS}"):
        return None
    from pytest_leakpro.plugin.declared_items import DeclarationFile

    return DeclarationFile.from_parent(parent, path=file_path)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark tests that request the fixture, so that they wait for the flag as marked ones do."""
    if "leakpro" in getattr(item, "fixturenames", ()) and not _is_marked(item):
        item.add_marker(pytest.mark.leakage())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers, and skip marked tests where audits are off."""
    marked = [item for item in items if _is_marked(item)]
    if not marked:
        return
    from pytest_leakpro.plugin import marker

    marker.check_markers(config, marked)
    if not config.pluginmanager.has_plugin(SESSION_PLUGIN):
        skip = pytest.mark.skip(reason=SKIP_REASON)
        for item in marked:
            item.add_marker(skip)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker is wrong where collection could not say so."""
    if _is_marked(item):
        from pytest_leakpro.plugin import marker

        marker.refuse_wrong_marker(item)


@pytest.fixture
def leakpro() -> Leakpro:
    """Audit targets against the budgets of the test's ``leakage`` marker."""
    from pytest_leakpro.plugin.fixture import Leakpro

    return Leakpro()


def _is_marked(item: pytest.Item) -> bool:
    return item.get_closest_marker("leakage") is not None
