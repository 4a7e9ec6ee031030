"""Rebuilt records beside the true ones, and beside a guess that saw no update.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.federated.blind_guess import (
    drawn_records,
    likely_label_hits,
    typical_record,
)
from pytest_leakpro.attacks.federated.quality import assigned, label_hits, qualities, squared_errors
from pytest_leakpro.attacks.federated.rebuilt import Rebuilt
from pytest_leakpro.gate.reconstructions import Reconstructions
from pytest_leakpro.targets.containers import as_numpy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.update_view import AuditedUpdate, AuditedUpdates

__all__ = ["judge", "side_by_side"]

_SMALLER_IS_BETTER = ("mse",)


def judge(
    view: AuditedUpdates, rebuilt: Sequence[Rebuilt], rng: np.random.Generator, *, name: str
) -> Reconstructions:
    """Measure how near rebuilt records come to the true ones.

    Records that were not rebuilt count as the typical one of `typical_record`. The baseline is, for
    each record and measure, the better of two guesses that saw no update: that typical record, and
    as many drawn ones as the batch has (`drawn_records`), assigned to the true records as the
    rebuilt ones are. So what comes of being allowed many different guesses counts for nothing.

    Parameters
    ----------
    view : AuditedUpdates
        Every update with its records.
    rebuilt : sequence of Rebuilt
        One per update.
    rng : numpy.random.Generator
        Draws the baseline's guesses.
    name : str
        The attack's.

    Returns
    -------
    Reconstructions
        Of inputs the measures of `qualities`, of labels ``"label"``.
    """
    main: list[Mapping[str, NDArray[Any]]] = []
    blind: list[Mapping[str, NDArray[Any]]] = []
    for entry, found in zip(view.updates, rebuilt, strict=True):
        pair = (
            _inputs(view, entry, found, rng)
            if found.labels is None or found.inputs is not None
            else _labels(entry, found)
        )
        main.append(pair[0])
        blind.append(pair[1])
    sizes = [len(entry.inputs) for entry in view.updates]
    batches = np.repeat([entry.batch for entry in view.updates], sizes)
    return Reconstructions(_joined(main), _joined(blind), batches=batches, name=name)


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {measure: np.concatenate([part[measure] for part in parts]) for measure in parts[0]}


def _inputs(
    view: AuditedUpdates, entry: AuditedUpdate, found: Rebuilt, rng: np.random.Generator
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    truth = as_numpy(entry.inputs)
    guess = _guesses(entry, found)
    typical = _guesses(entry, Rebuilt())
    drawn = as_numpy(drawn_records(entry.view, entry.view.n_records, rng))
    main, one, other = (
        qualities(entry.view, truth, tried, view.tolerance) for tried in (guess, typical, drawn)
    )
    better = {
        measure: (np.minimum if measure in _SMALLER_IS_BETTER else np.maximum)(
            values, other[measure]
        )
        for measure, values in one.items()
    }
    return main, better


def _guesses(entry: AuditedUpdate, found: Rebuilt) -> NDArray[Any]:
    """Give at least as many guesses as there are records: of those not rebuilt the typical one."""
    n = len(entry.inputs)
    typical = np.repeat(as_numpy(typical_record(entry.view)), n, axis=0)
    if found.inputs is None or not len(found.inputs):
        return typical
    rows = as_numpy(found.inputs)
    return np.concatenate([rows, typical[: max(0, n - len(rows))]])


def side_by_side(entry: AuditedUpdate, found: Rebuilt) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give images with what was rebuilt of each, in the order of the records.

    Returns
    -------
    records, guesses : ndarray of shape (n, ...)
        They show the client's data.
    """
    truth, guess = as_numpy(entry.inputs), _guesses(entry, found)
    return truth, guess[assigned(squared_errors(truth, guess))]


def _labels(
    entry: AuditedUpdate, found: Rebuilt
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    truth = as_numpy(entry.labels).reshape(-1)
    main = label_hits(truth, as_numpy(found.labels).reshape(-1))
    return {"label": main}, {"label": likely_label_hits(entry.view, truth)}
