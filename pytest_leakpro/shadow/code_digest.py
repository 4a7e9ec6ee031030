"""What a code object does and what it reaches, read off its bytecode.

Bytecode rather than source: comments, blank lines and moved lines change nothing, and a lambda or
a function typed into a console has bytecode as any other has.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import dis
import re
from itertools import pairwise, takewhile
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_leakpro.shadow.value_digest import UndigestibleError, combine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Import", "all_codes", "attribute_chains", "digest_code", "global_names", "imports"]

_ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR"}
# Instructions that name something else than what is looked up among the globals.
_NO_GLOBAL = _ATTRIBUTE | {
    "DELETE_GLOBAL",
    "DELETE_NAME",
    "IMPORT_FROM",
    "IMPORT_NAME",
    "LOAD_SUPER_ATTR",
    "STORE_GLOBAL",
    "STORE_NAME",
}
_NO_VARIABLE = _ATTRIBUTE | {"LOAD_CLOSURE", "LOAD_CONST", "LOAD_SUPER_ATTR"}
# Python 3.13 and later write a class's line number, and the order of a set, into its body.
_UNSTEADY = {"__firstlineno__", "__static_attributes__"}


class Import(NamedTuple):
    """An import statement within a function.

    Attributes
    ----------
    module : str
        What is imported, without leading dots.
    level : int
        The number of leading dots.
    attribute : str or None
        The name after ``from module import``; None for a plain import.
    variable : str
        The name that it is bound to.
    top : bool
        Whether ``import a.b`` binds ``a`` (else ``a.b``, as ``import a.b as c`` does).
    """

    module: str
    level: int
    attribute: str | None
    variable: str
    top: bool


class _Step(NamedTuple):
    name: str
    value: Any


def digest_code(code: CodeType, constant: Callable[[Any], bytes]) -> bytes:
    """Digest what a code object does, without its place in a file.

    Parameters
    ----------
    code : CodeType
        The code; nested code is digested with it.
    constant : callable
        Digests a constant.

    Returns
    -------
    bytes
        The digest.
    """
    steps: list[bytes] = []
    for step in dis.get_instructions(code):
        if step.opname == "STORE_NAME" and step.argval in _UNSTEADY:
            steps.pop()
            continue
        if step.opcode not in dis.hasconst:
            steps.append(f"{step.opname} {step.arg}".encode())
            continue
        value = step.argval
        if step.opname == "KW_NAMES" and step.arg is not None:  # not resolved by Python 3.11
            value = code.co_consts[step.arg]
        if isinstance(value, CodeType):
            steps.append(digest_code(value, constant))
        else:
            steps.append(step.opname.encode() + constant(value))
    counts = (
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags,
    )
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return combine(
        "code",
        code.co_name.encode(),
        repr(counts).encode(),
        repr(names).encode("utf-8", "surrogatepass"),
        getattr(code, "co_exceptiontable", b""),
        combine("steps", *steps),
    )


def all_codes(code: CodeType) -> list[CodeType]:
    """List a code object and all that is nested in it."""
    nested = [one for one in code.co_consts if isinstance(one, CodeType)]
    return [code, *(inner for one in nested for inner in all_codes(one))]


def global_names(codes: list[CodeType]) -> list[str]:
    """List the names that code looks up among the globals, in alphabetical order."""
    named = set(dis.hasname)
    return sorted(
        {
            step.argval
            for code in codes
            for step in dis.get_instructions(code)
            if step.opcode in named and step.opname not in _NO_GLOBAL
        }
    )


def attribute_chains(codes: list[CodeType], variable: str) -> list[tuple[str, ...]]:
    """List what is read off a variable that holds a module.

    Parameters
    ----------
    codes : list of CodeType
        Where to look.
    variable : str
        Its name, global or local.

    Returns
    -------
    list of tuple of str
        ``("sub", "f")`` for ``variable.sub.f(x)``; the empty tuple where the module itself is
        handed on, to be read elsewhere.
    """
    chains = set()
    for code in codes:
        steps = _steps(code)
        for place, step in enumerate(steps):
            reads = step.name.startswith("LOAD_") and step.name not in _NO_VARIABLE
            if reads and step.value == variable:
                after = takewhile(lambda one: one.name in _ATTRIBUTE, steps[place + 1 :])
                chains.add(tuple(str(following.value) for following in after))
    return sorted(chains)


def imports(codes: list[CodeType]) -> Iterator[Import]:
    """Yield the imports within functions.

    Raises
    ------
    UndigestibleError
        If one cannot be made out.
    """
    for code in codes:
        steps = _steps(code)
        for place, step in enumerate(steps):
            if step.name == "IMPORT_NAME":
                yield from _import(steps, place)


def _import(steps: list[_Step], place: int) -> Iterator[Import]:
    module = str(steps[place].value)
    level, attributes = (before.value for before in steps[place - 2 : place])
    if not isinstance(level, int) or not isinstance(attributes, (tuple, type(None))):
        raise UndigestibleError(f"the import of {module} cannot be made out")
    after = steps[place + 1 :]
    if attributes:
        sources = [one for one in pairwise(after) if one[0].name.startswith("IMPORT_FROM")]
        for attribute, (_, target) in zip(attributes, sources, strict=False):
            yield Import(module, level, attribute, str(target.value), False)
        return
    target = next(following for following in after if following.name.startswith("STORE_"))
    yield Import(module, level, None, str(target.value), after[0] is target)


def _steps(code: CodeType) -> list[_Step]:
    """List instructions, with those that Python 3.13 joined taken apart again."""
    steps = []
    for step in dis.get_instructions(code):
        joined = re.findall("(LOAD|STORE)_FAST", step.opname)
        if len(joined) == 2 and isinstance(step.argval, tuple):
            steps += [
                _Step(f"{kind}_FAST", name) for kind, name in zip(joined, step.argval, strict=True)
            ]
        elif step.opname not in {"EXTENDED_ARG", "CACHE", "NOP"}:
            steps.append(_Step(step.opname, step.argval))
    return steps
