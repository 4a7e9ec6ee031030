"""Tells the API reference the defaults of parameters whose type is a choice.

Of ``{"label", "scores"}, default "scores"`` griffe takes the first choice for the default. Here it
is what the docstring says, or else what the signature has.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_CHOICE = r"^\s*(?:\w+, )*{name}(?:, \w+)* : {{[^}}]*}}(?:, default (?P<default>.+))?"


class Defaults(griffe.Extension):
    """Put the right default beside every parameter that is documented."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Look at a function's own docstring, and of `__init__` at its class's."""
        documented = func.parent if func.name == "__init__" else func
        if documented is None or documented.docstring is None:
            return
        documented.docstring.parser = "numpy"
        for section in documented.docstring.parsed:
            if section.kind is griffe.DocstringSectionKind.parameters:
                for parameter in section.value:
                    self._correct(parameter, func, documented.docstring.value)

    @staticmethod
    def _correct(parameter: Any, func: griffe.Function, text: str) -> None:
        found = re.search(_CHOICE.format(name=re.escape(parameter.name)), text, re.M)
        if found and parameter.name in func.parameters:
            given = func.parameters[parameter.name].default
            parameter.value = found["default"] or given
