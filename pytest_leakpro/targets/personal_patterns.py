"""Personal data whose form can be checked: addresses of mail and network, phones, cards, numbers.

Names and postal addresses have no form of their own. Whoever has a model that finds them gives it
as a detector.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError, nearest_match

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KINDS", "PersonalPatterns", "patterns_installed"]

KINDS = ("email", "iban", "card", "id_number", "ip_address", "phone")

_LOCAL = r"[A-Za-z0-9_](?:[A-Za-z0-9_.+'-]{0,62}[A-Za-z0-9_+-])?"
_EMAIL = re.compile(
    rf"(?<![\w.@+/-]){_LOCAL}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,62}}[A-Za-z0-9])?\.)+"
    r"[A-Za-z]{2,24}\b"
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}(?!\w)")
_CARD = re.compile(r"(?<![\w.-])[3-6]\d{3}(?:[ -]?\d{2,6}){2,5}(?![\w-]|\.\d)")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{2,37})(?![\w:]|\.\d)"
)
_NUMERIC = ("iban", "card", "id_number", "phone")
_MANY_DIGITS = re.compile(r"\d(?:\D{0,3}\d){5}")  # fewer than any of them has
_WITH_COUNTRY = re.compile(r"[+＋(]{1,2}\d(?:[ \t\u00a0()./-]{0,3}\d){5,18}")
_DIALLED = re.compile(r"[+＋(]{0,2}\d(?:[ \t\u00a0()./-]{0,3}\d){5,18}")
_SMALL = 9
_CARD_LENGTHS = range(13, 20)

# Numbers of people whose form and check digits leave little to chance, by where they are from. Of
# countries whose numbers are nothing but nine or ten digits chance would find too many.
_NUMBERS: tuple[tuple[str, str], ...] = (
    ("se.personnummer", r"(?:\d{2})?\d{6}[-+]\d{4}|(?:19|20)\d{10}"),
    ("dk.cpr", r"\d{6}-\d{4}"),
    ("fi.hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]"),
    ("no.fodselsnummer", r"\d{6} ?\d{5}"),
    ("us.ssn", r"\d{3}-\d{2}-\d{4}"),
    ("fr.nir", r"[12] ?\d{2} ?[01]\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}"),
    ("it.codicefiscale", r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]"),
    ("es.dni", r"\d{8}-?[A-Z]"),
    ("es.nie", r"[XYZ]-?\d{7}-?[A-Z]"),
    ("pl.pesel", r"\d{11}"),
    ("be.nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
    ("ch.ssn", r"756\.\d{4}\.\d{4}\.\d{2}"),
    ("cz.rc", r"\d{6}/\d{3,4}"),
    ("ee.ik", r"[1-6]\d{10}"),
    ("gb.nhs", r"\d{3} \d{3} \d{4}"),
    ("br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    ("in_.aadhaar", r"\d{4} \d{4} \d{4}"),
)


def patterns_installed() -> bool:
    """Tell whether the libraries are there that check phones and numbers."""
    return all(find_spec(name) is not None for name in ("phonenumbers", "stdnum"))


class PersonalPatterns:
    """A detector of personal data that have a form of their own.

    It finds addresses of mail and of hosts in the internet, account numbers (IBAN), payment cards,
    phone numbers, and personal numbers of countries where their form and check digits leave little
    to chance: Belgium, Brazil, the Czech and Slovak Republics, Denmark, Estonia and Lithuania,
    Finland, France, India, Italy, Norway, Poland, Spain, Sweden, Switzerland, the United Kingdom
    (NHS) and the United States.

    Parameters
    ----------
    regions : sequence of str
        Countries, as ``["SE", "US"]``, whose phone numbers are found without ``+`` and country
        code too. The more there are, the more numbers of another sort pass for phones.
    kinds : sequence of str, optional
        Which kinds to find; all by default: ``email``, ``iban``, ``card``, ``id_number``,
        ``ip_address``, ``phone``.

    Raises
    ------
    LeakproError
        Where phonenumbers or python-stdnum is not installed, or a kind or country is unknown.

    Examples
    --------
    >>> PersonalPatterns(regions=["GB"])("call 020 7946 0958 today")
    [(5, 18, 'phone')]
    """

    def __init__(self, regions: Any = (), kinds: Any = None) -> None:
        if not patterns_installed():
            raise LeakproError(
                "personal data are found by phonenumbers and python-stdnum, which are not "
                "installed: pip install 'pytest-leakpro[text]', or give a detector of your own"
            )
        import phonenumbers

        self.regions = _names("regions", regions, phonenumbers.SUPPORTED_REGIONS)
        self.kinds = KINDS if kinds is None else _names("kinds", kinds, KINDS)

    def __repr__(self) -> str:
        return f"PersonalPatterns(regions={self.regions!r}, kinds={self.kinds!r})"

    def __call__(self, text: str) -> list[tuple[int, int, str]]:
        """Find personal data in a text; where two kinds overlap, the first in their order."""
        found: list[tuple[int, int, str]] = []
        finders = {
            "email": _emails,
            "iban": _ibans,
            "card": _cards,
            "id_number": _id_numbers,
            "ip_address": _hosts,
            "phone": self._phones,
        }
        many_digits = _MANY_DIGITS.search(text)
        for kind, find in finders.items():
            if kind not in self.kinds or (kind in _NUMERIC and not many_digits):
                continue
            for start, end in find(text):
                if all(end <= first or last <= start for first, last, _ in found):
                    found.append((start, end, kind))
        return sorted(found)

    def _phones(self, text: str) -> Iterator[tuple[int, int]]:
        # The matcher takes milliseconds a page, so it gets only what may be a number.
        pattern = _DIALLED if self.regions else _WITH_COUNTRY
        places = [match.span() for match in pattern.finditer(text)]
        if not places:
            return
        import phonenumbers

        for start, end in places:
            start = max(0, start - 2)  # what stands before tells prices and dates
            for region in self.regions or (None,):
                for match in phonenumbers.PhoneNumberMatcher(text[start : end + 2], region):
                    raw = match.raw_string
                    if raw.count(".") == 1:  # which decimal numbers have
                        continue
                    # A bracket that is closed behind the number is none of it.
                    outside = raw[0] == "(" and raw.count("(") > raw.count(")")
                    yield start + match.start + outside, start + match.end


def _names(option: str, given: Any, known: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise LeakproError(f"{option}: give a sequence of texts")
    names = tuple(given)
    for name in names:
        if name not in known:
            hint = nearest_match(str(name), known) if len(known) < 20 else ", as in 'SE' or 'US'"
            raise LeakproError(f"{option}: there is no {name!r}{hint}")
    return names


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from (match.span() for match in _EMAIL.finditer(text) if ".." not in match.group())


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        # What follows in capitals may have been taken for a part of it.
        found = match.group()
        while found and not iban.is_valid(found):
            found = found.rpartition(" ")[0]
        if found:
            yield match.start(), match.start() + len(found)


def _cards(text: str) -> Iterator[tuple[int, int]]:
    from stdnum import luhn

    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if len(digits) in _CARD_LENGTHS and len(set(digits)) > 1 and luhn.is_valid(digits):
            yield match.span()


def _id_numbers(text: str) -> Iterator[tuple[int, int]]:
    any_form, forms = _compiled()
    for match in any_form.finditer(text):
        number = match.group()
        if any(form.fullmatch(number) and home.is_valid(number) for home, form in forms):
            yield match.span()


@cache
def _compiled() -> tuple[re.Pattern[str], list[tuple[Any, re.Pattern[str]]]]:
    """Give a pattern of all numbers, which is searched for once, and those of each sort."""
    forms = "|".join(form for _, form in _NUMBERS)
    return re.compile(rf"(?<![\w.,/+-])(?:{forms})(?![\w/-]|[.,]\d)"), [
        (import_module(f"stdnum.{home}"), re.compile(form)) for home, form in _NUMBERS
    ]


def _hosts(text: str) -> Iterator[tuple[int, int]]:
    for match in _ADDRESS.finditer(text):
        try:
            address = ipaddress.ip_address(match.group())
        except ValueError:
            continue
        # Only global ones name anybody in particular, and small numbers are those of versions.
        small = address.version == 4 and sum(part > _SMALL for part in address.packed) < 2
        if address.is_global and not small:
            yield match.span()
