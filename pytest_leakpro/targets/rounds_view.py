"""What membership attacks on the rounds of a federated training work on.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import take
from pytest_leakpro.targets.membership_view import MembershipView, Sight
from pytest_leakpro.targets.readings import read_further
from pytest_leakpro.targets.torch_model import is_module
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.readings import Reading
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.round_updates import Moves

__all__ = ["RoundsSight", "RoundsView"]


@dataclass(frozen=True, repr=False, eq=False)
class RoundsSight(Sight):
    """What a participant of a federated training sees and knows.

    Attributes
    ----------
    own : Records or None
        Records that the participant contributed.
    updates : tuple
        Per round by how much the audited client would move each weight, None where it had no part;
        empty for who does not see that.
    deltas : bool
        Whether these are whole steps to the client's own model, rather than gradients.
    continue_round : callable or None
        ``(model, seed) -> model``, for who manipulates.
    """

    own: Records | None = None
    updates: tuple[Moves | None, ...] = ()
    deltas: bool = False
    continue_round: Callable[[Any, int], Any] | None = None


class RoundsView(MembershipView):
    """Members and non-members as a participant of a federated training sees them."""

    _sight: RoundsSight

    @property
    def own(self) -> Records | None:
        """Records that the participant contributed: members by its own knowledge."""
        return self._sight.own

    @property
    def updates(self) -> tuple[Moves | None, ...]:
        """Per round what the audited client sent; see `RoundsSight`."""
        return self._sight.updates

    @property
    def deltas(self) -> bool:
        """Whether updates lead to the client's own models."""
        return self._sight.deltas

    def read(
        self, reading: Reading, models: Sequence[Any], sides: Iterable[Records]
    ) -> NDArray[np.float64]:
        """Read models on any records, which counts as queries; see `read_further`.

        Parameters
        ----------
        reading : Reading
            Of checkpoints.
        models : sequence
            The models, instead of the checkpoints.
        sides : iterable of Records

        Returns
        -------
        ndarray of shape (q, n)
        """
        before = self._meter.queries
        reader = replace(self.asking, meter=self._meter)
        values = read_further(reading, list(models), reader, sides)
        self.charge(self._meter.queries - before)
        return values

    def asked_of(
        self, model: Any, records: Records, positions: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Ask another model about some of a side's records; see `ModelReader.negative_loss`.

        Parameters
        ----------
        model : object
        records : Records
        positions : ndarray of int, shape (k,)
            Which of them.

        Returns
        -------
        ndarray of shape (k,)
        """
        some = replace(
            records,
            inputs=take(records.inputs, positions),
            labels=records.labels[positions],
            y=take(records.y, positions),
            positions=records.positions[positions],
            units=record_units(len(positions)),
        )
        self.charge(len(positions))
        return replace(self.asking, meter=self._meter).negative_loss(model, some)

    def charge(self, queries: int, *, counted: bool = True) -> None:
        """Count records that an attack has asked about.

        Parameters
        ----------
        queries : int
        counted : bool
            Whether the meter has counted them already.
        """
        self._charges["asked"] = self._charges.get("asked", 0) + queries
        if not counted:
            self._meter.queries += queries

    def continued(self, model: Any, seed: int) -> Any:
        """Run an honest round of the other participants from a model.

        Parameters
        ----------
        model : torch.nn.Module
            The manipulated global model; it is left as it is.
        seed : int

        Returns
        -------
        torch.nn.Module
            The global model after the round.

        Raises
        ------
        LeakproError
            Where the user's function returns no such module, or one with other or infinite weights.
        """
        assert self._sight.continue_round is not None
        torch = sys.modules["torch"]
        after = self._sight.continue_round(copy.deepcopy(model), seed)
        if not is_module(after):
            raise LeakproError(
                f"continue_round returned a {type(after).__name__}: let it return the global model "
                "after the round, a torch module"
            )
        weights = dict(after.named_parameters())
        for name, before in model.named_parameters():
            if name not in weights or weights[name].shape != before.shape:
                raise LeakproError(
                    f"continue_round returned a model without the weight {name!r} of shape "
                    f"{tuple(before.shape)}: let it return a model like the one it is given"
                )
            if not bool(torch.isfinite(weights[name]).all()):
                raise LeakproError(
                    f"continue_round returned a model with NaN or infinite values in {name!r}: "
                    "the round has diverged"
                )
        return after
