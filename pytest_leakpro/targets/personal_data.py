"""Personal data in texts: where they stand, and how they are compared.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.words import words_of
from pytest_leakpro.targets.personal_patterns import PersonalPatterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PersonalSpan", "find_personal_data", "normal_form"]


class PersonalSpan(NamedTuple):
    """Where in a text a personal datum stands, and what it is.

    Attributes
    ----------
    start, end : int
        The characters from `start` up to `end`, which is not among them.
    kind : str
        Such as ``"email"``.
    """

    start: int
    end: int
    kind: str


def find_personal_data(
    texts: Iterable[str], detector: Callable[[str], Iterable[Any]] | None = None
) -> list[list[PersonalSpan]]:
    """Find personal data in texts.

    Parameters
    ----------
    texts : iterable of str
        Any.
    detector : callable, optional
        ``text -> spans``, each a triple (start, end, kind) or an object with `start`, `end` and
        `entity_type`, as presidio's analyser gives them. By default `PersonalPatterns`, which finds
        what has a form that can be checked, and so no names or addresses.

    Returns
    -------
    list of list of PersonalSpan
        One list per text, in the order of the text.

    Raises
    ------
    LeakproError
        Where the libraries of the default detector are not installed, or a detector gives
        something else than spans of the text.

    Examples
    --------
    >>> find_personal_data(["write to anna.berg@example.org"])
    [[PersonalSpan(start=9, end=30, kind='email')]]
    """
    find = PersonalPatterns() if detector is None else detector
    return [sorted(_span(found, text) for found in find(text)) if text else [] for text in texts]


def normal_form(text: str, span: PersonalSpan) -> str:
    """Write a personal datum as it is compared: letters and digits alone, without capitals.

    Parameters
    ----------
    text : str
        Where it stands.
    span : PersonalSpan
        In which place.

    Returns
    -------
    str
        Empty where it holds neither letters nor digits.
    """
    return "".join(words_of(text[span.start : span.end]))


def _span(found: Any, text: str) -> PersonalSpan:
    try:
        if hasattr(found, "entity_type"):
            found = found.start, found.end, found.entity_type
        start, end, kind = found
        span = PersonalSpan(int(start), int(end), str(kind))
    except (TypeError, ValueError, AttributeError):
        raise LeakproError(
            f"the detector of personal data gives a {type(found).__name__}: let it give triples "
            "(start, end, kind) for each text"
        ) from None
    if not 0 <= span.start < span.end <= len(text):
        raise LeakproError(
            "the detector of personal data gives a span that does not lie in its text: start and "
            "end count characters, and start lies before end"
        )
    return span
