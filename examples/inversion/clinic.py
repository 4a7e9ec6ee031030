"""Models that tell who dies, from a blood test: what they are trained on, and how.

The data are 6,524 people of a study of serum free light chain (Dispenzieri et al. 2012), which
scikit-survival ships: all whose creatinine was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sksurv.datasets import load_flchain

NUMBERS = ["age", "creatinine", "kappa", "lambda"]
SECRET = "sex"
# Twice the people whom the budget takes for a group.
LARGE = 20


@dataclass(frozen=True, repr=False)
class Patients:
    """People whose records trained the models, and people whose records did not."""

    train: tuple[pd.DataFrame, pd.Series]
    holdout: tuple[pd.DataFrame, pd.Series]


def load_patients() -> Patients:
    """Load the study, all columns as numbers, and split it in two halves of 3,262 people."""
    people, outcome = load_flchain()
    X = people[NUMBERS].assign(
        mgus=(people["mgus"] == "yes").astype(float), sex=(people["sex"] == "F").astype(float)
    )
    # Records that two people share would stand on both sides.
    X = X.dropna().drop_duplicates()
    y = pd.Series(outcome["death"].astype(int), name="death").loc[X.index]
    X_train, X_holdout, y_train, y_holdout = train_test_split(
        X, y, test_size=0.5, random_state=0, stratify=y
    )
    return Patients((X_train, y_train), (X_holdout, y_holdout))


def train_logistic_regression(patients: Patients) -> Pipeline:
    """Twelve numbers of the scaler, and seven of the model."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*patients.train)


def train_neighbours(patients: Patients) -> Pipeline:
    """The likeness of a patient to others, which takes the others along."""
    return make_pipeline(StandardScaler(), KNeighborsClassifier(25)).fit(*patients.train)


def train_boosting(patients: Patients, smallest_leaf: int) -> HistGradientBoostingClassifier:
    """Boosted trees, of whose leaves none holds fewer people."""
    model = HistGradientBoostingClassifier(
        max_iter=30, min_samples_leaf=smallest_leaf, random_state=0
    )
    return model.fit(*patients.train)
