"""How other models of a target's recipe are read: small enough to travel to a worker.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.adapters import adapt_classifier, adapt_regressor
from pytest_leakpro.targets.reading import ClassReader, RegressionReader
from pytest_leakpro.targets.scoring import score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.records import Records

__all__ = ["ModelReader"]

# Log-odds of a class that a model never saw: it gives it no probability at all.
_NEVER_SEEN = -690.0


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
    """

    classes: tuple[Any, ...] | None = None
    output: str | None = None
    batch_size: int | None = None
    regression: bool = False

    def negative_loss(self, model: Any, records: Records) -> NDArray[np.float64]:
        """Ask a model about records.

        Parameters
        ----------
        model : estimator, torch.nn.Module or callable
            A fitted model.
        records : Records
            n records.

        Returns
        -------
        ndarray of float64, shape (n,)
            Log-odds of the true class, or minus the squared error.

        Raises
        ------
        LeakproError
            Where it is no model, or does not score records as the target does.
        """
        if self.regression:
            values = score(adapt_regressor(model), records, self.batch_size)
            return RegressionReader().signals(records, values, "predictions").negative_loss
        adapter = adapt_classifier(model, self.output)
        known = adapter.classes if adapter.classes is not None else self.classes
        present = np.ones(len(records), dtype=bool)
        if self.classes is not None and known is not None and known != self.classes:
            unknown = set(known) - set(self.classes)
            if unknown:
                raise LeakproError(
                    f"the model knows {len(unknown)} classes that the target does not"
                )
            # A shadow model's records may lack a rare class, and so do its columns.
            column = {label: place for place, label in enumerate(known)}
            places = np.array([column.get(label, -1) for label in self.classes])
            codes = places[records.labels]
            present = codes >= 0
            records = records.relabelled(np.where(present, codes, 0))
        values = score(adapter, records, self.batch_size)
        reader = ClassReader(known, adapter.output or self.output, pairwise=adapter.pairwise)
        output = reader.output or reader.tell({records.side: values})[0]
        signals = reader.signals(records, values, output).negative_loss
        return np.where(present, signals, _NEVER_SEEN)
