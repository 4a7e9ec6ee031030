"""What users import: all of it from one place, documented, and little."""

import dataclasses
import doctest
import importlib
import inspect
import re
from enum import Enum

import pytest

import pytest_leakpro

NAMES = pytest_leakpro.__all__


def test_every_name_is_there_and_lazy():
    for name in NAMES:
        assert getattr(pytest_leakpro, name) is not None
    assert set(NAMES) <= set(dir(pytest_leakpro))
    with pytest.raises(AttributeError, match="no attribute 'Clasifier'"):
        pytest_leakpro.Clasifier  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_documented_in_numpy_style(name):
    thing = getattr(pytest_leakpro, name)
    docstring = inspect.getdoc(thing)
    assert docstring
    assert len(docstring) > 40
    if inspect.isfunction(thing):
        for section in ("Parameters", "Returns", "Raises"):
            assert re.search(rf"^{section}\n-+$", docstring, re.M), f"{name} lacks {section}"
        documented = docstring
        for parameter in inspect.signature(thing).parameters:
            assert re.search(rf"\b{parameter}\b", documented)
    elif dataclasses.is_dataclass(thing):
        for entry in dataclasses.fields(thing):
            if entry.repr:
                assert re.search(rf"\b{entry.name}\b", docstring), f"{name} lacks {entry.name}"
    elif not issubclass(thing, (Enum, Exception)):
        assert re.search(r"^Parameters\n-+$", docstring, re.M)


@pytest.mark.parametrize("name", NAMES)
def test_public_methods_are_documented(name):
    thing = getattr(pytest_leakpro, name)
    if not inspect.isclass(thing) or issubclass(thing, (Enum, Exception)):
        return
    for method, function in inspect.getmembers(thing, callable):
        if not method.startswith("_"):
            assert inspect.getdoc(function), f"{name}.{method}"


@pytest.mark.parametrize("name", NAMES)
def test_examples_in_docstrings_run(name):
    thing = getattr(pytest_leakpro, name)
    module = importlib.import_module(inspect.getmodule(thing).__name__)
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in finder.find(thing, name, module=False, globs=dict(vars(module))):
        example.globs.setdefault(name, thing)
        if any("import torch" in step.source for step in example.examples):
            pytest.importorskip("torch")
        if name == "plot":
            pytest.importorskip("matplotlib")
        assert runner.run(example).failed == 0


def test_errors_share_one_root():
    for name in NAMES:
        thing = getattr(pytest_leakpro, name)
        if inspect.isclass(thing) and issubclass(thing, Exception):
            root = Warning if issubclass(thing, Warning) else pytest_leakpro.LeakproError
            assert issubclass(thing, root)
            assert thing.__module__ == "pytest_leakpro"
