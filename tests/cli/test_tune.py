"""``tune``: what it takes, what it prints, and what it proposes."""

import re
import sys

import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.cli.named_objects import load_named
from pytest_leakpro.shadow import tuning
from pytest_leakpro.shadow.tuning import Timing

pytest.importorskip("torch")

TRAIN = """
from torch import nn

from pytest_leakpro import TorchTrainer


def mlp():
    return nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))


def normed():
    return nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))


def images():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))


trainer = TorchTrainer(module=mlp, epochs=2)
pinned = TorchTrainer(module=mlp, epochs=1, stack="vmap", group=3)
batches = TorchTrainer(module=normed, epochs=1)
convolutions = TorchTrainer(module=images, epochs=1)
own_loss = TorchTrainer(module=mlp, epochs=1, loss=nn.CrossEntropyLoss())
numbers = TorchTrainer(module=mlp, epochs=1, loss="mse")
"""
DATA = """
import numpy as np

X, y = np.zeros((40, 8), dtype=np.float32), np.arange(40) % 3
pair = X, y


def load():
    return X, y


def split():
    return X, X, y, y


def missing():
    raise FileNotFoundError("no\\x1b[2J table")


def none():
    pass


def short():
    return X, y[:39]


def names():
    return X, y.astype(str)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Give a folder with a trainer and records, whose modules nobody has imported."""
    (tmp_path / "tuned_train.py").write_text(TRAIN)
    (tmp_path / "records.py").write_text(DATA)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "model.py").write_text("from tuned_train import trainer")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def measured(monkeypatch):
    """Let ways take the seconds that a test says, in the order of candidates; else a minute."""
    seconds = {}

    def measure(ways, load, limit, say):
        return [Timing(way, *seconds.get(way.mark, (60.0,))) for way in ways]

    monkeypatch.setattr(tuning, "measure", measure)
    return seconds


def tune(capsys, *arguments):
    assert main(["tune", *arguments]) == 0
    return capsys.readouterr().out


def complaint(capsys, *arguments):
    assert main(["tune", *arguments]) == 2
    return capsys.readouterr().err


def test_a_real_run_measures_every_way(here, capsys):
    arguments = ["--data=records.py:load", "--models=4", "--workers=2", "--seconds=1"]
    out = tune(capsys, "tuned_train.py:trainer", *arguments)
    out += tune(capsys, "package.model:trainer", "--records=60", "--seconds=1", "--workers=1")
    assert "4 shadow models, each 2 epochs on half of 40 records" in out
    assert "16 shadow models, each 2 epochs on half of 60 random records" in out
    # On a machine that is busy some have no turn, and are listed below.
    for way in ("products", "vmap", "processes"):
        assert len(re.findall(rf"^{way}\b.*(?: s| min|not measured)", out, re.M)) >= 2
    assert len(re.findall(r" 1\.00 .*  the table's choice$", out, re.M)) == 2
    assert out.count("nothing to pin") + out.count("to pin the fastest") == 2


def test_a_module_that_permits_one_way_is_said_why(here, measured, capsys):
    out = tune(capsys, "tuned_train.py:batches")
    assert "trying 1 way for" in out
    assert "\nproducts: not possible, BatchNorm1d keeps running statistics" in out
    assert "\nvmap: not possible, BatchNorm1d keeps running statistics" in out
    assert out.endswith("the table's choice is the fastest here (within 10%): nothing to pin\n")


@pytest.mark.parametrize(
    ("name", "mark", "first"),
    [
        ("trainer", "products 8", "the table's choice is the fastest here (within 10%): nothing"),
        (
            "trainer",
            "vmap 4",
            'to pin the fastest, which saves 50% of the time: TorchTrainer(..., stack="vmap", gro',
        ),
        (
            "trainer",
            "processes 1",
            'to pin the fastest, which saves 50% of the time: TorchTrainer(..., stack="processes")',
        ),
        ("pinned", "vmap 3", "the pin of now is the fastest here (within 10%): keep it"),
        ("pinned", "products 8", "leave the pin out: the table's choice is faster here"),
    ],
)
def test_it_ends_with_a_proposal(here, measured, capsys, name, mark, first):
    measured[mark] = (30.0,)
    out = tune(capsys, f"tuned_train.py:{name}")
    assert f"\n\n{first}" in out
    assert ("Commit" in out) == ("saves" in first or "leave" in first)
    if name == "pinned":
        assert re.search("^vmap +3 .*the pin of now$", out, re.M)
    assert re.search("^products +8 .*the table's choice$", out, re.M)


def test_what_failed_is_said_once(here, measured, capsys):
    for mark in ("products 8", "products 4", "products 16"):
        measured[mark] = (float("inf"), "it broke")
    measured["vmap 16"] = (float("inf"), "the memory is too small")
    out = tune(capsys, "tuned_train.py:trainer")
    assert "products in groups of 8, 4, 16: not measured, it broke\n" in out
    assert "vmap in groups of 16: not measured, the memory is too small\n" in out
    assert 'to pin the fastest: TorchTrainer(..., stack="vmap", group=8)' in out

    measured |= {mark: (float("inf"), "no") for mark in ("vmap 8", "vmap 4", "processes 1")}
    err = complaint(capsys, "tuned_train.py:trainer")
    assert "no way could be measured in 60 s: products: it broke; vmap: no; " in err


def test_random_records_fit_the_module(here, measured, capsys):
    for arguments in (["convolutions", "--shape", "1,8,8"], ["numbers"]):
        assert "half of 8,000 random" in tune(
            capsys, f"tuned_train.py:{arguments.pop(0)}", *arguments
        )
    assert "half of 40 records" in tune(capsys, "tuned_train.py:own_loss", "--data=records.py:pair")


@pytest.mark.parametrize(
    ("trainer", "says"),
    [
        ("trian.py:trainer", "no file trian.py (did you mean 'tuned_train.py'?)"),
        ("nowhere/train.py:trainer", "there is no file nowhere/train.py\n"),
        ("tuned_train.py", "the trainer is 'tuned_train.py': give FILE.py:NAME or package.module:"),
        ("tuned_train.py:trainr", "has no 'trainr' (did you mean 'trainer'?)"),
        ("tuned_train.py:mlp", "tuned_train.py:mlp is a function, and no TorchTrainer"),
        ("tuned_train:TorchTrainer", "is the class TorchTrainer, and no TorchTrainer"),
        ("package.modle:trainer", "no module package.modle that can be imported from"),
        ("broken.py:trainer", "importing broken.py failed in "),
        ("broken:trainer", "broken.py, line 2: ZeroDivisionError: division by zero"),
        ("leaving.py:trainer", "leaving.py, line 1: SystemExit: 3"),
        ("lacking:trainer", "No module named 'not_there'"),
        ("wrong.py:trainer", "wrong.py, line 2: LeakproError: TorchTrainer: sgd needs a learning"),
    ],
)
def test_a_trainer_that_is_not_there(here, capsys, trainer, says):
    (here / "broken.py").write_text("x = 0\n1 / x\n")
    (here / "leaving.py").write_text("raise SystemExit(3)")
    (here / "lacking.py").write_text("import not_there")
    (here / "wrong.py").write_text(
        "from pytest_leakpro import TorchTrainer\nTorchTrainer(module=int, epochs=1, "
        "optimizer='sgd')"
    )
    for name in ("broken", "leaving", "lacking", "wrong"):
        if name not in trainer:
            (here / f"{name}.py").unlink()
    assert says in complaint(capsys, trainer)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("records.py:lod", "has no 'lod' (did you mean 'load'?)"),
        ("records.py:split", "records.py:split(): a tuple of 4"),
        ("records.py:none", "records.py:none(): "),
        ("records.py:X", "records.py:X: a single ndarray of shape (40, 8)"),
        ("records.py:short", "X has 40 records, y 39 labels"),
        ("records.py:missing", "FileNotFoundError: no\\x1b[2J table"),
        ("records.py:missing", "records.py, line 17"),
        ("records.py:names", "cross_entropy takes classes as the whole numbers 0, 1"),
    ],
)
def test_records_of_the_wrong_form(here, capsys, data, says):
    assert says in complaint(capsys, "tuned_train.py:trainer", "--data", data)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["trainer", "--models=3"], "--models is at least 4, not 3"),
        (["trainer", "--workers=0"], "--workers is at least 1, not 0"),
        (["trainer", "--records=1"], "--records is at least 2, not 1"),
        (["trainer", "--seconds=0"], "--seconds is a number above 0, not 0"),
        (["trainer", "--seconds=nan"], "--seconds is a number above 0"),
        (["trainer", "--shape=8,x"], "--shape is '8,x': give the shape of one record"),
        (["trainer", "--shape=9"], "does not take random records of shape (9,)"),
        (["trainer", "--shape=9", "--data=records.py:pair"], "--shape is for random records"),
        (["convolutions"], "cannot be told from a Sequential that begins with Conv2d"),
        (["own_loss"], "a loss of your own takes cannot be told: give records with --data"),
    ],
)
def test_arguments_that_do_not_fit(here, capsys, arguments, says):
    name, *others = arguments
    assert says in complaint(capsys, f"tuned_train.py:{name}", *others)


def test_torch_may_be_missing(here, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "torch is not installed" in complaint(capsys, "tuned_train.py:trainer")


def test_a_file_may_have_the_name_of_a_library(here):
    (here / "json.py").write_text("from helper import answer\ntrainer = answer")
    (here / "helper.py").write_text("answer = 42")
    assert load_named(f"{here / 'json.py'}:trainer", "it", bool) == 42
    assert hasattr(sys.modules["json"], "loads")
    # Asked for twice, a file is run once.
    assert load_named("helper.py:answer", "it", bool) == 42
    assert sys.modules["helper"].__file__ == str(here / "helper.py")
