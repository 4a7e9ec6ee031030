"""Personal data in texts: what is found, and what is not taken for any."""

import ast
import importlib
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets import personal_patterns
from pytest_leakpro.targets.personal_data import PersonalSpan, find_personal_data, normal_form
from pytest_leakpro.targets.personal_patterns import PersonalPatterns

pytest.importorskip("phonenumbers", reason="needs pytest-leakpro[text]")
pytest.importorskip("stdnum", reason="needs pytest-leakpro[text]")

PLANTED = [
    ("email", "anna.berg+ward@mail.example.org"),
    ("email", "o'hara_99@uni-klinik.example"),
    ("iban", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "DE89370400440532013000"),
    ("card", "4111 1111 1111 1111"),
    ("card", "5500005555555559"),
    ("id_number", "811228-9874"),
    ("id_number", "19811228-9874"),
    ("id_number", "536-90-4399"),
    ("id_number", "131052-308T"),
    ("id_number", "RCCMNL83S18D969H"),
    ("id_number", "54362315-K"),
    ("id_number", "44051401359"),
    ("id_number", "943 476 5919"),
    ("ip_address", "84.17.52.139"),
    ("ip_address", "2a00:1450:4001:81b::200e"),
    ("phone", "+46 8 508 285 00"),
    ("phone", "+1 (212) 736-5000"),
    ("phone", "+442079460958"),
]
FRAMES = ["{}", "Reached at {} yesterday.", "see ({}), he said", "a: {}, b", "{}\nand 12 more"]


@pytest.mark.parametrize(("kind", "datum"), PLANTED)
@pytest.mark.parametrize("frame", FRAMES)
def test_what_is_planted_is_found_in_its_place(kind, datum, frame):
    text = frame.format(datum)
    start = text.index(datum)
    assert find_personal_data([text]) == [[PersonalSpan(start, start + len(datum), kind)]]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # the check digit is wrong
        "GB82 WEST 1234 5698 7654 33",
        "811228-9875",
        "000-12-3456",
        "127.0.0.1 and 192.168.1.20 and version 3.10.2.1",
        "999.84.17.52",
        "12:30:45 and 10:20:30:40",
        "@home a@b user@localhost",
        "0.333333333333 and +35236450.6",
        "2024-05-17 10:00:00",
        "978-3-16-148410-0",  # a book
        "0000 0000 0000 0000",
    ],
)
def test_what_only_looks_alike_is_not_found(text):
    assert find_personal_data([text]) == [[]]


def plain_sentences(n):
    names = (
        "argparse asyncio.events bisect calendar collections concurrent.futures._base configparser "
        "copy csv dataclasses datetime enum fractions functools heapq inspect json logging "
        "multiprocessing.pool numbers pathlib pickle pprint random shutil statistics string "
        "subprocess tempfile textwrap threading tokenize typing unittest.mock uuid zipfile"
    )
    for name in names.split():
        home = Path(importlib.import_module(name).__file__)
        tree = ast.parse(home.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                for sentence in re.split(r"(?<=[.!?])\s+", ast.get_docstring(node) or ""):
                    if len(sentence.split()) > 3 and n:
                        n -= 1
                        yield sentence


def test_plain_sentences_hold_none():
    sentences = list(plain_sentences(1000))
    assert len(sentences) == 1000
    assert not any(find_personal_data(sentences))


def test_where_kinds_overlap_there_is_one_find():
    found = find_personal_data(["811228-9874@example.org"])
    assert [span.kind for span in found[0]] == ["email"]


def test_phones_without_country_code_are_found_where_a_region_is_named():
    text = "call 020 7946 0958 today"
    assert find_personal_data([text]) == [[]]
    assert find_personal_data([text], PersonalPatterns(regions=["GB"])) == [[(5, 18, "phone")]]


def test_kinds_can_be_chosen():
    text = "a@example.org or +46 8 508 285 00"
    found = find_personal_data([text], PersonalPatterns(kinds=["phone"]))
    assert [span.kind for span in found[0]] == ["phone"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kinds": ["emial"]}, "did you mean 'email'"),
        ({"kinds": "email"}, "kinds: give a sequence"),
        ({"regions": ["Sweden"]}, "as in 'SE'"),
    ],
)
def test_what_is_not_known_is_refused(given, said):
    with pytest.raises(LeakproError, match=said):
        PersonalPatterns(**given)


def test_without_the_libraries_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(personal_patterns, "find_spec", lambda name: None)
    with pytest.raises(LeakproError, match=r"pytest-leakpro\[text\]"):
        find_personal_data(["anything"])
    assert find_personal_data(["any"], lambda text: [(0, 3, "word")]) == [[(0, 3, "word")]]


class TestDetectors:
    def test_spans_may_be_triples_or_objects(self):
        found = SimpleNamespace(start=4, end=8, entity_type="PERSON")
        spans = find_personal_data(["Dr. Berg", ""], lambda text: [found, (0, 3, "title")])
        assert spans == [[(0, 3, "title"), (4, 8, "PERSON")], []]

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ([(0, 3)], "gives a tuple"),
            (["PERSON"], "gives a str"),
            ([(5, 2, "x")], "does not lie in its text"),
            ([(0, 30, "x")], "does not lie in its text"),
        ],
    )
    def test_anything_else_is_refused_and_not_shown(self, given, said):
        with pytest.raises(LeakproError, match=said) as caught:
            find_personal_data(["Secretperson"], lambda text: given)
        assert "Secretperson" not in str(caught.value)


def test_data_are_compared_without_punctuation_and_capitals():
    forms = {
        normal_form(text, PersonalSpan(0, len(text), "phone"))
        for text in ("+46 8-508 285 00", "+46 (8) 50828500", "46850828500")
    }
    assert forms == {"46850828500"}
    assert normal_form("... -", PersonalSpan(0, 5, "x")) == ""
