"""People whose data are to be shared as synthetic data: 7,874 residents of Olmsted County.

Nine columns of a study of serum free light chain (Dispenzieri et al. 2012), which scikit-survival
ships: blood values, one of them often not taken, and for those who died the cause of death.
"""

from dataclasses import dataclass

import pandas as pd
from sklearn.model_selection import train_test_split
from sksurv.datasets import load_flchain

# What two others may know of a person, the registry office and who tested the blood; and what who
# knows all else would like to learn.
REGISTRY = ["age", "sex", "chapter", "sample.yr"]
LABORATORY = ["creatinine", "kappa", "lambda", "flc.grp", "mgus"]
SECRET = "creatinine"
KNOWN = [name for name in REGISTRY + LABORATORY if name != SECRET]


@dataclass(frozen=True, repr=False)
class Cohort:
    """People whose records the generators learn from, and people whose records they never see."""

    source: pd.DataFrame
    holdout: pd.DataFrame


def load_cohort() -> Cohort:
    """Load the study and split it in two halves of 3,937 people."""
    people, _ = load_flchain()
    source, holdout = train_test_split(people, test_size=0.5, random_state=0)
    return Cohort(source.reset_index(drop=True), holdout.reset_index(drop=True))
