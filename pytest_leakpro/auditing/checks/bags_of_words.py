"""Members told from non-members by the words that their texts hold: topics, dates, sources.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.stats.words import words_of
from pytest_leakpro.targets.containers import is_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.records import Records

__all__ = ["read_texts", "word_scores"]

_COLUMNS = 1 << 16
_CHARACTERS_READ = 20_000_000  # of all texts together
_FEWEST_READ = 500
_PENALTY = 1.0


def read_texts(
    sides: Sequence[Records], positions: Sequence[NDArray[np.intp]]
) -> tuple[str, ...] | None:
    """Give the texts of some records of both sides; None where records are no texts.

    Parameters
    ----------
    sides : sequence of Records
        Members and non-members.
    positions : sequence of ndarray of int
        Which of their records.
    """
    found: list[str] = []
    for side, where in zip(sides, positions, strict=True):
        inputs: Any = side.inputs
        if is_series(inputs):
            inputs = inputs.to_numpy(dtype=object)
        if not isinstance(inputs, list) and not (
            isinstance(inputs, np.ndarray) and inputs.ndim == 1 and inputs.dtype.kind in "OU"
        ):
            return None
        found += [inputs[place] for place in where.tolist()]
    if not all(isinstance(text, str) for text in found):
        return None
    return tuple(found)


def word_scores(
    known: Sequence[str], is_member: NDArray[np.bool_], asked: Sequence[str]
) -> NDArray[np.float64]:
    """Fit a logistic regression on which words texts hold, and score others.

    Parameters
    ----------
    known : sequence of str
        Texts of both sides. Of very long ones the beginning is read.
    is_member : ndarray of bool
        Of which side each is.
    asked : sequence of str
        Texts to score.

    Returns
    -------
    ndarray of shape (n_asked,)
        Log-odds of being a member.

    Notes
    -----
    Words are hashed into 65,536 columns. Each text has unit length in the square roots of its
    words' counts, so that neither long texts nor repeated words rule.
    """
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    most = max(_FEWEST_READ, _CHARACTERS_READ // (len(known) + len(asked)))
    vectorizer = HashingVectorizer(
        analyzer=words_of, n_features=_COLUMNS, alternate_sign=False, norm="l1"
    )
    taught = vectorizer.transform(text[:most] for text in known).sqrt()
    classifier = LogisticRegression(C=_PENALTY, max_iter=200, solver="liblinear", random_state=0)
    classifier.fit(taught, is_member)
    scores = classifier.decision_function(
        vectorizer.transform(text[:most] for text in asked).sqrt()
    )
    return np.asarray(scores, dtype=np.float64)
