"""What one client of a federated training sends, as a target.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pytest_leakpro.gate.errors import LeakproError, nearest_match, warn
from pytest_leakpro.stats.seeding import derive_number
from pytest_leakpro.targets.client_answers import (
    KINDS,
    ClientAnswers,
    read_statistics,
    read_tensors,
    trained_weights,
)
from pytest_leakpro.targets.client_batch import ClientBatch, form_of, read_batch, read_bounds
from pytest_leakpro.targets.client_checks import check_training, depends_on_batch
from pytest_leakpro.targets.client_data import ClientData
from pytest_leakpro.targets.client_training import LocalTraining
from pytest_leakpro.targets.column_groups import ColumnGroups, read_tolerance
from pytest_leakpro.targets.containers import as_numpy
from pytest_leakpro.targets.end_layers import first_linear_of, model_outputs
from pytest_leakpro.targets.participants import Participant
from pytest_leakpro.targets.torch_model import is_module
from pytest_leakpro.targets.update_view import AuditedUpdate, UpdateView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FederatedUpdate"]


class FederatedUpdate:
    """What one client sends in a round of a federated training, with the records it is of.

    Parameters
    ----------
    model : torch.nn.Module
        The model before, as the server sent it, in the mode in which the client computes.
    update : list of tensor, mapping by name or torch.nn.Module, optional
        What the client sent: one tensor per trained weight, in the order of
        ``model.parameters()``. By default `client` is asked for it.
    batch : (inputs, labels), optional
        The client's records, tensors or arrays of shape (n, ...) and (n,): the ground truth, which
        no attack sees. Floating-point inputs of shape (n, c, h, w) are images, of shape (n, d)
        tables, whole numbers of shape (n, length) tokens.
    loss : callable, optional
        ``(outputs, labels) -> scalar``, the mean over the records; cross-entropy by default.
    kind : {"gradient", "delta", "weights"}, default "gradient"
        What `update` is: the gradient of the loss, the weights after minus before, or the weights
        after.
    client : callable, optional
        ``(model, batch) -> list of tensors``, one per trained weight: how the client computes what
        it sends, defences included. By default the plain gradient. It gets a copy of the model.
    batches : sequence of (inputs, labels), optional
        Several batches in place of `batch`; the rate over batches is then bounded.
    updates : sequence, optional
        What was sent of each of `batches`; by default `client` is asked.
    data : (inputs, labels), optional
        The client's records, of which `draws` batches of `batch_size` are drawn, each without
        replacement.
    draws : int, optional
        How many, at least 2.
    batch_size : int, optional
        How many records an update is of, as the server knows it; by default those of the batch.
        More of them than the batch has stand for other clients' records that were aggregated.
    learning_rate : float, optional
        Of the client; needed for several local steps, and else a matter of scale.
    local_steps : int, default 1
        Steps of gradient descent that the client takes.
    local_batch_size : int, optional
        Records of each of these steps; by default all.
    statistics : "sent" or list of (mean, variance), optional
        Of the batch at each batch normalisation layer, where the server gets them.
    labels_known : bool, default False
        Whether the attacker knows the labels.
    population : (inputs, labels), optional
        Other records of that kind, which the attacker has: to tune attacks on, and to guess from.
    bounds : pair, optional
        Least and largest value that inputs can have; by default what the population spans.
    columns : mapping, optional
        Of a table: the one-hot columns of each categorical column, as ``{"job": [3, 4, 5]}``.
    tolerance : float or array, optional
        By how much a number of a table may be off and still count as right; by default 0.319
        standard deviations of the population's column, without a population 0.319.
    form : {"images", "table", "tokens"}, optional
        What records are, where their shape does not tell.
    access : {"server", "client"}, default "server"
        Who attacks: for the record. Another client sees sums of updates; see `from_rounds`.
    behaviour : {"honest", "malicious"}, default "honest"
        Whether the server may also send a model of its own making, which needs `client`.
    name : str, optional
        What to call the target. By default the class of the model.

    Attributes
    ----------
    form, name, shape
        As given or settled.
    participant : Participant
        Who attacks.

    Raises
    ------
    LeakproError
        If an argument is not as described, or an update does not match the model.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> batch = torch.zeros(3, 4), torch.tensor([0, 1, 1])
    >>> FederatedUpdate.from_gradient(model, batch)
    FederatedUpdate('Sequential', batches=1, records=3, shape=(4,), access='server')
    """

    def __init__(
        self,
        model: Any,
        update: Any = None,
        batch: Any = None,
        *,
        loss: Callable[[Any, Any], Any] | None = None,
        kind: Literal["gradient", "delta", "weights"] = "gradient",
        client: Callable[[Any, tuple[Any, Any]], Any] | None = None,
        batches: Sequence[Any] | None = None,
        updates: Sequence[Any] | None = None,
        data: Any = None,
        draws: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        local_steps: int = 1,
        local_batch_size: int | None = None,
        statistics: Any = None,
        labels_known: bool = False,
        population: Any = None,
        bounds: Any = None,
        columns: Any = None,
        tolerance: Any = None,
        form: str | None = None,
        access: Literal["server", "client"] = "server",
        behaviour: Literal["honest", "malicious"] = "honest",
        name: str | None = None,
    ) -> None:
        if not is_module(model):
            raise LeakproError(
                f"model is a {type(model).__name__}: give the torch module that the server sent"
            )
        self.model = copy.deepcopy(model)
        if not trained_weights(self.model):
            raise LeakproError("the model has no trained weights, so nothing is sent of it")
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise LeakproError("name: give a text to call the target by")
        self.named = name is not None
        self.name = name or type(model).__name__
        self.participant = Participant.read(access, behaviour)
        if kind not in KINDS:
            raise LeakproError(
                f"kind={kind!r} is not known{nearest_match(str(kind), KINDS)}: give one of "
                f"{', '.join(map(repr, KINDS))}"
            )
        self.training = LocalTraining.read(loss, local_steps, local_batch_size, learning_rate, kind)
        if client is not None and not callable(client):
            raise LeakproError(
                f"client is a {type(client).__name__}: give a function (model, batch) -> list of "
                "tensors, one per trained weight"
            )
        if (
            self.participant.malicious
            and client is None
            and not (update is None and updates is None)
        ):
            raise LeakproError(
                "behaviour='malicious': the server sends a model of its own making, so it must be "
                "known how the client answers: give client=, a function (model, batch) -> list of "
                "tensors"
            )
        self._answers = ClientAnswers(client, kind, self.training)
        self._data = ClientData(self.model, batch, batches, data, draws, batch_size)
        first = self._data.first
        self.form = form_of(form, first.inputs)
        self.shape = tuple(first.inputs.shape[1:])
        self._sent = self._read_sent(update, updates)
        self._statistics = statistics
        self.population = None
        if population is not None:
            self.population = read_batch(population, "population", self.model)
            if self.population.inputs.shape[1:] != self.shape:
                raise LeakproError(
                    f"population: records of shape {tuple(self.population.inputs.shape[1:])}, "
                    f"those of the client {self.shape}: give records of the same kind"
                )
        self.labels_known = bool(labels_known)
        self.bounds = read_bounds(bounds, first.inputs, self.population)
        self._read_table(columns, tolerance)
        sent = None if self._sent is None else self._answers.bring(self._sent[0], self.model)
        whole = len(first) == self._data.sizes[0]
        check_training(self.model, self.training, first, sent if whole else None, kind)
        read_statistics(statistics, self.model, first)

    def __repr__(self) -> str:
        return (
            f"FederatedUpdate({self.name!r}, batches={self.n_batches}, records={self.n_records}, "
            f"shape={self.shape}, access={self.participant.access!r})"
        )

    @classmethod
    def from_gradient(
        cls,
        model: Any,
        batch: Any = None,
        loss: Callable[[Any, Any], Any] | None = None,
        *,
        client: Callable[[Any, tuple[Any, Any]], Any] | None = None,
        **knowledge: Any,
    ) -> FederatedUpdate:
        """Audit the gradient that a client sends.

        Parameters
        ----------
        model, batch, loss
            As for `FederatedUpdate`.
        client : callable, optional
            ``(model, batch) -> list of tensors``, where the client does not send the plain
            gradient: a defence.
        **knowledge
            All else as for `FederatedUpdate`; ``batches=`` or ``data=`` with ``draws=`` in place of
            `batch`.
        """
        return cls(model, None, batch, loss=loss, client=client, kind="gradient", **knowledge)

    @classmethod
    def from_training(
        cls,
        model: Any,
        data: Any,
        client_fit: Callable[[Any, tuple[Any, Any]], Any],
        *,
        loss: Callable[[Any, Any], Any] | None = None,
        draws: int | None = None,
        **knowledge: Any,
    ) -> FederatedUpdate:
        """Audit the weights that a client sends after some local steps.

        Parameters
        ----------
        model, loss
            As for `FederatedUpdate`.
        data : (inputs, labels)
            What the client trains on; with `draws`, of which its batches are drawn.
        client_fit : callable
            ``(model, batch)`` gives the model after training (a module, a state dict, or a list
            of tensors, one per trained weight); of None the copy that it got is taken, trained in
            place.
        draws : int, optional
            As for `FederatedUpdate`, with ``batch_size=``.
        **knowledge
            All else as for `FederatedUpdate`: ``learning_rate=``, ``local_steps=``,
            ``local_batch_size=`` say what the server knows of the training.
        """
        if not callable(client_fit):
            raise LeakproError(
                f"client_fit is a {type(client_fit).__name__}: give a function (model, batch) -> "
                "model after training"
            )

        def client(received: Any, batch: tuple[Any, Any]) -> Any:
            after = client_fit(received, batch)
            return received if after is None else after

        where = {"batch": data} if draws is None else {"data": data, "draws": draws}
        return cls(model, None, loss=loss, client=client, kind="weights", **where, **knowledge)

    @classmethod
    def from_rounds(
        cls,
        before: Any,
        after: Any,
        batch: Any,
        *,
        own_update: Any,
        own_share: float,
        **knowledge: Any,
    ) -> FederatedUpdate:
        """Audit what a client learns of the others from two global models and its own share.

        Parameters
        ----------
        before, after : torch.nn.Module
            The global models of two rounds that follow each other.
        batch : (inputs, labels)
            Records of another client.
        own_update : list of tensor
            What the attacker itself sent: its weights after minus before.
        own_share : float
            Its weight in the average, at least 0 and below 1.
        **knowledge
            All else as for `FederatedUpdate`; ``batch_size=`` counts the records of all others.
        """
        if not (isinstance(own_share, (int, float)) and 0 <= own_share < 1):
            raise LeakproError(
                "own_share is the attacker's weight in the average: give a number of at least 0 "
                "and below 1"
            )
        if not is_module(before) or not is_module(after):
            raise LeakproError("before, after: give the two global models, torch modules")
        change = read_tensors(after, before, "after")
        own = read_tensors(own_update, before, "own_update")
        others = [
            (value - weight.detach() - own_share * mine) / (1 - own_share)
            for value, weight, mine in zip(
                change, trained_weights(before).values(), own, strict=True
            )
        ]
        knowledge.setdefault("access", "client")
        return cls(before, others, batch, kind="delta", **knowledge)

    @property
    def access(self) -> Any:
        """Who attacks, ``"server"`` or ``"client"``."""
        return self.participant.access

    @property
    def has_population(self) -> bool:
        """Whether the attacker has records of its own."""
        return self.population is not None

    @property
    def knows_statistics(self) -> bool:
        """Whether the attacker gets the statistics of batch normalisation."""
        return self._statistics is not None

    @property
    def n_records(self) -> int:
        """Of how many records an update is; of several batches the largest."""
        return max(self._data.sizes)

    @property
    def has_classes(self) -> bool:
        """Whether labels are classes, one per record."""
        labels = self._data.first.labels
        return labels.dim() == 1 and not labels.is_floating_point()

    @property
    def starts_linear(self) -> bool:
        """Whether the model begins with a trained fully connected layer that has a bias."""
        layer = first_linear_of(self.model, self._data.first.inputs[:2])
        return layer is not None and layer.bias is not None and layer.weight.requires_grad

    @property
    def n_batches(self) -> int:
        """How many batches are attacked."""
        return self._data.n_batches

    @property
    def device(self) -> str:
        """Where the model computes."""
        return str(next(iter(self.model.parameters())).device)

    def prepare(self, seed: int) -> tuple[AuditedUpdate, ...]:
        """Have the client compute what it sends, batch by batch.

        Parameters
        ----------
        seed : int
            Of the draws and of whatever the client draws, at least 0.

        Returns
        -------
        tuple of AuditedUpdate

        Raises
        ------
        LeakproError
            Where an update does not match the model, or is not finite.

        Warns
        -----
        PytestLeakproWarning
            If the update does not depend on the batch.
        """
        batches = self._data.batches(seed)
        found = []
        for number, batch in enumerate(batches):
            its_seed = derive_number(seed, "client", str(number))
            if self._sent is None:
                sent = self._answers.ask(self.model, batch, its_seed)
            else:
                sent = self._answers.bring(self._sent[number], self.model)
            view = self._view(batch, sent, number, its_seed)
            found.append(AuditedUpdate(view, batch.inputs, batch.labels, number))
        first = derive_number(seed, "client", "0")
        if self._sent is None and not depends_on_batch(
            self._answers, self.model, batches[0], found[0].view.update, first
        ):
            warn(
                f"{self.name}: the update does not depend on the batch: the client function sends "
                "the same of other records, so there is nothing to find; check that it uses the "
                "batch that it is given"
            )
        return tuple(found)

    def _view(
        self, batch: ClientBatch, sent: tuple[Any, ...], number: int, seed: int
    ) -> UpdateView:
        respond = None
        if self.participant.malicious:
            respond = partial(self._respond, batch, seed)
        population = self.population
        n_classes, n_tokens = self._vocabulary(batch)
        return UpdateView(
            model=self.model,
            parameters=tuple(value.detach() for value in trained_weights(self.model).values()),
            names=tuple(trained_weights(self.model)),
            update=sent,
            n_records=self._data.sizes[number],
            shape=self.shape,
            form=self.form,
            training=self.training,
            n_classes=n_classes,
            labels=batch.labels if self.labels_known else None,
            bounds=self.bounds,
            columns=self.columns,
            n_tokens=n_tokens,
            population=None if population is None else population.pair(),
            statistics=read_statistics(self._statistics, self.model, batch),
            respond=respond,
            client=self._make,
        )

    def _vocabulary(self, batch: ClientBatch) -> tuple[int | None, int | None]:
        """Give the number of classes and of tokens, where there are such."""
        torch = sys.modules["torch"]
        tokens = None
        if self.form == "tokens":
            tables = [part for part in self.model.modules() if isinstance(part, torch.nn.Embedding)]
            tokens = tables[0].num_embeddings if tables else int(batch.inputs.max()) + 1
        if batch.labels.is_floating_point():
            return None, tokens
        return int(model_outputs(self.model, batch.inputs).shape[-1]), tokens

    def _make(self, inputs: Any, labels: Any, seed: int) -> tuple[tuple[Any, ...], Any]:
        """Have the client, defences included, answer for records that the attacker has."""
        batch = ClientBatch(inputs, labels)
        statistics = None
        if self._statistics is not None:
            statistics = read_statistics("sent", self.model, batch)
        return self._answers.ask(self.model, batch, seed), statistics

    def _respond(self, batch: ClientBatch, seed: int, model: Any) -> tuple[Any, ...]:
        return self._answers.ask(model, batch, seed)

    def _read_sent(self, update: Any, updates: Any) -> list[tuple[Any, ...]] | None:
        if update is None and updates is None:
            return None
        if update is not None and updates is not None:
            raise LeakproError("update= is of batch=, updates= are of batches=: give one of them")
        if not self._data.given:
            raise LeakproError("data: of batches that are drawn client= computes the updates")
        given = [update] if updates is None else updates
        if not isinstance(given, (list, tuple)) or len(given) != self._data.n_batches:
            raise LeakproError(
                f"there are {self._data.n_batches} batches: give what was sent of each, in their "
                "order, as update= of one batch, as updates= of several"
            )
        return [
            read_tensors(entry, self.model, "update" if updates is None else f"updates[{number}]")
            for number, entry in enumerate(given)
        ]

    def _read_table(self, columns: Any, tolerance: Any) -> None:
        self.columns: ColumnGroups | None = None
        self.tolerance: NDArray[np.float64] | None = None
        if self.form == "table":
            width = self.shape[0]
            others = None if self.population is None else as_numpy(self.population.inputs)
            self.columns = ColumnGroups.read(columns, width)
            self.tolerance = read_tolerance(tolerance, width, others)
        elif columns is not None or tolerance is not None:
            raise LeakproError(
                "columns, tolerance: these are of a table, with inputs of shape (n, columns)"
            )
