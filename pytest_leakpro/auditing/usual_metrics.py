"""What is measured of a target where nobody says what.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.targets.federated_update import FederatedUpdate
from pytest_leakpro.targets.synthetic_data import SyntheticData

if TYPE_CHECKING:
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["usual_metrics"]

_OF_MODELS: tuple[str, ...] = ("tpr@0.1%fpr", "tpr@1%fpr", "auc", "advantage")
_OF_RELEASES: tuple[str, ...] = (
    "singling_out",
    "linkability",
    "inference",
    "missing_values",
    "exact_copies",
    "near_copies",
    "pii",
    "tpr@1%fpr",
    "auc",
)
_OF_UPDATES = {
    "images": ("reconstruction[psnr>=20]", "reconstruction[ssim>=0.5]", "label_recovery"),
    "table": ("reconstruction[columns>=0.9]", "label_recovery"),
    "tokens": ("reconstruction[tokens>=0.9]", "label_recovery"),
}


def usual_metrics(target: Any) -> tuple[MetricName, ...]:
    """Give the metrics that are measured of a target where there are no budgets.

    Parameters
    ----------
    target : object
        A target, evidence, or what did not become either.

    Returns
    -------
    tuple of MetricName
        Of images that clients send without the structural similarity where scikit-image is not
        installed.
    """
    names = _OF_MODELS
    if isinstance(target, SyntheticData):
        names = _OF_RELEASES
    elif isinstance(target, FederatedUpdate):
        names = _OF_UPDATES[target.form]
        if find_spec("skimage") is None:
            names = tuple(name for name in names if "ssim" not in name)
    return tuple(map(parse_metric, names))
