"""``cache info`` and ``cache clear``."""

import io
import os
import time

import numpy as np
import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.store.cache import SignalCache

KEYS = ("ab" * 32, "cd" * 32)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository with a cache of two entries, one of them ten days old."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    folder = tmp_path / "tests" / "deep"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    cache = SignalCache(tmp_path / ".leakpro" / "cache")
    for key, target in zip(KEYS, ("forest\x1b[31m", "network"), strict=True):
        for index in range(3):
            cache.store(
                key,
                index,
                np.zeros(2000),
                {"target": target, "records": 2000},
            )
    old = time.time() - 10.5 * 86_400
    for file in (cache.folder / KEYS[0]).glob("*.npy"):
        os.utime(file, (old, old))
    return tmp_path


def kept(root):
    return {entry.key for entry in SignalCache(root / ".leakpro" / "cache").entries()}


def test_info_says_what_each_entry_is_for(root, capsys):
    assert main(["cache", "info"]) == 0
    out = capsys.readouterr().out
    forest = next(line for line in out.splitlines() if line.startswith("forest"))
    assert "\x1b" not in out
    assert forest.split()[1:4] == ["3", "2,000", "48.4"]
    assert "10 days" in forest
    assert KEYS[0][:12] in forest
    assert "2 entries, 6 files, " in out
    assert "personal data" in out


def test_a_folder_of_ones_own(root, capsys, tmp_path):
    assert main(["cache", "info", "--dir", str(tmp_path / "elsewhere")]) == 0
    assert "nothing is kept in" in capsys.readouterr().out
    (root / ".leakpro").rename(root / "signals")
    (root / "pytest.ini").write_text("[pytest]\nleakpro_cache_dir = signals/cache  # here\n")
    assert main(["cache", "info"]) == 0
    assert "2 entries" in capsys.readouterr().out
    (root / "pytest.ini").unlink()
    (root / "pyproject.toml").write_text('[tool.pytest]\nleakpro_cache_dir = "signals/cache"\n')
    assert main(["cache", "info"]) == 0
    assert "2 entries" in capsys.readouterr().out


@pytest.mark.parametrize("about", ['["a list"]', '{"target": 5, "records": "many"}', "broken"])
def test_a_description_that_somebody_else_wrote(root, about, capsys):
    (root / ".leakpro" / "cache" / KEYS[1] / "about.json").write_text(about)
    assert main(["cache", "info"]) == 0
    assert "unknown" in capsys.readouterr().out


def test_clear_without_a_terminal_needs_yes(root, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["cache", "clear"]) == 2
    assert "give --yes" in capsys.readouterr().err
    assert kept(root) == set(KEYS)
    assert main(["cache", "clear", "--yes"]) == 0
    assert "removed 2 entries, 6 files" in capsys.readouterr().out
    assert kept(root) == set()
    assert main(["cache", "clear", "--yes"]) == 0
    assert "nothing is kept" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("\n", 2), ("no\n", 2), ("", 2)])
def test_clear_asks_on_a_terminal(root, answer, left, capsys, monkeypatch):
    terminal = io.StringIO(answer)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    assert main(["cache", "clear"]) == 0
    assert len(kept(root)) == left
    assert ("nothing was removed" in capsys.readouterr().out) == bool(left)


def test_clear_only_what_is_old(root, capsys):
    assert main(["cache", "clear", "--older-than", "30d", "--yes"]) == 0
    assert "nothing that old is kept" in capsys.readouterr().out
    assert main(["cache", "clear", "--older-than", "1.6w", "--yes"]) == 0
    assert kept(root) == set(KEYS)
    assert main(["cache", "clear", "--older-than", "240h", "--yes"]) == 0
    assert kept(root) == {KEYS[1]}


@pytest.mark.parametrize("age", ["30", "d", "-3d", "3y", ""])
def test_ages_that_are_none(root, age, capsys):
    assert main(["cache", "clear", f"--older-than={age}", "--yes"]) == 2
    assert "give a number with its unit" in capsys.readouterr().err
    assert kept(root) == set(KEYS)


def test_a_file_is_no_cache(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["cache", "info", "--dir", str(tmp_path / "file")]) == 2
    assert "is a file" in capsys.readouterr().err
