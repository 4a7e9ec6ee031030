"""Names and numbers of people that a fitted object holds, such as in the vocabulary of an encoder.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.artefact.record_search import Hit
from pytest_leakpro.targets.containers import (
    concatenate,
    is_frame,
    is_missing,
    is_series,
    is_sparse,
    is_tensor,
    length,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.artefact_leaves import Leaf

__all__ = ["Identifiers", "search_identifiers"]

_DISTINCT = 0.9  # of values, from which on a column tells people apart
_SHORTEST = 3  # letters of a name
_TOKEN = re.compile(r"[^\s,;:()<>\"']+")
_LEAST_NUMBERS = 10
_SHARE = 0.95
_CHANCE = 1e-9


@dataclass(frozen=True, repr=False, eq=False)
class Identifiers:
    """What tells single people apart in a column, or in texts.

    Attributes
    ----------
    owners : dict
        Of each value the record that alone has it; strings in lower case.
    whole : bool
        Whether they are whole numbers.
    """

    owners: dict[Hashable, int]
    whole: bool

    @classmethod
    def of(cls, inputs: Sequence[Any]) -> list[Identifiers]:
        """Find the identifiers of both sides' records.

        Parameters
        ----------
        inputs : sequence of containers
            X of the members and of the non-members.
        """
        together = concatenate(list(inputs))
        return [read for column in _columns(together) if (read := cls._read(column)) is not None]

    @classmethod
    def _read(cls, column: list[Any]) -> Identifiers | None:
        texts = all(isinstance(value, str) for value in column if not is_missing(value))
        if texts and any(isinstance(value, str) and " " in value for value in column):
            return cls._of_tokens(column)
        if not texts and not all(
            isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            for value in column
            if not is_missing(value)
        ):
            return None
        owners: dict[Hashable, int] = {}
        shared: set[Hashable] = set()
        known = 0
        for row, value in enumerate(column):
            if is_missing(value):
                continue
            known += 1
            key = value.lower() if texts else int(value)
            if key in owners:
                shared.add(key)
            owners.setdefault(key, row)
        if known < _LEAST_NUMBERS or len(owners) < _DISTINCT * known:
            return None
        for key in shared:
            del owners[key]
        if texts:
            owners = {key: row for key, row in owners.items() if len(str(key)) >= _SHORTEST}
        return cls(owners, not texts)

    @classmethod
    def _of_tokens(cls, texts: list[Any]) -> Identifiers | None:
        """Take from texts what looks like a number of a person, or an address."""
        owners: dict[Hashable, int] = {}
        shared: set[Hashable] = set()
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                continue
            for token in set(_tokens(text)):
                if owners.setdefault(token, row) != row:
                    shared.add(token)
        for several in shared:
            del owners[several]
        return cls(owners, whole=False) if owners else None


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        token = match.group().strip(".!?").lower()
        digits = sum(character.isdigit() for character in token)
        if digits >= 4 or ("@" in token and len(token) > _SHORTEST):
            yield token
            # As tokenizers cut it.
            yield from (part for part in re.split(r"\W+", token) if _is_number(part))


def _is_number(part: str) -> bool:
    return sum(character.isdigit() for character in part) >= 4


def _columns(inputs: Any) -> Iterator[list[Any]]:
    """Give the columns that may hold identifiers, as lists."""
    if is_frame(inputs):
        for place in range(inputs.shape[1]):
            column = inputs.iloc[:, place]
            if getattr(column.dtype, "kind", "O") in "iuO" or not hasattr(column.dtype, "kind"):
                yield column.tolist()
    elif is_series(inputs):
        yield inputs.tolist()
    elif isinstance(inputs, list):
        if all(isinstance(item, str) for item in inputs):
            yield inputs
    elif is_tensor(inputs) or is_sparse(inputs):
        return
    elif isinstance(inputs, np.ndarray) and inputs.dtype.kind in "iuOUS" and inputs.ndim <= 2:
        rows = inputs.reshape(length(inputs), -1)
        for place in range(rows.shape[1]):
            yield rows[:, place].tolist()


def search_identifiers(
    inputs: Sequence[Any], known: Sequence[Identifiers], leaves: Sequence[Leaf]
) -> list[Hit]:
    """Look for identifiers in every array and list of a fitted object.

    Parameters
    ----------
    inputs : sequence of containers
        X of the members and of the non-members.
    known : sequence of Identifiers
        Of these.
    leaves : sequence of Leaf
        What the object holds.

    Returns
    -------
    list of Hit
    """
    n, n_members = sum(map(length, inputs)), length(inputs[0])
    hits = []
    for leaf in leaves:
        found = np.zeros(n, dtype=bool)
        for identifiers in known:
            if leaf.is_text and not identifiers.whole:
                for value in leaf.values.ravel().tolist():
                    owner = (
                        identifiers.owners.get(value.lower()) if isinstance(value, str) else None
                    )
                    if owner is not None:
                        found[owner] = True
            elif identifiers.whole and not leaf.is_text and not is_sparse(leaf.values):
                found |= _numbers(leaf.values, identifiers, n, n_members)
        if found.any():
            hits.append(Hit(leaf.place, "", found))
    return hits


def _numbers(
    values: NDArray[Any], identifiers: Identifiers, n: int, n_members: int
) -> NDArray[np.bool_]:
    """Mark the records of a side whose numbers are what an array holds, nearly all of it."""
    nothing = np.zeros(n, dtype=bool)
    if values.ndim != 1 or len(values) < _LEAST_NUMBERS or values.dtype.kind not in "iuf":
        return nothing
    if values.dtype.kind == "f" and not (np.isfinite(values) & (values == np.floor(values))).all():
        return nothing
    held = np.unique(values.astype(np.int64))
    owners = [identifiers.owners.get(int(value), -1) for value in held.tolist()]
    rows = np.array(owners, dtype=np.intp)
    span = int(held[-1]) - int(held[0]) + 1
    everyone = np.array([key for key in identifiers.owners if isinstance(key, int)])
    within = everyone[(everyone >= held[0]) & (everyone <= held[-1])]
    for side, of_side in (("members", rows < n_members), ("others", rows >= n_members)):
        mine = (rows >= 0) & of_side
        if mine.sum() < max(_LEAST_NUMBERS, _SHARE * len(held)):
            continue
        # Numbers without gaps stand in many an array that knows nothing of them.
        belongs = np.array([identifiers.owners[int(key)] for key in within])
        own = (belongs < n_members) if side == "members" else (belongs >= n_members)
        density = int(own.sum()) / span
        if density < 1 and mine.sum() * np.log(max(density, 1e-300)) <= np.log(_CHANCE):
            nothing[rows[mine]] = True
    return nothing
