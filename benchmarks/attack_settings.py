"""The models and data on which attacks are compared: tables, images, a forecast."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "examples" / "tabular"), str(ROOT / "examples" / "images")]


@dataclass(frozen=True, repr=False)
class Setting:
    """A recipe and a pool of records.

    Attributes
    ----------
    title : str
        What it is, for the table.
    trainer : callable
        ``(X, y, seed) -> model``.
    X, y : array or frame
        The pool.
    regression : bool
        Whether the models predict numbers.
    extras : dict
        Further arguments of the target.
    """

    title: str
    trainer: Callable[..., Any]
    X: Any
    y: Any
    regression: bool = False
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def classes(self):
        """Give the classes, None of a regressor."""
        return None if self.regression else tuple(np.unique(np.asarray(self.y)).tolist())


def flchain():
    """Load the cohort of the tabular example, 7,874 people."""
    import mortality
    import pandas as pd

    cohort = mortality.load_cohort()
    return tuple(
        pd.concat(parts).sort_index() for parts in zip(cohort.train, cohort.holdout, strict=True)
    )


def forest():
    """Give trees grown until every leaf is pure."""
    import mortality
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    from pytest_leakpro.targets.trainers import CloneTrainer

    X, y = flchain()
    estimator = make_pipeline(mortality.prepare(), RandomForestClassifier(100))
    return Setting("forest of 100 trees on flchain", CloneTrainer(estimator), X, y)


def mlp():
    """Give a torch network, trained for far too long."""
    import mortality
    from torch import nn

    from pytest_leakpro import TorchTrainer

    X, y = flchain()
    X = np.asarray(mortality.prepare().fit_transform(X), dtype=np.float32)
    trainer = TorchTrainer(
        module=lambda: nn.Sequential(nn.Linear(X.shape[1], 128), nn.ReLU(), nn.Linear(128, 2)),
        lr=3e-3,
        epochs=60,
        batch_size=128,
    )
    return Setting("MLP on flchain, 60 epochs", trainer, X, y.to_numpy())


def cnn():
    """Give the network of the images example, overfitted."""
    import digits

    X, y = digits.load()
    return Setting("CNN on 5,000 MNIST digits", digits.recipe(digits.OVERFITTED_EPOCHS), X, y)


def forecast():
    """Give simulated series of persons, and a network that learned them by heart."""
    import forecast_data

    trainer, X, y = forecast_data.forecast(5000)
    return Setting("forecast of 5,000 simulated persons' series", trainer, X, y, regression=True)


def days():
    """Give days of power demand, of which a network predicts the afternoon from the morning."""
    import forecast_data

    found = forecast_data.days()
    if found is None:
        raise SystemExit("days needs a package that ships them: pip install aeon --no-deps")
    X, y = found
    trainer = forecast_data.trainer(X.shape[1], horizons=y.shape[1])
    return Setting("forecast of 1,096 days of power demand", trainer, X, y, regression=True)


SETTINGS = {"forest": forest, "mlp": mlp, "cnn": cnn, "forecast": forecast, "days": days}
