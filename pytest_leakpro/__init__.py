"""Privacy regression testing for pytest: fail the build when a model leaks its training records.

Everything public is imported from here, on first use: importing the package costs nothing.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.comparing import compare
    from pytest_leakpro.auditing.comparison import Comparison
    from pytest_leakpro.auditing.conductor import assert_leakage_below, audit
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.canary_scores import CanaryScores
    from pytest_leakpro.gate.counts import Counts
    from pytest_leakpro.gate.errors import (
        InconclusiveError,
        LeakageError,
        LeakproError,
        PytestLeakproWarning,
    )
    from pytest_leakpro.gate.evidence import MembershipScores
    from pytest_leakpro.gate.exposures import Exposures
    from pytest_leakpro.gate.guesses import Guesses
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.gate.planner import required_sizes
    from pytest_leakpro.gate.reconstructions import Reconstructions
    from pytest_leakpro.gate.verdict import Verdict
    from pytest_leakpro.mechanisms.assertion import assert_dp
    from pytest_leakpro.targets.canaries import Canaries
    from pytest_leakpro.targets.classifier import Classifier
    from pytest_leakpro.targets.federated_rounds import FederatedRounds
    from pytest_leakpro.targets.federated_update import FederatedUpdate
    from pytest_leakpro.targets.language_model import LanguageModel
    from pytest_leakpro.targets.recipe import Recipe
    from pytest_leakpro.targets.regressor import Regressor
    from pytest_leakpro.targets.shadow_signals import ShadowSignals
    from pytest_leakpro.targets.synthetic_data import SyntheticData
    from pytest_leakpro.targets.torch_trainer import TorchTrainer

_HOMES = {
    "Attack": "pytest_leakpro.attacks.base",
    "Audit": "pytest_leakpro.auditing.outcome",
    "Budget": "pytest_leakpro.gate.budget",
    "Canaries": "pytest_leakpro.targets.canaries",
    "CanaryScores": "pytest_leakpro.gate.canary_scores",
    "Comparison": "pytest_leakpro.auditing.comparison",
    "Classifier": "pytest_leakpro.targets.classifier",
    "Counts": "pytest_leakpro.gate.counts",
    "Exposures": "pytest_leakpro.gate.exposures",
    "FederatedRounds": "pytest_leakpro.targets.federated_rounds",
    "FederatedUpdate": "pytest_leakpro.targets.federated_update",
    "Guesses": "pytest_leakpro.gate.guesses",
    "InconclusiveError": "pytest_leakpro.gate.errors",
    "LanguageModel": "pytest_leakpro.targets.language_model",
    "LeakageError": "pytest_leakpro.gate.errors",
    "LeakproError": "pytest_leakpro.gate.errors",
    "Measurement": "pytest_leakpro.gate.measurement",
    "MembershipScores": "pytest_leakpro.gate.evidence",
    "PytestLeakproWarning": "pytest_leakpro.gate.errors",
    "Recipe": "pytest_leakpro.targets.recipe",
    "Reconstructions": "pytest_leakpro.gate.reconstructions",
    "Regressor": "pytest_leakpro.targets.regressor",
    "ShadowSignals": "pytest_leakpro.targets.shadow_signals",
    "SyntheticData": "pytest_leakpro.targets.synthetic_data",
    "TorchTrainer": "pytest_leakpro.targets.torch_trainer",
    "Verdict": "pytest_leakpro.gate.verdict",
    "assert_dp": "pytest_leakpro.mechanisms.assertion",
    "assert_leakage_below": "pytest_leakpro.auditing.conductor",
    "audit": "pytest_leakpro.auditing.conductor",
    "compare": "pytest_leakpro.auditing.comparing",
    "required_sizes": "pytest_leakpro.gate.planner",
}

__version__ = "0.1.0"

__all__ = [
    "Attack",
    "Audit",
    "Budget",
    "Canaries",
    "CanaryScores",
    "Classifier",
    "Comparison",
    "Counts",
    "Exposures",
    "FederatedRounds",
    "FederatedUpdate",
    "Guesses",
    "InconclusiveError",
    "LanguageModel",
    "LeakageError",
    "LeakproError",
    "Measurement",
    "MembershipScores",
    "PytestLeakproWarning",
    "Recipe",
    "Reconstructions",
    "Regressor",
    "ShadowSignals",
    "SyntheticData",
    "TorchTrainer",
    "Verdict",
    "assert_dp",
    "assert_leakage_below",
    "audit",
    "compare",
    "required_sizes",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
