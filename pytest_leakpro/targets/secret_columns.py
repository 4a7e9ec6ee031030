"""Columns that nobody should learn, as the user names them, and where they stand.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.targets.containers import is_frame, row_shape

__all__ = ["check_generator", "column_place", "columns_of", "read_secret"]


def columns_of(inputs: Any) -> list[Hashable]:
    """Give the columns of records: names of a frame, positions of whatever has rows of numbers.

    Parameters
    ----------
    inputs : container
        Of n records.

    Returns
    -------
    list
        Empty where a record is no row: an image, a text.
    """
    if is_frame(inputs):
        return list(inputs.columns)
    shape = row_shape(inputs)
    return list(range(shape[0])) if shape is not None and len(shape) == 1 else []


def column_place(inputs: Any, name: Hashable, what: str) -> int:
    """Give where a column stands, by its name or position, or by either written as text.

    Parameters
    ----------
    inputs : container
        Of n records.
    name : hashable
        As the user gave it, or as it stands in the brackets of a metric.
    what : str
        Who names it, for the error.

    Raises
    ------
    LeakproError
        Where there is no such column, or records have none.
    """
    columns = columns_of(inputs)
    if not columns:
        raise LeakproError(
            f"{what}: the records are no rows of columns, so none of them is secret: give X as a "
            "DataFrame or an array of shape (n, d)"
        )
    if name in columns:
        return columns.index(name)
    written = [str(column) for column in columns]
    if str(name) in written:
        return written.index(str(name))
    known = nearest_match(str(name), written) if is_frame(inputs) else f"; X has {len(written)}"
    raise LeakproError(
        f"{what}: the model's records have no column {str(name)!r}{known}; a column that the model "
        "never saw cannot be inferred from its answers"
    )


def read_secret(secret: Any, inputs: Any) -> tuple[Hashable, ...]:
    """Read which columns are secret.

    Parameters
    ----------
    secret : hashable, sequence of hashable or None
        As the user gave it.
    inputs : container
        The members' records.

    Returns
    -------
    tuple
        The columns as they stand in the records, each once.

    Raises
    ------
    LeakproError
        Where one is no column of theirs.
    """
    if secret is None:
        return ()
    single = isinstance(secret, (str, int, np.integer)) or not isinstance(secret, Sequence)
    names = [secret] if single else list(secret)
    columns = columns_of(inputs)
    found = [columns[column_place(inputs, name, "secret")] for name in names]
    return tuple(dict.fromkeys(found))


def check_generator(generator: Any) -> Any:
    """Check that this draws records: callable, and it says how many latent variables it has.

    Raises
    ------
    LeakproError
    """
    if generator is None:
        return None
    size = getattr(generator, "latent_dim", None)
    if not callable(generator) or isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise LeakproError(
            f"generator is a {type(generator).__name__}: give a torch module that maps (z, labels) "
            "to records, with the number of its latent variables as generator.latent_dim"
        )
    return generator
