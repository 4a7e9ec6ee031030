"""What ``init`` finds in repositories of many kinds, and the test that it writes of it."""

import importlib.util
import os
import subprocess
import sys

import pytest

from pytest_leakpro.cli.main import main
from pytest_leakpro.cli.starter.choosing import look_through
from pytest_leakpro.cli.starter.names import Part, is_importable_name, part_named
from pytest_leakpro.cli.starter.sources import LARGEST_FILE, read_sources
from tests.cli import repositories
from tests.cli.repositories import write


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(repository, files, capsys, *flags):
    write(repository, files)
    assert main(["init", "--no-run", *flags]) == 0
    text = (repository / "tests" / "test_privacy.py").read_text(encoding="utf-8")
    compile(text, "test_privacy.py", "exec")
    assert len(text.splitlines()) <= 48
    return text, capsys.readouterr().out


CASES = {
    "package": (
        repositories.PACKAGE,
        """
sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from churn.data import load_data  # noqa: E402
from churn.model import train_model  # noqa: E402


def fit(X, y, seed):
    \"\"\"Train as the released model was; so are shadow models trained.\"\"\"
    np.random.seed(seed)  # it takes no seed of its own
    return train_model(X, y)
""",
        """
    X_train, X_test, y_train, y_test = load_data()
    members, nonmembers = (X_train, y_train), (X_test, y_test)
    model = fit(*members, 0)
    leakpro.audit(Classifier(model, members, nonmembers, train=fit))
""",
    ),
    "network": (
        repositories.NETWORK,
        """
    torch.manual_seed(seed)
    model = Net()
    dataset = TensorDataset(torch.as_tensor(X), torch.as_tensor(y))
    loader = DataLoader(dataset, batch_size=32, shuffle=True)
    train(model, loader)
    return model


def pair(dataset):
""",
        """
    training, holdout = get_datasets()
    members, nonmembers = pair(training), pair(holdout)
    model = fit(*members, 0)
""",
    ),
    "network by arrays": (
        repositories.NETWORK_BY_ARRAYS,
        """
from net import Net, load_data, train  # noqa: E402
""",
        """
    model = Net(X.shape[1])
    return train(model, X, y)
""",
        """
    members, nonmembers = load_data()
    model = fit(*members, 0)
""",
    ),
    "pool": (
        repositories.POOL,
        """
    return train(X, y, random_state=seed)
""",
        """
    X, y = load_data()
    leakpro.audit(Recipe(fit, X, y, name="train"))
""",
    ),
    "script": (
        repositories.SCRIPT,
        """
    from fit_ridge import X_test, X_train, model, y_test, y_train

    members, nonmembers = (X_train, y_train), (X_test, y_test)
    leakpro.audit(Regressor(model, members, nonmembers))
""",
    ),
    "cohort": (
        repositories.COHORT,
        """
sys.path.insert(0, str(Path(__file__).parents[1] / "ml"))

from models import train_logistic_regression  # noqa: E402
from records import load_cohort  # noqa: E402
""",
        """
    return train_logistic_regression(SimpleNamespace(train=(X, y)))["model"]
""",
        """
    data = load_cohort()
    members, nonmembers = data.train, data.holdout
""",
    ),
    "builder": (
        repositories.BUILDER,
        """
    X_train, X_test, y_train, y_test = get_data()
    members, nonmembers = (X_train, y_train), (X_test, y_test)
    model = create_model().fit(*members)
    leakpro.audit(Classifier(model, members, nonmembers))
""",
    ),
    "finished": (
        repositories.FINISHED,
        """
    data = prepare_data()
    members, nonmembers = (data["Xtr"], data["ytr"]), (data["Xte"], data["yte"])
    model = train()[0]
    leakpro.audit(Classifier(model, members, nonmembers))
""",
    ),
    "all in one": (
        repositories.ALL_IN_ONE,
        """
    model, X_train, X_test, y_train, y_test = run_experiment()
    members, nonmembers = (X_train, y_train), (X_test, y_test)
    leakpro.audit(Classifier(model, members, nonmembers))
""",
    ),
    "awkward names": (
        repositories.AWKWARD,
        """
from model import fit as own_fit  # noqa: E402
from model import test_train_data as own_test_train_data  # noqa: E402
""",
        """
    return own_fit(X, y)
""",
    ),
    "direct": (
        repositories.DIRECT,
        """
    X_train, y_train, _, _, X_test, y_test = load()
    members, nonmembers = (X_train, y_train), (X_test, y_test)
    model = fit(*members, 0)
    leakpro.audit(Classifier(model, members, nonmembers, train=fit))
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_test_is_written_by_the_names_that_were_found(repository, name, capsys):
    files, *parts = CASES[name]
    text, out = init(repository, files, capsys)
    for part in parts:
        assert part in text
    assert "NotImplementedError" not in text
    assert "not usable" not in out
    assert "not found" not in out
    assert "# For 4,000 members and as many non-members. What yours can decide:" in text


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="ruff is not installed")
def test_what_is_written_is_formatted(tmp_path, monkeypatch, capsys):
    for number, case in enumerate([*CASES.values(), (repositories.LACKING,)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        init(folder, case[0], capsys)
    written = [str(path) for path in tmp_path.glob("*/tests")]
    for check in (["format", "--check"], ["check", "--select", "E,F,I"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", "--no-cache", *written]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (repositories.MAIN_ONLY, "main() in train.py: it does not return the model that it trains"),
        (repositories.LACKING, "train(X, y, config) in train.py: nothing says what config is"),
    ],
)
def test_what_cannot_be_used_is_said_and_left_to_fill_in(repository, files, why, capsys):
    text, out = init(repository, files, capsys)
    assert f"model   not usable: {why}" in out
    assert f"# Found, but: {why}" in text
    assert text.count("raise NotImplementedError(") == 2
    assert "def test_model_keeps_its_training_records_private(leakpro, records, fit):" in text
    assert "fill in what tests/test_privacy.py asks for" in out


def test_where_nothing_is_there_everything_is_left_to_fill_in(repository, capsys):
    text, out = init(repository, {}, capsys)
    assert "read 0 Python files: run this in the root of the repository" in out
    assert text.count("raise NotImplementedError(") == 2
    assert "sys.path" not in text


def test_half_of_it_is_used(repository, capsys):
    files = {"train.py": repositories.LACKING["train.py"].replace(", config", ", seed=0")}
    text, _ = init(repository, files, capsys)
    assert "    model = train(*members, 0)" in text
    assert "train=train" in text
    assert text.count("raise NotImplementedError(") == 1
    assert "# Found, but: load() in train.py: it must be called with path" in text


def test_a_script_that_reads_the_command_line_is_not_imported(repository, capsys):
    files = {
        "train.py": "import argparse\nargs = argparse.ArgumentParser().parse_args()\n"
        + repositories.POOL["model.py"]
    }
    text, out = init(repository, files, capsys)
    assert "importing its file would read the command line" in out
    assert "import train" not in text
    assert "from train" not in text


def test_a_split_that_differs_from_call_to_call_is_never_paired_with_a_ready_model(
    repository, capsys
):
    files = {"train.py": repositories.FINISHED["train.py"].replace(", random_state=2", "")}
    text, out = init(repository, files, capsys)
    assert "model = train()" not in text
    assert "not usable: train() in train.py: the records it was trained on cannot be had" in out
    assert "# prepare_data() splits anew in every call" in text


def test_a_trainer_that_splits_its_records_is_not_used(repository, capsys):
    files = {
        "train.py": """
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

def train(X, y):
    X_train, X_test, y_train, y_test = train_test_split(X, y)
    return LogisticRegression().fit(X_train, y_train)
"""
    }
    _, out = init(repository, files, capsys)
    assert "it splits the records itself" in out


def test_paths_that_need_no_help(repository, capsys):
    files = {**repositories.PACKAGE, "pyproject.toml": '[tool.pytest]\npythonpath = ["src"]\n'}
    text, _ = init(repository, files, capsys)
    assert "sys.path" not in text
    assert "\nfrom churn.data import load_data\n" in text


def test_the_test_may_stand_deeper(repository, capsys):
    write(repository, repositories.PACKAGE)
    assert main(["init", "--no-run", "--dir", "checks/privacy"]) == 0
    text = (repository / "checks" / "privacy" / "test_privacy.py").read_text()
    assert 'sys.path.insert(0, str(Path(__file__).parents[2] / "src"))' in text


@pytest.mark.parametrize("folder", ["..", "/", "../other", "src/churn/data.py"])
def test_folders_that_cannot_be(repository, folder, capsys):
    write(repository, repositories.PACKAGE)
    assert main(["init", "--no-run", "--dir", folder]) == 2
    assert "--dir" in capsys.readouterr().err
    assert not list(repository.rglob("test_*"))


def test_nothing_is_overwritten_unless_it_may_be(repository, capsys):
    init(repository, repositories.POOL, capsys)
    written = repository / "tests" / "test_privacy.py"
    written.write_text(written.read_text() + "# mine\n")
    assert main(["init", "--no-run"]) == 2
    assert "tests/test_privacy.py is there already" in capsys.readouterr().err
    assert "# mine" in written.read_text()
    assert not (repository / "tests" / "test_leakage.py").exists()
    assert main(["init", "--no-run", "--force"]) == 0
    assert "# mine" not in written.read_text()


def test_a_test_of_that_name_that_audits_nothing_is_left_alone(repository, capsys):
    write(repository, {"tests/test_privacy.py": "def test_policy_is_linked(): pass\n"})
    assert main(["init", "--no-run"]) == 0
    assert (repository / "tests" / "test_leakage.py").exists()
    assert "test_policy" in (repository / "tests" / "test_privacy.py").read_text()
    assert main(["init", "--no-run"]) == 2


def test_hostile_files_do_no_harm(repository, capsys):
    write(repository, repositories.AWKWARD)
    model = repositories.AWKWARD["model.py"]
    bomb = "X = " + "(" * 5000 + ")" * 5000
    write(
        repository,
        {
            "broken.py": "def broken(:\n",
            "deep.py": bomb,
            "class.py": model,
            "a b.py": model,
            "random.py": model,
            ".hidden/model.py": model,
            "venv/pyvenv.cfg": "",
            "venv/lib/model.py": model,
            "node_modules/x/model.py": model,
        },
    )
    (repository / "bytes.py").write_bytes(b"\xff\xfe\x00 = 1\n")
    (repository / "huge.py").write_bytes(b"x = 1\n" * LARGEST_FILE)
    if os.name == "posix":
        (repository / 'evil"\nimport os.py').write_text(model)
        (repository / "ﬁt.py").write_text(model)  # Python folds the ligature
        os.mkfifo(repository / "pipe.py")
        (repository / "endless.py").symlink_to("/dev/zero")
        (repository / "folder").symlink_to("/usr")
    sources = read_sources(repository)
    assert sources.skipped["not valid Python"] == 3
    assert sources.skipped["too large"] == 1
    assert {source.module for source in sources.files} == {"model", ""}
    text, out = init(repository, {}, capsys)
    assert "from model import" in text
    assert "evil" not in text + out
    found = look_through(sources)
    assert found.model.source.module == "model"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("X_train", Part("train", "X")),
        ("xtest", Part("test", "X")),
        ("trainY", Part("train", "y")),
        ("y_holdout", Part("test", "y")),
        ("X_train_scaled", Part("train", "X")),
        ("val_labels", Part("validation", "y")),
        ("train_loader", Part("train", "whole")),
        ("features", Part("", "X")),
        ("nonmembers", Part("test", "whole")),
        ("params", None),
        ("data", None),
        ("latest", None),
        ("strain", None),
    ],
)
def test_names_of_parts(name, part):
    assert part_named(name) == part


@pytest.mark.parametrize("name", ["class", "a b", "1st", "", "ﬁt", "a.b", "x\n", "\udcff"])
def test_names_that_cannot_be_imported(name):
    assert not is_importable_name(name)
