"""Lists of texts as tables of one column.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import is_missing, is_series
from pytest_leakpro.targets.records import MINIMUM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.targets.canaries import Canaries
    from pytest_leakpro.targets.text_canaries import TextCanaries

__all__ = ["TEXT", "holds_texts", "text_tables", "texts_of"]

TEXT = "text"
"""The column that holds them."""


def holds_texts(container: Any) -> bool:
    """Tell whether this is a list, tuple, Series or one-dimensional array with a text in it."""
    if isinstance(container, np.ndarray):
        listed = container.ndim == 1
    else:
        listed = isinstance(container, (list, tuple)) or is_series(container)
    return listed and any(isinstance(entry, str) for entry in container)


def text_tables(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read lists of texts.

    Parameters
    ----------
    given : mapping of str to container
        Each by what messages call it; ``synthetic`` may hold few texts, and empty ones.

    Returns
    -------
    dict of str to DataFrame
        With one column, `TEXT`.

    Raises
    ------
    LeakproError
        Where one is no list of texts, is too short, or holds what is no text or an empty one.
    """
    import pandas as pd

    tables = {}
    for name, container in given.items():
        if not isinstance(container, Sequence | np.ndarray) and not is_series(container):
            raise LeakproError(
                f"{name} is a {type(container).__name__} where others are lists of texts: give "
                "lists of texts, or tables, for all of them"
            )
        if isinstance(container, str) or getattr(container, "ndim", 1) != 1:
            raise LeakproError(f"{name} is no list of texts: give one entry per text")
        _check(name, list(container), 1 if name == "synthetic" else MINIMUM)
        tables[name] = pd.DataFrame({TEXT: np.array([*container, None], dtype=object)[:-1]})
    return tables


def texts_of(canaries: Canaries | TextCanaries, included: bool) -> list[str]:
    """Give the texts of canaries that were inserted, or of those that were not.

    Raises
    ------
    LeakproError
        Where they are fewer than 10, or no texts.
    """
    side: Any = canaries.side(included=included)
    texts = list(side[0] if isinstance(side, tuple) else side)
    if len(texts) < MINIMUM or not all(isinstance(text, str) for text in texts):
        which = "inserted" if included else "not inserted"
        what = "some are no texts" if len(texts) >= MINIMUM else f"it takes at least {MINIMUM}"
        raise LeakproError(f"canaries: {len(texts)} were {which}, and {what}: give more texts")
    return texts


def _check(name: str, texts: list[Any], least: int) -> None:
    if len(texts) < least:
        what = "is empty" if not texts else f"has {len(texts)} texts"
        raise LeakproError(
            f"{name} {what}: it takes at least {least}; a useful audit takes hundreds"
        )
    foreign = [text for text in texts if not isinstance(text, str)]
    if foreign:
        first = "missing" if is_missing(foreign[0]) else f"a {type(foreign[0]).__name__}"
        raise LeakproError(
            f"{name}: {len(foreign):,} of {len(texts):,} entries are no texts (the first of them "
            f"is {first}): leave them out, or turn them into texts"
        )
    empty = sum(not text.strip() for text in texts)
    if empty and name != "synthetic":
        raise LeakproError(
            f"{name}: {empty:,} of {len(texts):,} texts are empty: leave them out, since nothing "
            "can be told of them"
        )
