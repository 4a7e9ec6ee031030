"""What was sent in the rounds of a federated run: one file for each message that was recorded.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.store.atomic import write_bytes
from pytest_leakpro.store.private_folder import make_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["CLIENT", "GLOBAL", "SERVER", "Exchange", "Place", "places", "runs"]

CLIENT = "client"
"""Recorded by a client: what it received and what it replied."""
SERVER = "server"
"""Recorded by the server: a client's reply, as it arrived."""
GLOBAL = "global"
"""Recorded by the server: the global model after a round; round 0 is the model before the first."""

_NAME = re.compile(rf"round-(\d+)-(?:node-(\d+)-({CLIENT}|{SERVER})|{GLOBAL})\.npz")
_RUN = re.compile(r"run-(\d+)")
_HEADER = "header"
_SCHEMA = 1


class Place(NamedTuple):
    """Which message of which run.

    Attributes
    ----------
    run : int
        Number of the run.
    round : int
        Counted from 1; of global models from 0.
    side : {"client", "server", "global"}
        Who recorded it.
    node : int
        Of which client; 0 for global models.
    """

    run: int
    round: int
    side: str
    node: int = 0

    def path(self, root: Path) -> Path:
        """Give the file in a folder of recorded runs."""
        who = GLOBAL if self.side == GLOBAL else f"node-{self.node}-{self.side}"
        return root / f"run-{self.run}" / f"round-{self.round:05d}-{who}.npz"


class Exchange(NamedTuple):
    """What a recorded message held.

    Attributes
    ----------
    arrays : mapping of str to mapping of str to ndarray
        Arrays by name, in the order in which they were sent, by what they are: ``"received"``,
        ``"sent"``.
    facts : mapping of str to JSON value
        All else, such as ``{"metrics": {"num-examples": 8}}``.
    """

    arrays: Mapping[str, Mapping[str, NDArray[Any]]]
    facts: Mapping[str, Any]

    def save(self, root: Path, place: Place) -> None:
        """Write the file, in one step, in a folder for this user alone.

        Parameters
        ----------
        root : Path
            Folder of recorded runs; made where missing.
        place : Place
            Which message it is.

        Raises
        ------
        OSError
            Where it cannot be written.
        LeakproError
            For arrays of objects, which could only be pickled.
        """
        names = {kind: list(group) for kind, group in self.arrays.items()}
        header = {"schema": _SCHEMA, "place": list(place), "names": names, "facts": self.facts}
        packed = {_HEADER: np.frombuffer(json.dumps(header).encode(), np.uint8)}
        for kind, group in self.arrays.items():
            for number, (name, array) in enumerate(group.items()):
                if array.dtype.hasobject:
                    raise LeakproError(
                        f"{name} is an array of objects, which is never written: send numbers"
                    )
                packed[f"{kind}{number}"] = array
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **packed)
        path = place.path(root)
        make_private(root, path.parent)
        write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls, root: Path, place: Place) -> Exchange:
        """Read the file of a message.

        Parameters
        ----------
        root : Path
            Folder of recorded runs.
        place : Place
            Which message.

        Raises
        ------
        LeakproError
            If it cannot be read, is damaged, was written by a later version, or is that of
            another message.
        """
        path = place.path(root)
        try:
            with np.load(path, allow_pickle=False) as file:
                header = json.loads(file[_HEADER].tobytes())
                schema = header["schema"]
                if schema == _SCHEMA:
                    found = Place(*header["place"])
                    arrays = {
                        kind: {name: file[f"{kind}{i}"] for i, name in enumerate(names)}
                        for kind, names in header["names"].items()
                    }
                    facts = header["facts"]
        except Exception as error:  # a damaged archive fails in many ways
            raise LeakproError(
                f"{path} cannot be read ({type(error).__name__}): what was recorded of this "
                "message is lost or damaged; delete the folder of the run and run the app again"
            ) from error
        if schema != _SCHEMA:
            raise LeakproError(
                f"{path} was written by another version of pytest-leakpro (schema {schema}, known "
                f"is {_SCHEMA}): run the app again"
            )
        if found != place:
            raise LeakproError(
                f"{path} is the record of another message (run {found.run}, round {found.round}, "
                f"{found.side}): it was renamed or copied; run the app again"
            )
        return cls(arrays, facts)


def runs(root: Path) -> list[int]:
    """List the runs of which a folder holds records, in the order of their numbers."""
    found = (_RUN.fullmatch(entry.name) for entry in root.glob("run-*") if entry.is_dir())
    return sorted(int(match.group(1)) for match in found if match)


def places(root: Path, run: int) -> list[Place]:
    """List the recorded messages of a run, in the order of rounds, sides and nodes."""
    matches = (_NAME.fullmatch(entry.name) for entry in (root / f"run-{run}").glob("round-*.npz"))
    return sorted(
        Place(run, int(match[1]), match[3] or GLOBAL, int(match[2] or 0))
        for match in matches
        if match
    )
