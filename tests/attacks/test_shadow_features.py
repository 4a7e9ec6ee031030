"""The columns of the learned attack against their formulas, one record at a time."""

import math

import numpy as np
import pytest

from pytest_leakpro.attacks.membership.playing import others
from pytest_leakpro.attacks.membership.shadow_features import ShadowFeatures
from pytest_leakpro.shadow.assignment import Assignment
from pytest_leakpro.stats import signal_laws
from pytest_leakpro.stats.likelihood_ratio import lira_online
from pytest_leakpro.store import scratch


def drawn(seed=0, n_models=10, n=40, *, errors=False):
    rng = np.random.default_rng(seed)
    included = np.stack(Assignment(n, n_models, n_models // 2, seed))
    shadow = rng.normal(0, 2, n) + included + rng.normal(size=(n_models, n))
    target = np.clip(rng.normal(0, 2, n), shadow.min(), shadow.max())
    if errors:
        shadow, target = -(shadow**2), -(target**2)
    return target, shadow, included, np.arange(n) % 3


def plainly(values, own, inside):
    """Ten numbers of one record and one signal, in the order of the columns, but for ratios."""
    seen = [v for v, i in zip(values, inside, strict=True) if i]
    unseen = [v for v, i in zip(values, inside, strict=True) if not i]
    numbers = [own]
    for side in (unseen, seen):
        mean = sum(side) / len(side)
        spread = math.sqrt(sum((v - mean) ** 2 for v in side) / (len(side) - 1))
        numbers += [mean, spread, own - mean]
    return numbers


@pytest.mark.parametrize("errors", [False, True])
def test_columns_are_what_they_are_said_to_be(errors):
    target, shadow, included, classes = drawn(errors=errors)
    features = ShadowFeatures(shadow, regression=errors)
    found = features.read(target, shadow, included, classes, 3)
    signals, inside = others(shadow, included, 3)
    readers = [lambda x: x, lambda x: 1 / (1 + np.exp(-x))]
    if errors:
        readers = [lambda x: x, lambda x: -np.log(-x)]
    for start, read in zip((0, 10), readers, strict=True):
        unit = signal_laws.unit_of(float(max(np.abs(read(np.array([shadow.min(), shadow.max()]))))))
        for record in range(len(target)):
            plain = plainly(read(signals[:, record]), read(target[record]), inside[:, record])
            assert found[record, start : start + 7] == pytest.approx(
                np.array(plain) * unit, rel=1e-4, abs=1e-5
            )
        for offset, variance in enumerate(("moderated", "per-example", "global")):
            ratio = lira_online(read(signals), inside, read(target), variance)
            assert found[:, start + 7 + offset] == pytest.approx(ratio, rel=1e-3, abs=1e-3)
    if not errors:
        p = 1 / (1 + np.exp(-signals))
        means = [np.where(kind, p, 0).sum(axis=0) / kind.sum(axis=0) for kind in (inside, ~inside)]
        ratio = np.log(1 / (1 + np.exp(-target)) / np.mean(means, axis=0))
        assert found[:, 20] == pytest.approx(ratio, rel=1e-4, abs=1e-5)
    assert np.array_equal(found[:, -1], classes)
    assert found.shape == (len(target), features.n_features)


def test_blocks_and_files_change_nothing(monkeypatch):
    target, shadow, included, classes = drawn()
    features = ShadowFeatures(shadow, regression=False)
    usual = features.read(target, shadow, included, classes, 1)
    monkeypatch.setattr(scratch, "_SMALL", 0)
    monkeypatch.setattr(signal_laws, "_BLOCK", 70)
    again = features.read(target, shadow, included, classes, 1)
    assert isinstance(again, np.memmap)
    assert np.array_equal(usual, again)


@pytest.mark.parametrize("errors", [False, True])
def test_whatever_is_finite_stays_finite(errors):
    target, shadow, included, classes = drawn(errors=errors)
    sign = -1.0 if errors else 1.0
    for extreme in (0.0, 1e-300, 690.0, 1e300):
        shadow[:, :5] = sign * extreme
        target[:10] = sign * np.geomspace(1e-300, 1e300, 10)
        features = ShadowFeatures(shadow, regression=errors)
        assert np.isfinite(features.read(target, shadow, included, classes, 0)).all()
