"""Which columns an attacker knows, and which are secret: as the user says, or as proposed.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import listed, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from pytest_leakpro.targets.mixed_table import MixedTable

__all__ = ["ColumnRoles", "GivenColumns"]

_KEY_SHARE = 0.95
_FEWEST_KEYS = 20
_DENSE = 10
_KEY_DIGITS = 6
_TEXT_SHARE = 0.5
_TEXT_WORDS = 4
_NAMED = 8


@dataclass(frozen=True)
class GivenColumns:
    """What the user says of the columns.

    Attributes
    ----------
    aux_columns : pair of sequences, or None
        Two disjoint sets of columns, each known to someone who wants to link them.
    secret : sequence or None
        Columns to be inferred.
    quasi_identifiers : sequence or None
        Columns that who infers them knows.
    """

    aux_columns: tuple[tuple[Hashable, ...], tuple[Hashable, ...]] | None = None
    secret: tuple[Hashable, ...] | None = None
    quasi_identifiers: tuple[Hashable, ...] | None = None

    @classmethod
    def read(
        cls, columns: Sequence[Hashable], aux_columns: Any, secret: Any, quasi_identifiers: Any
    ) -> GivenColumns:
        """Check what the user says against the columns that there are.

        Raises
        ------
        LeakproError
            For a column that is not there or is named twice, sets that are not disjoint, or a
            secret that the attacker knows.
        """
        secrets = None if secret is None else _names("secret", secret, columns)
        known = (
            None
            if quasi_identifiers is None
            else _names("quasi_identifiers", quasi_identifiers, columns)
        )
        given = cls(_pair(aux_columns, columns), secrets, known)
        for name in secrets or ():
            for option, names in given._knowledge():
                if name in names:
                    raise LeakproError(
                        f"secret: the column {quoted(name)} is in {option} too: what the attacker "
                        "knows is no secret; take it out of one of them"
                    )
        return given

    def _knowledge(self) -> list[tuple[str, tuple[Hashable, ...]]]:
        if self.quasi_identifiers is not None:
            return [("quasi_identifiers", self.quasi_identifiers)]
        if self.aux_columns is not None:
            return [("aux_columns", (*self.aux_columns[0], *self.aux_columns[1]))]
        return []

    @property
    def known(self) -> tuple[Hashable, ...] | None:
        """What who infers a secret knows; None for all else."""
        return next((names for _, names in self._knowledge()), None)

    @property
    def named(self) -> set[Hashable]:
        """All columns that the user names anywhere."""
        pair = self.aux_columns or ((), ())
        return {*pair[0], *pair[1], *(self.secret or ()), *(self.quasi_identifiers or ())}


@dataclass(frozen=True)
class ColumnRoles:
    """What each column is to an attacker.

    Attributes
    ----------
    usable : tuple
        Columns that attacks work on.
    texts : tuple
        Columns of free text, which are compared as a whole only.
    keys : tuple
        Columns that tell every row apart and say nothing else.
    linked : pair of tuples, or None
        The two sets that are linked; None where there are too few columns.
    secrets : tuple
        Columns to be inferred.
    given : GivenColumns
        What the user says.
    notes : tuple of str
        The choice, for the user.
    """

    usable: tuple[Hashable, ...]
    texts: tuple[Hashable, ...]
    keys: tuple[Hashable, ...]
    linked: tuple[tuple[Hashable, ...], tuple[Hashable, ...]] | None
    secrets: tuple[Hashable, ...]
    given: GivenColumns
    notes: tuple[str, ...]

    @classmethod
    def choose(
        cls,
        given: GivenColumns,
        original: MixedTable,
        control: MixedTable,
        cells_of: Callable[[Hashable], Sequence[Any]],
    ) -> ColumnRoles:
        """Choose roles by what the source and the control hold; the release has no say.

        Parameters
        ----------
        given : GivenColumns
            What the user says; columns named there are used whatever they hold.
        original, control : MixedTable
            Both.
        cells_of : callable
            Gives the cells of a column, of both together, without those that are missing.

        Notes
        -----
        A column of texts is a key where 95 % of its values differ, one of whole numbers where all
        do and they are numbered closely (within ten times the number of rows) or have the same
        number of digits, at least six. Texts that differ for the most part and have four words or
        more on average are free text. Of what is left a column is secret unless it is constant;
        who infers it knows `quasi_identifiers`, else both sets of `aux_columns`, else all other
        columns. To be linked, columns are dealt out in turn to two sets, those with the most
        values first, so that the sets tell people apart about equally well.
        """
        counts = {name: _n_distinct(name, original, control) for name in original.columns}
        keys, free = [], []
        for name in original.columns:
            if name in given.named:
                continue
            differ = counts[name] >= _TEXT_SHARE * (len(original) + len(control))
            if original.kinds[name] == "category" and differ and _is_free_text(cells_of(name)):
                free.append(name)
            elif _is_key(name, original, control, counts[name]):
                keys.append(name)
        usable = tuple(name for name in original.columns if name not in {*keys, *free})
        varying = tuple(name for name in usable if counts[name] > 1)
        known = given.known
        secrets = given.secret
        if secrets is None:
            secrets = tuple(name for name in varying if known is None or name not in known)
        linked = given.aux_columns or _dealt(varying, counts)
        notes = _excluded("unique keys", keys) + _excluded("free text", free)
        return cls(usable, tuple(free), tuple(keys), linked, secrets, given, notes)

    def known_for(self, secret: Hashable) -> tuple[Hashable, ...]:
        """Give the columns that who infers a secret knows."""
        known = self.given.known
        return tuple(name for name in (self.usable if known is None else known) if name != secret)

    def said_of_linkability(self) -> str:
        """Say which columns are linked, and who chose them."""
        if self.linked is None:
            return "linkability: too few columns to link"
        who = "as given" if self.given.aux_columns else "proposed; aux_columns= overrides"
        first, second = (_listed(names) for names in self.linked)
        return f"linkability: who knows {first} is linked to {second} ({who})"

    def said_of_inference(self) -> str:
        """Say what is inferred from what, and who chose it."""
        known = self.given.known
        whence = "all other columns" if known is None else _listed(known)
        who = "as given" if self.given.secret else "every other column; secret= overrides"
        if known is None and not self.given.secret:
            who = "every column in turn; secret= and quasi_identifiers= override"
        return f"inference: {_listed(self.secrets)} from {whence} ({who})"


def _pair(
    aux_columns: Any, columns: Sequence[Hashable]
) -> tuple[tuple[Hashable, ...], tuple[Hashable, ...]] | None:
    if aux_columns is None:
        return None
    if not isinstance(aux_columns, (tuple, list)) or len(aux_columns) != 2:
        raise LeakproError(
            "aux_columns: give a pair of two sets of columns, as "
            '(["age", "sex"], ["income", "visits"])'
        )
    first, second = (_names("aux_columns", names, columns) for names in aux_columns)
    both = [name for name in first if name in second]
    if both:
        raise LeakproError(
            f"aux_columns: {_listed(both)} in both sets, which then share what is to be linked: "
            "make the two sets disjoint"
        )
    return first, second


def _names(option: str, given: Any, columns: Sequence[Hashable]) -> tuple[Hashable, ...]:
    single = isinstance(given, str) or not isinstance(given, Iterable)
    single = single or (isinstance(given, tuple) and given in list(columns))
    names: tuple[Hashable, ...] = (given,) if single else tuple(given)
    if not names:
        raise LeakproError(f"{option} names no column: leave it out, or name at least one")
    for name in names:
        if name not in columns:
            hint = nearest_match(str(name), [str(column) for column in columns])
            raise LeakproError(f"{option}: there is no column {quoted(name)}{hint}")
    if len(set(names)) < len(names):
        raise LeakproError(f"{option} names a column twice: {_listed(names)}")
    return names


def _n_distinct(name: Hashable, *tables: MixedTable) -> int:
    values = np.concatenate([table.values[name] for table in tables])
    return len(np.unique(values))  # missing ones are one value


def _is_key(name: Hashable, original: MixedTable, control: MixedTable, distinct: int) -> bool:
    """Tell whether a column numbers or names rows, rather than saying anything of them."""
    values = np.concatenate([table.values[name] for table in (original, control)])
    if len(values) < _FEWEST_KEYS or original.kinds[name] == "date":
        return False
    if original.kinds[name] == "category":
        return distinct >= _KEY_SHARE * len(values)
    present = values[~np.isnan(values)]
    if distinct < len(values) or not np.array_equal(present, np.round(present)):
        return False
    # Amounts may all differ too; numbers of rows lie close together, or have the same length.
    if np.ptp(present) < _DENSE * len(values):
        return True
    digits = np.floor(np.log10(np.maximum(np.abs(present), 1)))
    return bool(digits.min() == digits.max() >= _KEY_DIGITS - 1)


def _is_free_text(cells: Sequence[Any]) -> bool:
    texts = [cell for cell in cells if isinstance(cell, str)]
    return bool(texts) and sum(len(text.split()) for text in texts) >= _TEXT_WORDS * len(texts)


def _dealt(
    columns: Sequence[Hashable], counts: dict[Hashable, int]
) -> tuple[tuple[Hashable, ...], tuple[Hashable, ...]] | None:
    """Deal columns out to two sets: A, B, B, A, A, B, ..."""
    if len(columns) < 2:
        return None
    ordered = sorted(columns, key=lambda name: -counts[name])  # stable: else in their order
    first = [name for place, name in enumerate(ordered) if place % 4 in (0, 3)]
    second = [name for place, name in enumerate(ordered) if place % 4 in (1, 2)]
    return tuple(first), tuple(second)


def _excluded(what: str, names: Sequence[Hashable]) -> tuple[str, ...]:
    if not names:
        return ()
    note = (
        f"{_listed(names)} left out of the attacks as {what}: name it in secret=, "
        "quasi_identifiers= or aux_columns= to have it attacked"
    )
    return (note,)


def _listed(names: Sequence[Hashable]) -> str:
    return listed([printable(str(name), 40) for name in names], _NAMED) or "nothing"
