"""How long a search has gone on, and what those who wait are told of it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Watch"]

_SILENCE = 5.0


@dataclass(eq=False)
class Watch:
    """Looks at the clock: ends a search that is out of time, and tells how far it is.

    Attributes
    ----------
    seconds : float or None
        The budget, from now on; None for none, so that a result never depends on how fast the
        machine is.
    say : callable
        ``say(text)``.
    cut : bool
        Whether a search was ended.
    """

    seconds: float | None
    say: Callable[[str], None]
    cut: bool = False
    _began: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)

    def out_of_time(self) -> bool:
        """Tell whether the budget is used up, and remember it."""
        if self.seconds is not None and time.monotonic() - self._began >= self.seconds:
            self.cut = True
        return self.cut

    def tell(self, text: str) -> None:
        """Tell how far a search is, where nothing was said for a while."""
        now = time.monotonic()
        if now - self._said >= _SILENCE:
            self._said = now
            self.say(text)

    def over(self, text: str) -> bool:
        """Tell how far a search is, and whether the budget is used up."""
        self.tell(text)
        return self.out_of_time()
