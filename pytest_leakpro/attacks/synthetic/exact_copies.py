"""Exact copies: rows of the release that stand in the source as they are.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.synthetic.base_attack import ReleaseAttack, UnattackableError
from pytest_leakpro.gate.counts import Counts
from pytest_leakpro.targets.row_keys import row_keys

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.release_view import ReleaseView

__all__ = ["ExactCopies"]


@dataclass(frozen=True)
class ExactCopies(ReleaseAttack):
    """Count the rows of the release that are equal to one of the source.

    Columns that are unique keys do not count. Of one column, such as free text, the values that
    are not missing are compared. The same is counted against the control: so often do rows
    coincide by chance.

    References
    ----------
    Article 29 Data Protection Working Party (2014), Opinion 05/2014, section 2.2.1: a record that
    is released as it is singles its person out.
    """

    name: ClassVar[str] = "exact_copies"
    metrics: ClassVar[tuple[str, ...]] = ("exact_copies",)
    rank: ClassVar[int] = 240
    reads_texts: ClassVar[bool] = True
    at_once: ClassVar[bool] = True  # whole rows

    def columns_of(self, view: ReleaseView) -> tuple[Hashable, ...]:
        """Give the columns of free text; see `ReleaseAttack.columns_of`."""
        return () if view.is_text else view.roles.texts

    def run(
        self,
        view: ReleaseView,
        rng: np.random.Generator,  # noqa: ARG002 - a census draws nothing
        column: Hashable | None = None,
    ) -> Counts:
        """Count rows of the release, or values of one column; see `ReleaseAttack.run`."""
        wanted = [*view.roles.usable, *view.roles.texts] if column is None else [column]
        frames = [
            view.released[wanted],
            view.records("members").inputs[wanted],
            view.records("nonmembers").inputs[wanted],
        ]
        if column is not None:
            frames = [frame.dropna() for frame in frames]
        if not len(frames[0]):
            raise UnattackableError(f"there is no text in {str(column)!r} of the release")
        found, outside = _copied(frames)
        return Counts(
            found=int(found.sum()),
            of=len(found),
            control_found=int(outside.sum()),
            control_of=len(found),
            name=self.name,
        )


def _copied(frames: Sequence[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the rows of the first frame that stand in the second, and in the third."""
    keys = iter(row_keys([frame for frame in frames if len(frame)]))
    released, source, control = (next(keys) if len(frame) else [] for frame in frames)
    return tuple(  # type: ignore[return-value]
        np.fromiter((key in known for key in released), dtype=bool, count=len(released))
        for known in (set(source), set(control))
    )
