"""Active ascent: the model is pushed off the records in question, and who owns them pulls back.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.containers import concatenate, take
from pytest_leakpro.targets.federated_rounds import FederatedRounds
from pytest_leakpro.targets.gradients import loss_kind
from pytest_leakpro.targets.rounds_view import RoundsView
from pytest_leakpro.targets.torch_ascent import ascended

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["ActiveAscent"]


@dataclass(frozen=True)
class ActiveAscent(MembershipAttack):
    """Score a record by its loss in rounds that begin with gradient ascent on it.

    Ascent undoes what was learned of the records in question. In the round that follows a client
    that has one among its records brings its loss down again, of others only what they have in
    common comes back. Records are divided at random into groups, members and non-members alike;
    for each group some rounds are continued, each from a model that has climbed on the whole group.
    The score is the log-odds of the true class after these rounds, on average, less that before.

    Parameters
    ----------
    groups : int
        Into how many parts the records, or persons, are divided, at least 2.
    rounds : int
        How many rounds are continued for each group, at least 1; ``groups * rounds`` in all.
    rise : float
        By how much the mean loss of the group is raised before each round, in nats; positive.
    step : float
        Length of one step of the ascent, as a share of the length of the weights; positive.
    most_steps : int
        After how many steps it ends at the latest.

    References
    ----------
    Nasr, Shokri and Houmansadr (2019), Comprehensive privacy analysis of deep learning, IEEE S&P,
    the active attack by gradient ascent, there on one record at a time.
    """

    name: ClassVar[str] = "active_ascent"
    targets: ClassVar[tuple[type, ...]] = (FederatedRounds,)
    access: ClassVar[Access] = Access.WHITE_BOX
    needs_also: ClassVar[str] = "a round to continue"
    rank: ClassVar[int] = -1

    groups: int = 4
    rounds: int = 2
    rise: float = 1.0
    step: float = 0.01
    most_steps: int = 100

    def __post_init__(self) -> None:
        for option, least in (("groups", 2), ("rounds", 1), ("most_steps", 1)):
            value = getattr(self, option)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise LeakproError(
                    f"{self.name}: {option} is a whole number of at least {least}, not {value!r}"
                )
        for option in ("rise", "step"):
            value = getattr(self, option)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and math.isfinite(value) and value > 0):
                raise LeakproError(f"{self.name}: {option} is a positive number, not {value!r}")

    def mismatch(self, target: Any) -> str | None:
        """Refuse who does not manipulate; see `Attack.mismatch`."""
        reason = super().mismatch(target)
        if reason is None and target.continue_round is None:
            reason = (
                "it manipulates a model and watches the next round: give behaviour='malicious' and "
                "continue_round="
            )
        return reason

    def score(
        self, view: MembershipView, rng: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give what the log-odds have come to; see `MembershipAttack.score`."""
        assert isinstance(view, RoundsView)
        sides = [view.records("members"), view.records("nonmembers")]
        n_members = len(sides[0])
        inputs = concatenate([records.inputs for records in sides])
        labels = np.concatenate([records.labels for records in sides])
        output = loss_kind(view.model, view.asking, sides[0])
        seeds = rng.integers(2**31, size=(self.groups, self.rounds))
        group = np.concatenate(self._divided(view, int(rng.integers(2**31))))
        before = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
        after = np.zeros(len(labels))
        for number in range(self.groups):
            mine = np.flatnonzero(group == number)
            if not len(mine):  # fewer records than groups
                continue
            records = take(inputs, mine), labels[mine]
            model = copy.deepcopy(view.model)
            for seed in seeds[number]:
                model, steps = ascended(
                    model, *records, output, rise=self.rise, step=self.step, most=self.most_steps
                )
                view.charge(steps * len(mine), counted=False)
                model = view.continued(model, int(seed))
                after[mine] += self._log_odds(view, model, mine, n_members) / self.rounds
        scores = after - before
        return scores[:n_members], scores[n_members:]

    def _divided(self, view: MembershipView, seed: int) -> list[NDArray[np.intp]]:
        """Deal the units of both sides out to the groups in the same way."""
        dealt = []
        for side in ("members", "nonmembers"):
            units = view.unit_codes(side)
            order = np.random.default_rng(seed).permutation(int(units.max()) + 1)
            dealt.append((order % self.groups)[units])
        return dealt

    def _log_odds(
        self, view: RoundsView, model: Any, rows: NDArray[np.intp], n_members: int
    ) -> NDArray[np.float64]:
        """Ask a model about some of the members and then some of the non-members."""
        parts = []
        for side, mine in (
            ("members", rows[rows < n_members]),
            ("nonmembers", rows[rows >= n_members] - n_members),
        ):
            records = view.records(side)
            if len(mine):
                parts.append(view.asked_of(model, records, mine))
        return np.concatenate(parts)
