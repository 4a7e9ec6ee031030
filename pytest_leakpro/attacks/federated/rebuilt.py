"""What an attack rebuilt of one batch.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Rebuilt"]


@dataclass(frozen=True, repr=False, eq=False)
class Rebuilt:
    """Records or labels as an attack believes them to be, in no order.

    Attributes
    ----------
    inputs : tensor of shape (m, ...) or None
        At most as many as the update is of; None where only labels were sought, or nothing found.
    labels : tensor of shape (m,) or None
        Likewise.
    cut : bool
        Whether a time budget ended the search before its end.
    remark : str
        What must be known of it, such as that the client refused; empty for nothing.
    """

    inputs: Any | None = None
    labels: Any | None = None
    cut: bool = False
    remark: str = ""

    def __repr__(self) -> str:
        shape = None if self.inputs is None else tuple(self.inputs.shape)
        return f"Rebuilt(inputs={shape}, cut={self.cut})"
