"""Forecasts to attack: series of many persons, and a network that learns them by heart.

`persons` is simulated, since no package that is installed here ships a panel of series of enough
persons. `days` is real: the power demand of Italy on 1,096 days, hour by hour (Keogh et al., UCR
archive), which the packages aeon and sktime ship; ``pip install aeon --no-deps`` is enough.
"""

import importlib.util
from pathlib import Path

import numpy as np

LAGS, HORIZONS, SEASON = 24, 12, 6


def persons(n=3000, seed=0):
    """Simulate n persons: level, season and AR(2) noise of their own; 24 values, then 12 to come.

    Returns X of shape (n, 24) and y of shape (n, 12), float32, in units of the population's
    standard deviation.
    """
    rng = np.random.default_rng(seed)
    length = LAGS + HORIZONS
    burn = 50
    level, slope = rng.normal(0, 1, (n, 1)), rng.normal(0, 0.02, (n, 1))
    strength, phase = rng.gamma(2, 0.4, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
    scale = rng.lognormal(-0.7, 0.5, (n, 1))
    noise = np.zeros((n, burn + length))
    shocks = rng.normal(size=noise.shape)
    for t in range(2, burn + length):
        noise[:, t] = 0.6 * noise[:, t - 1] - 0.2 * noise[:, t - 2] + shocks[:, t]
    t = np.arange(length)
    series = level + slope * t + strength * np.sin(2 * np.pi * t / SEASON + phase)
    series = series + scale * noise[:, burn:]
    series = ((series - series.mean()) / series.std()).astype(np.float32)
    return series[:, :LAGS], series[:, LAGS:]


def days():
    """Give the real data: X of shape (1096, 12), the mornings, and y, the afternoons; or None."""
    for package in ("aeon", "sktime"):
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            continue
        folder = Path(found.origin).parent / "datasets" / "data" / "ItalyPowerDemand"
        lines = [
            line
            for part in ("TRAIN", "TEST")
            for line in (folder / f"ItalyPowerDemand_{part}.ts").read_text().splitlines()
            if line and line[0] not in "#@"
        ]
        series = np.array([line.split(":")[0].split(",") for line in lines], dtype=np.float32)
        return series[:, :12], series[:, 12:]
    return None


def trainer(lags=LAGS, epochs=200, horizons=HORIZONS):
    """Give the recipe: a network of two layers of 128, trained without any brake."""
    from torch import nn

    from pytest_leakpro import TorchTrainer

    def module():
        return nn.Sequential(
            nn.Linear(lags, 128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, horizons),
        )

    return TorchTrainer(module=module, loss="mse", epochs=epochs, batch_size=64)


def forecast(n=3000, seed=0):
    """Give the trainer and the data of the simulated forecast: (trainer, X, y)."""
    return (trainer(), *persons(n, seed))
