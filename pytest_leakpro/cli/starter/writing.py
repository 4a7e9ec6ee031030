"""The text of the first test.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.layout import bracketed, comment, from_import, quoted
from pytest_leakpro.cli.starter.statements import data_statements, gives_the_model, local_names

if TYPE_CHECKING:
    from pytest_leakpro.cli.starter.models import Kind
    from pytest_leakpro.cli.starter.parts import DataPart, ModelPart
    from pytest_leakpro.cli.starter.sources import Source

__all__ = ["Draft"]

DOCSTRING = '"""Does the model give away the records it was trained on? Run `pytest --leakpro`."""'
TEST_NAME = "test_model_keeps_its_training_records_private"


@dataclass
class Draft:
    """A test in the making.

    Attributes
    ----------
    model, data : ModelPart or None, DataPart or None
        What it audits; None leaves a fixture to fill in.
    budget : str
        What it allows.
    remarks : tuple of str
        Comments above the marker.
    command : str
        A command that the last of them ends with.
    near_model, near_data : str
        What was found and could not be used, for the fixture to fill in.
    folders : tuple of str
        Folders from the root that must be on the path.
    depth : int
        How many folders the test stands below the root.
    datasets : bool
        Whether members and non-members are data sets of torch.
    """

    model: ModelPart | None
    data: DataPart | None
    budget: str
    remarks: tuple[str, ...] = ()
    command: str = ""
    near_model: str = ""
    near_data: str = ""
    folders: tuple[str, ...] = ()
    depth: int = 1
    datasets: bool = False
    _imports: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _own: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _origins: dict[str, str] = field(default_factory=dict)
    _plain: set[str] = field(default_factory=lambda: {"pytest"})

    def text(self) -> str:
        """Write the file."""
        adapter, train = self._adapter()
        fixtures = [*self._records_fixture(), *self._fit_fixture()]
        helper = self._pair_helper()
        test = self._test(train)
        if self.folders:
            self._plain.add("sys")
            self._imports["pathlib"].add("Path")
        own = [
            line
            for module in sorted(self._own)
            for line in from_import(module, self._own[module], late=bool(self.folders))
        ]
        blocks = [[DOCSTRING], *self._import_blocks(), self._path_lines(), own]
        text = "\n\n".join("\n".join(block) for block in blocks if block)
        for block in (adapter, helper, *fixtures, test):
            if block:
                text += "\n\n\n" + "\n".join(block)
        return text + "\n"

    def _import_blocks(self) -> list[list[str]]:
        standard = {"sys", "pathlib", "types"}
        blocks = []
        for names in (standard, (self._plain | set(self._imports)) - standard):
            plain = [f"import {_ALIASES.get(name, name)}" for name in sorted(self._plain & names)]
            parts = [
                line
                for module in sorted(set(self._imports) & names)
                for line in from_import(module, self._imports[module], late=False)
            ]
            blocks.append(plain + parts)
        return blocks

    def _path_lines(self) -> list[str]:
        root = f"Path(__file__).parents[{self.depth}]"
        return [
            f"sys.path.insert(0, str({root}{f' / {quoted(folder)}' if folder else ''}))"
            for folder in self.folders
        ]

    def _named(self, source: Source, name: str) -> str:
        """Import a name of the repository's, under another where it would be in the way."""
        taken = _TAKEN | local_names(self.data)
        if not self._is_direct():
            taken.add("fit")
        shown = name
        if name in taken or name.lower().startswith("test"):  # pytest would run it
            shown = f"own_{name}"
        while self._origins.setdefault(shown, source.module) != source.module:
            shown = f"own_{shown}"
        self._own[source.module].add(name if shown == name else f"{name} as {shown}")
        return shown

    def _is_direct(self) -> bool:
        """Tell whether the repository's own function trains on given records as it is."""
        return self.model is not None and self.model.how == "train" and self.model.direct

    def _adapter(self) -> tuple[list[str], str]:
        """Write the function that trains on given records; give its name, empty for none."""
        model = self.model
        if model is None or model.how != "train":
            return [], ""
        name = self._named(model.source, model.name)
        if model.direct:
            return [], name
        for wanted in model.needs:
            if wanted in _HOMES:
                self._imports[_HOMES[wanted]].add(wanted)
        lines = ["def fit(X, y, seed):"]
        lines += ['    """Train as the released model was; so are shadow models trained."""']
        if any("torch." in line for line in model.setup):
            self._plain.add("torch")
        if model.kind.library == "torch" and (model.maker is not None or not model.seeded):
            self._plain.add("torch")
            lines.append("    torch.manual_seed(seed)")
        elif not model.seeded:
            self._plain.add("numpy")
            lines.append("    np.random.seed(seed)  # it takes no seed of its own")
        if model.maker is not None:
            made = self._named(model.maker.source, model.maker.name)
            lines.append(f"    model = {made}{model.maker.call.removeprefix(model.maker.name)}")
        lines += [f"    {line}" for line in model.setup]
        call = "" if model.keeps else "return "
        lines += bracketed(f"{call}{name}(", model.arguments, f"){model.result}", indent="    ")
        if model.keeps:
            lines.append("    return model")
        return lines, "fit"

    def _records_fixture(self) -> list[list[str]]:
        if self.data is not None:
            return []
        found = comment(f"Found, but: {self.near_data}", "    ") if self.near_data else []
        return [
            [
                "@pytest.fixture",
                "def records():",
                '    """Give members and non-members, each as (X, y)."""',
                *found,
                "    raise NotImplementedError(",
                '        "fill in records(): return (X_train, y_train), (X_test, y_test), "',
                '        "the records that the model was and was not trained on"',
                "    )",
            ]
        ]

    def _fit_fixture(self) -> list[list[str]]:
        if self.model is not None or (self.data is not None and self.data.model is not None):
            return []
        found = comment(f"Found, but: {self.near_model}", "    ") if self.near_model else []
        return [
            [
                "@pytest.fixture",
                "def fit():",
                '    """Give the function that trains: (X, y, seed) -> fitted model."""',
                *found,
                "    raise NotImplementedError(",
                '        "fill in fit(): return a function (X, y, seed) that trains as the "',
                '        "released model was trained, and returns the fitted model"',
                "    )",
            ]
        ]

    def _pair_helper(self) -> list[str]:
        if not self.datasets:
            return []
        self._plain.add("torch")
        return [
            "def pair(dataset):",
            '    """Read a data set into (X, y)."""',
            "    X, y = zip(*(dataset[i] for i in range(len(dataset))), strict=True)",
            "    return torch.stack([torch.as_tensor(x) for x in X]), torch.as_tensor(y)",
        ]

    def _test(self, train: str) -> list[str]:
        model, data = self.model, self.data
        wanted = ["leakpro"]
        body: list[str] = []
        if data is None:
            wanted.append("records")
            body.append("    members, nonmembers = records")
        else:
            loader = self._named(data.source, data.name) if data.name else ""
            shared = gives_the_model(model, data)
            imported = [model.name] if model is not None and model.how == "variable" else []
            statements = data_statements(
                data, loader, datasets=self.datasets, with_model=shared, also=imported
            )
            body += [f"    {line}".rstrip() for line in statements]
        pooled = data is not None and data.pooled
        if model is None and not (data is not None and data.model is not None):
            wanted.append("fit")
            train = "fit"
        if pooled:
            subject = self._recipe(train)
        else:
            body += self._model_line(train)
            subject = self._classifier(train)
        body += bracketed("leakpro.audit(", [subject], indent="    ")
        return [
            *(line for remark in self.remarks for line in comment(remark)),
            *([f"# {self.command}"] if self.command else []),
            f"@pytest.mark.leakage({quoted(self.budget)})",
            f"def {TEST_NAME}({', '.join(wanted)}):",
            *body,
        ]

    def _model_line(self, train: str) -> list[str]:
        model, data = self.model, self.data
        if data is not None and gives_the_model(model, data):
            return []
        if model is None or model.how == "train":
            return [f"    model = {train}(*members, 0)"]
        if model.how == "variable":
            return [] if model.name == "model" else [f"    model = {model.name}"]
        name = self._named(model.source, model.name)
        if model.how == "build":
            return [f"    model = {name}({', '.join(model.arguments)}).fit(*members)"]
        return [f"    model = {name}(){model.result}"]

    def _classifier(self, train: str) -> str:
        kind = self._kind()
        name = "Regressor" if kind is not None and kind.regression else "Classifier"
        self._imports["pytest_leakpro"].add(name)
        given = f", train={train}" if train else ""
        return f"{name}(model, members, nonmembers{given})"

    def _recipe(self, train: str) -> str:
        self._imports["pytest_leakpro"].add("Recipe")
        model = self.model
        if model is not None and model.how == "build":
            name = self._named(model.source, model.name)
            train = f"{name}({', '.join(model.arguments)})"
        kind = self._kind()
        regression = ", regression=True" if kind is not None and kind.regression else ""
        assert self.data is not None
        name = f", name={quoted(model.name)}" if model is not None and train == "fit" else ""
        return f"Recipe({train}, {self.data.members}{regression}{name})"

    def _kind(self) -> Kind | None:
        if self.model is not None:
            return self.model.kind
        return None if self.data is None else self.data.model


_HOMES = {
    "SimpleNamespace": "types",
    "TensorDataset": "torch.utils.data",
    "DataLoader": "torch.utils.data",
}
_ALIASES = {"numpy": "numpy as np"}
# What the test itself is written with.
_TAKEN = {
    *("np", "pytest", "sys", "torch", "Path", "Classifier", "Regressor", "Recipe"),
    *("pair", "records", *_HOMES),
}
