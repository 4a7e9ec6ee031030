"""Records what the clients and the server of a Flower app send each other, for audits.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store.exchanges import CLIENT, GLOBAL, SERVER, Exchange, Place
from pytest_leakpro.store.private_folder import make_private
from pytest_leakpro.targets.recorded_rounds import RecordedRounds, recorded_rounds

try:
    from flwr.serverapp.strategy import Strategy
except ImportError as error:
    raise LeakproError(
        f"pytest_leakpro.flower needs Flower 1.42 or later ({error}): pip install "
        "'pytest-leakpro[flower]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Arrays = dict[str, Any]

__all__ = [
    "DIRECTORY",
    "RUN_CONFIG_KEY",
    "RecordedRounds",
    "audit_mod",
    "audit_mod_to",
    "audit_strategy",
    "recorded_rounds",
]

DIRECTORY = "LEAKPRO_FLOWER_DIR"
"""The environment variable that names the folder, where the code does not."""
RUN_CONFIG_KEY = "leakpro-dir"
"""Likewise, in the run configuration of the app: seen by clients whatever their environment."""

_PRIVATE, _DEFAULT = ".leakpro", "flower"
_ROUND = "server-round"
_TRAIN = "train"


def audit_mod(message: Any, context: Any, call_next: Callable[[Any, Any], Any]) -> Any:
    """Record what a client receives and replies when it is asked to train.

    A client mod: ``ClientApp(mods=[audit_mod, …])``. Of mods the first sees a reply last, so that
    it records what leaves the client, after mods that clip, add noise or compress. Other messages
    than those to train pass unrecorded. Nothing is changed in any.

    The folder is that of the run configuration's ``leakpro-dir``, else of the environment variable
    ``LEAKPRO_FLOWER_DIR``, else ``.leakpro/flower`` in the working directory; `audit_mod_to` names
    another.

    Parameters
    ----------
    message : flwr.app.Message
        From the server.
    context : flwr.app.Context
        Of the client.
    call_next : callable
        The next mod, or the client itself.

    Returns
    -------
    flwr.app.Message
        The reply, as it was given.

    Raises
    ------
    LeakproError
        If a message to train, or its reply, holds no arrays or more than one ``ArrayRecord``; if
        it does not say which round it belongs to; or if the node was already asked to train in
        this round.
    """
    return _recorded(message, context, call_next, None)


def audit_mod_to(folder: str | os.PathLike[str]) -> Callable[[Any, Any, Any], Any]:
    """Give the `audit_mod` that records into a folder.

    Parameters
    ----------
    folder : str or path
        Made where it is missing, closed to other users, and kept out of git.

    Returns
    -------
    callable
        A client mod.

    Raises
    ------
    LeakproError
        As `audit_mod`, when it is called.
    """
    path = Path(folder)

    def mod(message: Any, context: Any, call_next: Callable[[Any, Any], Any]) -> Any:
        return _recorded(message, context, call_next, path)

    return mod


def audit_strategy(strategy: Strategy, folder: str | os.PathLike[str] | None = None) -> Strategy:
    """Give a strategy that records the global models, and the replies as they reach the server.

    Parameters
    ----------
    strategy : flwr.serverapp.strategy.Strategy
        Left as it is. What is returned is a copy whose class derives from its class, so that
        everything else, an own ``start`` included, works as before.
    folder : str or path, optional
        By default that of ``LEAKPRO_FLOWER_DIR``, else ``.leakpro/flower`` in the working
        directory. Give ``context.run_config["leakpro-dir"]`` where the clients use that.

    Returns
    -------
    flwr.serverapp.strategy.Strategy
        Start this one.

    Raises
    ------
    LeakproError
        If it is not a strategy of Flower's message API; in a round, if a reply holds no arrays or
        more than one ``ArrayRecord``.
    """
    if not isinstance(strategy, Strategy):
        raise LeakproError(
            f"audit_strategy was given a {type(strategy).__name__}: give a strategy of "
            "flwr.serverapp.strategy, as FedAvg()"
        )
    root = Path(folder) if folder else None
    base: Any = type(strategy)
    run = 0

    def configure_train(
        self: Any, server_round: int, arrays: Any, config: Any, grid: Any
    ) -> Iterable[Any]:
        nonlocal run
        run = int(grid.run.run_id)
        _save_global(root, Place(run, server_round - 1, GLOBAL), arrays)
        messages: Iterable[Any] = base.configure_train(self, server_round, arrays, config, grid)
        return messages

    def aggregate_train(self: Any, server_round: int, replies: Iterable[Any]) -> tuple[Any, Any]:
        # They may come as an iterator, which can be read once.
        arrived = list(replies)
        for reply in arrived:
            if not reply.has_error():
                place = Place(run, server_round, SERVER, int(reply.metadata.src_node_id))
                sent = _arrays(reply, f"node {place.node} replied in round {server_round}")
                Exchange({"sent": sent}, {"metrics": _metrics(reply)}).save(_folder(root), place)
        found: tuple[Any, Any] = base.aggregate_train(self, server_round, arrived)
        if found[0] is not None:
            _save_global(root, Place(run, server_round, GLOBAL), found[0])
        return found

    audited = copy.copy(strategy)
    audited.__class__ = type(
        f"Audited{base.__name__}",
        (base,),
        {
            "__doc__": base.__doc__,
            "__module__": __name__,
            "configure_train": configure_train,
            "aggregate_train": aggregate_train,
        },
    )
    return audited


def _recorded(
    message: Any, context: Any, call_next: Callable[[Any, Any], Any], folder: Path | None
) -> Any:
    if message.metadata.message_type.partition(".")[0] != _TRAIN:
        return call_next(message, context)
    node = int(context.node_id)
    number = _round(message)
    place = Place(int(context.run_id), number, CLIENT, node)
    root = _folder(folder or _configured(context.run_config))
    identity = str(message.metadata.message_id)
    if place.path(root).exists() and Exchange.load(root, place).facts.get("message") != identity:
        raise LeakproError(
            f"node {node} is asked to train a second time in round {number}, and would overwrite "
            "what was recorded: give the mod to one train function only, "
            "@app.train(mods=[audit_mod])"
        )
    # Before the client runs: it may write into the arrays that it was given.
    received = _arrays(message, f"node {node} received in round {number}")
    reply = call_next(message, context)
    if not reply.has_error():
        facts = {
            "message": identity,
            "metrics": _metrics(reply),
            "partition": _plain(context.node_config.get("partition-id")),
        }
        sent = _arrays(reply, f"node {node} replied in round {number}")
        Exchange({"received": received, "sent": sent}, facts).save(root, place)
    return reply


def _configured(run_config: Mapping[str, Any]) -> Path | None:
    named = run_config.get(RUN_CONFIG_KEY)
    return Path(str(named)) if named else None


def _folder(named: Path | None) -> Path:
    """Give the folder to record into; the default stands in a private one that is made here."""
    if named is not None:
        return named
    if from_environment := os.environ.get(DIRECTORY):
        return Path(from_environment)
    private = Path.cwd() / _PRIVATE
    make_private(private, private / _DEFAULT)
    return private / _DEFAULT


def _save_global(named: Path | None, place: Place, record: Any) -> None:
    Exchange({"sent": _as_numpy(record)}, {}).save(_folder(named), place)


def _arrays(message: Any, what: str) -> Arrays:
    """Give the arrays of a message, under whatever key they stand."""
    records = message.content.array_records
    if len(records) != 1:
        keys = ", ".join(repr(str(key)) for key in records)
        found = f"{len(records)} ArrayRecords ({keys})" if keys else "no arrays"
        raise LeakproError(
            f"what {what} holds {found}: "
            "an audit needs to know which are the weights; send one ArrayRecord, and other arrays "
            "in a message of another type"
        )
    return _as_numpy(next(iter(records.values())))


def _as_numpy(record: Mapping[str, Any]) -> Arrays:
    return {str(name): array.numpy() for name, array in record.items()}


def _metrics(message: Any) -> dict[str, Any]:
    return {
        str(name): _plain(value)
        for record in message.content.metric_records.values()
        for name, value in record.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, (int, float)) else str(value)


def _round(message: Any) -> int:
    """Read the round off a message: Flower's strategies write it into its configuration."""
    for record in message.content.config_records.values():
        if _ROUND in record:
            return int(record[_ROUND])
    group = str(message.metadata.group_id)
    if group.isdecimal():
        return int(group)
    raise LeakproError(
        f"a message to train does not say which round it belongs to: let the strategy send "
        f"config[{_ROUND!r}] = server_round, as those of Flower do"
    )
