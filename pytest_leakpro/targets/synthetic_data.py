"""The target of audits of synthetic data: a release, its source, and rows outside it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, warn
from pytest_leakpro.targets.canaries import Canaries
from pytest_leakpro.targets.claim import Claim
from pytest_leakpro.targets.column_roles import ColumnRoles, GivenColumns
from pytest_leakpro.targets.mixed_table import MixedColumns
from pytest_leakpro.targets.preparation import Preparation
from pytest_leakpro.targets.records import MINIMUM, Records
from pytest_leakpro.targets.release_tables import check_no_columns, check_tables
from pytest_leakpro.targets.release_view import ReleaseView
from pytest_leakpro.targets.text_canaries import TextCanaries
from pytest_leakpro.targets.text_tables import TEXT, holds_texts, text_tables, texts_of
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pytest_leakpro.targets.mixed_table import MixedTable

__all__ = ["SyntheticData"]


class SyntheticData:
    """A release of synthetic data with the rows that it was made from, and rows that it was not.

    Parameters
    ----------
    original : DataFrame, or list of str
        The source: the rows or texts that the generator was trained on, at least 10.
    synthetic : DataFrame, or list of str
        The release, at least one row.
    control : DataFrame, or list of str
        Rows of the same distribution as the source that the generator never saw, at least 10; as
        many as the source decide most.
    aux_columns : pair of sequences of column names, optional
        Two disjoint sets of columns: who knows the one for a person tries to link it to the other.
        By default columns are dealt out to two sets.
    secret : column name or sequence of them, optional
        What an attacker infers; by default every column in turn that the attacker does not know.
    quasi_identifiers : sequence of column names, optional
        What the attacker knows of the people whose secrets it infers; by default both sets of
        `aux_columns`, else all other columns.
    population : DataFrame, optional
        Further rows of the same distribution, in none of the other tables, for attacks that
        compare with it. Without it a seeded share of the control is set aside where one is needed.
    generate : callable, optional
        ``(df, seed) -> df``: makes a release from a source, as this one was made. With it shadow
        generators are trained.
    generator_version : str, optional
        Names what cannot be told of `generate` for the cache.
    audit_size : int, optional
        At most how many rows of source and control to attack each, at least 10.
    detector : callable, optional
        ``text -> spans`` of personal data; see `find_personal_data`. By default what has a form
        that can be checked.
    canaries : Canaries, optional
        Texts that were inserted in a source of texts with the toss of a coin each, for the metric
        ``epsilon``.
    claimed_epsilon, delta, assume : optional
        Of a generator with canaries, as for `Classifier`.
    allow_overlap : bool
        Whether to go on where more than 1 % of the rows stand in original and control; no verdict
        is a PASS then.
    name : str, optional
        What to call the target.

    Attributes
    ----------
    named : bool
        Whether the user gave the target its name.
    is_text : bool
        Whether lists of texts were given, not tables.
    claim : Claim or None
        What is claimed of the generator, and the canaries that test it.
    generate, generator_version, detector
        As given.

    Raises
    ------
    LeakproError
        Where tables are no DataFrames or too small, have different columns, or a column holds
        different things in them; where columns are named that are not there, the sets of columns
        overlap, or a secret is among what the attacker knows.

    Notes
    -----
    A row stands for a person. A missing value is a value of its own: equal to a missing one,
    unequal to all others. Columns that are unique keys, and free text, are left out of the
    attacks, and the audit says so.

    References
    ----------
    Article 29 Data Protection Working Party (2014), Opinion 05/2014 on anonymisation techniques,
    section 2.2: singling out, linkability, inference.

    Examples
    --------
    >>> import pandas as pd
    >>> from pytest_leakpro import SyntheticData
    >>> rows = pd.DataFrame({"age": range(40), "ward": list("ABCD") * 10})
    >>> SyntheticData(original=rows[:20], synthetic=rows[:20], control=rows[20:])
    SyntheticData('synthetic data', original=(20, 2), synthetic=(20, 2), control=(20, 2))
    """

    access = None
    """An attacker sees the release, and nothing of the generator."""

    def __init__(
        self,
        original: Any,
        synthetic: Any,
        control: Any,
        *,
        aux_columns: Any = None,
        secret: Any = None,
        quasi_identifiers: Any = None,
        population: Any = None,
        generate: Callable[[Any, int], Any] | None = None,
        generator_version: str | None = None,
        audit_size: int | None = None,
        detector: Callable[[str], Any] | None = None,
        canaries: Canaries | None = None,
        claimed_epsilon: float | None = None,
        delta: float | None = None,
        assume: str | None = None,
        allow_overlap: bool = False,
        name: str | None = None,
    ) -> None:
        tables = {"original": original, "synthetic": synthetic, "control": control}
        if population is not None:
            tables["population"] = population
        self.is_text = holds_texts(original)
        if self.is_text:
            check_no_columns(
                aux_columns=aux_columns,
                secret=secret,
                quasi_identifiers=quasi_identifiers,
                population=population,
                generate=generate,
            )
            tables = text_tables(tables)
        elif canaries is not None:
            raise LeakproError(
                "canaries: texts are inserted in a source of texts, and this release is a table: "
                "give original, synthetic and control as lists of texts"
            )
        self.claim = Claim.read(canaries, claimed_epsilon, delta, assume, Canaries, TextCanaries)
        if detector is not None and not callable(detector):
            raise LeakproError(
                f"detector is a {type(detector).__name__}: give a function text -> spans"
            )
        self.detector = detector
        check_tables(tables)
        columns = list(tables["original"].columns)
        self._frames = {table: frame[columns] for table, frame in tables.items()}
        self._given = GivenColumns.read(columns, aux_columns, secret, quasi_identifiers)
        self._columns = MixedColumns(self._frames)
        if not isinstance(allow_overlap, bool):
            raise LeakproError(
                f"allow_overlap is a {type(allow_overlap).__name__}: give True or False"
            )
        if generate is not None and (not callable(generate) or isinstance(generate, type)):
            raise LeakproError(
                f"generate is a {type(generate).__name__}: give a function (df, seed) -> df that "
                "makes a release from a source"
            )
        for option, text in (("name", name), ("generator_version", generator_version)):
            if text is not None and (not isinstance(text, str) or not text.strip()):
                raise LeakproError(f"{option}: give a text, or leave it out")
        self._audit_size = _check_size(audit_size)
        self._allow_overlap = allow_overlap
        self.generate, self.generator_version = generate, generator_version
        self.named = name is not None
        self.name = name or "synthetic data"
        self._roles: ColumnRoles | None = None
        self._tables: dict[str, MixedTable] = {}

    def __repr__(self) -> str:
        shapes = ", ".join(
            f"{table}={len(frame) if self.is_text else frame.shape}"
            for table, frame in self._frames.items()
        )
        return f"SyntheticData({self.name!r}, {shapes})"

    @property
    def has_population(self) -> bool:
        """Whether the attacker was given rows that stand in no other table."""
        return "population" in self._frames

    @property
    def n_members(self) -> int:
        """Number of rows of the source, as given."""
        return len(self._frames["original"])

    @property
    def n_nonmembers(self) -> int:
        """Number of rows of the control, as given."""
        return len(self._frames["control"])

    @property
    def roles(self) -> ColumnRoles:
        """What each column is to an attacker."""
        if self._roles is None and self.is_text:
            self._roles = ColumnRoles((), (TEXT,), (), None, (), self._given, ())
        if self._roles is None:
            sides = ("original", "control")

            def cells_of(name: Hashable) -> list[Any]:
                return [
                    cell for side in sides for cell in self._frames[side][name].dropna().tolist()
                ]

            original, control = (self._table(side) for side in sides)
            self._roles = ColumnRoles.choose(self._given, original, control, cells_of)
            if not (self._roles.usable or self._roles.texts):
                raise LeakproError(
                    "every column is a unique key, which leaves nothing to attack: name columns "
                    "that are none in secret=, quasi_identifiers= or aux_columns="
                )
        return self._roles

    @property
    def on_canaries(self) -> SyntheticData:
        """The same release with the canaries alone as its source, for bounds on epsilon.

        Raises
        ------
        LeakproError
            Where there are none: epsilon cannot be told from a split that the auditor did not draw.
        """
        if self.claim is None:
            raise LeakproError(
                "epsilon is bounded by texts that the auditor inserted in the source with the toss "
                "of a coin each, and there are none: make them with Canaries and give canaries= "
                "and delta= to SyntheticData, with lists of texts"
            )
        inside, outside = (texts_of(self.claim.canaries, which) for which in (True, False))
        return SyntheticData(
            inside, self._frames["synthetic"][TEXT].tolist(), outside, name=self.name
        )

    def _table(self, table: str) -> MixedTable:
        """Read a table, once."""
        if table not in self._tables:
            self._tables[table] = self._columns.encode(self._frames[table], table)
        return self._tables[table]

    def prepare(
        self,
        seed: int,
        *,
        population_share: float | None = None,
        threads: int = 1,
        told: bool = False,
    ) -> ReleaseView:
        """Choose the rows to attack.

        Parameters
        ----------
        seed : int
            At least 0.
        population_share : float, optional
            The share of the control to set aside where there is no population.
        threads : int
            How many an attack may use.
        told : bool
            Whether warnings were given before, of the same rows.

        Returns
        -------
        ReleaseView
            What attacks work on.

        Raises
        ------
        LeakproError
            Where too many rows stand in original and control, or a side becomes too small.

        Warns
        -----
        PytestLeakproWarning
            Where rows stand in both, few enough to be dropped.
        """
        sides = [
            _records(side, self._frames[table])
            for side, table in (
                ("members", "original"),
                ("nonmembers", "control"),
                ("population", "population"),
            )
            if table in self._frames
        ]
        noun = "texts" if self.is_text else "rows"
        preparation = Preparation(
            sides[0],
            sides[1],
            sides[2] if len(sides) > 2 else None,
            names=(f"{noun} of original", f"{noun} of control"),
        )
        preparation.separate(allow_overlap=self._allow_overlap)
        if population_share is not None:
            preparation.set_aside(population_share, seed)
        if self._audit_size is not None:
            preparation.sample(self._audit_size, seed)
        for text in () if told else preparation.warnings:
            warn(f"{self.name}: {text}")
        return ReleaseView(
            preparation,
            self._frames["synthetic"],
            {table: self._table(table) for table in self._frames},
            self._columns,
            self.roles,
            source=self._frames["original"],
            detector=self.detector,
            is_text=self.is_text,
            generate=self.generate,
            seed=seed,
            threads=threads,
        )


def _records(side: str, frame: Any) -> Records:
    n = len(frame)
    nothing = np.zeros(n)  # rows of a table have no labels
    frame = frame.reset_index(drop=True)
    return Records(side, frame, nothing, record_units(n), nothing, np.arange(n))


def _check_size(size: Any) -> int | None:
    if size is None or (isinstance(size, int) and not isinstance(size, bool) and size >= MINIMUM):
        return size
    raise LeakproError(f"audit_size: give a whole number of at least {MINIMUM}")
