"""Records of every kind, and the page of them."""

from pytest_leakpro.gate.identity import identity_of
from pytest_leakpro.report.html.document import render_page
from pytest_leakpro.report.texts.catalogue import words_of
from tests.report.examples import EVERY_KIND
from tests.store.samples import EVIDENCE, record

COMPARED = {
    "name": "forests",
    "of": 2,
    "utility": 0.8,
    "shown_utility": "0.80",
    "utility_name": "accuracy",
    "hides_scores": "",
    "label_only_audited": False,
    "difference": None,
    "at_least": None,
    "method": "",
    "shown": "",
}
SLICE = {
    "slicing": "sex",
    "label": "F",
    "value": 0.04,
    "low": 0.01,
    "high": 0.09,
    "p_value": None,
    "verdict": "PASS",
    "attack": "lira",
    "n_members": 900,
    "n_nonmembers": 900,
    "shown_value": "4.0%",
    "shown_low": "1.0%",
    "shown_high": "9.0%",
}


def every_kind():
    """Records of every verdict and of every kind of evidence, of slices and of a comparison."""
    kinds = [
        record(kind, test=f"test_a.py::test_{kind}", name=f"test_a.py::test_{kind}", target=kind)
        for kind in EVIDENCE
    ]
    kinds[0]["slices"] = [SLICE]
    kinds[0]["exposed_share"] = 0.03
    compared = [
        {
            **record(test="test_a.py::test_d", name="test_a.py::test_d", target=name),
            "comparison": {**COMPARED, "defence": name, "order": order, "outcome": outcome},
        }
        for order, (name, outcome) in enumerate((("none", "first"), ("early stop", "lower")))
    ]
    compared[1]["comparison"] |= {"hides_scores": "rounded to 1 digit", "shown": "-2.0pp"}
    return [*map(numbered, EVERY_KIND, range(len(EVERY_KIND))), *kinds, *compared]


def numbered(record, place):
    """Give a record a name of its own, as a session would."""
    return {**record, "occurrence": place}


def points(record, values):
    """What a measurement was in earlier runs."""
    return {
        identity_of(record): [
            {
                **{key: record[key] for key in ("low", "high", "limit", "verdict")},
                "value": value,
                "commit": f"{place:040x}",
                "time": f"2026-01-{place + 1:02}T00:00:00Z",
                "comparable": True,
            }
            for place, value in enumerate(values)
        ]
    }


def page_of(records, language="en", **options):
    """Render a page, without figures unless some are asked for."""
    given = {"made_on": "2026-11-29", "version": "0.1.0", "most_figures": 0, **options}
    return render_page(records, words=words_of(language), **given)
