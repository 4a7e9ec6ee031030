"""Which of several candidates the first test is written for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_leakpro.cli.starter.functions import read_functions
from pytest_leakpro.cli.starter.index import Index
from pytest_leakpro.cli.starter.loaders import data_parts
from pytest_leakpro.cli.starter.models import Models
from pytest_leakpro.cli.starter.names import is_importable_name, preference
from pytest_leakpro.cli.starter.trainers import model_parts

if TYPE_CHECKING:
    from pytest_leakpro.cli.starter.parts import DataPart, ModelPart
    from pytest_leakpro.cli.starter.sources import Source, Sources

__all__ = ["Found", "hindrance", "look_through"]

_HOW = {"train": 6, "build": 4, "finish": 2, "variable": 1}
_USED_TOGETHER = 4
_SAME_FILE = 2


@dataclass(frozen=True)
class Found:
    """What the repository offers.

    Attributes
    ----------
    model : ModelPart or None
        The best way to a model that can be used.
    data : DataPart or None
        The best way to its records that can be used.
    near_model, near_data : ModelPart or None, DataPart or None
        Where there is none, the candidate that lacks the least.
    others : tuple of ModelPart
        Further models that can be used.
    """

    model: ModelPart | None
    data: DataPart | None
    near_model: ModelPart | None = None
    near_data: DataPart | None = None
    others: tuple[ModelPart, ...] = field(default=())


def look_through(sources: Sources) -> Found:
    """Find a model and its records.

    Parameters
    ----------
    sources : Sources
        The repository's files.

    Returns
    -------
    Found
    """
    index = Index(sources)
    models = Models(index)
    functions = read_functions(index, models)
    ways = model_parts(functions, index, models)
    records = data_parts(functions, index, models)
    together = _used_together(sources, index)
    usable = [part for part in ways if not _hindrance(part)]
    loaders = [part for part in records if not _hindrance(part)]

    def fits(model: ModelPart, data: DataPart) -> int | None:
        """Rate a pair; None where the two do not go together."""
        ready = model.how in {"finish", "variable"}
        if ready and (data.pooled or not _comes_from(model, data, together)):
            return None
        points = _points(model) + _points_of_data(data)
        points += _USED_TOGETHER * (frozenset({model.name, data.name}) in together)
        return points + _SAME_FILE * (model.source is data.source)

    pairs = [
        (points, model, data)
        for model in usable
        for data in loaders
        if (points := fits(model, data)) is not None
    ]
    if pairs:
        _, model, data = max(pairs, key=lambda pair: pair[0])
        others = tuple(one for one in usable if one.how == "train" and one is not model)
        return Found(model, data, others=others)
    best_data = max(loaders, key=_points_of_data, default=None)
    if best_data is not None and best_data.model is not None and best_data.seeded:
        return Found(None, best_data)
    trainers = [part for part in usable if part.how in {"train", "build"}]
    best_model = max(trainers, key=_points, default=None)
    near_models = sorted(ways, key=lambda part: (len(_hindrance(part)), -_points(part)))
    near_data = sorted(records, key=lambda part: (len(_hindrance(part)), -_points_of_data(part)))
    return Found(
        best_model,
        best_data,
        near_model=near_models[0] if near_models and best_model is None else None,
        near_data=near_data[0] if near_data and best_data is None else None,
    )


def _hindrance(part: ModelPart | DataPart) -> tuple[str, ...]:
    """Say what keeps a candidate from being used."""
    reasons = list(part.lacks)
    names = [part.name] if part.name else list(getattr(part, "imported", ()))
    if not part.source.module or not all(map(is_importable_name, names)):
        reasons.append("it cannot be imported by its name")
    elif part.source.script:
        reasons.append("importing its file would read the command line or exit")
    return tuple(reasons)


def hindrance(part: ModelPart | DataPart) -> str:
    """Say in words what keeps a candidate from being used."""
    return "; ".join(_hindrance(part)) or "the records it was trained on cannot be had again"


def _points(part: ModelPart) -> int:
    return _HOW[part.how] + preference(part.name) - _depth(part.source)


def _points_of_data(part: DataPart) -> int:
    points = preference(part.name) if part.name else -2
    return points + (0 if part.pooled else 3) + part.seeded - _depth(part.source)


def _depth(source: Source) -> int:
    folders = source.path.parts[:-1]
    doubtful = any(preference(folder) < 0 for folder in folders)
    return 3 * doubtful + (preference(source.path.stem) < 0)


def _used_together(sources: Sources, index: Index) -> set[frozenset[str]]:
    """Give the pairs of functions that some function, or a main guard, calls both of."""
    pairs: set[frozenset[str]] = set()
    for source in sources.files:
        scope = index.scope(source)
        for block in source.tree.body:
            names = sorted(
                {
                    found.name
                    for node in ast.walk(block)
                    if isinstance(node, ast.Call)
                    and (found := index.find(scope.full_name(node.func))) is not None
                }
            )
            if isinstance(block, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names.append(block.name)
            if len(names) <= 50:
                pairs |= {frozenset({one, other}) for one in names for other in names}
    return pairs


def _comes_from(model: ModelPart, data: DataPart, together: set[frozenset[str]]) -> bool:
    """Tell whether a model that stands ready was trained on these records."""
    same_file = model.source is data.source
    if model.how == "variable":
        return same_file and not data.name
    if same_file and model.name == data.name:  # one function gives both
        return data.model is not None
    return data.seeded and frozenset({model.name, data.name}) in together
