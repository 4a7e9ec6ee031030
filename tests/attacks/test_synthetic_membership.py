"""Membership attacks on releases: known answers on copies, on independent draws, on known laws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.attacks.synthetic.closest_record import ClosestRecord
from pytest_leakpro.attacks.synthetic.domias import Domias
from pytest_leakpro.attacks.synthetic.groundhog import Groundhog
from pytest_leakpro.attacks.synthetic.kernel_density import KernelDensity
from pytest_leakpro.attacks.synthetic.table_scores import score_release
from pytest_leakpro.shadow.generators import obtain_shadow_tables
from pytest_leakpro.stats.roc import auc, roc_points, tpr_at
from pytest_leakpro.targets.synthetic_data import SyntheticData

DENSITIES = [ClosestRecord(), KernelDensity(), Domias()]


def people(n, rng):
    return pd.DataFrame(
        {
            "age": rng.normal(50, 15, n),
            "dose": rng.exponential(3, n),
            "score": rng.normal(0, 1, n),
            "ward": rng.choice(list("ABCD"), n),
        }
    )


def prepared(source, release, control, population=None, **options):
    target = SyntheticData(source, release, control, population=population, **options)
    return target.prepare(0)


def scores(attack, view):
    return attack.score(view, np.random.default_rng(0))


def tpr(members, nonmembers, rate):
    return float(tpr_at(*roc_points(members, nonmembers), np.array([rate]))[0])


@pytest.mark.parametrize("attack", DENSITIES, ids=lambda attack: attack.name)
def test_an_exact_copy_gives_everybody_away(attack):
    rng = np.random.default_rng(1)
    source, control, population = (people(n, rng) for n in (300, 300, 200))
    members, nonmembers = scores(attack, prepared(source, source, control, population))
    assert tpr(members, nonmembers, 0.01) > 0.97
    assert auc(members, nonmembers) > 0.99


@pytest.mark.parametrize("attack", DENSITIES, ids=lambda attack: attack.name)
def test_an_independent_draw_tells_nothing(attack):
    """Members and others are exchangeable: the AUC's deviation is 0.022, and 4 of it are allowed.

    False alarms: 6e-5 each.
    """
    rng = np.random.default_rng(2)
    source, control, population, release = (people(n, rng) for n in (350, 350, 150, 400))
    members, nonmembers = scores(attack, prepared(source, release, control, population))
    assert abs(auc(members, nonmembers) - 0.5) < 0.088


@pytest.mark.parametrize("attack", DENSITIES, ids=lambda attack: attack.name)
def test_a_constant_release_does_not_upset(attack):
    rng = np.random.default_rng(3)
    source, control, population = (people(60, rng) for _ in range(3))
    for rows in (1, 40):
        release = pd.concat([source[:1]] * rows)
        for found in scores(attack, prepared(source, release, control, population)):
            assert found.shape == (60,)
            assert np.isfinite(found).all()


def test_domias_sees_what_dense_places_hide():
    """Half of the people live in a place that is full anyway: there a density alone tells nothing.

    The release keeps every record of the source, with noise.
    """
    plain, calibrated = dense_and_sparse(4)
    assert calibrated > plain + 0.03


def dense_and_sparse(seed):
    """Give the AUCs of a density and of DOMIAS."""
    rng = np.random.default_rng(seed)

    def population(n):
        dense = rng.random((n, 1)) < 0.5
        spread = np.where(dense, 0.05, 1.0)
        return pd.DataFrame(rng.normal(0, 1, (n, 2)) * spread, columns=["x", "y"])

    source, control, reference = population(400), population(400), population(2000)
    dense = (np.abs(source) < 0.2).all(axis=1).to_numpy()[:, None]
    release = source + rng.normal(0, 1, source.shape) * np.where(dense, 0.01, 0.1)
    view = prepared(source, release, control, reference)
    return [auc(*scores(attack, view)) for attack in (KernelDensity(), Domias())]


def with_shadows(view, n_tables):
    obtain_shadow_tables(view, n_tables, workers=1, say=str)
    return view


def noisy_mean(df, seed):
    """Release nothing but the mean of all records, with a little noise."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame([df.mean() + rng.normal(0, 0.02, df.shape[1])])


@pytest.mark.slow
def test_groundhog_approaches_the_exact_test_of_a_noisy_mean():
    """The mean of a random half of a known pool is normal, up to a normal approximation.

    The exact test is linear in it. Releases of one pool are attacked with others of it: with 200
    the average over thirty of them was 0.69, that of the exact test 0.71.
    """
    n, n_columns, n_shadow, n_played = 20, 5, 200, 30
    rng = np.random.default_rng(5)
    pool = pd.DataFrame(rng.uniform(0, 1, (2 * n, n_columns)), columns=list("abcde"))
    view = prepared(pool[:n], noisy_mean(pool[:n], 0), pool[n:], generate=noisy_mean)
    tables = with_shadows(view, n_shadow + n_played).shadow_tables
    shadow = replace(
        tables,
        included=tables.included[:n_shadow],
        readings=tables.readings[:n_shadow],
        features=tables.features[:n_shadow],
    )
    judge = Groundhog().learned(shadow)
    centred = (pool - pool.mean()).to_numpy()
    covariance = np.cov(centred.T) / (2 * n) + 0.02**2 * np.eye(n_columns)
    low, spread = pool.min().to_numpy(), np.ptp(pool.to_numpy(), axis=0)
    found, exact = [], []
    for played in range(n_shadow, tables.n_tables):
        saw = tables.included[played]
        attacked = replace(
            shadow,
            target_readings=tables.readings[played],
            target_features=tables.features[played],
        )
        scores = judge.of(score_release(attacked))
        found.append(auc(scores[saw], scores[~saw]))
        released = low + spread * tables.features[played, 0 : 4 * n_columns : 4]
        best = centred @ np.linalg.solve(covariance, released - pool.mean().to_numpy())
        exact.append(auc(best[saw], best[~saw]))
    assert np.mean(exact) > 0.65
    assert np.mean(exact) - 0.04 < np.mean(found) < np.mean(exact) + 0.02


def keeping(df, seed):
    """Release the source itself with noise."""
    rng = np.random.default_rng(seed)
    numbers = df.select_dtypes("number")
    noise = 0.3 * numbers.std().to_numpy() * rng.normal(size=numbers.shape)
    return df.assign(**(numbers + noise))


def ignoring(df, seed):
    """Release people of whom nobody knows."""
    return people(len(df), np.random.default_rng(seed))


def test_groundhog_finds_more_than_a_density_alone():
    rng = np.random.default_rng(6)
    source, control = people(200, rng), people(200, rng)
    view = prepared(source, keeping(source, 7), control, generate=keeping)
    found = auc(*scores(Groundhog(), with_shadows(view, 8)))
    assert found > auc(*scores(KernelDensity(), view)) + 0.02


@pytest.mark.parametrize("n_tables", [4, 8])
def test_groundhog_sees_nothing_where_there_is_nothing(n_tables):
    """Members and others are exchangeable: the AUC's deviation is 0.024, and 4 of it are allowed.

    False alarms: 6e-5 each.
    """
    rng = np.random.default_rng(8)
    source, control = people(300, rng), people(300, rng)
    view = with_shadows(prepared(source, ignoring(source, 9), control, generate=ignoring), n_tables)
    assert abs(auc(*scores(Groundhog(), view)) - 0.5) < 0.096


def test_groundhog_needs_a_generator():
    rng = np.random.default_rng(10)
    source, control = people(40, rng), people(40, rng)
    without = SyntheticData(source, source, control)
    assert "give generate=, a function (df, seed) -> df" in Groundhog().mismatch(without)
    assert Groundhog().mismatch(SyntheticData(source, source, control, generate=keeping)) is None
    with pytest.raises(LeakproError, match="needs shadow generators"):
        scores(Groundhog(), without.prepare(0))
    with pytest.raises(LeakproError, match="most_targets"):
        Groundhog(most_targets=1)
