"""What an attack on one update works on: what the attacker sees and knows, and no more.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.client_training import LocalTraining
    from pytest_leakpro.targets.column_groups import ColumnGroups

__all__ = ["AuditedUpdate", "AuditedUpdates", "Practice", "UpdateView"]

Form = Literal["images", "table", "tokens"]


@dataclass(frozen=True, repr=False, eq=False)
class UpdateView:
    """One update as its attacker sees it. All tensors are torch's.

    Attributes
    ----------
    model : torch.nn.Module
        The model before, a copy, in the mode in which the client computes.
    parameters : tuple of tensor
        Its trained weights, in the order of ``model.parameters()``.
    names : tuple of str
        What the model calls them.
    update : tuple of tensor
        What was sent, one tensor per weight: brought to the gradient of the mean loss where there
        is one local step (up to a positive factor where the learning rate is not known), to the
        weights after minus before where there are several.
    n_records : int
        Of how many records.
    shape : tuple of int
        Of one record.
    form : {"images", "table", "tokens"}
        What records are.
    training : LocalTraining
        How the client is known to train.
    n_classes : int or None
        Number of the model's outputs, where labels are classes.
    labels : tensor of shape (n_records,) or None
        Where the attacker knows them.
    bounds : tuple of tensor or None
        The least and the largest that inputs can be, each to be broadcast to a record.
    columns : ColumnGroups or None
        Of a table.
    n_tokens : int or None
        Size of the vocabulary, for tokens.
    population : tuple of tensor or None
        Inputs and labels of records that the attacker has.
    statistics : tuple of pair of tensor, or None
        Mean and variance of the batch at each batch normalisation layer, where they are sent.
    respond : callable or None
        What a malicious server gets: ``respond(model)`` gives the client's update of the same
        records on a model of the attacker's making, or raises what the client raises.
    client : callable
        ``client(inputs, labels, seed)`` gives what the client, defences included, would send of
        records that the attacker has, in the form of `update`.
    """

    model: Any
    parameters: tuple[Any, ...]
    names: tuple[str, ...]
    update: tuple[Any, ...]
    n_records: int
    shape: tuple[int, ...]
    form: Form
    training: LocalTraining
    n_classes: int | None
    labels: Any | None
    bounds: tuple[Any, Any] | None
    columns: ColumnGroups | None
    n_tokens: int | None
    population: tuple[Any, Any] | None
    statistics: tuple[tuple[Any, Any], ...] | None
    respond: Callable[[Any], tuple[Any, ...]] | None
    client: Callable[[Any, Any, int], tuple[tuple[Any, ...], Any]]

    def __repr__(self) -> str:
        return f"UpdateView({self.form}, n_records={self.n_records}, shape={self.shape})"

    @property
    def loss(self) -> Callable[[Any, Any], Any]:
        """The client's loss, ``(outputs, labels) -> scalar``."""
        return self.training.loss

    @property
    def is_zero(self) -> bool:
        """Whether nothing but zeros was sent: then there is nothing to search by."""
        return not any(bool(part.any()) for part in self.update)

    @property
    def dtype(self) -> Any:
        """The type of the model's weights."""
        return self.parameters[0].dtype

    @property
    def device(self) -> Any:
        """Where the model computes."""
        return self.parameters[0].device

    def simulate(self, inputs: Any, labels: Any, *, differentiable: bool = True) -> tuple[Any, ...]:
        """Compute what a client without a defence would send of these records.

        Parameters
        ----------
        inputs : tensor of shape (n, ...)
        labels : tensor of shape (n,), or (n, K) of probabilities where the loss takes them
        differentiable : bool
            Whether derivatives by inputs and labels are wanted.

        Returns
        -------
        tuple of tensor
            In the form of `update`.
        """
        return self.training.simulate(
            self.model, self.parameters, inputs, labels, differentiable=differentiable
        )

    def practice(self, rng: np.random.Generator, count: int) -> list[Practice]:
        """Make updates of records of the population, on which an attack can be tuned.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the records.
        count : int
            How many updates.

        Returns
        -------
        list of Practice
            Empty where there is no population of at least as many records as the update has.
        """
        if self.population is None or len(self.population[0]) < self.n_records:
            return []
        inputs, labels = self.population
        made = []
        for _ in range(count):
            chosen = rng.choice(len(inputs), size=self.n_records, replace=False)
            mine = inputs[chosen], labels[chosen]
            update, statistics = self.client(*mine, int(rng.integers(2**31)))
            view = replace(
                self,
                update=update,
                statistics=statistics,
                labels=None if self.labels is None else mine[1],
                respond=None,
            )
            made.append(Practice(view, *mine))
        return made


@dataclass(frozen=True, repr=False, eq=False)
class Practice:
    """An update that the attacker made, with the records it is of."""

    view: UpdateView
    inputs: Any
    labels: Any


@dataclass(frozen=True, repr=False, eq=False)
class AuditedUpdate:
    """An update with the ground truth, which attacks do not see.

    Attributes
    ----------
    view : UpdateView
        For the attack.
    inputs, labels : tensor
        The client's records; fewer than ``view.n_records`` where others' are mixed in.
    batch : int
        Which batch it is.
    """

    view: UpdateView
    inputs: Any
    labels: Any
    batch: int


@dataclass(frozen=True, repr=False, eq=False)
class AuditedUpdates:
    """All batches of one audit.

    Attributes
    ----------
    updates : tuple of AuditedUpdate
        One per batch.
    tolerance : ndarray of shape (d,) or None
        By how much each number of a table may be off.
    say : callable
        ``say(text)`` tells whoever waits how far an attack is.
    """

    updates: tuple[AuditedUpdate, ...]
    tolerance: NDArray[np.float64] | None
    say: Callable[[str], None]

    def __repr__(self) -> str:
        return f"AuditedUpdates({len(self.updates)})"
