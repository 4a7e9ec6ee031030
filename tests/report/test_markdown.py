"""The summary of a job."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro.report.inert import code_span, prose
from pytest_leakpro.report.markdown import COMMENT_BYTES, SUMMARY_BYTES, job_summary
from tests.report.examples import (
    EVERY_KIND,
    HOSTILE,
    SAMPLE,
    broken,
    change,
    failing,
    hostile,
    measured,
    passing,
    record,
    regressed,
    undecided,
    weak,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))
PAGE = Path(__file__).parents[2] / "docs" / "continuous-integration.md"


def table(summary):
    """The cells of the table, split at every bar."""
    rows = [line for line in summary.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def sentence(*records):
    return job_summary(records).splitlines()[2]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], "Nothing was audited."),
        (SAMPLE, "❌ **1 of 4 budgets FAIL**, 1 INCONCLUSIVE, 2 PASS, 1 regression since the"),
        ([passing()], "✅ **The budget is met**: no attack in the suite exceeded the budget."),
        ([passing()] * 2, "✅ **All 2 budgets are met**: no attack in the suite exceeded the"),
        ([passing(), weak()], "⚠️ **All 2 budgets are met**: no attack in the suite exceeded"),
        ([weak()], "1 PASS by a weak suite only."),
        ([record(attempt=2, earlier=["FAIL"])], "1 PASS in a later attempt only."),
        ([undecided(), passing()], "❓ **1 of 2 budgets INCONCLUSIVE**, 1 PASS."),
        ([broken(limit=None)], "⛔ **1 of 1 figure ERROR**."),
        ([regressed()], "❌ **1 regression since the baseline**, the budget is met: no attack"),
        ([measured()], "1 figure was measured without a budget."),
        ([passing(), measured(), measured()], "2 figures were measured without a budget."),
        (
            [measured(change=change("regression"))] * 2,
            "❌ **2 regressions since the baseline**. 2 figures were measured without a budget.",
        ),
    ],
)
def test_the_headline_says_what_was_decided(records, expected):
    assert expected in sentence(*records)


def test_the_table_shows_the_figures_as_the_record_does():
    heading, _, *rows = table(job_summary(SAMPLE))
    assert heading[-1] == "change since the baseline"
    for row, shown in zip(rows, [SAMPLE[3], SAMPLE[1], SAMPLE[2], SAMPLE[0]], strict=True):
        assert row[:5] == [
            f"`{shown['target']}`",
            f"`{shown['metric']}`",
            shown["shown_value"],
            f"{shown['shown_low']} to {shown['shown_high']}",
            shown["shown_limit"],
        ]
        assert row[5].split(" ", 1)[1].startswith(shown["shown_verdict"])
        assert row[6].removeprefix("❌ ") == shown["change"]["shown"]


def test_the_worst_come_first():
    rows = table(job_summary(EVERY_KIND))[2:]
    assert [row[5].split(",")[0].split(":")[0] for row in rows] == [
        "❌ FAIL",
        "✅ PASS",  # but a regression
        "⛔ ERROR",
        "❓ INCONCLUSIVE",
        "⚠️ PASS",  # only in a rerun
        "⚠️ PASS (weak suite)",
        "✅ PASS",
        "-",
    ]
    assert rows[1][6].startswith("❌ baseline 0.521")


def test_a_rerun_is_never_hidden():
    summary = job_summary([record(attempt=3, earlier=["FAIL", "FAIL"])])
    assert table(summary)[2][5] == "⚠️ PASS, attempt 3; earlier: FAIL, FAIL"
    assert "  rerun       attempt 3; earlier: FAIL, FAIL\n" in summary
    assert "PASS in a later attempt: " in summary


def test_what_could_not_be_measured_says_why():
    summary = job_summary([broken(), undecided(value=None, attempt=1, earlier=[])])
    error, undecided_row = table(summary)[2:]
    assert error[2:5] == ["-", "-", "1%"]
    assert error[5] == "⛔ ERROR: `LeakproError: members and non-members have other columns`"
    assert undecided_row[3] == "not scored"


def test_the_details_say_how_it_was_measured():
    details = job_summary([undecided()]).partition("<pre>")[2].partition("</pre>")[0]
    for line in (
        "network  tpr@1%fpr",
        "  measured    2.9% (1.9% to 5.2%)",
        "  budget      at most 5% (marker, tests/test_privacy.py:47)",
        "  attack      rmia",
        "  attacker    scores, 16 shadow models",
        "  sizes       3,937 members, 3,937 non-members",
        "  seed        0, alpha 0.05",
        "  took        5.9 s",
        "  chance      a model without leakage passes at these sizes in 97% of runs",
        "  test        tests/test_privacy.py::test_network_may_be_shared",
        "  note        output read as logits (told from the values; say output= to be explicit)",
    ):
        assert line in details.splitlines()


def test_a_test_with_a_long_id_can_be_copied():
    test = "tests/test_privacy.py::test_" + "of_many_words_" * 15
    assert test in job_summary([record(test=test)])


def test_names_in_the_details_are_as_they_are():
    assert "a &lt;b&gt; | `c` &amp; d  auc" in job_summary(
        [record(target="a <b> | `c` & d", metric="auc")]
    )


def test_only_verdicts_that_occur_are_explained():
    assert job_summary([passing()]).count("\n- ") == 1
    assert job_summary(EVERY_KIND).count("\n- ") == 7
    both = job_summary([failing(change=change("regression"))])
    assert "❌ FAIL: " in both
    assert "❌ REGRESSION: " in both
    for summary in (job_summary([passing()]), job_summary(EVERY_KIND)):
        assert "private" not in summary


def test_without_a_baseline_there_is_no_column_for_it():
    assert len(table(job_summary([record()]))[0]) == 6


def test_messages_are_shown():
    summary = job_summary([], ["@you <b>", *["more"] * 12], title="@team **x**")
    assert "\n- `@you ‹b>`\n" in summary
    assert summary.endswith("\n- 3 more messages\n")
    assert summary.startswith("## `@team **x**`\n")


@pytest.mark.parametrize("max_bytes", [30_000, COMMENT_BYTES, SUMMARY_BYTES])
@pytest.mark.parametrize("text", [None, "x" * 10_000, "\U0001f3e5" * 10_000, "<" * 10_000])
def test_it_stays_below_its_size_and_says_what_is_left_out(max_bytes, text):
    one, other = (passing(), failing()) if text is None else (hostile(text, passing()), failing())
    records = [one] * 5_000 + [other]
    summary = job_summary(records, [text or "message"] * 20, max_bytes=max_bytes)
    assert len(summary.encode()) <= max_bytes
    assert len(summary.encode()) > max_bytes * 0.6
    first, *rows = table(summary)[2:]
    assert first[5].startswith("❌ FAIL")
    (left,) = re.findall(r"\*\*([\d,]+) more rows left out for length: ", summary)
    assert int(left.replace(",", "")) == 5_000 - len(rows)
    (left,) = re.findall(r"\n([\d,]+) more left out for length\n</pre>", summary)
    assert int(left.replace(",", "")) + summary.count("\n  test  ") == len(records)


def test_nothing_is_left_out_of_a_usual_run():
    assert "left out" not in job_summary([passing(), failing(), undecided()] * 8)


def check_inert(summary, records):
    """Nothing of a record can be markup, by the rules of any renderer."""
    summary.encode("utf-8")
    assert all(line.isprintable() for line in summary.split("\n"))
    markdown, _, rest = summary.partition("<details>\n<summary>How each was measured</summary>\n")
    details, _, legend = rest.partition("</details>")
    assert "<" not in markdown
    assert "<" not in legend
    assert re.findall("<[^>]*>?", details) == ["<pre>", "</pre>"]
    cells = table(markdown)
    assert len(cells) == len(records) + 2
    assert {len(row) for row in cells} == {7}
    for row in cells[2:]:
        for cell in row:
            spans = re.findall("`[^`]+`", cell)
            outside = re.sub("`[^`]+`", "", cell)
            assert len(spans) == cell.count("`") / 2
            assert re.fullmatch(r"[\w .,:;%+()❌⛔❓⚠️✅-]*", outside)
        assert len(" ".join(row)) < 1_200


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_inert(text):
    records = [hostile(text), hostile(text, broken()), hostile(text, weak())]
    check_inert(job_summary(records, [text], title=text), records)


@settings(max_examples=50, deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_any_names_stay_inert(text, other):
    records = [hostile(text), hostile(other, broken())]
    check_inert(job_summary(records, [other], title=text), records)


@settings(max_examples=100, deadline=None)
@given(st.text("ab7f `|<@#:/._-*[]()!\\$&~\n", max_size=40))
def test_markup_stays_inert(text):
    check_inert(job_summary([hostile(text)], [text]), [hostile(text)])


@pytest.mark.parametrize("text", HOSTILE)
def test_a_markdown_parser_sees_text_alone(text):
    MarkdownIt = pytest.importorskip("markdown_it").MarkdownIt
    records = [hostile(text), hostile(text, broken())]
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = parser.parse(job_summary(records, [text], title=text))
    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == 1
    assert kinds.count("tr_open") == len(records) + 1
    assert kinds.count("td_open") == 7 * len(records)
    assert kinds.count("html_block") == 3
    children = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in children} <= {
        "text",
        "code_inline",
        "strong_open",
        "strong_close",
    }


@pytest.mark.parametrize(
    "text",
    ["36%", "29% to 40%", "-", "PASS (weak suite)", SAMPLE[1]["change"]["shown"], "3,937"],
)
def test_words_and_figures_are_plain(text):
    assert prose(text, 200) == text


@pytest.mark.parametrize("text", ["a_b", "- x", "abcdef0", "http://a", "@a", "a*b*", "x.y"])
def test_anything_else_is_code(text):
    assert prose(text, 20) == code_span(text, 20) != text


def test_the_documentation_shows_a_real_summary():
    assert f"```markdown\n{job_summary(SAMPLE)}```\n" in PAGE.read_text(encoding="utf-8")
