"""Audits that leakpro.toml declares, as tests of a session."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

MODELS = """
from pathlib import Path

import numpy as np

from pytest_leakpro import MembershipScores

def note(line):
    with Path(__file__).with_suffix(".log").open("a") as log:
        log.write(line + "\\n")

note("import")

def scores(shift, name, size=4000):
    note(name)
    rng = np.random.default_rng(1)
    return MembershipScores(rng.normal(shift, 1, size), rng.normal(size=size), name=name)

def quiet(): return scores(0.0, "quiet")
def loud(): return scores(1.0, "loud")
def unclear(): return scores(0.0, "unclear", size=60)

def boom():
    note("boom")
    return int("many")

def misused():
    return MembershipScores([1.0], [2.0])

def needs(size): return scores(0.0, "needs")
def nothing(): scores(0.0, "nothing")
def other(): return {"a": 1}
class Models:
    @staticmethod
    def quiet(): return quiet()
CONSTANT = 3
"""
TOML = """
[[audit]]
name = "quiet-model"
target = "models:quiet"
budgets = ["tpr@0.1%fpr <= 10%", "auc <= 0.55"]

[[audit]]
name = "loud-model"
target = "models:loud"
budgets = [
    "tpr@0.1%fpr <= 10%",
    "auc <= 0.55",
]
"""
QUIET_IDS = ["leakpro.toml::quiet-model::tpr@0.1%fpr", "leakpro.toml::quiet-model::auc"]
LOUD_IDS = ["leakpro.toml::loud-model::tpr@0.1%fpr", "leakpro.toml::loud-model::auc"]


def audit(name, factory=None, *lines, budgets='["auc <= 0.55"]'):
    """Declare an audit."""
    declared = [f'name = "{name}"', f'target = "models:{factory or name}"', f"budgets = {budgets}"]
    return "\n".join(["[[audit]]", *declared, *lines, ""])


@pytest.fixture
def declared(pytester):
    """A folder with models.py and a leakpro.toml of this text."""

    def declared(text=TOML):
        pytester.path.joinpath("models.py").write_text(MODELS)
        pytester.path.joinpath("leakpro.toml").write_text(text, encoding="utf-8")
        return pytester

    return declared


def log(repo):
    """Tell what was imported and called."""
    path = repo.path / "models.log"
    return path.read_text().split() if path.exists() else []


def rows(result):
    """Give target and metric of each row of the summary."""
    lines = result.stdout.lines
    start = next(i for i, line in enumerate(lines) if "leakage audits =" in line)
    return [line.split()[:2] for line in lines[start + 2 :] if line.endswith(("PASS", "FAIL"))]


ALL_ROWS = [[target, metric] for target in ("loud", "quiet") for metric in ("auc", "tpr@0.1%fpr")]


def test_one_test_per_budget_and_one_audit_per_target(declared):
    repo = declared()
    result = repo.runpytest("--leakpro", "-v")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [f"{node} PASSED*" for node in [*QUIET_IDS, LOUD_IDS[0]]] + [f"{LOUD_IDS[1]} FAILED*"]
    )
    assert rows(result) == ALL_ROWS
    assert log(repo) == ["import", "quiet", "loud"]


def test_a_failure_is_its_message(declared):
    result = declared().runpytest("--leakpro")
    lines = result.stdout.lines
    start = next(i for i, line in enumerate(lines) if "__ loud-model: auc __" in line)
    result.stdout.fnmatch_lines(
        [
            "E   pytest_leakpro.LeakageError: loud leaks membership above its budget",
            "E     budget    auc <= 0.55 *(leakpro.toml:12)",
            'E     again     pytest --leakpro --leakpro-seed=0 "leakpro.toml::loud-model::auc"',
            "FAILED leakpro.toml::loud-model::auc - pytest_leakpro.LeakageError: loud*",
        ]
    )
    assert lines[start + 1].startswith("E   ")
    result.stdout.no_fnmatch_line("*frames*")
    result.stdout.no_fnmatch_line("*conductor.py*")


@pytest.mark.parametrize("style", ["long", "short", "native", "line", "no"])
def test_styles_of_tracebacks(declared, style):
    repo = declared(TOML + audit("boom"))
    result = repo.runpytest("--leakpro", f"--tb={style}")
    result.assert_outcomes(passed=3, failed=2)
    text = result.stdout.str()
    assert "conductor.py" not in text
    assert ("loud leaks membership above its budget" in text) == (style != "no")
    if style == "line":
        result.stdout.fnmatch_lines(["leakpro.toml:12: pytest_leakpro.LeakageError: loud leaks*"])


def test_the_full_trace_has_everything(declared):
    result = declared().runpytest("--leakpro", "--full-trace")
    result.stdout.fnmatch_lines(["*conductor.py:*"])


def test_without_the_flag_everything_is_skipped_and_nothing_imported(declared):
    repo = declared()
    result = repo.runpytest("-rs")
    result.assert_outcomes(skipped=4)
    result.stdout.fnmatch_lines(["SKIPPED [[]4] leakpro.toml: leakage audits run with --leakpro"])
    assert log(repo) == []


def test_collecting_imports_nothing(declared):
    repo = declared()
    result = repo.runpytest("--collect-only", "--leakpro", "-q")
    assert result.stdout.lines[:4] == [*QUIET_IDS, *LOUD_IDS]
    assert log(repo) == []


@pytest.mark.parametrize("flags", [[], ["--leakpro", "--collect-only"]], ids=["off", "collect"])
def test_collecting_imports_no_heavy_library(declared, flags, monkeypatch):
    repo = declared()
    repo.makeconftest(
        """
        import sys
        def pytest_unconfigure():
            print("heavy:", {"numpy", "scipy", "pandas", "sklearn"} & set(sys.modules))
        """
    )
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("COV_CORE_SOURCE", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, "-m", "pytest", "-p", "pytest_leakpro.plugin.hooks", "-s", *flags]
    result = subprocess.run(command, capture_output=True, text=True, cwd=repo.path, check=True)
    assert "heavy: set()" in result.stdout
    assert "collected 4 items" in result.stdout


def test_switched_off_by_name(declared):
    assert declared().runpytest("-p", "no:leakpro").ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        (["-k", "quiet"], QUIET_IDS),
        (["-k", "model and auc"], [QUIET_IDS[1], LOUD_IDS[1]]),
        (["-m", "leakage"], [*QUIET_IDS, *LOUD_IDS]),
        (["-m", "not leakage"], []),
        (["leakpro.toml::quiet-model"], QUIET_IDS),
        ([QUIET_IDS[0]], QUIET_IDS[:1]),
        ([LOUD_IDS[1], QUIET_IDS[0]], [LOUD_IDS[1], QUIET_IDS[0]]),
        (["--deselect", QUIET_IDS[1], "leakpro.toml"], [QUIET_IDS[0], *LOUD_IDS]),
        (["--ignore", "leakpro.toml"], []),
        (["."], [*QUIET_IDS, *LOUD_IDS]),
    ],
    ids=lambda value: None if isinstance(value, list) and "::" in str(value[:1]) else str(value),
)
def test_selection(declared, arguments, selected):
    result = declared().runpytest("--collect-only", "-q", *arguments)
    assert [line for line in result.stdout.lines if "::" in line] == selected


def test_ids_of_one_audit_share_it(declared):
    repo = declared()
    result = repo.runpytest("--leakpro", *LOUD_IDS)
    result.assert_outcomes(passed=1, failed=1)
    assert rows(result) == ALL_ROWS[:2]
    assert log(repo) == ["import", "loud"]


def test_only_what_is_selected_is_told(declared):
    result = declared().runpytest("--leakpro", "-k", "loud and tpr")
    result.assert_outcomes(passed=1, deselected=3)
    assert rows(result) == [["loud", "tpr@0.1%fpr"]]


def test_the_last_failures(declared):
    repo = declared()
    repo.runpytest("--leakpro").assert_outcomes(passed=3, failed=1)
    result = repo.runpytest("--leakpro", "--lf", "-v")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{LOUD_IDS[1]} FAILED*"])
    assert rows(result) == ALL_ROWS[:1]


def test_the_outcome_does_not_depend_on_order_or_selection(declared):
    repo = declared()
    figures = []
    for order in (
        "",
        "items.reverse()",
        "items.sort(key=lambda item: item.name)",
        "del items[:-1]",
    ):
        repo.makeconftest(f"def pytest_collection_modifyitems(items):\n    {order or 'pass'}")
        result = repo.runpytest("--leakpro")
        # One row alone has narrower columns.
        lines = [line.split() for line in result.stdout.lines if line.endswith(("PASS", "FAIL"))]
        figures.append({tuple(line) for line in lines})
    assert figures[0] == figures[1] == figures[2]
    assert len(figures[3]) == 1
    assert figures[3] < figures[0]


def test_stopping_at_the_first_failure(declared):
    repo = declared(audit("loud", budgets='["auc <= 0.55", "advantage <= 0.1"]') + audit("quiet"))
    result = repo.runpytest("--leakpro", "-x")
    result.assert_outcomes(failed=1)
    assert rows(result) == [["loud", "auc"]]
    assert log(repo) == ["import", "loud"]


def test_options(declared):
    repo = declared(
        '[defaults]\ninconclusive = "warn"\nseed = 7\nbudgets = ["auc <= 0.55"]\n'
        '[[audit]]\nname = "a"\ntarget = "models:unclear"\n'
        + audit("b", "unclear", "seed = 8", 'inconclusive = "pass"', "alpha = 0.2")
        + audit("c", "unclear", 'inconclusive = "fail"')
    )
    result = repo.runpytest("--leakpro", "--leakpro-seed=5", "-v")
    result.assert_outcomes(passed=2, failed=1, warnings=4)
    result.stdout.fnmatch_lines(
        [
            "leakpro.toml::c::auc FAILED*",
            "E   pytest_leakpro.InconclusiveError: *",
            "E     budget    auc <= 0.55 *(leakpro.toml:18)",
            "3 budgets: 3 INCONCLUSIVE   (seed 7, 8, alpha 0.05, 0.2)",
        ]
    )


def test_several_files(declared):
    repo = declared(audit("root", "quiet"))
    files = {
        "risk.leakpro.toml": "quiet",
        "sub/leakpro.toml": "loud",
        "sub/deep/x.leakpro.toml": "quiet",
        "sub/myleakpro.toml": "boom",
        "sub/other.toml": "boom",
    }
    for name, factory in files.items():
        path = repo.path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(audit(path.name.partition(".")[0], factory))
    result = repo.runpytest("--leakpro", "-v")
    result.assert_outcomes(passed=3, failed=1)
    for node in ("leakpro.toml::root", "risk.leakpro.toml::risk", "sub/deep/x.leakpro.toml::x"):
        result.stdout.fnmatch_lines([f"{node}::auc PASSED*"])
    result.stdout.fnmatch_lines(["E     budget    auc <= 0.55 *(sub/leakpro.toml:4)"])


def test_the_same_module_name_in_two_folders(declared):
    repo = declared(audit("here", "quiet"))
    for folder in ("a", "b"):
        repo.path.joinpath(folder).mkdir()
        for name in ("models.py", "leakpro.toml"):
            repo.path.joinpath(folder, name).write_text(repo.path.joinpath(name).read_text())
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            (
                'E   *b/leakpro.toml:3: the target "models:quiet" means *b?models.py, but a module '
                '"models" was imported before from *models.py; give the two different names'
            )
        ]
    )


def test_a_target_in_a_package_is_named_from_its_root(declared):
    repo = declared(audit("here", "quiet"))
    package = repo.path / "src" / "churn"
    package.mkdir(parents=True)
    package.joinpath("__init__.py").touch()
    package.joinpath("types.py").write_text(MODELS)  # would hide the standard library's
    package.joinpath("leakpro.toml").write_text(
        audit("in", "quiet").replace("models:", "churn.types:Models.")
    )
    repo.path.joinpath("leakpro.toml").unlink()
    repo.makeconftest(
        f"""
        import sys
        def pytest_unconfigure():
            src, churn = map(sys.path.count, [{str(package.parent)!r}, {str(package)!r}])
            print(f"src {{src}}, churn {{churn}}")
        """
    )
    result = repo.runpytest("--leakpro", "-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["src 1, churn 0"])


TESTPATHS = {
    "not covered": ("tests", 5),
    "the root": (".", 5),
    "the file": ("tests leakpro.toml", 5),
    "a pattern": ("t*s *.toml", 5),
    "nothing there": ("missing", 5),
}


@pytest.mark.parametrize(
    ("what", "workers"), [*((what, []) for what in TESTPATHS), ("not covered", ["-n2"])], ids=str
)
def test_testpaths(declared, what, workers):
    if workers:
        pytest.importorskip("xdist")
    repo = declared()
    paths, count = TESTPATHS[what]
    repo.makeini(f"[pytest]\ntestpaths = {paths}\n")
    repo.path.joinpath("tests").mkdir()
    repo.path.joinpath("tests", "test_it.py").write_text("def test_it(): pass")
    result = repo.runpytest("--leakpro", *workers)
    result.assert_outcomes(passed=count - 1, failed=1)
    assert rows(result) == ALL_ROWS


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["tests"], 1), (["--ignore=leakpro.toml"], 1), (["--ignore-glob=*.toml"], 1), ([], 5)],
    ids=str,
)
def test_testpaths_and_arguments(declared, arguments, count):
    repo = declared()
    repo.makeini("[pytest]\ntestpaths = tests\n")
    repo.path.joinpath("tests").mkdir()
    repo.path.joinpath("tests", "test_it.py").write_text("def test_it(): pass")
    result = repo.runpytest("--collect-only", "-q", *arguments)
    assert sum("::" in line for line in result.stdout.lines) == count


def test_testpaths_that_name_modules(declared, monkeypatch):
    repo = declared()
    repo.makeini("[pytest]\ntestpaths = checks\naddopts = --pyargs\n")
    repo.makepyfile(checks="def test_it(): pass", leakpro="raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(repo.path)
    repo.runpytest("--leakpro").assert_outcomes(passed=4, failed=1)


@pytest.mark.parametrize("flags", [[], ["--leakpro"], ["--collect-only"], ["-n2"]], ids=str)
def test_a_wrong_file_is_one_message_at_collection(declared, flags):
    if flags == ["-n2"]:
        pytest.importorskip("xdist")
    repo = declared(TOML.replace("auc <= 0.55", "aux <= 0.55"))
    repo.makepyfile("def test_it(): pass")
    result = repo.runpytest(*flags)
    # pytest-xdist runs what could be collected.
    stopped = flags != ["-n2"]
    assert result.ret == pytest.ExitCode(2 if stopped else 1)
    lines = result.stdout.lines
    start = next(i for i, line in enumerate(lines) if "ERROR collecting leakpro.toml" in line)
    says = 'leakpro.toml:5: [[audit]] "quiet-model", budgets: cannot read the budget'
    assert lines[start + 1] == says
    result.stdout.fnmatch_lines(["    aux <= 0.55", "*did you mean 'auc'?*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*declaration.py*")


def test_the_other_files_run_where_one_is_wrong(declared):
    repo = declared()
    repo.path.joinpath("wrong.leakpro.toml").write_text("[audit]\n")
    result = repo.runpytest("--leakpro", "--continue-on-collection-errors")
    result.assert_outcomes(passed=3, failed=1, errors=1)
    result.stdout.fnmatch_lines(["wrong.leakpro.toml:1: audit: write * in two brackets*"])


def test_hostile_names_are_shown_escaped(declared):
    repo = declared(audit("\\u001b[31mred\\u202e", "quiet"))
    result = repo.runpytest("--leakpro")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    text = result.stdout.str()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert '[[audit]] "\\x1b[31mred\\u202e", name: a name is one line' in text


def test_names_with_everything_that_is_allowed(declared):
    name = "churn model (v2), 50% @ a/b.c: d <&> Ä"
    repo = declared(audit(name, "quiet"))
    result = repo.runpytest("--leakpro", "-v", f"leakpro.toml::{name}::auc", "--junitxml=out.xml")
    result.assert_outcomes(passed=1)
    case = next(ET.parse(repo.path / "out.xml").iter("testcase"))
    assert (case.get("classname"), case.get("name")) == (f"leakpro.toml.{name}", "auc")


NOT_A_TARGET = {
    "no module": (
        "mdels:quiet",
        "cannot be imported: No module named 'mdels'. It was looked for in",
    ),
    "no sub-module": (
        "models.x:quiet",
        "cannot be imported: No module named 'models.x'; 'models' is",
    ),
    "no factory": (
        "models:qiet",
        'is not there: the module "models" has no "qiet" (did you mean \'q',
    ),
    "none near": ("models:zzz", 'has no "zzz" (known: Models, boom, loud, misused, needs, note, '),
    "no method": ("models:Models.quite", 'has no "quite"'),
    "constant": ("models:CONSTANT", "is a int; it has to be a function"),
    "arguments": (
        "models:needs",
        "is called without arguments, but: missing a required argument: 'size'",
    ),
    "nothing": ("models:nothing", "returned None; return what is to be audited"),
    "other": ("models:other", "models:other: dict cannot be audited: wrap it in Classifier"),
}


@pytest.mark.parametrize("what", NOT_A_TARGET)
def test_what_is_no_target_is_said_once_per_budget(declared, what):
    target, says = NOT_A_TARGET[what]
    repo = declared(
        audit("it", budgets='["auc <= 0.55", "advantage <= 0.5"]').replace("models:it", target)
    )
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(failed=2)
    messages = [line for line in result.stdout.lines if line.startswith("E   ")]
    assert len(messages) == 2
    assert messages[0] == messages[1]
    assert "pytest_leakpro.LeakproError: leakpro.toml:3: " in messages[0]
    assert says in messages[0]
    result.stdout.fnmatch_lines(["2 budgets: 2 ERROR *"])
    result.stdout.no_fnmatch_line("*.py:*: in *")


def test_a_factory_that_raises_shows_the_users_frames(declared):
    repo = declared(audit("boom", budgets='["auc <= 0.55", "advantage <= 0.5"]'))
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(failed=2)
    lines = result.stdout.lines
    for metric in ("auc", "advantage"):
        start = next(i for i, line in enumerate(lines) if f" boom: {metric} _" in line)
        assert lines[start + 1].startswith("models.py:")
        assert lines[start + 1].endswith(": in boom")
        assert lines[start + 4].startswith("E   ValueError: invalid literal")
    assert log(repo) == ["import", "boom"]
    result.stdout.fnmatch_lines(["models:boom *ERROR", "2 budgets: 2 ERROR *"])


def test_a_module_that_does_not_import_shows_its_own_traceback(declared):
    repo = declared(audit("quiet"))
    repo.path.joinpath("models.py").write_text("import helper\n")
    repo.path.joinpath("helper.py").write_text("def load():\n    import no_such_library\nload()\n")
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(failed=1)
    lines = result.stdout.lines
    start = next(i for i, line in enumerate(lines) if " quiet: auc _" in line)
    end = next(i for i, line in enumerate(lines) if line.startswith("E   "))
    assert lines[end] == "E   ModuleNotFoundError: No module named 'no_such_library'"
    frames = [line for line in lines[start:end] if ".py:" in line]
    assert frames == [
        "models.py:1: in <module>",
        "helper.py:3: in <module>",
        "helper.py:2: in load",
    ]


def test_a_syntax_error_is_shown(declared):
    repo = declared(audit("quiet"))
    repo.path.joinpath("models.py").write_text("def quiet(:\n")
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E  *models.py*, line 1", "E  *def quiet(:", "E   SyntaxError: *"])
    result.stdout.no_fnmatch_line("*importlib*")


def test_bad_input_in_a_factory_shows_the_call(declared):
    result = declared(audit("misused")).runpytest("--leakpro")
    result.stdout.fnmatch_lines(
        ["models.py:*: in misused", "E   pytest_leakpro.LeakproError: there are 1 scores *"]
    )
    result.stdout.no_fnmatch_line("*evidence.py*")


def test_a_factory_that_skips(declared):
    repo = declared(audit("boom", budgets='["auc <= 0.55", "advantage <= 0.5"]') + audit("quiet"))
    path = repo.path / "models.py"
    path.write_text(path.read_text().replace('int("many")', '__import__("pytest").skip("no GPU")'))
    result = repo.runpytest("--leakpro", "-rs")
    result.assert_outcomes(skipped=2, passed=1)
    result.stdout.fnmatch_lines(["1 budget: 1 PASS *", "SKIPPED [[]2] models.py:*: no GPU"])
    assert log(repo) == ["import", "boom", "quiet"]


def test_ctrl_c_in_a_factory_ends_the_session(declared):
    repo = declared(audit("boom") + audit("quiet"))
    path = repo.path / "models.py"
    path.write_text(path.read_text().replace('return int("many")', "raise KeyboardInterrupt"))
    result = repo.runpytest_inprocess("--leakpro", no_reraise_ctrlc=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert log(repo) == ["import", "boom"]


@pytest.mark.parametrize("dist", ["load", "loadgroup"])
def test_workers_tell_every_budget_once(declared, dist):
    pytest.importorskip("xdist")
    repo = declared()
    result = repo.runpytest("--leakpro", "-n2", f"--dist={dist}")
    result.assert_outcomes(passed=3, failed=1)
    assert rows(result) == ALL_ROWS
    result.stdout.fnmatch_lines(["E   pytest_leakpro.LeakageError: loud leaks membership above*"])


def test_the_group_for_workers(declared):
    pytest.importorskip("xdist")
    repo = declared()
    items, _ = repo.inline_genitems()
    groups = [mark.args for item in items for mark in item.iter_markers("xdist_group")]
    assert groups == [("leakpro.toml::quiet-model",)] * 2 + [("leakpro.toml::loud-model",)] * 2
    items, _ = repo.inline_genitems("-p", "no:xdist", "--strict-markers")
    assert not [mark for item in items for mark in item.iter_markers("xdist_group")]


def test_a_repeated_test_audits_afresh(declared):
    pytest.importorskip("pytest_rerunfailures")
    flaky = audit("boom", budgets='["auc <= 0.55", "advantage <= 0.5"]')
    repo = declared(flaky)
    path = repo.path / "models.py"
    path.write_text(
        path.read_text().replace(
            'return int("many")',
            "return loud() if Path(__file__).with_suffix('.log').read_text().count('boom') < 3 "
            "else quiet()",
        )
    )
    result = repo.runpytest("--leakpro", "--reruns=3")
    result.assert_outcomes(passed=2)
    assert "2 rerun" in result.stdout.str()
    result.stdout.fnmatch_lines(["quiet *advantage *", "quiet *auc *", "2 budgets: 2 PASS *"])
    assert log(repo) == ["import", "boom", "loud", "boom", "loud", "boom", "quiet"]


def test_a_repeated_test_raises_its_error_afresh(declared):
    pytest.importorskip("pytest_rerunfailures")
    repo = declared(audit("boom", budgets='["auc <= 0.55", "advantage <= 0.5"]'))
    result = repo.runpytest("--leakpro", "--reruns=1")
    result.assert_outcomes(failed=2)
    # The second test finds the error of the first one's rerun, then runs afresh itself.
    assert log(repo) == ["import", "boom", "boom", "boom"]
    result.stdout.fnmatch_lines(["2 budgets: 2 ERROR *"])


def test_junit(declared):
    repo = declared()
    repo.runpytest("--leakpro", "--junitxml=out.xml", "-o", "junit_family=xunit2")
    cases = {
        (case.get("classname"), case.get("name")): case
        for case in ET.parse(repo.path / "out.xml").iter("testcase")
    }
    assert len(cases) == 4
    loud = cases["leakpro.toml.loud-model", "auc"]
    assert loud.find("failure").get("message").startswith("pytest_leakpro.LeakageError: loud leaks")
    properties = {entry.get("name"): entry.get("value") for entry in loud.iter("property")}
    assert properties["leakpro.loud.auc.verdict"] == "FAIL"
    assert not any("tpr" in name for name in properties)


def test_the_kept_audit_is_no_business_of_other_sessions(declared):
    repo = declared(audit("loud"))
    repo.runpytest("--leakpro").assert_outcomes(failed=1)
    path = repo.path / "models.py"
    path.write_text(path.read_text().replace("1.0", "0.0"))
    repo.runpytest("--leakpro").assert_outcomes(passed=1)


def test_beside_tests_in_python(declared):
    repo = declared()
    repo.makepyfile(
        """
        import pytest, models
        @pytest.mark.leakage("auc <= 0.55")
        def test_it(leakpro): leakpro.audit(models.quiet())
        """
    )
    result = repo.runpytest("--leakpro")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["5 budgets: 1 FAIL, 4 PASS *"])


def test_each_budget_is_compared_with_its_own_baseline(declared):
    budgets = '["tpr@0.1%fpr <= 50%", "auc <= 0.99"]'
    repo = declared(audit("loud", None, 'max_increase = "2pp"', budgets=budgets))
    repo.runpytest("--leakpro", "--leakpro-update-baseline").assert_outcomes(passed=2)
    path = repo.path / "models.py"
    path.write_text(path.read_text().replace("scores(1.0", "scores(1.4"))
    for selected in ([], ["-k", "auc"]):  # finished by another budget's test, or by its own
        result = repo.runpytest("--leakpro", *selected)
        result.assert_outcomes(
            passed=1 - len(selected) // 2, failed=1, deselected=len(selected) // 2
        )
        result.stdout.fnmatch_lines(
            ["*_ loud: auc _*", "E     change *: REGRESSION (+0.02 is allowed)"]
        )
