"""Digests of recipes and records: the same in every process, another when training could change.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import Any

from pytest_leakpro.shadow.object_digest import Digester
from pytest_leakpro.shadow.value_digest import UndigestibleError, combine

__all__ = ["UndigestibleError", "digest_records", "digest_trainer", "library_versions"]

_NUMERICAL = (
    *("numpy", "scipy", "sklearn", "torch", "xgboost", "lightgbm", "pandas"),
    *("transformers", "tokenizers"),
)


def digest_trainer(train: Any, version: str | None = None) -> str:
    """Digest a recipe.

    Parameters
    ----------
    train : callable or estimator
        A function with all of the user's own code that it reaches, its closure and defaults; or a
        scikit-learn estimator's parameters (not what it has learned).
    version : str, optional
        The user's name for what cannot be told otherwise.

    Returns
    -------
    str
        Hexadecimal.

    Raises
    ------
    UndigestibleError
        Where something has no value that could be told from another, and there is no version.

    Notes
    -----
    Files that training reads, environment variables and attributes reached by a computed name are
    not seen: `version` names them.
    """
    return combine("trainer", repr(version).encode(), _digest(train, version)).hex()


def digest_records(X: Any, y: Any) -> str:
    """Digest a data set in any of the containers that records come in.

    Raises
    ------
    UndigestibleError
        Where it holds objects without a value.
    """
    return combine("records", _digest(X, None), _digest(y, None)).hex()


def library_versions() -> dict[str, str]:
    """Give the versions of Python and of the numerical libraries that are imported."""
    versions = {"python": ".".join(map(str, sys.version_info[:2]))}
    for name in _NUMERICAL:
        module = sys.modules.get(name)
        if module is not None:
            versions[name] = str(getattr(module, "__version__", ""))
    return versions


def _digest(value: Any, version: str | None) -> bytes:
    try:
        return Digester(version).digest(value)
    except RecursionError:
        if version is None:
            raise UndigestibleError("it is nested too deeply") from None
        return combine("too deep")
