"""Attack P: quantiles against a plain reference, classes, and what lies beyond."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_leakpro import Classifier
from pytest_leakpro.attacks.membership.population import PopulationQuantile, quantiles
from tests.attacks.references import quantile
from tests.attacks.views import exchangeable, identity

FLOATS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@settings(deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=40), st.lists(FLOATS, min_size=2, max_size=40))
def test_quantiles_are_mid_ranks_and_strictly_increasing(reference, values):
    reference, values = np.array(reference), np.unique(values)
    at_reference = quantiles(reference, reference, 1.0)
    assert at_reference == pytest.approx([quantile(v, reference) for v in reference])
    placed = quantiles(values, reference, 1000.0)
    assert ((placed > 0) & (placed < 1)).all()
    assert (np.diff(placed) >= 0).all()


def test_records_beyond_all_of_the_population_do_not_tie():
    placed = quantiles(np.array([-9.0, -5, 0, 5, 9]), np.array([-1.0, 1.0]), 1.0)
    assert (np.diff(placed) > 0).all()
    assert placed[2] == pytest.approx(0.5)


def test_each_class_is_compared_with_itself():
    rng = np.random.default_rng(0)

    def side(offset):
        y = np.repeat([0, 1, 2], [60, 60, 5])
        z = np.zeros((125, 3))
        # Class 1 is fitted far better than class 0, by members and others alike.
        z[np.arange(125), y] = rng.normal(size=125) + np.array([0, 8, 0])[y] + offset
        return z, y

    target = Classifier(
        identity, side(2), side(0), population=side(0), classes=range(3), output="logits"
    )
    view = target.prepare(0)
    members, nonmembers = PopulationQuantile().score(view, rng)
    y, fit = view.members.labels, view.population.negative_loss
    for label in (0, 1):
        own = fit[view.population.labels == label]
        expected = quantiles(view.members.negative_loss[y == label], own, float(np.std(fit)))
        assert members[y == label] == pytest.approx(expected)
        assert abs(nonmembers[view.nonmembers.labels == label].mean() - 0.5) < 0.15
    # Five records are too few to be a class of their own.
    expected = quantiles(view.members.negative_loss[y == 2], fit, float(np.std(fit)))
    assert members[y == 2] == pytest.approx(expected)
    # Members of both classes stand out, though those of class 0 have lower fits than class 1's.
    assert np.mean(members[y == 0]) > 0.85
    assert np.mean(members[y == 1]) > 0.85


def test_a_share_of_the_nonmembers_serves_as_population():
    view = exchangeable(3, 2, 400).prepare(0, population_share=0.3)
    assert view.n_nonmembers == 280
    members, nonmembers = PopulationQuantile().score(view, np.random.default_rng(0))
    assert (len(members), len(nonmembers)) == (400, 280)
    assert any("set aside" in note for note in view.notes)
