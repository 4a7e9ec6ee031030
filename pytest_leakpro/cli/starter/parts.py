"""What was found: a way to a model, and a way to its records.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_leakpro.cli.starter.models import Kind
    from pytest_leakpro.cli.starter.sources import Source

__all__ = ["DataPart", "Maker", "ModelPart"]


@dataclass(frozen=True)
class Maker:
    """What makes the model that a training function is given.

    Attributes
    ----------
    source : Source
        Where it stands.
    name : str
        A class or a function.
    call : str
        The call, in terms of ``X``.
    """

    source: Source
    name: str
    call: str


@dataclass(frozen=True)
class ModelPart:
    """A way to a model.

    Attributes
    ----------
    source : Source
        Where it stands.
    name : str
        The name to import.
    how : {"train", "build", "finish", "variable"}
        A function that trains on records it is given; one that makes an estimator to be fitted;
        one that loads its records itself; a fitted model at the top level of a module.
    kind : Kind
        What sort of model it is.
    signature : str
        The function as people read it, for the output.
    arguments : tuple of str
        What a training function is called with, in terms of ``X``, ``y``, ``seed``, ``model``.
    setup : tuple of str
        Statements that make what the arguments name.
    result : str
        What picks the model out of what is returned, such as ``[0]``.
    keeps : bool
        Whether the function trains the model that it is given, and returns none.
    maker : Maker or None
        What makes the model that it is given.
    needs : frozenset of str
        Names of libraries that the arguments are written with.
    direct : bool
        Whether it can be called as ``(X, y, seed)`` as it is.
    seeded : bool
        Whether it takes a seed.
    lacks : tuple of str
        What only the user can give; then it cannot be used.
    """

    source: Source
    name: str
    how: str
    kind: Kind
    signature: str = ""
    arguments: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    result: str = ""
    keeps: bool = False
    maker: Maker | None = None
    needs: frozenset[str] = frozenset()
    direct: bool = False
    seeded: bool = False
    lacks: tuple[str, ...] = ()

    @property
    def described(self) -> str:
        """What is said of it."""
        text = self.signature or self.name
        return f"{text} in {self.source.path}"


@dataclass(frozen=True)
class DataPart:
    """A way to the records.

    Attributes
    ----------
    source : Source
        Where it stands.
    name : str
        The function that loads them; empty where they stand at the top level of a module.
    targets : str
        What the function's result is assigned to.
    imported : tuple of str
        The names to import where there is no function.
    members, nonmembers : str
        Expressions of the two sides; where `pooled` the first is both X and y.
    pooled : bool
        Whether the records come undivided.
    seeded : bool
        Whether the same records come in every call.
    datasets : bool
        Whether the sides are data sets of torch.
    model : Kind or None
        What sort of model the function gives as well, as ``model``; None where it gives none.
    lacks : tuple of str
        Why it cannot be used.
    """

    source: Source
    name: str
    targets: str = ""
    imported: tuple[str, ...] = ()
    members: str = ""
    nonmembers: str = ""
    pooled: bool = False
    seeded: bool = True
    datasets: bool = False
    model: Kind | None = None
    lacks: tuple[str, ...] = ()

    @property
    def described(self) -> str:
        """What is said of it."""
        what = f"{self.name}()" if self.name else ", ".join(self.imported)
        return f"{what} in {self.source.path}"
