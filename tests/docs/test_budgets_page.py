"""The page about budgets says what the planner says."""

import runpy

import pytest

from tests.docs.pages import DOCS

TABLES = runpy.run_path(str(DOCS / "tables" / "budgets.py"))
PAGE = (DOCS / "budgets.md").read_text(encoding="utf-8").splitlines()
# The others take seconds each.
QUICK = {
    "tpr@1%fpr <= 10%",
    "auc <= 0.6",
    "linkability <= 5%",
    "exposure <= 10",
    "reconstruction[ssim>=0.5] <= 5%",
    "epsilon[gaussian] <= 3",
}


def test_every_row_stands_in_the_page():
    shown = [line.split(" | ")[0].strip("| `") for line in PAGE if line.startswith("| `")]
    budgets = [row.budget for row in TABLES["ROWS"]]
    assert set(budgets) >= QUICK
    assert shown[-len(budgets) :] == budgets


@pytest.mark.parametrize(
    "row", [row for row in TABLES["ROWS"] if row.budget in QUICK], ids=lambda row: row.budget
)
def test_quick_rows_are_what_the_planner_says(row):
    assert TABLES["line_of"](row) in PAGE


@pytest.mark.slow
@pytest.mark.parametrize(
    "row", [row for row in TABLES["ROWS"] if row.budget not in QUICK], ids=lambda row: row.budget
)
def test_the_other_rows_are_what_the_planner_says(row):
    assert TABLES["line_of"](row) in PAGE


@pytest.mark.parametrize(
    "size", [pytest.param(n, marks=[] if n == 500 else pytest.mark.slow) for n in TABLES["SIZES"]]
)
def test_limits_are_what_the_planner_says(size):
    assert TABLES["limits_at"](size) in PAGE
