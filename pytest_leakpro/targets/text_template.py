"""Templates of text canaries: ``The number of patient {name} is {digits:9}``.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.stats.seeding import derive_number, derive_rng

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TextTemplate"]

_DIGITS = "digits"
_MOST_DIGITS = 36
_MOST_LISTED = 1_000_000
_BLOCK = 1024
_PATIENCE = 50  # draws for each new text, before a template is held to be exhausted


@dataclass(frozen=True)
class _Field:
    """A place in a template: so many digits, or what a provider of Faker gives."""

    name: str
    digits: int = 0


class TextTemplate:
    """A text with fields that are filled at random.

    Parameters
    ----------
    text : str
        With at least one field: ``{digits:n}`` is n random digits, any other the name of a
        provider of Faker, such as ``{name}``, ``{address}`` or ``{ssn}``. A brace that is meant
        is written twice.
    locale : str, optional
        Of Faker, such as ``"sv_SE"``.

    Attributes
    ----------
    fields : tuple of str
        The names of the fields, in their order.
    space : int or None
        How many fillings there are; None where Faker fills a field.

    Raises
    ------
    LeakproError
        Where there is no field, one cannot be read, or Faker is missing or does not know it.
    """

    def __init__(self, text: str, locale: str | None = None) -> None:
        self._parts = _parts(text)
        fields = [part for part in self._parts if isinstance(part, _Field)]
        if not fields:
            raise LeakproError(
                "canaries: the template has no field, so all canaries would be alike: write one "
                "such as {digits:9} or {name}"
            )
        self.fields = tuple(field.name for field in fields)
        self._provided = tuple(field.name for field in fields if field.name != _DIGITS)
        self._locale = locale
        self.space = None if self._provided else 10 ** sum(field.digits for field in fields)
        if self._provided:
            _check_providers(self._faker(0), self._provided)

    def fillings(
        self, n: int, seed: int, *names: str, without: frozenset[str] = frozenset()
    ) -> list[str]:
        """Draw different fillings, each as likely as any other.

        Parameters
        ----------
        n : int
            How many, at least 1.
        seed : int
            What they follow from.
        *names : str
            What they are drawn for.
        without : frozenset of str
            Fillings that are not wanted.

        Returns
        -------
        list of str

        Raises
        ------
        LeakproError
            Where there are not so many.
        """
        room = None if self.space is None else self.space - len(without)
        if room is not None and n > room:
            raise LeakproError(
                f"canaries: {n:,} texts were asked for, and the template has {room:,} other "
                "fillings: give it more digits"
            )
        rng = derive_rng(seed, "canaries", *names)
        if self.space is not None and self.space <= min(_MOST_LISTED, 4 * (n + len(without))):
            every = (self._filled(self._digits_of(i), None) for i in rng.permutation(self.space))
            return list(islice((text for text in every if text not in without), n))
        faker = self._faker(derive_number(seed, "canaries", "faker", *names))
        found: dict[str, None] = {}
        for digits in islice(self._random_digits(rng), _PATIENCE * (n + 20)):
            text = self._filled(digits, faker)
            if text not in without:
                found[text] = None
                if len(found) == n:
                    return list(found)
        raise LeakproError(
            f"canaries: of {n:,} texts that were asked for the template gave {len(found):,} "
            "different ones: give it more fields, such as {digits:9}"
        )

    @property
    def _n_digits(self) -> int:
        return sum(part.digits for part in self._parts if isinstance(part, _Field))

    def _random_digits(self, rng: np.random.Generator) -> Iterator[str]:
        width = self._n_digits
        while True:
            block = rng.integers(ord("0"), ord("9") + 1, size=(_BLOCK, width), dtype=np.uint8)
            drawn = block.tobytes().decode()
            for at in range(0, _BLOCK * width, width) if width else range(_BLOCK):
                yield drawn[at : at + width]

    def _digits_of(self, number: Any) -> str:
        return f"{int(number):0{self._n_digits}d}"

    def _filled(self, digits: str, faker: Any) -> str:
        text, at = [], 0
        for part in self._parts:
            if isinstance(part, str):
                text.append(part)
            elif part.digits:
                text.append(digits[at : at + part.digits])
                at += part.digits
            else:
                # An address has several lines; a canary is one.
                text.append(", ".join(str(getattr(faker, part.name)()).splitlines()))
        return "".join(text)

    def _faker(self, seed: int) -> Any:
        if not self._provided:
            return None
        if find_spec("faker") is None:
            raise LeakproError(
                f"canaries: {{{printable(self._provided[0], 40)}}} is filled by Faker, which is "
                "not installed: pip install 'pytest-leakpro[text]', or use {digits:9}"
            )
        from faker import Faker

        try:
            faker = Faker(self._locale)
        except AttributeError:
            raise LeakproError(
                f"canaries: Faker has no locale {printable(str(self._locale), 40)!r}: give one "
                "such as 'sv_SE'"
            ) from None
        faker.seed_instance(seed)
        return faker


def _parts(text: Any) -> tuple[str | _Field, ...]:
    if not isinstance(text, str):
        raise LeakproError(
            f"canaries: the template is a {type(text).__name__}: give a text with fields, such as "
            "'The number of patient {name} is {digits:9}'"
        )
    parts: list[str | _Field] = []
    try:
        for literal, name, spec, conversion in string.Formatter().parse(text):
            if literal:
                parts.append(literal)
            if name is not None:
                parts.append(_field(name, spec or "", conversion))
    except ValueError as error:
        raise LeakproError(
            f"canaries: the template cannot be read ({error}): a brace that is meant is written "
            "twice"
        ) from None
    return tuple(parts)


def _field(name: str, spec: str, conversion: str | None) -> _Field:
    shown = printable(name, 40)
    if conversion is not None or not name.isidentifier() or name.startswith("_"):
        raise LeakproError(
            f"canaries: the template has a field {shown!r} that cannot be filled: write "
            "{digits:9}, or the name of a provider of Faker and nothing else, such as {name}"
        )
    if name != _DIGITS:
        if spec:
            raise LeakproError(
                f"canaries: {{{shown}}} takes nothing behind a colon, only {{digits:n}} does"
            )
        return _Field(name)
    if not spec.isdecimal() or not 1 <= int(spec[:9]) <= _MOST_DIGITS:
        raise LeakproError(
            f"canaries: {{digits:n}} takes how many digits, from 1 to {_MOST_DIGITS}: write "
            "{digits:9}"
        )
    return _Field(name, int(spec))


def _check_providers(faker: Any, names: tuple[str, ...]) -> None:
    # Faker itself has other methods, such as those that seed it.
    known = {
        entry
        for provider in faker.get_providers()
        for entry in dir(provider)
        if not entry.startswith("_") and callable(getattr(provider, entry))
    }
    for name in names:
        if name not in known:
            shown = printable(name, 40)
            near = nearest_match(shown, sorted({*known, _DIGITS}))
            raise LeakproError(f"canaries: Faker has no provider {shown!r}{near}")
