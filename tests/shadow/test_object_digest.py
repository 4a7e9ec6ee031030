"""What a recipe reaches through objects and wrappers counts; what cannot be seen is said."""

import sys
import textwrap
import types

import pytest

from pytest_leakpro.shadow.digest import UndigestibleError, digest_trainer

IMPORTS = """
import abc, builtins, collections, contextlib, dataclasses, enum, functools, importlib, io
import logging, threading, types, typing
import numpy as np
import torch
"""
RUN = "\ndef train(X, y, seed): return "


@pytest.fixture
def digest_of(tmp_path, monkeypatch):
    def digest(source, version=None):
        module = types.ModuleType("recipe")
        module.__file__ = str(tmp_path / "recipe.py")
        monkeypatch.setitem(sys.modules, "recipe", module)
        code = compile(IMPORTS + textwrap.dedent(source), module.__file__, "exec")
        exec(code, vars(module))
        return digest_trainer(module.train, version)

    return digest


REACHED = {
    "library decorator": ("@torch.no_grad()\ndef h(x): return x + 1" + RUN + "h(X)", "x + 1"),
    "contextmanager": ("@contextlib.contextmanager\ndef h(x): yield x + 1" + RUN + "h(X)", "x + 1"),
    "cached": ("@functools.lru_cache\ndef h(x): return x + 1" + RUN + "h(X)", "x + 1"),
    "function attribute": ("def h(x): return h.k\nh.k = 1" + RUN + "h(X)", "1"),
    "circle": ("def f(x): return g(x) + 1\ndef g(x): return f(x)" + RUN + "f(X)", "1"),
    "set of functions": ("def f(x): return 1\nS = {f, len, print}" + RUN + "S", "return 1"),
    "method": ("class G:\n  def f(self): return 1" + RUN + "G().f()", "1"),
    "base": ("class B:\n  def f(self): return 1\nclass G(B): pass" + RUN + "G().f()", "1"),
    "metaclass": ("class M(type):\n  k = 1\nclass G(metaclass=M): pass" + RUN + "G.k", "1"),
    "abstract": ("class G(abc.ABC):\n  def f(self): return 1" + RUN + "G().f()", "1"),
    "protocol": ("class G(typing.Protocol):\n  k = 1\nclass H(G): pass" + RUN + "H().k", "1"),
    "cached property": (
        "class G:\n  @functools.cached_property\n  def f(self): return 1" + RUN + "G",
        "1",
    ),
    "namedtuple": ("C = collections.namedtuple('C', 'rate')\nc = C(1)" + RUN + "c", "C(1)"),
    "typed tuple": ("class C(typing.NamedTuple):\n  rate: int\nc = C(1)" + RUN + "c", "C(1)"),
    "list subclass": ("class L(list): pass\nc = L([1])" + RUN + "c", "[1]"),
    "text subclass": ("class S(str): pass\nc = S('1')" + RUN + "c", "'1'"),
    "dataclass": ("@dataclasses.dataclass\nclass D:\n  rate: int\nc = D(1)" + RUN + "c", "D(1)"),
    "default": ("@dataclasses.dataclass\nclass D:\n  rate: int = 1" + RUN + "D()", "1"),
    "factory": (
        "@dataclasses.dataclass\nclass D:\n"
        "  rate: list = dataclasses.field(default_factory=lambda: [1])" + RUN + "D()",
        "[1]",
    ),
    "slots": (
        "class S:\n  __slots__ = ('__k',)\n  def __init__(s, k): s.__k = k\nc = S(1)" + RUN + "c",
        "S(1)",
    ),
    "enum": ("class E(enum.IntEnum):\n  A = 1" + RUN + "E.A", "1"),
    "member": ("class E(enum.Enum):\n  A = 1\nc = E.A" + RUN + "c", "1"),
    "defaultdict": ("c = collections.defaultdict(lambda: 1)" + RUN + "c", "1"),
    "deque": ("c = collections.deque([1])" + RUN + "c", "1"),
    "proxy": ("c = types.MappingProxyType({'a': 1})" + RUN + "c", "1"),
    "exception": ("c = ValueError(1)" + RUN + "c", "1"),
    "partial": ("c = functools.partial(torch.optim.SGD, lr=1)" + RUN + "c", "1"),
    "smoothing": ("c = torch.nn.CrossEntropyLoss(label_smoothing=.1)" + RUN + "c", ".1"),
    "torch attribute": (
        "c = torch.nn.Flatten()\nc.rate = 1.5" + RUN + "c",
        "1.5",
    ),
    "own import": (
        "k = 1\ndef train(X, y, seed):\n  import recipe as own\n  return own.k",
        "k = 1",
    ),
    "logger": ("log = logging.getLogger('1')" + RUN + "log", "'1'"),
}


@pytest.mark.parametrize("name", REACHED)
def test_what_is_reached_counts(digest_of, name):
    source, old = REACHED[name]
    before = digest_of(source)
    assert before == digest_of("\n\n" + source)
    assert before != digest_of(source.replace(old, old.replace("1", "2")))


HIDDEN = {
    "eval": "def train(X, y, seed): return eval('X')",
    "globals": "def train(X, y, seed): return globals()['X']",
    "module of builtins": "def train(X, y, seed): return builtins.exec('X')",
    "import_module": "def train(X, y, seed): return importlib.import_module('recipe')",
    "local import": "def train(X, y, seed):\n  from importlib import reload\n  return reload",
    "file": "c = open(__file__)" + RUN + "c",
    "lock": "c = threading.Lock()" + RUN + "c",
    "torch generator": "c = torch.Generator()" + RUN + "c",
    "in an object": "class G: pass\nc = G()\nc.rng = np.random.default_rng(1)" + RUN + "c",
    "deep": "\n".join(f"def f{i}(x): return f{i + 1}(x)" for i in range(500)) + RUN + "f0(X)",
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_cannot_be_seen_is_refused_or_named(digest_of, name, tmp_path):
    (tmp_path / "recipe.py").write_text("")
    source = HIDDEN[name]
    with pytest.raises(UndigestibleError):
        digest_of(source)
    assert digest_of(source, "v1") == digest_of(source, "v1") != digest_of(source, "v2")


def test_the_refusal_says_where(digest_of):
    with pytest.raises(UndigestibleError, match=r"a Generator in train > c > a G > rng, whose"):
        digest_of(HIDDEN["in an object"])


def test_equal_values_are_alike_whether_or_not_they_are_one(digest_of):
    one = digest_of("a = [0, 'x']\nc = (a, a)" + RUN + "c")
    assert one == digest_of("c = ([0, 'x'], [0, 'x'])" + RUN + "c")
