"""``tune``: which way of training torch shadow models is fastest on this machine.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from pytest_leakpro.cli.amounts import written_duration
from pytest_leakpro.cli.columns import paragraph, print_lines, text_columns
from pytest_leakpro.cli.named_objects import HOW_TO_NAME, call_own, load_named
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from pytest_leakpro.shadow.trial import Workload
    from pytest_leakpro.shadow.tuning import Candidates, Timing
    from pytest_leakpro.shadow.way import Way
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

__all__ = ["add", "run"]

FEWEST_MODELS = 4
USUAL_MODELS = 16
USUAL_SECONDS = 60.0
# As `init` plans for where it does not know: 4,000 members and as many non-members.
USUAL_RECORDS = 8_000

DESCRIPTION = (
    "Train a few shadow models of a TorchTrainer for a while in every way that its module permits, "
    "and propose a pin where one is faster than the table's choice. This imports the modules that "
    'are named, and so runs their code (not what stands below if __name__ == "__main__"); the '
    "current directory can be imported from."
)
EPILOG = """examples:
  pytest-leakpro tune train.py:trainer --data data.py:load
  pytest-leakpro tune churn.model:trainer --records 20000 --models 64
"""


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    import argparse

    parser = subparsers.add_parser(
        "tune",
        help="which way of training torch shadow models is fastest here",
        description="\n".join(paragraph(DESCRIPTION)),
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("trainer", metavar="TRAINER", help=f"a TorchTrainer, as {HOW_TO_NAME}")
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="members and non-members as one pair (X, y), or a function without arguments that "
        "returns it, named in the same way; random records by default",
    )
    parser.add_argument(
        "--records",
        type=int,
        metavar="N",
        help=f"how many random records there are ({USUAL_RECORDS:,})",
    )
    parser.add_argument(
        "--shape", help="of one random record, as 1,28,28 (what the first Linear layer takes)"
    )
    parser.add_argument(
        "--models",
        type=int,
        default=USUAL_MODELS,
        metavar="K",
        help=f"how many shadow models the audit trains ({USUAL_MODELS})",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="how many it trains at a time (the cores)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=USUAL_SECONDS,
        metavar="S",
        help=f"about how long to measure ({USUAL_SECONDS:.0f})",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, and print what was found."""
    _check(arguments)
    trainer = _trainer(arguments.trainer)

    from pytest_leakpro.shadow.executor import default_workers
    from pytest_leakpro.shadow.trial import Workload
    from pytest_leakpro.shadow.tuning import candidates, measure

    found = candidates(trainer, arguments.models)
    X, y = _records(arguments, trainer)
    workers = arguments.workers or default_workers()
    load = Workload(trainer, X, y, arguments.models, workers)
    load.check()
    print_lines(_what_comes(arguments, found, load))
    sys.stdout.flush()
    timings = measure(found.ways, load, arguments.seconds, _say)
    if all(timing.failure for timing in timings):
        reasons = {f"{one.way.name}: {printable(one.failure, 300)}": None for one in timings}
        raise LeakproError(
            f"no way could be measured in {arguments.seconds:g} s: {'; '.join(reasons)}"
        )
    print_lines(["", *_table(timings, found, load), "", *_proposal(timings, found)])
    return 0


def _check(arguments: argparse.Namespace) -> None:
    from importlib.util import find_spec

    for option, value, least in (
        ("--models", arguments.models, FEWEST_MODELS),
        ("--workers", arguments.workers, 1),
        ("--records", arguments.records, 2),
    ):
        if value is not None and value < least:
            raise LeakproError(f"{option} is at least {least}, not {value}")
    if not math.isfinite(arguments.seconds) or arguments.seconds <= 0:
        raise LeakproError(f"--seconds is a number above 0, not {arguments.seconds:g}")
    for option in ("records", "shape"):
        if arguments.data is not None and getattr(arguments, option) is not None:
            raise LeakproError(f"--{option} is for random records: leave it or --data out")
    if find_spec("torch") is None:
        raise LeakproError(
            "torch is not installed, and tune is about models of torch: pip install torch"
        )


def _trainer(text: str) -> TorchTrainer:
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

    found = load_named(text, "the trainer", lambda value: isinstance(value, TorchTrainer))
    if not isinstance(found, TorchTrainer):
        kind = found.__name__ if isinstance(found, type) else type(found).__name__
        raise LeakproError(
            f"{printable(text, 200)} is {'the class' if isinstance(found, type) else 'a'} {kind}, "
            "and no TorchTrainer: only these train many torch modules at once; give one that "
            "stands at the top level of its module"
        )
    return found


def _records(arguments: argparse.Namespace, trainer: TorchTrainer) -> tuple[Any, Any]:
    from pytest_leakpro.cli.drawn_records import drawn_records, read_shape
    from pytest_leakpro.targets.datasets import is_dataset
    from pytest_leakpro.targets.records import read_pair

    if arguments.data is None:
        shape = None if arguments.shape is None else read_shape(arguments.shape)
        n_records = USUAL_RECORDS if arguments.records is None else arguments.records
        return drawn_records(trainer, n_records, shape)
    found = load_named(
        arguments.data,
        "--data",
        lambda value: isinstance(value, tuple) or (callable(value) and not isinstance(value, type)),
    )
    name = printable(arguments.data, 200)
    if callable(found) and not is_dataset(found):
        found = call_own(found, f"{name}()")
        name += "()"
    return read_pair(found, name)


def _what_comes(arguments: argparse.Namespace, found: Candidates, load: Workload) -> list[str]:
    trainer = load.trainer
    whose = "random records" if arguments.data is None else "records"
    where = "" if trainer.device == "cpu" else f" on {printable(trainer.device, 20)}"
    epochs = f"{trainer.epochs:,} epoch{'s' * (trainer.epochs != 1)}"
    n_ways = f"{len(found.ways)} way{'s' * (len(found.ways) != 1)}"
    return [
        f"{load.n_models} shadow models{where}, each {epochs} on half of {load.n_pool:,} {whose}",
        f"trying {n_ways} for about {arguments.seconds:g} s on {load.workers} cores",
    ]


def _say(line: str) -> None:
    # Progress has no place in a log.
    if sys.stderr.isatty():
        print(f"  {line}", file=sys.stderr)  # noqa: T201 - the command's own voice


def _table(timings: Sequence[Timing], found: Candidates, load: Workload) -> list[str]:
    usual = next(one.seconds for one in timings if one.way.mark == found.table.mark)
    measured = sorted(
        (one for one in timings if not one.failure), key=lambda timing: timing.seconds
    )
    rows = [
        [
            one.way.name,
            str(one.way.group) if one.way.stacked else "-",
            f"{one.seconds / load.n_models / load.trainer.epochs:.2g} s",
            f"{one.seconds / usual:.2f}" if math.isfinite(usual) else "-",
            written_duration(one.seconds),
            _role(one.way, found),
        ]
        for one in measured
    ]
    headings = [
        "way",
        "group",
        "per model and epoch",
        "over the table's",
        f"{load.n_models} models",
        "",
    ]
    lines = text_columns(headings, rows, widest=[None, None, 9, 11], right=(1, 2, 3, 4))
    left_out = [f"{name}: not possible, {why}" for name, why in found.hindrances.items()]
    # Groups of all sizes mostly fail alike.
    failed: dict[tuple[str, str], list[str]] = {}
    for one in timings:
        if one.failure:
            failed.setdefault((one.way.name, one.failure), []).append(str(one.way.group))
    for (name, why), groups in failed.items():
        which = name if name == "processes" else f"{name} in groups of {', '.join(groups)}"
        left_out.append(f"{which}: not measured, {printable(why, 200)}")
    return lines + ([""] if left_out else []) + [row for one in left_out for row in paragraph(one)]


def _role(way: Way, found: Candidates) -> str:
    roles = []
    if way.mark == found.table.mark:
        roles.append("the table's choice")
    if found.current.mark != found.table.mark and way.mark == found.current.mark:
        roles.append("the pin of now")
    return ", ".join(roles)


def _proposal(timings: Sequence[Timing], found: Candidates) -> list[str]:
    from pytest_leakpro.shadow.tuning import NOTABLE_GAIN, proposed_way

    way = proposed_way(timings, found)
    within = f"is the fastest here (within {NOTABLE_GAIN:.0%})"
    if way.mark == found.current.mark:
        if way.mark == found.table.mark:
            return [f"the table's choice {within}: nothing to pin"]
        return [f"the pin of now {within}: keep it"]
    if way.mark == found.table.mark:
        first = "leave the pin out: the table's choice is faster here"
    else:
        group = f", group={way.group}" if way.stacked else ""
        took = {one.way.mark: one.seconds for one in timings}
        share = 1 - took[way.mark] / took[found.current.mark]
        # Nothing is known of what was to be compared with where its way failed.
        saves = f", which saves {share:.0%} of the time" if share < 1 else ""
        first = f'to pin the fastest{saves}: TorchTrainer(..., stack="{way.name}"{group})'
    return [
        first,
        *paragraph(
            "This changes the last bits of the figures, and so the cache key: all shadow models "
            "are trained anew once, and a baseline is comparable only within its bounds. Commit "
            "it, so that all machines train alike."
        ),
    ]
