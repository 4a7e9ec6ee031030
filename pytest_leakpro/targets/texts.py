"""One side of a language model's target: texts, in whatever container they come.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import is_frame, is_missing, is_series

__all__ = ["read_text_side"]


def read_text_side(given: Any, side: str) -> list[str]:
    """Read texts.

    Parameters
    ----------
    given : sequence of str
        A list, a tuple, a numpy array of shape (n,), a Series, or any other sequence.
    side : str
        What the argument is called, for errors.

    Returns
    -------
    list of str

    Raises
    ------
    LeakproError
        If it is anything else, holds none, or some are missing, empty or no texts.
    """
    if is_frame(given):
        raise LeakproError(f'{side}: a DataFrame: give one column of it, such as df["text"]')
    if isinstance(given, (str, bytes)) or not (is_series(given) or _is_sequence(given)):
        hint = "; files are yours to load" if isinstance(given, str) else ""
        kind = "None" if given is None else f"a {type(given).__name__}"
        raise LeakproError(f"{side}: {kind}: give a list (array, Series) of texts{hint}")
    if isinstance(given, np.ndarray) and given.ndim != 1:
        raise LeakproError(f"{side}: an array of shape {given.shape}: give texts of shape (n,)")
    texts = list(given.tolist() if isinstance(given, np.ndarray) or is_series(given) else given)
    if not texts:
        raise LeakproError(f"{side}: there is no text: give at least 10")
    _refuse(sum(map(is_missing, texts)), len(texts), side, "are missing (None or NaN)")
    others = [type(text).__name__ for text in texts if not isinstance(text, str)]
    if others:
        pair = isinstance(given, tuple) and len(given) == 2 and not isinstance(texts[0], str)
        hint = ": a language model takes texts without labels" if pair else ""
        raise LeakproError(
            f"{side}: {len(others):,} of {len(texts):,} are no texts but of type {others[0]}{hint}"
        )
    _refuse(sum(not text for text in texts), len(texts), side, "are empty")
    return [str(text) for text in texts]  # plain ones, where they are numpy's


def _is_sequence(given: Any) -> bool:
    if isinstance(given, (Sequence, np.ndarray)):
        return True
    # Columns of data sets, which are no Sequence.
    return all(hasattr(given, name) for name in ("__len__", "__getitem__")) and not hasattr(
        given, "keys"
    )


def _refuse(n_wrong: int, n_texts: int, side: str, what: str) -> None:
    if n_wrong:
        raise LeakproError(
            f"{side}: {n_wrong:,} of {n_texts:,} texts {what}: leave these out, since there is "
            "nothing to score"
        )
