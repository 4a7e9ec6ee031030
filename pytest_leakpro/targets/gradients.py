"""The reading of attackers who see weights: how each record pulls at them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.gradient_statistics import count_groups
from pytest_leakpro.targets.model_adapter import model_name
from pytest_leakpro.targets.model_reader import final_model
from pytest_leakpro.targets.reading import ClassReader
from pytest_leakpro.targets.readings import Reading
from pytest_leakpro.targets.scoring import score
from pytest_leakpro.targets.sklearn_gradients import (
    SKLEARN_WITH_GRADIENTS,
    estimator_layers,
    estimator_statistics,
)
from pytest_leakpro.targets.torch_gradients import module_layers, module_statistics
from pytest_leakpro.targets.torch_model import TorchModel, is_module

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.model_reader import ModelReader
    from pytest_leakpro.targets.records import Records

__all__ = ["GradientReading", "gradient_reading", "gradients_lacking", "loss_kind"]

_BESIDE_GROUPS = 5


def gradients_lacking(model: Any) -> str | None:
    """Say why no gradients can be had of a model; None where they can.

    Parameters
    ----------
    model : object
        A fitted model, or a list of its checkpoints.
    """
    model = final_model(model)
    if is_module(model):
        return None if module_layers(model) else "the module has no weights"
    if estimator_layers(model) is not None:
        return None
    known = ", ".join(SKLEARN_WITH_GRADIENTS)
    return (
        f"{model_name(model)} gives no gradients: of torch modules and of scikit-learn's {known} "
        "they can be had"
    )


@dataclass(frozen=True)
class GradientReading(Reading):
    """Reads norms of the gradient of each record's loss by the weights.

    Attributes
    ----------
    groups : int
        Into how many groups the layers are divided, each with a norm of its own.

    References
    ----------
    Nasr, Shokri and Houmansadr (2019), Comprehensive privacy analysis of deep learning, IEEE S&P,
    section III.A.
    """

    name: ClassVar[str] = "gradients"

    groups: int

    @property
    def width(self) -> int:
        """Euclidean, sum and maximum; groups where there are several; outputs; last over these."""
        return _BESIDE_GROUPS + (self.groups if self.groups > 1 else 0)

    def read(self, model: Any, reader: ModelReader, records: Records) -> NDArray[np.float64]:
        """Read a model; see `Reading.read` and `gradient_statistics.statistics`.

        Raises
        ------
        LeakproError
            Where the attacker does not see weights, or the model has none, or other layers than the
            target.
        """
        if not reader.weights:
            raise LeakproError(
                "gradients follow from the model's weights, which this attacker does not see: say "
                "access='white-box'"
            )
        model = final_model(model)
        layers = module_layers(model) if is_module(model) else estimator_layers(model)
        if not layers:
            raise LeakproError(
                f"{gradients_lacking(model)}; let train= return a model of the target's kind"
            )
        if count_groups(layers) != self.groups:
            raise LeakproError(
                f"the model has {count_groups(layers)} groups of layers and the target "
                f"{self.groups}: shadow models must be built as the target is"
            )
        if reader.meter is not None:
            reader.meter.queries += len(records)
        labels, size = records.labels, reader.batch_size
        if not is_module(model):
            return estimator_statistics(model, records.inputs, labels, reader.classes, size)
        output = loss_kind(model, reader, records)
        return module_statistics(model, records.inputs, labels, output, size)


def loss_kind(model: Any, reader: ModelReader, records: Records) -> str:
    """Say what a torch module returns: ``"logits"``, ``"probabilities"`` or ``"predictions"``."""
    output = "predictions" if reader.regression else reader.output
    if output is None:
        values = score(TorchModel(model), records, reader.batch_size)
        output, _ = ClassReader(reader.classes, None).tell({records.side: values})
    return output


def gradient_reading(model: Any) -> GradientReading:
    """Give the reading for models that are built as this one, of which gradients can be had."""
    model = final_model(model)
    layers = module_layers(model) if is_module(model) else estimator_layers(model)
    return GradientReading(count_groups(layers or []))
