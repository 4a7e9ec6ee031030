"""Groups of records that parameters of a model were estimated from.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.targets.containers import as_numpy, is_frame, is_missing, is_series, is_tensor
from pytest_leakpro.targets.end_layers import embedding_of
from pytest_leakpro.targets.inner_models import library_of
from pytest_leakpro.targets.torch_model import is_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_leakpro.targets.inner_models import InnerModel

__all__ = ["Grouping", "groupings_of", "has_embedding"]


@dataclass(frozen=True, repr=False, eq=False)
class Grouping:
    """Records in groups, each of which some parameters are of.

    Attributes
    ----------
    path : str
        Where the parameters stand.
    noun : str
        What a group is called, such as ``"categories of the column 'ward'"``, without values.
    records, groups : ndarray of int, shape (p,)
        Pairs of a record and a group that it is in; a record may be in several or in none.
    """

    path: str
    noun: str
    records: NDArray[np.intp]
    groups: NDArray[np.intp]

    @classmethod
    def of_codes(cls, path: str, noun: str, codes: NDArray[np.intp]) -> Grouping:
        """Make one in which every record is in the group of its code, or in none where it is -1."""
        records = np.flatnonzero(codes >= 0)
        return cls(path, noun, records, codes[records])


def groupings_of(found: InnerModel) -> Iterator[Grouping]:
    """Give the groups that an estimator has parameters of.

    Parameters
    ----------
    found : InnerModel
        With its records.

    Yields
    ------
    Grouping
        Categories of encoders, terms of vocabularies, clusters, rows of an embedding.
    """
    model, inputs = found.model, found.inputs
    if inputs is None:
        return
    if is_module(model):
        yield from _embedding_rows(found)
    elif is_frame(inputs) and _keeps_categories(model):
        yield from _categorical_columns(inputs)
    elif library_of(model) != "sklearn":
        return
    elif hasattr(model, "categories_"):
        yield from _categories(found)
    elif hasattr(model, "vocabulary_") and hasattr(model, "transform"):
        terms = (model.transform(inputs) > 0).tocoo()
        noun = "terms of the vocabulary"
        path = _joined(found.path, "vocabulary_")
        yield Grouping(path, noun, terms.row.astype(np.intp), terms.col.astype(np.intp))
    elif hasattr(model, "cluster_centers_") and hasattr(model, "predict"):
        codes = np.asarray(model.predict(inputs)).astype(np.intp)
        yield Grouping.of_codes(_joined(found.path, "cluster_centers_"), "clusters", codes)
    elif hasattr(model, "reg_covar"):
        codes = np.asarray(model.predict(inputs)).astype(np.intp)
        yield Grouping.of_codes(_joined(found.path, "means_"), "components", codes)


def has_embedding(model: Any) -> bool:
    """Tell whether this is a torch module with an embedding anywhere in it."""
    if not is_module(model):
        return False
    torch = sys.modules["torch"]
    return any(isinstance(layer, torch.nn.Embedding) for layer in model.modules())


def _keeps_categories(model: Any) -> bool:
    """Tell whether a model takes the categories of a frame's columns as they are."""
    home = library_of(model)
    if home == "sklearn":
        return getattr(model, "is_categorical_", None) is not None
    return home in ("xgboost", "lightgbm")


def _joined(path: str, attribute: str) -> str:
    return f"{path}.{attribute}" if path else attribute


def _categories(found: InnerModel) -> Iterator[Grouping]:
    model, inputs = found.model, found.inputs
    rare = getattr(model, "infrequent_categories_", None) or [None] * len(model.categories_)
    for place, known in enumerate(model.categories_):
        name, values = _column(inputs, place)
        if values is None:
            continue
        # Categories that were joined are one group, whose number is that of none.
        joined = set() if rare[place] is None else {_key(value) for value in rare[place]}
        number = {
            _key(value): len(known) if _key(value) in joined else code
            for code, value in enumerate(known)
        }
        codes = np.array([number.get(_key(value), -1) for value in values], dtype=np.intp)
        path = _joined(found.path, f"categories_[{place}]")
        yield Grouping.of_codes(path, f"categories of {name}", codes)


def _column(inputs: Any, place: int) -> tuple[str, Any]:
    if is_frame(inputs):
        return f"the column {str(inputs.columns[place])!r}", inputs.iloc[:, place].tolist()
    if is_series(inputs):
        return f"the column {str(inputs.name)!r}", inputs.tolist()
    array = np.asarray(inputs)
    if array.ndim != 2:
        return "", None
    return f"column {place}", array[:, place].tolist()


def _key(value: Any) -> Any:
    """Bring missing values, which differ from themselves, to one."""
    return None if is_missing(value) else value


def _categorical_columns(inputs: Any) -> Iterator[Grouping]:
    """Give the categories of a frame's columns, which a model of trees keeps a list of."""
    for place, (name, column) in enumerate(inputs.items()):
        if hasattr(column.dtype, "categories"):
            codes = column.cat.codes.to_numpy().astype(np.intp)
            noun = f"categories of the column {str(name)!r}"
            yield Grouping.of_codes(f"the model's categories of column {place}", noun, codes)


def _embedding_rows(found: InnerModel) -> Iterator[Grouping]:
    if not has_embedding(found.model):
        return
    inputs = as_numpy(found.inputs) if is_tensor(found.inputs) else found.inputs
    if getattr(getattr(inputs, "dtype", None), "kind", "") not in ("i", "u"):
        return
    if embedding_of(found.model, inputs.shape[1:]) is None:
        return
    codes = inputs.reshape(len(inputs), -1)
    records = np.repeat(np.arange(len(codes)), codes.shape[1])
    yield Grouping(found.path, "rows of the embedding", records, codes.ravel().astype(np.intp))
