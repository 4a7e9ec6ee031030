"""When the time that the user gave to a session is over.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from pytest_leakpro.gate.duration import read_duration
from pytest_leakpro.gate.errors import LeakproError

__all__ = ["Deadline", "OutOfTimeError"]


@dataclass(frozen=True)
class Deadline:
    """The end of a time budget.

    What has not been trained by then is not trained; what is under way is finished.

    Attributes
    ----------
    at : float
        On the monotonic clock, in seconds.
    budget : str
        As the user wrote it, for messages.
    """

    at: float
    budget: str

    @classmethod
    def after(cls, budget: str) -> Deadline:
        """Give the end of a budget that begins now, such as ``"10m"``.

        Raises
        ------
        LeakproError
            Where it is no length of time, or none at all.
        """
        seconds = read_duration(budget, "the time budget", "10m")
        if seconds == 0:
            raise LeakproError("the time budget is 0: nothing can be measured in no time")
        return cls(monotonic() + seconds, budget.strip())

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return monotonic() >= self.at


class OutOfTimeError(LeakproError):
    """The time budget ended before the shadow models were trained.

    Parameters
    ----------
    deadline : Deadline
        Whose it is.
    finished, wanted : int
        How many shadow models there are, and how many there were to be.
    kept : bool
        Whether those that are finished are in a cache.
    noun : str
        What one of them is called.
    """

    def __init__(
        self,
        deadline: Deadline,
        finished: int,
        wanted: int,
        *,
        kept: bool,
        noun: str = "shadow model",
    ) -> None:
        self.finished, self.kept = finished, kept
        again = "; the next run goes on from there" if kept and finished else ""
        super().__init__(
            f"the time budget of {deadline.budget} ended after {finished} of {wanted} "
            f"{noun}s{again}"
        )
