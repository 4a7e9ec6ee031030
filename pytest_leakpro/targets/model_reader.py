"""How models of a target's recipe are read: small enough to travel to a worker.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.adapters import adapt_classifier, adapt_regressor
from pytest_leakpro.targets.hidden_scores import HiddenScores, bare
from pytest_leakpro.targets.label_model import LabelReader, adapt_labels
from pytest_leakpro.targets.reading import ClassReader, RegressionReader
from pytest_leakpro.targets.scoring import score
from pytest_leakpro.targets.signals import ClassSignals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.hidden_scores import Guard
    from pytest_leakpro.targets.model_adapter import ModelAdapter
    from pytest_leakpro.targets.records import Records
    from pytest_leakpro.targets.signals import Signals

__all__ = ["Meter", "ModelReader", "final_model"]

# Log-odds of a class that a model never saw: it gives it no probability at all.
_NEVER_SEEN = -690.0


class Meter:
    """Counts the records that a model is asked about."""

    def __init__(self) -> None:
        self.queries = 0


@dataclass(frozen=True)
class ModelReader:
    """Reads the signals of a model that was trained by a target's recipe.

    Attributes
    ----------
    classes : tuple or None
        The target's classes in the order of its columns; None where it does not name them.
    output : {"probabilities", "logits"} or None
        What the user says that models return.
    batch_size : int or None
        At most how many records to send at once.
    regression : bool
        Whether the models predict numbers.
    labels_only : bool
        Whether nothing but predicted labels may be asked for.
    guard : Guard or None
        What hides scores before anybody sees them.
    weights : bool
        Whether the models' weights may be read, too.
    meter : Meter or None
        Counts what is asked.
    """

    classes: tuple[Any, ...] | None = None
    output: str | None = None
    batch_size: int | None = None
    regression: bool = False
    labels_only: bool = False
    guard: Guard | None = None
    # Not in the repr, which tells signals in the cache apart: the loss does not depend on it.
    weights: bool = field(default=False, repr=False)
    meter: Meter | None = field(default=None, repr=False, compare=False)

    def negative_loss(self, model: Any, records: Records) -> NDArray[np.float64]:
        """Ask a model about records.

        Parameters
        ----------
        model : estimator, torch.nn.Module or callable, or a list of its checkpoints
            A fitted model; of checkpoints the last.
        records : Records
            n records.

        Returns
        -------
        ndarray of float64, shape (n,)
            Log-odds of the true class, or minus the squared error; of labels 1 where the
            predicted one is right, else 0.

        Raises
        ------
        LeakproError
            Where it is no model, or does not score records as the target does.
        """
        return self.signals(model, records).negative_loss

    def signals(self, model: Any, records: Records) -> Signals:
        """Ask a model about records, and give all that it says; see `negative_loss`."""
        model = final_model(model)
        if self.meter is not None:
            self.meter.queries += len(records)
        if self.regression:
            values = score(adapt_regressor(model), records, self.batch_size)
            return RegressionReader().signals(records, values, "predictions")
        if self.labels_only:
            labels = adapt_labels(model, self.classes, self.output)
            self._require_known(labels.classes)
            if self.classes is not None:
                labels.classes = self.classes  # in the order of the target's
            values = score(labels, records, self.batch_size)
            return LabelReader(self.classes).signals(records, values, "labels")
        adapter = self._adapted(model)
        known = adapter.classes if adapter.classes is not None else self.classes
        fewer = self.classes is not None and known is not None and known != self.classes
        asked = records
        if fewer:
            self._require_known(known)
            asked = records.relabelled(np.zeros_like(records.labels))
        values = score(adapter, asked, self.batch_size)
        reader = ClassReader(known, adapter.output or self.output, pairwise=adapter.pairwise)
        output = reader.output or reader.tell({records.side: values})[0]
        signals = reader.signals(asked, values, output)
        if not fewer:
            return signals
        # A shadow model's records may lack a rare class, and so do its columns.
        assert self.classes is not None
        assert known is not None
        column = {label: place for place, label in enumerate(self.classes)}
        log_odds = np.full((len(records), len(self.classes)), _NEVER_SEEN)
        log_odds[:, [column[label] for label in known]] = signals.log_odds
        return ClassSignals(records.labels, log_odds)

    def _adapted(self, model: Any) -> ModelAdapter:
        """Ask a classifier, through the guard of the target where it has one."""
        if self.guard is None:
            return adapt_classifier(model, self.output)
        return HiddenScores(adapt_classifier(bare(model), self.guard.output), self.guard)

    def _require_known(self, known: tuple[Any, ...] | None) -> None:
        if self.classes is None or known is None:
            return
        unknown = set(known) - set(self.classes)
        if unknown:
            raise LeakproError(f"the model knows {len(unknown)} classes that the target does not")


def final_model(model: Any) -> Any:
    """Give the model itself, or the last of its checkpoints."""
    return model[-1] if isinstance(model, (list, tuple)) and model else model
