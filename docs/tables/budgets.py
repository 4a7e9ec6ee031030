"""Which budgets are decided at which size, as the planner says: the tables of docs/budgets.md.

python docs/tables/budgets.py

Puts them into the page. A minute on one core.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pytest_leakpro import required_sizes
from pytest_leakpro.gate.budget import Budget
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.metrics.base import Sizes
from pytest_leakpro.gate.planner import limit_passed_safely
from pytest_leakpro.gate.wording import plain_number

PAGE = Path(__file__).parents[1] / "budgets.md"
SUITE = 3
SIZES = (250, 500, 1000, 2000, 5000, 10_000, 50_000)


@dataclass(frozen=True)
class Row:
    """A budget, what it says of people, and what is assumed."""

    budget: str
    meaning: str
    leaks: float
    attacks: int = 1
    control_rate: float = 0.0
    counted: str = "each"


ROWS = (
    Row("tpr@0.1%fpr <= 1%", "1 in 100, one wrong accusation in 1,000", 0.02, SUITE),
    Row("tpr@0.1%fpr <= 5%", "1 in 20, one wrong accusation in 1,000", 0.1, SUITE),
    Row("tpr@1%fpr <= 3%", "3 in 100, one wrong accusation in 100", 0.06, SUITE),
    Row("tpr@1%fpr <= 5%", "1 in 20, one wrong accusation in 100", 0.1, SUITE),
    Row("tpr@1%fpr <= 10%", "1 in 10, one wrong accusation in 100", 0.2, SUITE),
    Row("auc <= 0.52", "52 right guesses in 100 on average", 0.54, SUITE),
    Row("auc <= 0.55", "55 right guesses in 100 on average", 0.6, SUITE),
    Row("auc <= 0.6", "60 right guesses in 100 on average", 0.7, SUITE),
    Row("singling_out <= 5%", "1 in 20 singled out, control 10 %", 0.1, control_rate=0.1),
    Row("linkability <= 1%", "1 in 100 linked, control 1 %", 0.02, control_rate=0.01),
    Row("linkability <= 5%", "1 in 20 linked, control 1 %", 0.1, control_rate=0.01),
    Row("inference[x] <= 10%", "1 in 10 secrets, control 30 %", 0.2, control_rate=0.3),
    Row("attribute_inference[x] <= 5%", "1 in 20 secrets, control 50 %", 0.1, control_rate=0.5),
    Row("pii <= 1%", "1 in 100 texts", 0.02),
    Row("extraction[k=50] <= 0.1%", "1 in 1,000 texts", 0.002),
    Row("exposure <= 10", "a guesser saved a factor of 1,000", 20, counted="canaries"),
    Row("reconstruction[ssim>=0.5] <= 5%", "1 in 20 records", 0.1, counted="batches"),
    Row("epsilon[gaussian] <= 3", "claim of epsilon = 3", 6),
    Row("epsilon <= 3", "likewise, nothing assumed", 6),
)


def size_of(row: Row, leaks: float | None) -> str:
    """Give the size that decides, on each side."""
    sizes = required_sizes(row.budget, leaks, attacks=row.attacks, control_rate=row.control_rate)
    return f"{sizes.members:,} {row.counted}"


def line_of(row: Row) -> str:
    """Give the row of the table."""
    passes, fails = size_of(row, None), size_of(row, row.leaks)
    return f"| `{row.budget}` | {row.meaning} | {passes} | {fails} |"


def limits_at(size: int) -> str:
    """Give the row of limits that a model without leakage passes at a size."""
    found = []
    for name, lowest in (("tpr@0.1%fpr", 0.001), ("tpr@1%fpr", 0.01), ("auc", 0.5)):
        metric = Budget.parse(f"{name} <= {lowest}").metric
        limit = limit_passed_safely(metric, lowest, Sizes(size, size), alpha=0.05, attacks=SUITE)
        unit = definition_of(metric).unit
        found.append("–" if limit is None else plain_number(limit, unit))
    return f"| {size:,} | " + " | ".join(found) + " |"


def put(text: str, name: str, lines: list[str]) -> str:
    """Replace the rows of a table, which end with an empty line, below its marker."""
    pattern = re.compile(rf"(<!-- {name} -->\n\n\|[^\n]*\n\|[^\n]*\n)(?:\|[^\n]*\n)*")
    assert pattern.search(text), name
    return pattern.sub(lambda found: found[1] + "".join(line + "\n" for line in lines), text)


def main() -> None:
    """Write the tables."""
    text = PAGE.read_text(encoding="utf-8")
    text = put(text, "decided", [line_of(row) for row in ROWS])
    text = put(text, "limits", [limits_at(size) for size in SIZES])
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
