"""The forms in which a model may keep records: as they are, and after its preprocessing.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.artefact.record_form import Patterns, RecordForm
from pytest_leakpro.targets.containers import (
    as_numpy,
    concatenate,
    is_frame,
    is_sparse,
    is_tensor,
    length,
    row_shape,
    take,
)
from pytest_leakpro.targets.record_numbers import numbers, numeric_columns

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from pytest_leakpro.targets.artefact_place import Place
    from pytest_leakpro.targets.artefact_walk import Artefact

__all__ = ["numeric_table", "record_forms"]

_WORKED_OUT = 1e-5
"""How far apart numbers may be that a user scaled by means and spreads of the members."""
_MOST_FORMS = 24
_EVERYWHERE = 4  # pipelines; of more each one's records are looked for in that pipeline
_LARGEST = 1 << 29  # numbers of a table without zeros left out


def record_forms(
    inputs: Sequence[Any], artefact: Artefact, hidden: Container[str] = ()
) -> list[RecordForm]:
    """Give the records of both sides in every form that they may be found in.

    Parameters
    ----------
    inputs : sequence of containers
        X of the members and of the non-members.
    artefact : Artefact
        Whose fitted transformers are tried.
    hidden : container of str
        What names of forms must not show.

    Returns
    -------
    list of RecordForm
        Of at least two columns each; empty where records hold no numbers.
    """
    n_members = length(inputs[0])
    together = concatenate(list(inputs))
    forms: list[RecordForm] = []
    table = numeric_table(together)
    if table is not None:
        patterns = Patterns.of(table, n_members)
        complete = not is_frame(together) or table.shape[1] == together.shape[1]
        raw = RecordForm("", table, n_members, patterns, complete=complete)
        forms.append(raw)
    for name, made, inside in _transformed(together, table, artefact, hidden):
        if len(forms) >= _MOST_FORMS:
            break
        form = RecordForm(name, made, n_members, Patterns.of(made, n_members), inside=inside)
        _add(forms, form)
    if forms and forms[0].name == "" and not forms[0].sparse:
        for form in _scaled(forms[0]):
            _add(forms, form)
    return forms


def numeric_table(inputs: Any) -> Any:
    """Give the numbers of records as a table, shape (n, d); None where there are none.

    Images are flattened, the columns of a frame that hold no numbers left out.
    """
    if is_sparse(inputs):
        return _sorted(inputs)
    if isinstance(inputs, list) and (
        row_shape(inputs) is None or any(isinstance(item, (str, bytes, dict)) for item in inputs)
    ):
        return None
    try:
        if is_frame(inputs):
            kinds = [getattr(kind, "kind", "O") in "biuf" for kind in inputs.dtypes]
            part = inputs.loc[:, kinds]
            table = part.to_numpy(dtype=np.float64, na_value=np.nan)
        elif is_tensor(inputs) or (isinstance(inputs, np.ndarray) and inputs.dtype.kind in "biuf"):
            table = as_numpy(inputs) if is_tensor(inputs) else inputs
        else:
            table = numbers(inputs, numeric_columns(inputs))
    except (TypeError, ValueError, IndexError):
        return None
    flat = table.reshape(len(table), -1)
    return flat if flat.dtype.kind in "biuf" and flat.shape[1] else None


def _sorted(matrix: Any) -> Any:
    rows = matrix.tocsr(copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    rows.sort_indices()
    return rows


def _add(forms: list[RecordForm], form: RecordForm) -> None:
    """Add a form unless its records are those of one that stands there."""
    rows = np.arange(min(len(form), 64))
    if form.width < 2:
        return
    ours = form.rows(rows)
    for other in forms:
        if other.width == form.width and other.inside is form.inside:
            theirs = other.rows(rows)
            if np.allclose(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True):
                return
    forms.append(form)


def _scaled(raw: RecordForm) -> Iterator[RecordForm]:
    """Scale records as users do by hand, by what the members alone tell."""
    members = np.asarray(raw.table[: raw.n_members])
    if members.dtype.kind == "b":
        return
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        mean = np.nanmean(members, axis=0, dtype=np.float64)
        spread = np.nanstd(members, axis=0, dtype=np.float64)
        low = np.nanmin(members, axis=0).astype(np.float64)
        high = np.nanmax(members, axis=0).astype(np.float64)
    n = len(members)
    none = np.zeros(raw.width)
    largest = np.maximum(np.abs(low), np.abs(high))
    for name, shift, scale in (
        ("standardised", mean, spread),
        ("standardised", mean, spread * np.sqrt(n / max(n - 1, 1))),
        ("scaled to [0, 1]", low, high - low),
        ("scaled to [-1, 1]", (low + high) / 2, (high - low) / 2),
        ("divided by the largest", none, largest),
    ):
        yield raw.scaled(name, np.asarray(np.nan_to_num(shift)), scale, _WORKED_OUT)
    if members.dtype.kind in "iu" or np.nanmax(largest, initial=0) > 100:
        yield raw.scaled("divided by 255", none, np.full(raw.width, 255.0), raw.tolerance)


def _transformed(
    together: Any, table: Any, artefact: Artefact, hidden: Container[str]
) -> Iterator[tuple[str, Any, Place | None]]:
    """Give what fitted transformers of the artefact make of the records, and where it may stand."""
    pipelines = [(place, thing) for place, thing in artefact.objects if _is_pipeline(thing)]
    inner = {id(step[1]) for _, pipe in pipelines for step in vars(pipe).get("steps", ())}
    for place, pipe in pipelines:
        inside = place if len(pipelines) > _EVERYWHERE else None
        for name, made in _prefixes(together, place, pipe, hidden):
            yield name, made, inside
    widths = {_columns(together): together}
    if table is not None:
        widths.setdefault(int(table.shape[1]), table)
    for place, thing in artefact.objects:
        if id(thing) in inner or _is_pipeline(thing) or hasattr(type(thing), "predict"):
            continue
        own = getattr(thing, "__dict__", {})
        fits = own.get("n_features_in_")
        given = widths.get(fits)
        if given is None and fits is None and "vocabulary_" in own and isinstance(together, list):
            given = together
        if given is None:
            continue
        made = _apply(thing, given)
        numeric = _as_table(made, length(together))
        if numeric is not None:
            yield f"after {place.text(hidden)}", numeric, None


def _prefixes(
    together: Any, place: Place, pipe: Any, hidden: Container[str]
) -> Iterator[tuple[str, Any]]:
    current = together
    steps = vars(pipe).get("steps", ())
    where = place.attribute("steps")
    for number, (_, step) in enumerate(steps):
        if step is None or isinstance(step, str):
            continue
        if not callable(getattr(type(step), "transform", None)):
            return
        if number == len(steps) - 1 and hasattr(type(step), "predict"):
            return
        current = _apply(step, current)
        if current is None:
            return
        table = _as_table(current, length(together))
        if table is not None:
            path = where.item(0).text(hidden) if not number else where.text(hidden)
            yield f"after {path}" + ("" if not number else f"[:{number + 1}]"), table


def _is_pipeline(thing: Any) -> bool:
    module = sys.modules.get("sklearn.pipeline")
    return module is not None and isinstance(thing, module.Pipeline)


def _columns(inputs: Any) -> int | None:
    shape = row_shape(inputs)
    return shape[0] if shape is not None and len(shape) == 1 else None


def _apply(transformer: Any, inputs: Any) -> Any:
    """Transform records; None where the transformer will not, or makes too much of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            few = transformer.transform(take(inputs, np.arange(min(10, length(inputs)))))
            if not is_sparse(few) and (_columns(few) or 0) * length(inputs) > _LARGEST:
                return None
            return transformer.transform(inputs)
        except Exception:
            # One that is not fitted, or was fitted to something else: not this model's way.
            return None


def _as_table(made: Any, n_records: int) -> Any:
    """Give what a transformer returned as a table of numbers; None where it is none."""
    if made is None or isinstance(made, list) or len(getattr(made, "shape", ())) != 2:
        return None
    if made.shape[0] != n_records:
        return None
    table = numeric_table(made)
    return None if table is None or (isinstance(table, np.ndarray) and not table.size) else table
