"""How far an update points where single records pull: the cosine with each record's gradient.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.targets.containers import as_numpy
from pytest_leakpro.targets.gradients import loss_kind
from pytest_leakpro.targets.readings import Reading
from pytest_leakpro.targets.torch_gradients import measure_gradients

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.round_updates import Moves

__all__ = ["AlignmentReading"]


@dataclass(frozen=True, repr=False, eq=False)
class AlignmentReading(Reading):
    """Reads the cosine between a client's moves and minus each record's gradient, round by round.

    Attributes
    ----------
    updates : tuple
        Per round by how much the client moved each weight, None where it had no part.

    References
    ----------
    Li, Li and Ribeiro (2023), Effective passive membership inference attacks in federated learning
    against overparameterized models, ICLR, the attack by cosine similarity.
    """

    name: ClassVar[str] = "alignment"
    of_checkpoints: ClassVar[bool] = True

    updates: tuple[Moves | None, ...]

    @property
    def width(self) -> int:
        """Number of rounds that the client took part in."""
        return sum(moves is not None for moves in self.updates)

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """Read the global models at which the updates were computed; see `Reading.read`."""
        rows = []
        for before, moves in zip(model, self.updates, strict=False):
            if moves is None:
                continue
            if reader.meter is not None:
                reader.meter.queries += len(records)
            output = loss_kind(before, reader, records)
            rows.append(
                measure_gradients(
                    before,
                    records.inputs,
                    records.labels,
                    output,
                    _Cosine(moves),
                    reader.batch_size,
                )[0]
            )
        return np.stack(rows)


class _Cosine:
    """Measures the cosine of minus gradients with what a client moved."""

    def __init__(self, moves: Moves) -> None:
        self._moves = moves
        self._length = _size([value[None] for value in moves.values()])

    def __call__(self, gradients: Mapping[str, Any], residuals: Any) -> NDArray[np.float64]:
        """Give cosines of shape (1, b), 0 where there is no gradient or no move."""
        del residuals
        torch = sys.modules["torch"]
        parts = [gradients[name] for name in self._moves]
        sizes = _size(parts)
        scale = torch.where(sizes > 0, sizes, 1)
        inner = sum(
            (part.reshape(len(part), -1) / scale[:, None]) @ moves.reshape(-1)
            for part, moves in zip(parts, self._moves.values(), strict=True)
        )
        cosines = torch.where(self._length > 0, -inner / self._length, 0.0)
        return as_numpy(cosines).astype(np.float64)[None]


def _size(parts: list[Any]) -> Any:
    """Give Euclidean norms of b lists of tensors, shape (b,), without squares that vanish."""
    torch = sys.modules["torch"]
    flat = [part.reshape(len(part), -1) for part in parts]
    largest = torch.stack([part.abs().amax(1) for part in flat]).amax(0)
    scale = torch.where(largest > 0, largest, 1)
    squares = sum((part / scale[:, None]).square().sum(1) for part in flat)
    return largest * squares.sqrt()
