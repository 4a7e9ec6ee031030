"""The blind classifier: tells members from non-members without the model.

What it can tell is no leakage but a difference between the two sides. An attack that reads it off
the model's outputs would pass for one that finds members.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.auditing.checks.bags_of_words import word_scores
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.catalogue import definition_of
from pytest_leakpro.gate.evidence import SMALLEST_SIDE, MembershipScores
from pytest_leakpro.gate.wording import shown
from pytest_leakpro.targets.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.auditing.checks.sample import Sample
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Metric

__all__ = ["FEWEST_UNITS", "LEVEL", "BlindReading", "BlindTest", "blind_test"]

LEVEL = 0.001
"""How often the test may find a difference where there is none."""

DIFFER = "members and non-members differ without the model"

FEWEST_UNITS = 2 * SMALLEST_SIDE
"""Of each side: each half is scored by itself."""

_BOOSTER = {
    "learning_rate": 0.1,
    "max_iter": 60,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
}
_MOST_BOOSTED = 48  # columns, since a booster's time grows with them
_LARGEST = 5.0  # standard deviations, so that a few outliers do not rule a linear score


@dataclass(frozen=True)
class BlindReading:
    """What the blind classifier reaches by one metric.

    Attributes
    ----------
    metric : MetricName
        Which.
    value, low : float
        Estimate and lower bound of the half where the bound is larger, at half the level.
    high : float
        Upper bound of both halves together.
    chance : float
        What guessing reaches.
    sides : str
        What the classifier tells, in words.
    """

    metric: MetricName
    value: float
    low: float
    high: float
    chance: float
    sides: str = DIFFER

    @property
    def beyond_chance(self) -> bool:
        """Whether the two sides differ without the model, at level 0.001."""
        return self.low > self.chance

    def __str__(self) -> str:
        unit = definition_of(self.metric).unit
        value, low, chance = (
            shown(self.value, unit),
            shown(self.low, unit, toward=-1),
            shown(self.chance, unit),
        )
        return (
            f"{self.sides}: a blind classifier reaches "
            f"{self.metric} {value} (at least {low}) where chance is {chance}"
        )


@dataclass(frozen=True)
class BlindTest:
    """Scores by classifiers that never saw the model, nor the records that they scored.

    Units are divided into two halves, members and non-members each. A classifier is fitted on one
    half and scores the other, and the other way round. Given what it was fitted on, the scores of
    a half are independent, so the gate's bounds hold for them exactly; scores of different
    classifiers are never pooled. Each half is tested at half the level: where both sides come from
    one distribution, a lower bound exceeds chance with probability of at most 0.001, whatever the
    size.

    Attributes
    ----------
    halves : tuple of MembershipScores
        One per half.
    sides : str
        What the classifiers tell where they tell anything, in words.
    """

    halves: tuple[MembershipScores, ...]
    sides: str = DIFFER
    _readings: dict[tuple[MetricName, float], BlindReading] = field(
        default_factory=dict, repr=False, compare=False
    )

    def read(self, metric: MetricName, error: float) -> BlindReading | None:
        """Read a metric of scores off both halves, or the advantage for another of both sides.

        Parameters
        ----------
        metric : MetricName
            For example ``tpr@1%fpr``.
        error : float
            That the upper bound may make, both halves together.

        Returns
        -------
        BlindReading or None
            None for a metric of other evidence still.
        """
        definition = definition_of(metric)
        if definition.two_sided:
            # What succeeds on one side more than on the other does so by at most their difference.
            metric = parse_metric("advantage")
            definition = definition_of(metric)
        if definition.evidence is not MembershipScores:
            return None
        if (metric, error) not in self._readings:
            self._readings[metric, error] = self._read(definition, metric, error)
        return self._readings[metric, error]

    def _read(self, definition: Metric, metric: MetricName, error: float) -> BlindReading:
        chance = definition.chance_level(metric)
        share = 1 / len(self.halves)
        # Ranks are chosen for the limit under test, which here is chance.
        readings = [
            definition.read(metric, half, chance, LEVEL * share, error * share)
            for half in self.halves
        ]
        best = max(readings, key=lambda reading: (reading.low, reading.value))
        high = max(reading.high for reading in readings)
        return BlindReading(metric, best.value, best.low, high, chance, self.sides)


def blind_test(sample: Sample, rng: np.random.Generator, sides: str = DIFFER) -> BlindTest:
    """Fit the blind classifiers.

    Parameters
    ----------
    sample : Sample
        With at least 20 units of each side.
    rng : numpy.random.Generator
        Divides the units.
    sides : str
        See `BlindTest`.
    """
    # Loaded here, since only threads of libraries that are loaded already are held back below.
    from sklearn.ensemble import HistGradientBoostingClassifier

    n_members, n_nonmembers = sample.sizes
    second = np.concatenate([_halved(n_members, rng), _halved(n_nonmembers, rng)])
    booster = HistGradientBoostingClassifier(**_BOOSTER, random_state=int(rng.integers(2**31)))
    columns = np.hstack([sample.inputs, sample.labels])
    is_member = sample.units < n_members
    halves = []
    with one_thread():  # for the same figures on any number of cores
        for half in (True, False):
            scored = second[sample.units] == half
            scores = _scores(columns[~scored], is_member[~scored], columns[scored], booster)
            if sample.texts is not None:
                scores += _word_scores(sample.texts, is_member, scored)
            units = sample.units[scored]
            counts = np.bincount(units, minlength=len(second))
            means = np.bincount(units, scores, len(second))[counts > 0] / counts[counts > 0]
            members = np.flatnonzero(counts) < n_members
            halves.append(MembershipScores(means[members], means[~members], name="blind"))
    return BlindTest(tuple(halves), sides)


def _word_scores(
    texts: Sequence[str], is_member: NDArray[np.bool_], scored: NDArray[np.bool_]
) -> NDArray[np.float64]:
    halves: tuple[list[int], list[int]] = (
        np.flatnonzero(~scored).tolist(),
        np.flatnonzero(scored).tolist(),
    )
    known, asked = ([texts[place] for place in half] for half in halves)
    return word_scores(known, is_member[~scored], asked)


def _halved(n: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    return np.asarray(rng.permutation(n) >= n // 2)


def _scores(
    known: NDArray[np.float64],
    is_member: NDArray[np.bool_],
    asked: NDArray[np.float64],
    booster: Any,
) -> NDArray[np.float64]:
    """Fit on records whose side is known, and give log-odds of being a member for others."""
    known, asked = _standardised(known, asked)
    if not known.shape[1]:
        return np.zeros(len(asked))
    linear = _linear(known, is_member, asked)
    chosen = _most_different(known, is_member)
    boosted = _boosted(known[:, chosen], is_member, asked[:, chosen], booster)
    return np.asarray((linear + boosted) / 2, dtype=np.float64)


def _standardised(
    known: NDArray[np.float64], asked: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with np.errstate(all="ignore"):
        present = ~np.isnan(known)
        counts = np.maximum(present.sum(axis=0), 1)
        means = np.where(present, known, 0.0).sum(axis=0) / counts
        spread = np.sqrt((np.where(present, known - means, 0.0) ** 2).sum(axis=0) / counts)
    # Where a value is missing may differ although the values do not.
    useful = (spread > 0) | ~present.all(axis=0)
    spread = np.where(spread > 0, spread, 1.0)[useful]
    shift = means[useful]
    return (
        np.asarray((known[:, useful] - shift) / spread, dtype=np.float64),
        np.asarray((asked[:, useful] - shift) / spread, dtype=np.float64),
    )


def _filled(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.nan_to_num(columns), -_LARGEST, _LARGEST)


def _linear(
    known: NDArray[np.float64], is_member: NDArray[np.bool_], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Score by ridge regression: finds what many columns hold together.

    The penalty is the best one where all columns together explain a tenth of the difference.
    """
    from scipy import linalg

    filled = _filled(known)
    centre = filled.mean(axis=0)
    filled -= centre
    side = np.where(is_member, 1.0, -1.0)
    gram = filled.T @ filled
    gram[np.diag_indices_from(gram)] += 10.0 * known.shape[1]
    weights = linalg.solve(gram, filled.T @ (side - side.mean()), assume_a="pos")
    # A side is +1 or -1, so near chance log-odds are twice its expected value.
    return np.asarray(2 * ((_filled(asked) - centre) @ weights), dtype=np.float64)


def _most_different(known: NDArray[np.float64], is_member: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Choose the columns in which the sides differ most, by mean, spread or what is missing."""
    if known.shape[1] <= _MOST_BOOSTED:
        return np.arange(known.shape[1])
    filled, strength = _filled(known), np.zeros(known.shape[1])
    for values in (filled, np.abs(filled), np.isnan(known).astype(np.float64)):
        first, second = values[is_member], values[~is_member]
        error = np.sqrt(first.var(axis=0) / len(first) + second.var(axis=0) / len(second))
        gap = np.abs(first.mean(axis=0) - second.mean(axis=0))
        strength = np.maximum(strength, gap / np.maximum(error, 1e-12))
    return np.sort(np.argsort(-strength, kind="stable")[:_MOST_BOOSTED])


def _boosted(
    known: NDArray[np.float64],
    is_member: NDArray[np.bool_],
    asked: NDArray[np.float64],
    booster: Any,
) -> NDArray[Any]:
    """Score by boosted trees: find where in single columns, or a few together, sides differ."""
    booster.fit(known, is_member)
    return np.asarray(booster.decision_function(asked), dtype=np.float64)
