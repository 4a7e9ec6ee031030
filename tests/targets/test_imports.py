from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest_leakpro.targets as room

MODULES = sorted(
    f"pytest_leakpro.targets.{path.stem}"
    for path in Path(room.__file__).parent.glob("*.py")
    if path.stem != "__init__"
)


def test_importing_the_room_imports_no_heavy_library():
    code = (
        f"import sys\nfor name in {MODULES!r}: __import__(name)\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'scipy.sparse', 'xgboost', 'lightgbm'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_callable_on_arrays_is_audited_without_them():
    code = """
import sys
import numpy as np
from pytest_leakpro.targets.classifier import Classifier
rng = np.random.default_rng(0)
y = np.arange(20) % 2
members, others = ((rng.normal(size=(20, 2)), y) for _ in range(2))
target = Classifier(lambda x: x, members, others)
view = target.prepare(0)
assert len(view.members) == 20
print(sorted({'torch', 'pandas', 'sklearn'} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
