"""A small model repository: who of the residents of Olmsted County dies, from a blood test.

The data are 7,874 people of a study of serum free light chain (Dispenzieri et al. 2012), which
scikit-survival ships. ``chapter``, the cause of death, is dropped: it gives the answer away.
"""

from dataclasses import dataclass

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sksurv.datasets import load_flchain

CATEGORIES = ["flc.grp", "mgus", "sex", "sample.yr"]
NUMBERS = ["age", "creatinine", "kappa", "lambda"]


@dataclass(frozen=True, repr=False)
class Cohort:
    """People whose records trained the models, and people whose records did not."""

    train: tuple[pd.DataFrame, pd.Series]
    holdout: tuple[pd.DataFrame, pd.Series]


def load_cohort() -> Cohort:
    """Load the study and split it in two halves of 3,937 people."""
    people, outcome = load_flchain()
    X = people.drop(columns="chapter")
    y = pd.Series(outcome["death"].astype(int), index=X.index, name="death")
    X_train, X_holdout, y_train, y_holdout = train_test_split(
        X, y, test_size=0.5, random_state=0, stratify=y
    )
    return Cohort((X_train, y_train), (X_holdout, y_holdout))


def prepare() -> ColumnTransformer:
    """Impute, scale and encode."""
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
        ]
    )


def train_logistic_regression(cohort: Cohort) -> Pipeline:
    """Train the model that will be released."""
    return make_pipeline(prepare(), LogisticRegression(max_iter=1000)).fit(*cohort.train)


def train_deep_forest(cohort: Cohort) -> Pipeline:
    """Train the model that was tried first: trees grown until every leaf is pure."""
    forest = RandomForestClassifier(n_estimators=100, random_state=0, n_jobs=2)
    return make_pipeline(prepare(), forest).fit(*cohort.train)
