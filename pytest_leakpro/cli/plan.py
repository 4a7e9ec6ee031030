"""``plan``: how many records a verdict takes, and what the records at hand can decide.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.amounts import read_share, read_sizes, written_duration
from pytest_leakpro.cli.columns import paragraph, print_lines, text_columns
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    import argparse

    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.metrics.base import Sizes

__all__ = ["add", "run"]

POWERS = (0.5, 0.8, 0.9, 0.95, 0.99)
USUAL_POWER = 0.95
# Limits of metrics whose level of chance is 0 are looked for from here on.
SMALLEST_LIMIT = 0.001

EPILOG = """examples:
  pytest-leakpro plan "tpr@0.1%fpr <= 1%"
  pytest-leakpro plan "tpr@0.1%fpr <= 1%" --true 0.3%
  pytest-leakpro plan "auc <= 0.55" --sizes 2000,1500
  pytest-leakpro plan "linkability <= 5%" --control-rate 3%
  pytest-leakpro plan "reconstruction[ssim>=0.5] <= 5%" --seconds-per-batch 20
"""


@dataclass(frozen=True)
class _Suite:
    size: int
    words: str
    control_rate: float = 0.0


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    import argparse

    parser = subparsers.add_parser(
        "plan",
        help="how many records a verdict takes",
        description="Say how many members and non-members (or attempts) a verdict takes, or with "
        "--sizes what the records at hand can decide. Nothing is measured.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "budgets", nargs="+", metavar="BUDGET", help="as in a test: 'tpr@0.1%%fpr <= 1%%'"
    )
    parser.add_argument(
        "--true",
        metavar="LEAKAGE",
        help="what the model really leaks, as 0.3%% or 0.003, of an AUC as 0.52 (no leakage)",
    )
    parser.add_argument(
        "--sizes",
        metavar="M,N",
        help="say what M members and N non-members, M attempts and N on the control, or M batches, "
        "can decide",
    )
    parser.add_argument(
        "--control-rate",
        metavar="RATE",
        help="how often an attack that guesses succeeds where nothing leaks, as 3%% (0)",
    )
    parser.add_argument(
        "--seconds-per-batch",
        metavar="S",
        help="how long the attacks on one update take: say how long so many batches do",
    )
    parser.add_argument(
        "--attacks",
        type=int,
        metavar="N",
        help="attacks in the suite (as the default suite of a classifier that can be retrained)",
    )
    parser.add_argument(
        "--alpha", default="0.05", metavar="A", help="error of both sides together (0.05)"
    )
    parser.add_argument(
        "--power", metavar="P", help="the chance of the verdict, as 80%% (a row for each usual one)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the plan of every budget."""
    from pytest_leakpro.gate.budget import Budget

    budgets = [Budget.parse(text) for text in arguments.budgets]
    alpha = read_share(arguments.alpha, "--alpha")
    power = None if arguments.power is None else read_share(arguments.power, "--power")
    if not 0 < alpha < 1:
        raise LeakproError(f"--alpha is a probability between 0 and 1, not {arguments.alpha}")
    if power is not None and not 0 < power < 1:
        raise LeakproError(f"--power is a chance between 0 and 1, not {arguments.power}")
    if arguments.attacks is not None and arguments.attacks < 1:
        raise LeakproError(f"--attacks: a suite has at least one, not {arguments.attacks}")
    true = _true_leakage(arguments.true, budgets)
    control_rate = _control_rate(arguments.control_rate, budgets)
    seconds = _seconds(arguments.seconds_per_batch, budgets)

    lines: list[str] = []
    suites = [_suite_for(budget, arguments.attacks, control_rate) for budget in budgets]
    for place, (budget, suite) in enumerate(zip(budgets, suites, strict=True)):
        if arguments.sizes is None:
            powers = POWERS if power is None else [power]
            lines += _sizes_needed(budget, true, suite, alpha, powers, seconds)
        else:
            sizes = read_sizes(arguments.sizes)
            lines += _what_they_decide(budget, true, suite, alpha, sizes, power or USUAL_POWER)
        lines.append("")
        if suite != (suites[place + 1] if place + 1 < len(suites) else None):
            lines += [*paragraph(f"{suite.words}; alpha {alpha:g}."), ""]
    print_lines(lines[:-1])
    return 0


def _true_leakage(text: str | None, budgets: list[Budget]) -> float | None:
    """Read ``--true`` and check that it is a value of the metric."""
    from pytest_leakpro.gate.catalogue import definition_of
    from pytest_leakpro.gate.wording import plain_number

    if text is None:
        return None
    metrics = {budget.metric for budget in budgets}
    if len(metrics) > 1:
        raise LeakproError(
            "--true is a leakage in one metric, and these budgets have "
            f"{len(metrics)}: {', '.join(sorted(map(str, metrics)))}; plan them one by one"
        )
    metric = metrics.pop()
    definition = definition_of(metric)
    value = read_share(text, "--true")
    lowest, highest = definition.chance_level(metric), definition.ceiling(metric)
    if not lowest <= value <= highest:
        low, high = (plain_number(bound, definition.unit) for bound in (lowest, highest))
        raise LeakproError(
            f"--true {plain_number(value, definition.unit)} is no leakage in {metric}: "
            f"{definition.nouns.one} without leakage has {low}, and none has more than {high}"
        )
    return value


def _control_rate(text: str | None, budgets: list[Budget]) -> float:
    """Read ``--control-rate`` and check that some metric depends on it."""
    from pytest_leakpro.gate.catalogue import definition_of

    if text is None:
        return 0.0
    if not any(definition_of(budget.metric).controlled for budget in budgets):
        named = ", ".join(sorted({budget.metric.name for budget in budgets}))
        raise LeakproError(
            f"--control-rate is of attacks that guess, and {named} is read off no guesses"
        )
    rate = read_share(text, "--control-rate")
    if not 0 <= rate <= 1:
        raise LeakproError(f"--control-rate is a share between 0 and 100%, not {text}")
    return rate


def _seconds(text: str | None, budgets: list[Budget]) -> float | None:
    """Read ``--seconds-per-batch`` and check that some metric counts batches."""
    if text is None:
        return None
    if not any(_in_batches(budget) for budget in budgets):
        named = ", ".join(sorted({budget.metric.name for budget in budgets}))
        raise LeakproError(
            f"--seconds-per-batch is of attacks on updates, and {named} is read off no batches"
        )
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise LeakproError(
            f"--seconds-per-batch is {printable(text)!r}: give a number of seconds, such as 20"
        )
    return seconds


def _in_batches(budget: Budget) -> bool:
    from pytest_leakpro.gate.catalogue import definition_of
    from pytest_leakpro.gate.metrics.update_risk import UpdateRisk

    return isinstance(definition_of(budget.metric), UpdateRisk)


def _suite_for(budget: Budget, given: int | None, control_rate: float) -> _Suite:
    from pytest_leakpro.cli.suites import default_suite
    from pytest_leakpro.gate.catalogue import definition_of
    from pytest_leakpro.gate.wording import plain_number
    from pytest_leakpro.targets.classifier import Classifier

    metric = definition_of(budget.metric)
    if metric.census:
        return _Suite(1, "Everything is counted, so that every number decides")
    assumed = ""
    if metric.controlled:
        rate = plain_number(control_rate, "percent")
        assumed = f", whose control succeeds {rate} of the time (--control-rate)"
    control_rate = control_rate if metric.controlled else 0.0
    if given is not None:
        size = f"{given} attacks, each of which must pass" if given > 1 else "one attack"
        return _Suite(given, f"For a suite of {size}{assumed}", control_rate)
    suite = [
        attack.name
        for attack in default_suite(Classifier, shadows=True)
        if budget.metric.name in attack.metrics
    ]
    if not suite:
        return _Suite(1, f"For one attack{assumed}", control_rate)
    return _Suite(
        len(suite),
        f"For the default suite of a Classifier that can be retrained ({', '.join(suite)}), each "
        "attack of which must pass; --attacks N plans for another number",
    )


def _sizes_needed(
    budget: Budget,
    true: float | None,
    suite: _Suite,
    alpha: float,
    powers: Any,
    seconds: float | None,
) -> list[str]:
    """Tabulate the sizes by the chance of a verdict."""
    from pytest_leakpro.gate.catalogue import definition_of

    nouns = definition_of(budget.metric).nouns
    audited = nouns.one
    columns: list[tuple[str, float | None]] = [(f"PASS of {audited} without leakage", None)]
    if true is not None:
        verdict = "FAIL" if true > budget.limit else "PASS"
        columns.append((f"{verdict} of {audited} that leaks {_amount(budget, true)}", true))
    seconds = seconds if _in_batches(budget) else None
    rows = []
    for power in powers:
        row = [f"{power * 100:.12g}%"]
        for _, leakage in columns:
            # No size at all is an error, none for this chance is not.
            needed = _size(budget, leakage, power, suite, alpha, must=power == powers[0])
            text = "over 10,000,000" if needed is None else f"{needed:,}"
            if seconds is not None and needed is not None:
                text += f" ({written_duration(needed * seconds)})"
            row.append(text)
        rows.append(row)
    return [
        f"{budget}: {nouns.as_many} that a verdict takes",
        "",
        *text_columns(
            ["chance", *(heading for heading, _ in columns)],
            rows,
            widest=[None, *([18] * len(columns))],
            right=range(len(columns) + 1),
            indent="  ",
        ),
    ]


def _size(
    budget: Budget, leakage: float | None, power: float, suite: _Suite, alpha: float, *, must: bool
) -> int | None:
    from pytest_leakpro.gate.planner import required_sizes

    try:
        needed = required_sizes(budget, leakage, power, suite.size, alpha, suite.control_rate)
        return needed.members
    except LeakproError:
        if must:
            raise
        return None


def _noticed(
    budget: Budget, true: float | None, sizes: Sizes, alpha: float, control_rate: float
) -> str:
    """Say which increase a comparison with a baseline of these sizes would find."""
    from pytest_leakpro.gate.catalogue import definition_of
    from pytest_leakpro.gate.detectable import detectable_increase
    from pytest_leakpro.gate.increase import as_increase
    from pytest_leakpro.gate.wording import shown

    metric = definition_of(budget.metric)
    if metric.census:
        return "always noticed"
    increase = detectable_increase(
        budget.metric, sizes, alpha, leakage=true, control_rate=control_rate
    )
    if increase is None:
        return "none would be noticed"
    least = as_increase(shown(increase, metric.unit, toward=1))
    return f"noticed four times in five from about {least} on"


def _what_they_decide(
    budget: Budget,
    true: float | None,
    suite: _Suite,
    alpha: float,
    given: tuple[int, int],
    power: float,
) -> list[str]:
    """List what two sizes can decide."""
    from pytest_leakpro.auditing.feasibility import feasibility
    from pytest_leakpro.gate.catalogue import definition_of
    from pytest_leakpro.gate.metrics.base import Sizes
    from pytest_leakpro.gate.planner import limit_passed_safely, null_pass_chance

    sizes = Sizes(*given)
    metric = definition_of(budget.metric)
    nouns, rate = metric.nouns, suite.control_rate
    safe_one = f"{nouns.one} without leakage"
    outlook = feasibility(budget, sizes, alpha, suite.size)
    chance = null_pass_chance(
        budget.metric, budget.limit, sizes, alpha, suite.size, control_rate=rate
    )
    never = f"not possible at these sizes, whatever the {nouns.audited}"
    rows = [
        (f"PASS of {safe_one}", _passes(chance)) if outlook.can_pass else ("PASS", never),
        ("FAIL", _fails(budget, sizes, suite, alpha, power) if outlook.can_fail else never),
    ]
    if true is not None and true > metric.chance_level(budget.metric):
        who = f"{nouns.one} that leaks {_amount(budget, true)}"
        passes = metric.pass_chance(budget.metric, budget.limit, sizes, alpha / 2, true, rate)
        rows.append((f"PASS of {who}", f"{_chance(passes**suite.size)} of the time"))
        if true > budget.limit:
            fails = _fail_chance(budget, sizes, suite, alpha, true)
            rows.append((f"FAIL of {who}", f"{_chance(fails)} of the time"))
    if not metric.census:
        start = max(metric.chance_level(budget.metric), SMALLEST_LIMIT)
        safe = limit_passed_safely(
            budget.metric, start, sizes, alpha, suite.size, control_rate=rate
        )
        rows.append(
            (
                "smallest safe limit",
                f"none: {safe_one} passes no limit 95% of the time"
                if safe is None
                else f"{_amount(budget, safe)}: {safe_one} passes it 95% of the time",
            )
        )
    rows.append(("increase over a baseline", _noticed(budget, true, sizes, alpha, rate)))
    return [
        f"{budget}: what {nouns.sizes(*sizes)} can decide",
        "",
        *text_columns(rows[0], rows[1:], widest=[None, 50], indent="  "),
    ]


def _passes(chance: float) -> str:
    text = f"{_chance(chance)} of the time"
    if chance >= USUAL_POWER:
        return text
    red = 1 / (1 - chance)
    often = f"about one run in {red:.0f}" if red >= 1.5 else "nearly every run"
    return f"{text}: red in {often} although nothing leaks"


def _fails(budget: Budget, sizes: Sizes, suite: _Suite, alpha: float, power: float) -> str:
    """Say from which leakage on a FAIL comes with the chance that is asked for."""
    from pytest_leakpro.gate.catalogue import definition_of
    from pytest_leakpro.gate.wording import shown

    metric = definition_of(budget.metric)
    if metric.census:
        return "whenever more than the limit is found"
    low, high = budget.limit, metric.ceiling(budget.metric)
    if _fail_chance(budget, sizes, suite, alpha, high) < power:
        return "possible, but seldom at these sizes"
    for _ in range(20):
        middle = (low + high) / 2
        if _fail_chance(budget, sizes, suite, alpha, middle) >= power:
            high = middle
        else:
            low = middle
    return (
        f"possible; {power * 100:.12g}% of the time for {metric.nouns.one} that leaks "
        f"{shown(high, metric.unit, toward=1)} or more"
    )


def _fail_chance(
    budget: Budget, sizes: Sizes, suite: _Suite, alpha: float, leakage: float
) -> float:
    from pytest_leakpro.gate.catalogue import definition_of
    from pytest_leakpro.stats.multiplicity import attack_weights

    error = alpha / 2 * attack_weights(suite.size)[0]
    metric = definition_of(budget.metric)
    return metric.fail_chance(
        budget.metric, budget.limit, sizes, error, leakage, suite.control_rate
    )


def _amount(budget: Budget, value: float) -> str:
    from pytest_leakpro.gate.catalogue import definition_of
    from pytest_leakpro.gate.wording import plain_number

    return plain_number(value, definition_of(budget.metric).unit)


def _chance(value: float) -> str:
    if value >= 0.995:
        return "over 99%"
    if value < 0.005:
        return "under 1%"
    return f"{value:.0%}"
