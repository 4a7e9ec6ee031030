"""The most exposed members are kept when that is asked for, and only then."""

import json
import stat

import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.auditing.session import SessionDefaults


def kept(repo):
    return [
        json.loads(path.read_text())
        for path in sorted((repo.path / ".leakpro").glob("vulnerable/*.json"))
    ]


@pytest.fixture
def one(repo):
    """With a test of two audits."""
    repo.makepyfile(
        test_it="""
        import pytest

        @pytest.mark.leakage("auc <= 0.55")
        def test_it(leakpro, loud, quiet):
            leakpro.measure(quiet)
            print("most", leakpro.measure(loud).vulnerable(5).tolist())
        """
    )
    return repo


def test_nothing_is_written_unasked(one):
    one.runpytest("--leakpro").assert_outcomes(passed=1)
    assert kept(one) == []
    assert not (one.path / ".leakpro" / "vulnerable").exists()


def test_the_flag_keeps_positions_in_the_private_folder(one):
    result = one.runpytest("--leakpro", "--leakpro-save-vulnerable=5", "-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*note: the 5 most exposed members stand in .leakpro/vulnerable/*.json: personal data"]
    )
    most = next(line for line in result.outlines if "most [" in line).partition("most ")[2]
    by_target = {document["target"]: document for document in kept(one)}
    assert set(by_target) == {"loud", "quiet"}
    assert by_target["loud"]["members"] == json.loads(most)
    assert by_target["loud"]["test"] == "test_it.py::test_it"
    folder = one.path / ".leakpro"
    assert (folder / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE((folder / "vulnerable").stat().st_mode) == 0o700
    run = next((folder / "runs").glob("*.json")).read_text()
    assert most not in run


def test_the_next_run_replaces_the_last_ones(one):
    for k in (5, 3):
        one.runpytest("--leakpro", f"--leakpro-save-vulnerable={k}")
    assert [len(document["members"]) for document in kept(one)] == [3, 3]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pytest.ini", "[pytest]\nleakpro = true\nleakpro_save_vulnerable = 4\n"),
        ("pyproject.toml", "[tool.pytest]\nleakpro = true\nleakpro_save_vulnerable = 4\n"),
    ],
)
def test_the_ini_key(one, file, content):
    if file == "pyproject.toml" and int(pytest.__version__.split(".")[0]) < 9:
        pytest.skip("[tool.pytest] came with pytest 9")
    (one.path / file).write_text(content)
    one.runpytest().assert_outcomes(passed=1)
    assert [len(document["members"]) for document in kept(one)] == [4, 4]
    one.runpytest("--leakpro-save-vulnerable=2").assert_outcomes(passed=1)
    assert [len(document["members"]) for document in kept(one)] == [2, 2]


def test_a_number_that_cannot_be(one):
    result = one.runpytest("--leakpro", "--leakpro-save-vulnerable=-1")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*save_vulnerable is a whole number of at least 0, not -1*"])
    with pytest.raises(LeakproError, match="save_vulnerable"):
        SessionDefaults(save_vulnerable=True)


def test_ids_of_persons_and_sliced_audits_in_a_session(pytester):
    pytester.makepyfile(
        test_it="""
        import numpy as np
        import pytest
        from sklearn.tree import DecisionTreeClassifier
        from pytest_leakpro import Classifier

        @pytest.mark.leakage("auc <= 0.7")
        @pytest.mark.filterwarnings("ignore")
        def test_it(leakpro):
            rng = np.random.default_rng(0)
            X, y = rng.normal(size=(800, 3)), rng.integers(0, 2, 800)
            ids = np.array([f"person {n // 2}" for n in range(800)])
            sex = np.where(np.arange(800) // 2 % 2, "F", "M")
            sex[:8] = "secret"
            model = DecisionTreeClassifier(random_state=0).fit(X[:400], y[:400])
            leakpro.measure(Classifier(
                model, (X[:400], y[:400]), (X[400:], y[400:]), train=False,
                groups=(ids[:400], ids[400:]), slices={"sex": (sex[:400], sex[400:])},
            ))
        """
    )
    result = pytester.runpytest(
        "--leakpro",
        "--leakpro-save-vulnerable=3",
        "--leakpro-json=out.json",
        "--leakpro-markdown=out.md",
        "--junitxml=out.xml",
        "--leakpro-update-baseline",
        "-p",
        "no:cacheprovider",
    )
    result.assert_outcomes(passed=1)
    (document,) = kept(pytester)
    assert all(member.startswith("person ") for member in document["members"])
    result.stdout.fnmatch_lines(
        ["  sex=M *", "  sex=(the rest) *", "*note: slices of sex: 1 with*"]
    )
    written = [result.stdout.str()] + [
        path.read_text()
        for path in pytester.path.rglob("*")
        if path.suffix in {".json", ".md", ".xml"} and "vulnerable" not in path.parts
    ]
    assert len(written) >= 5
    for text in written:
        assert "secret" not in text
        assert "person 1" not in text
    pytester.runpytest("--leakpro").assert_outcomes(passed=1)  # it can be read and compared with
