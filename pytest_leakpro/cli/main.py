"""The command itself: finds its subcommands, and turns what went wrong into an exit code.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from pytest_leakpro import __version__
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BAD_INPUT", "main"]

# Each is a module of this folder with `add(subparsers)`; nothing heavy stands at their top.
COMMANDS = ("init", "plan", "attacks", "compare", "report", "show", "cache", "tune")

# 1 is left to a comparison that failed, so that scripts can tell it from a typing error.
BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 where all went well, 1 where a comparison failed, 2 for bad input, 130 where it was
        interrupted, 141 where nobody read the output to its end.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is no reason to stop.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = _run(argv)
        sys.stdout.flush()
    except LeakproError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201 - the command's own voice
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except OSError as error:
        return _complain(printable(str(error)))
    return code


def _run(argv: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="pytest-leakpro",
        description="Privacy regression testing: what goes with `pytest --leakpro`.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"pytest-leakpro {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"pytest_leakpro.cli.{name}").add(subparsers)
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has said why, or shown its help
        return stop.code if isinstance(stop.code, int) else BAD_INPUT
    return int(arguments.run(arguments))


def _complain(message: str) -> int:
    with suppress(OSError):
        print(f"pytest-leakpro: {message}", file=sys.stderr)  # noqa: T201 - likewise
    return BAD_INPUT


def _forget_output() -> None:
    # Else the interpreter would try once more at exit, and print a traceback.
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
