"""Categories, dates, texts and records of unequal length as numbers.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.stats.text_features import hashed_words
from pytest_leakpro.targets.containers import as_numpy, is_missing, is_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["UnreadableError", "coded_column", "coded_texts", "ragged_columns"]

_NGRAMS = 512
_NGRAMS_OF_A_COLUMN = 64
_WORDS_OF_A_COLUMN = 256
_FEW_WORDS = 10
_CHARACTERS_READ = 500_000  # of all texts together
_FREE_TEXT = 20  # characters on average
_SAMPLES = 32
_TOKENS = 64


class UnreadableError(Exception):
    """Records are nothing that could be read as numbers; the message says what they are."""


def coded_column(cells: Any) -> list[NDArray[np.float64]]:
    """Read one column of a frame as one or more columns of numbers.

    Parameters
    ----------
    cells : pandas.Series
        Of any type.

    Returns
    -------
    list of ndarray of shape (n,)
        Numbers and dates as they are. Anything else by its place in the order of the texts, how
        often it occurs and how long it is; longer texts also by their n-grams and words. NaN where
        a value is missing.

    Raises
    ------
    UnreadableError
        Where it holds objects that have no text of their own.
    """
    import pandas as pd

    kinds = pd.api.types
    if kinds.is_complex_dtype(cells.dtype):
        values = cells.to_numpy()
        return [values.real.astype(np.float64), values.imag.astype(np.float64)]
    if kinds.is_numeric_dtype(cells.dtype):
        return [cells.to_numpy(dtype=np.float64, na_value=np.nan)]
    if kinds.is_datetime64_any_dtype(cells.dtype) or kinds.is_timedelta64_dtype(cells.dtype):
        if isinstance(cells.dtype, pd.DatetimeTZDtype):
            cells = cells.dt.tz_convert("UTC").dt.tz_localize(None)
        numbers = cells.to_numpy().astype("int64").astype(np.float64)
        return [np.where(cells.isna(), np.nan, numbers)]
    objects = cells.astype(object)
    missing = np.fromiter((is_missing(cell) for cell in objects), dtype=bool, count=len(objects))
    try:
        numeric = pd.to_numeric(objects, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError, OverflowError):
        pass
    else:
        if np.array_equal(np.isnan(numeric), missing):
            return [numeric]
    for kind in {type(cell) for cell in objects}:
        shown_by: tuple[Any, Any] = (kind.__str__, kind.__repr__)
        if shown_by == (object.__str__, object.__repr__):
            # All that there is to read is an address in memory, which tells the order of rows.
            raise UnreadableError(f"objects of type {kind.__name__}")
    texts = ["" if gone else str(cell) for cell, gone in zip(objects, missing, strict=True)]
    codes, distinct = pd.factorize(np.asarray(texts, dtype=object), sort=True)
    lengths = np.fromiter(map(len, texts), dtype=np.float64, count=len(texts))
    columns = [codes.astype(np.float64), np.log(np.bincount(codes))[codes], lengths]
    columns = [np.where(missing, np.nan, column) for column in columns]
    if len(distinct) > 2 * _NGRAMS_OF_A_COLUMN and lengths.mean() > _FREE_TEXT:
        columns += list(coded_texts(texts, _NGRAMS_OF_A_COLUMN).T)
        # Of short ones they would tell no more, and outweigh all other columns together.
        if np.mean([text.count(" ") for text in texts]) > _FEW_WORDS:
            columns += list(hashed_words(texts, _WORDS_OF_A_COLUMN).T)
    return columns


def coded_texts(
    texts: Sequence[str | bytes | None], n_features: int = _NGRAMS
) -> NDArray[np.float64]:
    """Read texts by their hashed character n-grams and their length.

    Parameters
    ----------
    texts : sequence of str or bytes
        Of long texts the beginning and the end are read.
    n_features : int
        Number of columns for the n-grams.

    Returns
    -------
    ndarray of shape (n, n_features + 2)
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    plain = [
        text.decode("latin-1") if isinstance(text, bytes) else "" if text is None else text
        for text in texts
    ]
    most = max(40, _CHARACTERS_READ // len(plain))
    short = [t if len(t) <= most else f"{t[: most * 3 // 4]} {t[-(most // 4) :]}" for t in plain]
    vectorizer = HashingVectorizer(
        analyzer="char", ngram_range=(1, 3), n_features=n_features, alternate_sign=False
    )
    grams = vectorizer.transform(short).toarray()
    lengths = np.fromiter(map(len, plain), dtype=np.float64, count=len(plain))
    words = np.fromiter((text.count(" ") for text in plain), dtype=np.float64, count=len(plain))
    return np.column_stack([grams, lengths, words])


def ragged_columns(items: Sequence[Any]) -> NDArray[np.float64]:
    """Read records of numbers that differ in shape: what each looks like, and samples of it.

    Raises
    ------
    UnreadableError
        Where a record holds anything but numbers.
    """
    return np.stack([_ragged(item) for item in items])


def _ragged(item: Any) -> NDArray[np.float64]:
    values = as_numpy(item) if is_tensor(item) else np.asarray(item)
    if values.dtype.kind not in "biuf":
        raise UnreadableError(f"a list of {type(item).__name__} that holds no numbers")
    shape = np.zeros(4)
    shape[: min(4, values.ndim)] = values.shape[:4]
    largest = float(np.finfo(np.float32).max)
    flat = np.clip(np.nan_to_num(values.ravel().astype(np.float64)), -largest, largest)
    if not len(flat):
        return np.concatenate([shape, np.full(5 + _SAMPLES + _TOKENS, np.nan)])
    roughness = np.abs(np.diff(flat)).mean() if len(flat) > 1 else 0.0
    summary = [flat.mean(), flat.std(), flat.min(), flat.max(), roughness]
    samples = flat[np.linspace(0, len(flat) - 1, _SAMPLES).astype(np.intp)]
    tokens = np.zeros(_TOKENS)
    if values.dtype.kind in "iu":
        tokens = np.bincount(values.ravel() % _TOKENS, minlength=_TOKENS) / len(flat)
    return np.concatenate([shape, summary, samples, tokens])
