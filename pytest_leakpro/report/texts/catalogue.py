"""The texts of a language by their keys.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Words", "languages", "words_of"]

_SUFFIX = ".json"


class Words:
    """Texts in one language.

    Parameters
    ----------
    language : str
        As in the attribute ``lang`` of HTML, for example ``"en"``.
    texts : mapping of str to str
        By key. Places for values stand in braces. A text about a number has two keys, which end
        in ``.one`` and ``.other``. ``number.thousands`` separates groups of three digits.
    """

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __repr__(self) -> str:
        return f"Words({self.language!r})"

    def __call__(self, key: str, **values: object) -> str:
        """Give a text.

        Parameters
        ----------
        key : str
            Which.
        **values
            What stands in the places of its braces; taken as it is, and not read for braces again.

        Returns
        -------
        str
            Plain text, not escaped for any format.

        Raises
        ------
        KeyError
            Where there is no such text, or a value is missing.
        """
        return self._texts[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def count(self, key: str, number: int, **values: object) -> str:
        """Give the text about a number, in the singular or in the plural; ``{n}`` is the number."""
        form = "one" if abs(number) == 1 else "other"
        return self(f"{key}.{form}", n=self.number(number), **values)

    def number(self, number: int) -> str:
        """Write a whole number with its digits in groups, as ``1,204``."""
        return f"{number:,}".replace(",", self._texts["number.thousands"])


@cache
def words_of(language: str) -> Words:
    """Read the texts of a language.

    Parameters
    ----------
    language : str
        One of `languages`.

    Raises
    ------
    LeakproError
        Where there is no such language.
    """
    known = languages()
    if language not in known:
        hint = nearest_match(language, known)
        raise LeakproError(
            f"the page speaks {', '.join(known)}, not {printable(repr(language), 40)}{hint}; "
            "another language is one more file in pytest_leakpro/report/texts"
        )
    file = resources.files("pytest_leakpro.report.texts").joinpath(f"{language}{_SUFFIX}")
    return Words(language, json.loads(file.read_text("utf-8")))


@cache
def languages() -> tuple[str, ...]:
    """Give the languages that there are texts in."""
    folder = resources.files("pytest_leakpro.report.texts")
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name[: -len(_SUFFIX)] for name in names if name.endswith(_SUFFIX)))
