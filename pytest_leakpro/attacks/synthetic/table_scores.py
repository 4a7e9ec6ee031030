"""Scores of records by what shadow releases made with them, and without them, look like.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.membership.playing import others_further
from pytest_leakpro.stats.dual_ridge import dual_weights
from pytest_leakpro.stats.likelihood_ratio import lira_online
from pytest_leakpro.stats.multivariate_ratio import multivariate_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_leakpro.targets.shadow_tables import ShadowTables

__all__ = ["play", "score_release"]

_PENALTIES = (0.01, 0.1, 1.0, 10.0)


def score_release(tables: ShadowTables) -> dict[str, NDArray[np.float64]]:
    """Score all records by the release that is attacked.

    Parameters
    ----------
    tables : ShadowTables
        With two shadow releases, at least, that were made with each record and two without.

    Returns
    -------
    dict of str to ndarray of shape (n,)
        By how a score is made: of ``"set ..."`` by features of the whole, of ``"beside ..."`` by
        the likelihood ratio of one reading beside the record, of ``"above ..."`` by how far that
        reading lies above what it is on average, of ``"joint"`` by the ratio of all readings.
    """
    return _scores(
        (tables.target_readings, tables.target_features),
        (tables.readings, tables.features),
        tables.included,
        tables.families,
    )


def play(
    tables: ShadowTables, index: int, records: NDArray[np.intp]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]:
    """Let one shadow release play the one that is attacked, without the other one of its pair.

    Parameters
    ----------
    tables : ShadowTables
        In pairs that halve the records, three with each record and three without, at least.
    index : int
        Which shadow release.
    records : ndarray of int, shape (m,)
        Which records to score.

    Returns
    -------
    scores : dict of str to ndarray of shape (m,)
        As of `score_release`.
    saw : ndarray of bool, shape (m,)
        Whether the release was made with the record.
    """
    included = tables.included[:, records]
    readings = tables.readings[:, :, records]
    shadow, left = others_further(readings, included, index)
    # In pairs that halve the records all of these leave out the same pair.
    features = np.delete(tables.features, [index, index ^ 1], axis=0)
    target = readings[index], tables.features[index]
    return _scores(target, (shadow, features), left, tables.families), included[index]


def _scores(
    target: tuple[NDArray[Any], NDArray[Any]],
    shadow: tuple[NDArray[Any], NDArray[Any]],
    included: NDArray[np.bool_],
    families: Mapping[str, slice],
) -> dict[str, NDArray[np.float64]]:
    found: dict[str, NDArray[np.float64]] = {}
    kinds = np.where(included, 1.0, -1.0)
    for name, part in {**families, "all": slice(None)}.items():
        if not len(target[1][part]):
            continue
        weights = dual_weights(shadow[1][:, part], target[1][part], _PENALTIES)
        for penalty, scores in zip(_PENALTIES, weights @ kinds, strict=True):
            found[f"set {name} {penalty}"] = scores
    for row, reading in enumerate(target[0]):
        known = np.ascontiguousarray(shadow[0][:, row])
        found[f"beside {row}"] = lira_online(known, included, reading, gaps="moderated")
        found[f"above {row}"] = reading - known.mean(axis=0)
    found["joint"] = multivariate_ratio(shadow[0], included, target[0])
    return found
