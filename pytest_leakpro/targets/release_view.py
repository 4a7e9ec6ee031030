"""What attacks on synthetic data work on: the release, its source and the control, read alike.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from pytest_leakpro.stats.gower import MixedRows
    from pytest_leakpro.targets.column_roles import ColumnRoles
    from pytest_leakpro.targets.mixed_table import MixedColumns, MixedTable
    from pytest_leakpro.targets.preparation import Preparation
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.shadow_tables import ShadowTables
    from pytest_leakpro.targets.slices import Slice

__all__ = ["ReleaseView"]


class ReleaseView:
    """A release with the rows of its source, and rows outside it.

    Parameters
    ----------
    preparation : Preparation
        Rows of the source (members), of the control (non-members) and, where there is one, the
        population.
    synthetic : DataFrame
        The release.
    tables : mapping of str to MixedTable
        All tables as given, coded alike.
    columns : MixedColumns
        How they are read.
    roles : ColumnRoles
        What the attacker knows.
    source : DataFrame
        All rows that the release was made from, also those that are not attacked.
    generate : callable or None
        ``(df, seed) -> df``, which made the release.
    detector : callable or None
        ``text -> spans`` of personal data, where the user has one.
    is_text : bool
        Whether lists of texts were given, not tables.
    seed : int
        The session's.
    threads : int
        How many an attack may use; no result depends on it.

    Attributes
    ----------
    original, control, synthetic, population : MixedTable
        All usable columns of each; the population is None where there is none.
    source, released : DataFrame
        The tables as given, with all their columns.
    columns, roles, generate, detector, is_text, seed, threads
        As given.
    notes, blocks_pass : tuple of str
        What was done to the rows, for the user; why no verdict may be a PASS.
    shadow_tables : ShadowTables or None
        Readings of shadow releases, where shadow generators were trained.
    kept : dict
        What one attack worked out and others take over, by name; follows from the view alone.
    """

    slices: tuple[Slice, ...] = ()
    shadow_tables: ShadowTables | None = None

    def __init__(
        self,
        preparation: Preparation,
        synthetic: Any,
        tables: Mapping[str, MixedTable],
        columns: MixedColumns,
        roles: ColumnRoles,
        *,
        source: Any,
        generate: Callable[[Any, int], Any] | None,
        detector: Callable[[str], Any] | None = None,
        is_text: bool = False,
        seed: int,
        threads: int = 1,
    ) -> None:
        self._records = {"members": preparation.members, "nonmembers": preparation.nonmembers}
        if preparation.population is not None:
            self._records["population"] = preparation.population
        self.columns, self.roles, self.generate = columns, roles, generate
        self.detector, self.is_text = detector, is_text
        self.source, self.released = source, synthetic
        self.seed, self.threads = seed, threads
        self.original = _attacked(tables["original"], preparation.members)
        self.control = _attacked(tables["control"], preparation.nonmembers)
        self.synthetic = tables["synthetic"]
        self.population: MixedTable | None = None
        if preparation.population is not None:  # set aside from the control, where not given
            given = "population" if "population" in tables else "control"
            self.population = _attacked(tables[given], preparation.population)
        self.notes = tuple(preparation.notes)
        self.blocks_pass = tuple(preparation.blocks_pass)
        self.kept: dict[str, Any] = {}

    def __repr__(self) -> str:
        return (
            f"ReleaseView(original={len(self.original)}, synthetic={len(self.synthetic)}, "
            f"control={len(self.control)})"
        )

    @property
    def n_members(self) -> int:
        """Number of rows of the source."""
        return len(self.original)

    @property
    def n_nonmembers(self) -> int:
        """Number of rows of the control."""
        return len(self.control)

    def records(self, side: str) -> Records:
        """Give the rows of a side in the frame that the user gave, without keys of rows.

        Parameters
        ----------
        side : {"members", "nonmembers", "population"}
            Which side.
        """
        from dataclasses import replace

        found = self._records[side]
        wanted = [*self.roles.usable, *self.roles.texts]
        return replace(found, inputs=found.inputs[wanted])

    def whole(self, side: str) -> Any:
        """Give the rows of a side with all columns that the user gave, as a DataFrame.

        Parameters
        ----------
        side : {"members", "nonmembers", "population"}
            Which side.
        """
        return self._records[side].inputs

    def member_ids(self) -> NDArray[Any]:
        """Give the positions of the attacked rows in the original as given, shape (n_members,)."""
        return self._records["members"].units.ids.copy()

    def per_unit(
        self, members: ArrayLike, nonmembers: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give scores of rows as scores of units: here every row is one."""
        return np.asarray(members, dtype=float), np.asarray(nonmembers, dtype=float)

    def rows(self, table: str, columns: Sequence[Hashable] | None = None) -> MixedRows:
        """Give rows between which distances are taken, by all usable columns or by some.

        Parameters
        ----------
        table : {"original", "control", "synthetic", "population"}
            Which table.
        columns : sequence, optional
            Names of columns; all usable ones by default.
        """
        found: MixedTable = getattr(self, table)
        if columns is not None:  # each choice is asked for once, and may be large
            return found.rows(columns)
        key = f"rows {table}"
        if key not in self.kept:
            self.kept[key] = found.rows(self.roles.usable)
        kept: MixedRows = self.kept[key]
        return kept


def _attacked(table: MixedTable, records: Records) -> MixedTable:
    """Give the rows of a table that are attacked."""
    return table if len(records) == len(table) else table.take(records.positions)
