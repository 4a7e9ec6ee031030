"""Lines of Python as a formatter would break them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from pytest_leakpro.gate.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["WIDTH", "bracketed", "comment", "from_import", "quoted"]

WIDTH = 88


def bracketed(head: str, arguments: Sequence[str], tail: str = ")", indent: str = "") -> list[str]:
    """Break a call: on one line, else its arguments on one, else each on its own.

    Parameters
    ----------
    head : str
        What stands before the arguments, with the opening bracket.
    arguments : sequence of str
        The arguments.
    tail : str
        What closes the call.
    indent : str
        What every line begins with.
    """
    together = ", ".join(arguments)
    if len(indent + head + together + tail) <= WIDTH:
        return [indent + head + together + tail]
    inner = indent + "    "
    if len(inner + together) <= WIDTH:
        return [indent + head, inner + together, indent + tail]
    return [indent + head, *(f"{inner}{one}," for one in arguments), indent + tail]


def from_import(module: str, names: Iterable[str], *, late: bool) -> list[str]:
    """Write a ``from … import …``.

    Parameters
    ----------
    module : str
        Where from.
    names : iterable of str
        What, each perhaps with ``as``.
    late : bool
        Whether it stands below other code, on purpose.
    """
    # Each renamed one on a line of its own, as isort has it.
    renamed = sorted(name for name in set(names) if " as " in name)
    ordered = sorted(set(names) - set(renamed))
    reason = "  # noqa: E402" if late else ""
    after = [f"from {module} import {name}{reason}" for name in renamed]
    line = f"from {module} import {', '.join(ordered)}"
    if not ordered:
        return after
    if len(line) <= WIDTH:
        return [line + reason, *after]
    listed = [f"    {name}," for name in ordered]
    return [f"from {module} import ({reason}", *listed, ")", *after]


def comment(text: str, indent: str = "") -> list[str]:
    """Write a comment; what users named in it is made safe, so that it stays one."""
    lines = textwrap.wrap(
        printable(text),
        WIDTH - len(indent) - 2,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [f"{indent}# {line}" for line in lines]


def quoted(text: str) -> str:
    """Write a string literal, with escapes where a character could not be seen."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
