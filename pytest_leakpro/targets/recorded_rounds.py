"""The rounds of a federated run, as its clients and its server recorded them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store.exchanges import CLIENT, GLOBAL, SERVER, Exchange, Place, places, runs
from pytest_leakpro.targets.named_weights import parameters_of, with_weights

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

__all__ = ["RecordedRounds", "recorded_rounds"]

_EXAMPLES = ("num-examples", "num_examples")


def recorded_rounds(folder: str | os.PathLike[str], run: int | None = None) -> RecordedRounds:
    """Read what the audit mod and the audited strategy recorded of a federated run.

    Parameters
    ----------
    folder : str or path
        Where it was recorded.
    run : int, optional
        Which run, by Flower's number; may be left out where the folder holds one only.

    Returns
    -------
    RecordedRounds
        Read on demand: weights are loaded only once they are asked for.

    Raises
    ------
    LeakproError
        If the folder holds no run, not this one, or several where none was named.
    """
    root = Path(folder)
    known = runs(root)
    listed = ", ".join(str(number) for number in known)
    if not known:
        raise LeakproError(
            f"{root} holds no recorded run: put audit_mod first among the mods of the ClientApp, "
            "or wrap the strategy by audit_strategy, and let both write to this folder"
        )
    if run is None and len(known) > 1:
        raise LeakproError(
            f"{root} holds {len(known)} runs: choose one by run= ({listed}), or delete the others"
        )
    if run is not None and run not in known:
        raise LeakproError(f"{root} holds no run {run} (known: {listed})")
    return RecordedRounds(root, known[0] if run is None else run)


@dataclass(frozen=True, eq=False, repr=False)
class RecordedRounds:
    """What was sent in each round of one federated run.

    Made by `recorded_rounds`.

    Parameters
    ----------
    folder : Path
        Folder of recorded runs.
    run : int
        Number of the run.
    """

    folder: Path
    run: int
    _places: tuple[Place, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", tuple(places(self.folder, self.run)))

    def __repr__(self) -> str:
        return f"RecordedRounds(run {self.run}: {len(self.nodes)} nodes, {len(self.rounds)} rounds)"

    @property
    def nodes(self) -> tuple[int, ...]:
        """Numbers of the nodes whose messages were recorded, in ascending order."""
        return tuple(sorted({place.node for place in self._places if place.side != GLOBAL}))

    @property
    def rounds(self) -> tuple[int, ...]:
        """The rounds in which a client's message was recorded, counted from 1."""
        return tuple(sorted({place.round for place in self._places if place.side != GLOBAL}))

    def node_of(self, partition: int) -> int:
        """Give the node that had a partition of the data (``partition-id`` of its node config).

        Raises
        ------
        LeakproError
            If no node, or more than one, says that it had it.
        """
        said = {}
        for place in self._places:
            if place.side == CLIENT and place.node not in said:
                said[place.node] = self._read(place).facts.get("partition")
        found = [node for node, number in said.items() if number == partition]
        if len(found) != 1:
            known = sorted(str(number) for number in said.values() if number is not None)
            raise LeakproError(
                f"{len(found)} nodes of run {self.run} had partition {partition} (recorded: "
                f"{', '.join(known) or 'none'}): name the node by its number, one of "
                f"{', '.join(map(str, self.nodes))}"
            )
        return found[0]

    def global_state(self, round: int) -> Arrays:  # noqa: A002
        """Give the weights of the global model after a round, by name.

        Parameters
        ----------
        round : int
            Round 0 is the model before the first one. Without `audit_strategy` the model after
            the last round is not known: clients never received it.

        Raises
        ------
        LeakproError
            If it was not recorded, or clients received differing models.
        """
        place = Place(self.run, round, GLOBAL)
        if place in self._places:
            return dict(self._read(place).arrays["sent"])
        received = [
            self._read(place).arrays["received"]
            for place in self._places
            if place.side == CLIENT and place.round == round + 1
        ]
        if not received:
            raise LeakproError(
                f"the global model after round {round} of run {self.run} was not recorded: wrap "
                "the server's strategy by audit_strategy"
            )
        if any(not _same(received[0], other) for other in received[1:]):
            raise LeakproError(
                f"the nodes received different models in round {round + 1} of run {self.run}, so "
                "there is no one global model: see received(node, round)"
            )
        return dict(received[0])

    def received(self, node: int, round: int) -> Arrays:  # noqa: A002
        """Give the weights that a client received in a round, by name.

        Raises
        ------
        LeakproError
            If they were not recorded.
        """
        place = self._place(node, round, CLIENT)
        if place in self._places:
            return dict(self._read(place).arrays["received"])
        self._reply(node, round)
        return self.global_state(round - 1)

    def sent(self, node: int, round: int) -> Arrays:  # noqa: A002
        """Give what a client sent in a round, by name: what the server got, where that is known.

        Raises
        ------
        LeakproError
            If it was not recorded.
        """
        return dict(self._reply(node, round).arrays["sent"])

    def update(self, node: int, round: int) -> Arrays:  # noqa: A002
        """Give the difference between the weights that a client sent and those it received.

        Parameters
        ----------
        node : int
            Number of the node.
        round : int
            Counted from 1.

        Returns
        -------
        dict of str to ndarray
            By name, in the order in which they were sent.

        Raises
        ------
        LeakproError
            If they were not recorded, or differ in names or shapes, as where a client sends
            something else than weights.
        """
        before, after = self.received(node, round), self.sent(node, round)
        where = f"node {node} in round {round}"
        for name, array in after.items():
            if name not in before or before[name].shape != array.shape:
                raise LeakproError(
                    f"{where} sent {name!r}, but received no such array of the same shape: this "
                    "client does not send weights; see sent(node, round)"
                )
        return {name: array - before[name] for name, array in after.items()}

    def metrics(self, node: int, round: int) -> dict[str, Any]:  # noqa: A002
        """Give the metrics that a client sent along, by name.

        Raises
        ------
        LeakproError
            If no reply was recorded.
        """
        return dict(self._reply(node, round).facts["metrics"])

    def n_examples(self, node: int, round: int) -> int:  # noqa: A002
        """Give the number of examples that a client says it learned from (``num-examples``).

        Raises
        ------
        LeakproError
            If it says none, or no reply was recorded.
        """
        metrics = self.metrics(node, round)
        for name in _EXAMPLES:
            if name in metrics:
                return int(metrics[name])
        raise LeakproError(
            f"node {node} sent no 'num-examples' in round {round} (its metrics: "
            f"{', '.join(metrics) or 'none'}): see metrics(node, round)"
        )

    def models(self, make_model: Callable[[], Any]) -> list[Any]:
        """Give the global models round by round, the one before the first round included.

        Parameters
        ----------
        make_model : callable
            Gives the torch module that is trained; its weights do not matter.

        Returns
        -------
        list of torch.nn.Module
            In the order of the rounds, in evaluation mode. Without `audit_strategy` the model
            after the last round is missing.

        Raises
        ------
        LeakproError
            If one of them was not recorded, or does not fit.
        """
        known = {place.round for place in self._places if place.side == GLOBAL}
        known |= {number - 1 for number in self.rounds}
        return [
            with_weights(make_model(), self.global_state(number), f"round {number}").eval()
            for number in range(min(known), max(known) + 1)
        ]

    def federated_update(
        self,
        model: Any,
        node: int,
        round: int,  # noqa: A002
        *,
        batch: Any,
        loss: Callable[[Any, Any], Any],
        kind: Literal["weights", "delta", "gradient"] = "weights",
        **knowledge: Any,
    ) -> Any:
        """Give what one client sent in one round as a target to audit.

        Parameters
        ----------
        model : torch.nn.Module
            Of the architecture that is trained, in the mode in which the client trains it; its
            weights are replaced by those that the client received.
        node : int
            Number of the node.
        round : int
            Counted from 1.
        batch : (inputs, labels)
            The records that the client learned from in this round: the ground truth.
        loss : callable
            ``(outputs, labels)`` to the mean loss.
        kind : {"weights", "delta", "gradient"}
            What the client sends: by default weights, from which those that it received are
            subtracted.
        **knowledge : optional
            What the server knows, as of `FederatedUpdate`: ``learning_rate=``, ``local_steps=``, …

        Returns
        -------
        FederatedUpdate
            For `audit` and `assert_leakage_below`.

        Raises
        ------
        LeakproError
            If the messages were not recorded, or do not fit the model.
        """
        from pytest_leakpro.targets.federated_update import FederatedUpdate

        what = f"round {round}, node {node}"
        before = with_weights(model, self.received(node, round), f"what was received in {what},")
        update = parameters_of(model, self.sent(node, round), f"what was sent in {what},")
        knowledge.setdefault("name", what)
        return FederatedUpdate(before, update, batch, loss=loss, kind=kind, **knowledge)

    def _place(self, node: int, round: int, side: str) -> Place:  # noqa: A002
        return Place(self.run, round, side, node)

    def _reply(self, node: int, round: int) -> Exchange:  # noqa: A002
        """Read a client's reply: what the server got is what an attacker there has."""
        for side in (SERVER, CLIENT):
            place = self._place(node, round, side)
            if place in self._places:
                return self._read(place)
        raise LeakproError(
            f"nothing was recorded of node {node} in round {round} of run {self.run} (nodes: "
            f"{', '.join(map(str, self.nodes)) or 'none'}; rounds: "
            f"{', '.join(map(str, self.rounds)) or 'none'})"
        )

    def _read(self, place: Place) -> Exchange:
        return Exchange.load(self.folder, place)


def _same(first: Any, second: Any) -> bool:
    return list(first) == list(second) and all(
        np.array_equal(array, second[name], equal_nan=array.dtype.kind == "f")
        for name, array in first.items()
    )
