"""``stored_records``: how many training records stand in the model itself.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pytest_leakpro.gate.metrics.base import Nouns
from pytest_leakpro.gate.metrics.counted_share import CountedShare

if TYPE_CHECKING:
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["ARTEFACT", "StoredRecords"]

ARTEFACT = Nouns(
    "model",
    "members",
    "",
    "members",
    "between trainings",
    counted="this model",
)


class StoredRecords(CountedShare):
    """The share of the members that can be read off the fitted object: a census of this model.

    References
    ----------
    European Data Protection Board (2024), Opinion 28/2024 on certain data protection aspects
    related to the processing of personal data in the context of AI models, section 3.2: a model
    from which personal data can be obtained directly is personal data.
    """

    name: ClassVar[str] = "stored_records"
    concern: ClassVar[Concern] = "reconstruction"
    nouns: ClassVar[Nouns] = ARTEFACT
    fault: ClassVar[str] = "stores training records"
    remedy: ClassVar[str] = (
        "release a kind of model that keeps no records (no k-NN, kernel machine or Gaussian "
        "process), or strip what is not needed to predict"
    )
    meaning: ClassVar[str] = "members whose record, or an id of theirs, stands in the fitted object"
