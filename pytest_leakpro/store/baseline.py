"""The baseline: one file that is reviewed and committed like code.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.identity import Identity, identity_of
from pytest_leakpro.store.documents import read_document, write_baseline
from pytest_leakpro.store.private_folder import make_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Baseline", "update_baseline"]

_FIELDS = (
    "test",
    "name",
    "target",
    "named",
    "metric",
    "access",
    "occurrence",
    "value",
    "low",
    "high",
    "limit",
    "verdict",
    "attack",
    "suite",
    "alpha",
    "seed",
    "sizes",
    "comparable",
    "configuration",
    "scores",
    "commit",
)
_DIGITS = 6


class Baseline:
    """What earlier measurements are compared with.

    Parameters
    ----------
    measurements : iterable of mapping
        Records, each with an identity of its own.
    """

    def __init__(self, measurements: Iterable[Mapping[str, Any]] = ()) -> None:
        self._by_identity = {identity_of(entry): entry for entry in measurements}

    def __repr__(self) -> str:
        return f"Baseline({len(self)} measurements)"

    def __len__(self) -> int:
        return len(self._by_identity)

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a baseline.

        Raises
        ------
        LeakproError
            As `pytest_leakpro.store.documents.read_document`.
        """
        return cls(read_document(path, "baseline")["measurements"])

    @property
    def has_scores(self) -> bool:
        """Whether scores were kept for some of it."""
        return any(entry["scores"] is not None for entry in self._by_identity.values())

    def find(self, identity: Identity) -> Mapping[str, Any] | None:
        """Give the measurement of this identity, None where there is none."""
        return self._by_identity.get(identity)

    def measurements(self) -> list[Mapping[str, Any]]:
        """Give all measurements."""
        return list(self._by_identity.values())


def update_baseline(
    path: Path,
    private: Path,
    measured: Iterable[Mapping[str, Any]],
    version: str,
    gone: Callable[[Mapping[str, Any]], bool],
) -> tuple[int, int]:
    """Put measurements into a baseline.

    Parameters
    ----------
    path : Path
        The file; made where there is none.
    private : Path
        The folder ``.leakpro``, for the lock: two sessions that update at once both count.
    measured : iterable of mapping
        Records. Those without figures leave an entry as it is.
    version : str
        The package's version.
    gone : callable
        Tells of an entry that was not measured whether its test is known to be gone.

    Returns
    -------
    tuple of int
        How many entries were put in or changed, and how many removed.

    Raises
    ------
    LeakproError
        Where the file that is there cannot be read.
    OSError
        Where it cannot be written.
    """
    with _locked(private):
        for torn in path.parent.glob(f".{path.name}.*"):  # of a session that was killed
            torn.unlink(missing_ok=True)
        before = Baseline.read(path) if path.exists() else Baseline()
        entries = {identity_of(entry): entry for entry in before.measurements()}
        kept = set()
        changed = 0
        for record in measured:
            identity = identity_of(record)
            kept.add(identity)
            if record["comparable"] is None:
                continue
            entry = _entry(record)
            # An entry whose figures did not change stays as it is, so that diffs show what did.
            if _figures(entry) != _figures(entries.get(identity)):
                entries[identity] = entry
                changed += 1
        lost = [key for key, entry in entries.items() if key not in kept and gone(entry)]
        for key in lost:
            del entries[key]
        if changed or lost or not path.exists():
            write_baseline(path, entries.values(), version)
    return changed, len(lost)


@contextmanager
def _locked(private: Path) -> Iterator[None]:
    from filelock import FileLock

    make_private(private)
    with FileLock(private / "baseline.lock"):
        yield


def _entry(record: Mapping[str, Any]) -> dict[str, Any]:
    entry = {field: _rounded(record[field]) for field in _FIELDS}
    if record.get("slice"):
        entry["slice"] = record["slice"]
    entry["evidence"] = {"kind": record["evidence"]["kind"]}
    # Without its key a digest of data would confirm a guessed data set; see `digests`.
    entry["digests"] = dict(record["digests"])
    return entry


def _figures(entry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if entry is None else {key: entry[key] for key in entry if key != "commit"}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list) else value
