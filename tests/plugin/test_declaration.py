"""What leakpro.toml may say, and what is said where it says something else."""

import pytest

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.plugin.declaration import read_declarations
from pytest_leakpro.plugin.marker import OPTIONS
from pytest_leakpro.plugin.toml_lines import read_toml

AUDIT = """\
[[audit]]
name = "churn"
target = "churn.audit:target"
budgets = ["auc <= 0.55"]
"""


@pytest.fixture
def read(tmp_path):
    """Read a file of this content, as messages name it "leakpro.toml"."""

    def read(content):
        path = tmp_path / "leakpro.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_declarations(path, "leakpro.toml")

    return read


@pytest.fixture
def refusal(read):
    """Give the message about a file of this content."""

    def refusal(content):
        with pytest.raises(LeakproError) as caught:
            read(content)
        message = str(caught.value)
        assert all(line.isprintable() for line in message.splitlines())
        return message

    return refusal


def test_audits_in_the_order_of_the_file(read):
    first, second = read(
        """\
[defaults]
seed = 3
shadow_models = 8
budgets = ["auc <= 0.6"]

[[audit]]
name = "churn"
target = "churn.audit:Targets.make"
seed = 5
max_increase = "0.5pp"
attacks = ["loss"]
budgets = [  # the first
  "tpr@fpr=0.001 <= 1%",

  "auc <= 0.55", "advantage <= 0.2",
]

[[audit]]
target = "risk:target"
name = "risk model 2.0 (é)"
"""
    )
    assert (first.name, first.target) == ("churn", "churn.audit:Targets.make")
    assert [str(budget) for budget in first.budgets] == [
        "tpr@0.1%fpr <= 1%",
        "auc <= 0.55",
        "advantage <= 20%",
    ]
    assert first.budget_lines == (13, 15, 15)
    assert [budget.source for budget in first.budgets] == [
        "leakpro.toml:13",
        "leakpro.toml:15",
        "leakpro.toml:15",
    ]
    assert first.options == {
        "seed": 5,
        "shadow_models": 8,
        "max_increase": "0.5pp",
        "attacks": ["loss"],
    }
    assert (first.file, first.target_line) == ("leakpro.toml", 8)
    assert (second.name, second.target_line) == ("risk model 2.0 (é)", 19)
    assert [str(budget) for budget in second.budgets] == ["auc <= 0.6"]
    assert second.budgets[0].source == "leakpro.toml:4"
    assert second.options == {"seed": 3, "shadow_models": 8}


@pytest.mark.parametrize(
    "encoded",
    [AUDIT.encode("utf-8-sig"), AUDIT.replace("\n", "\r\n").encode(), AUDIT.strip().encode()],
    ids=["byte-order mark", "CRLF", "no last line break"],
)
def test_files_of_any_editor(read, encoded):
    (declared,) = read(encoded)
    assert declared.budget_lines == (4,)


def test_options_of_every_kind(read):
    values = {"attacks": '"all"', "seed": 1, "alpha": 0.1, "shadow_models": 4, "workers": 1}
    values |= {"inconclusive": '"warn"', "weak_suite": '"pass"', "max_increase": 0.01}
    assert {*values, "name"} == set(OPTIONS)
    lines = "".join(f"{key} = {value}\n" for key, value in values.items())
    assert set(read(AUDIT + lines)[0].options) == set(values)
    assert set(read(f"[defaults]\n{lines}{AUDIT}")[0].options) == set(values)


VALUES = ["true", "-1", "1979-05-27", "{a = 1}", "[[1]]", "nan", '"\\u202e"']
# Which attacks there are is known when the audit runs.
WRONG_TYPES = [
    (key, value)
    for key in sorted({*OPTIONS, "target", "budgets"})
    for value in VALUES
    if (key, value) != ("attacks", VALUES[-1])
]


@pytest.mark.parametrize(("key", "value"), WRONG_TYPES)
def test_a_value_of_a_wrong_type_names_its_line(refusal, key, value):
    keys = {"name": '"churn"', "target": '"a:b"', "budgets": '["auc <= 0.55"]'}
    keys.pop(key, None)
    lines = "".join(f"{name} = {text}\n" for name, text in keys.items())
    message = refusal(f"[[audit]]\n{lines}{key} = {value}\n")
    assert message.startswith(f"leakpro.toml:{2 + len(keys)}: [[audit]]")
    assert f", {key}: " in message.splitlines()[0]


WRONG = {
    # what: content, message
    "syntax": ("[[audit]]\nname = churn\n", "leakpro.toml:2: this is no TOML: Invalid value"),
    "end": (AUDIT + "budgets2 = [1\n2,\n", "leakpro.toml:6: this is no TOML: Unclosed array"),
    "twice": (AUDIT + "name = 'b'\n# end\n", "leakpro.toml:5: this is no TOML: Cannot overwrite"),
    "deep": ("a = " + "[" * 100_000, "leakpro.toml"),
    "key": (
        "audits = 1\n" + AUDIT,
        "leakpro.toml:1: audits: there is no such key (did you mean 'au",
    ),
    "dotted": (
        AUDIT + "[a.b]\n",
        "leakpro.toml:5: a: there is no such key (known: audit, defaults)",
    ),
    "default": (
        "[defaults]\n\nsed = 1\n" + AUDIT,
        "leakpro.toml:3: [defaults], sed: there is no such key (did you mean 'seed'?)",
    ),
    "defaults": ("defaults = 3\n" + AUDIT, "leakpro.toml:1: [defaults]: this is a table"),
    "target for all": ("[defaults]\ntarget = 'a:b'\n" + AUDIT, "[defaults], target: there is no"),
    "audit key": (
        AUDIT + "bugdets = []\n",
        'leakpro.toml:5: [[audit]] "churn", bugdets: there is no such key (did you mean \'bud',
    ),
    "sub-table": (
        AUDIT + "[audit.options]\nseed = 1\n",
        'leakpro.toml:5: [[audit]] "churn", options',
    ),
    "one bracket": (
        AUDIT.replace("[[audit]]", "[audit]"),
        "leakpro.toml:1: audit: write [[audit]]",
    ),
    "one bracket twice": (
        AUDIT.replace("[[audit]]", "[audit]") * 2,
        "Cannot declare ('audit',) twice (at line 5, column 7); each audit begins with [[audit]]",
    ),
    "no table": ("audit = [1]\n", "leakpro.toml:1: audit: audits are tables"),
    "empty": ("", "leakpro.toml:1: no audit is declared; write\n    [[audit]]"),
    "comments": ("# nothing yet\n", "leakpro.toml:1: no audit is declared"),
    "only defaults": ("[defaults]\nseed = 1\n", "leakpro.toml:1: no audit is declared"),
    "no name": ("\n[[audit]]\ntarget='a:b'\n", "leakpro.toml:2: [[audit]]: name is missing"),
    "no target": ("[[audit]]\nname='a'\n", 'leakpro.toml:1: [[audit]] "a": target is missing'),
    "no budgets": (
        "[defaults]\n[[audit]]\nname='a'\ntarget='b:c'\n",
        'leakpro.toml:2: [[audit]] "a": budgets is missing',
    ),
    "empty budgets": (
        AUDIT.replace('"auc <= 0.55"', ""),
        'leakpro.toml:4: [[audit]] "churn", budgets: budgets are a list of texts',
    ),
    "one budget": (
        AUDIT.replace('["auc <= 0.55"]', '"auc <= 0.55"'),
        "budgets are a list of texts",
    ),
    "budget": (
        AUDIT.replace('["auc', '[\n  # first\n  "advantage <= 0.5",\n  "auc').replace(
            "<= 0.55", "< 0.55"
        ),
        """leakpro.toml:7: [[audit]] "churn", budgets: cannot read the budget
    auc < 0.55
        ^ expected "<=\"""",
    ),
    "impossible": (
        AUDIT.replace("0.55", "1.5"),
        'leakpro.toml:4: [[audit]] "churn", budgets: the bud',
    ),
    "default budget": (
        "[defaults]\nbudgets = ['auc < 1']\n" + AUDIT,
        "leakpro.toml:2: [defaults], budgets: cannot read the budget",
    ),
    "two budgets": (
        AUDIT.replace('"auc <= 0.55"', '"tpr@0.1%fpr <= 1%",\n"tpr@fpr=0.001 <= 2%"'),
        'leakpro.toml:5: [[audit]] "churn", budgets: tpr@0.1%fpr has two budgets',
    ),
    "two audits": (
        AUDIT * 2,
        'leakpro.toml:6: [[audit]] "churn", name: another audit of this file',
    ),
    "two audits in a line": (
        "audit = [" + "{name='a', target='b:c', budgets=['auc <= 0.55']}, " * 2 + "]",
        'leakpro.toml:1: [[audit]] "a", name: another audit of this file',
    ),
    "range": (
        AUDIT + "seed = -3\n",
        'leakpro.toml:5: [[audit]] "churn", seed: seed is a whole number of at least 0, not -3',
    ),
    "choice": (
        AUDIT + "inconclusive = 'wran'\n",
        "inconclusive cannot be 'wran' (did you mean 'warn'?)",
    ),
    "increase": (
        AUDIT + "max_increase = '1%'\n",
        'leakpro.toml:5: [[audit]] "churn", max_increase: ',
    ),
    "default range": (
        "[defaults]\nalpha = 2\n" + AUDIT,
        "leakpro.toml:2: [defaults], alpha: alpha is",
    ),
    "no attacks": (AUDIT + "attacks = []\n", "attacks are a name or a list of names"),
    "not UTF-8": (b"# a\nx = '\xe9'\n", "leakpro.toml:2: byte 0xe9 is no UTF-8; save the file as"),
    "UTF-16": (AUDIT.encode("utf-16"), "is no UTF-8"),
    "escape in a key": ('"\\u001b[2J" = 1\n', "leakpro.toml:1: \\x1b[2J: there is no such key"),
    "mark in a table": (
        AUDIT + '[audit."\\u202e"]\n',
        'leakpro.toml:5: [[audit]] "churn", \\u202e',
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_with_file_line_and_key(refusal, what):
    content, says = WRONG[what]
    assert says in refusal(content)


NO_TARGETS = (
    "churn|churn.audit|:target|churn:|src/churn.py:target|churn audit:t|a:b:c|churn.:t|.churn:t"
    "|a:b()|1a:b|"
)


@pytest.mark.parametrize("target", NO_TARGETS.split("|"))
def test_a_target_is_module_and_function(refusal, target):
    message = refusal(AUDIT.replace("churn.audit:target", target))
    assert message.startswith('leakpro.toml:3: [[audit]] "churn", target: a target is the function')
    assert repr(target) in message


NAMES = {
    "empty": "",
    "space before": " a",
    "space behind": "a ",
    "long": "a" * 101,
    "newline": "a\\nb",
    "tab": "a\\tb",
    "escape": "a\\u001b[31mb",
    "right to left": "a\\u202eb",
    "no-break space": "a\\u00a0b",
    "zero width": "a\\u200bb",
    "null": "a\\u0000b",
    "parts": "a::b",
    "colon before": ":a",
    "colon behind": "a:",
    "bracket": "a[b",
    "closing bracket": "a]b",
    "quote": 'a\\"b',
    "backslash": "a\\\\b",
    "backtick": "a`b`",
    "dollar": "$(a)",
}


@pytest.mark.parametrize("what", NAMES)
def test_names_that_cannot_be_part_of_a_test_id(refusal, what):
    message = refusal(AUDIT.replace('"churn"', f'"{NAMES[what]}"'))
    assert message.startswith("leakpro.toml:2: [[audit]]")
    assert ", name: " in message


@pytest.mark.parametrize("name", ["a" * 100, "churn model (v2), 50% @ a/b.c: d", "Ärzte", "病历"])
def test_names_that_can(read, name):
    assert read(AUDIT.replace("churn", name, 1))[0].name == name


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(LeakproError, match=r"^leakpro.toml cannot be read: "):
        read_declarations(tmp_path, "leakpro.toml")
    with pytest.raises(LeakproError, match=r"leakpro.toml cannot be read: No such file"):
        read_declarations(tmp_path / "leakpro.toml")


def test_lines_in_every_way_to_write_toml():
    text = '''\
# a [comment] with "quotes"
"defaults" . seed = 3  # [not.a.table]
title = """a ""quoted""
[x]
""\\"""""
literal = \'\'\'
y = [1]
\'\'\'\'
date = 1979-05-27 07:32:00
[defaults2]
budgets = [ # ]
  "a # ]", 'b',

  """c
d""", [[1,
2]],
]
[[audit]]
inline = {a = 1, "b\\u0063".d = [1, {c = 2}]}
[audit.sub]
k = ""
  [[ audit . "z" ]]
[[audit]]
[[audit.z]]
q = -1_000
[[audit.z]]
q = inf'''
    expected = {
        ("defaults",): 2,
        ("defaults", "seed"): 2,
        ("title",): 3,
        ("literal",): 6,
        ("date",): 9,
        ("defaults2",): 10,
        ("defaults2", "budgets"): 11,
        ("defaults2", "budgets", 0): 12,
        ("defaults2", "budgets", 1): 12,
        ("defaults2", "budgets", 2): 14,
        ("defaults2", "budgets", 3): 15,
        ("defaults2", "budgets", 3, 0): 15,
        ("defaults2", "budgets", 3, 0, 0): 15,
        ("defaults2", "budgets", 3, 0, 1): 16,
        ("audit",): 18,
        ("audit", 0): 18,
        ("audit", 0, "inline"): 19,
        ("audit", 0, "inline", "a"): 19,
        ("audit", 0, "inline", "bc"): 19,
        ("audit", 0, "inline", "bc", "d"): 19,
        ("audit", 0, "inline", "bc", "d", 0): 19,
        ("audit", 0, "inline", "bc", "d", 1): 19,
        ("audit", 0, "inline", "bc", "d", 1, "c"): 19,
        ("audit", 0, "sub"): 20,
        ("audit", 0, "sub", "k"): 21,
        ("audit", 0, "z"): 22,
        ("audit", 0, "z", 0): 22,
        ("audit", 1): 23,
        ("audit", 1, "z"): 24,
        ("audit", 1, "z", 0): 24,
        ("audit", 1, "z", 0, "q"): 25,
        ("audit", 1, "z", 1): 26,
        ("audit", 1, "z", 1, "q"): 27,
    }
    for lines in (text, text.replace("\n", "\r\n")):
        assert read_toml(lines)[1] == expected
