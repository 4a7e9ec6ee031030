"""Tables are rebuilt from updates, and nothing is rebuilt from noise."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pytest_leakpro.attacks.federated.first_layer import FirstLayer
from pytest_leakpro.attacks.federated.table_relaxation import TableRelaxation
from pytest_leakpro.attacks.federated.tabular_inversion import TabularInversion
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.federated_update import FederatedUpdate
from tests.attacks.federated.tables_and_texts import (
    GROUPS,
    Residual,
    attacked,
    made,
    noise,
    people,
    prepared,
    view_of,
)

QUICK = TabularInversion(restarts=3, steps=150, practice=0)


def test_a_record_of_mixed_columns_is_rebuilt():
    target = FederatedUpdate.from_gradient(made(Residual), people(0, 1), columns=GROUPS)
    assert FirstLayer().mismatch(target) is not None
    assert attacked(QUICK, target).quality["columns"][0] >= 0.9


def test_a_batch_is_rebuilt_far_beyond_the_baseline():
    target = FederatedUpdate.from_gradient(
        made(Residual), people(1, 4), columns=GROUPS, population=people(2, 200)
    )
    found = attacked(QUICK, target)
    assert found.quality["columns"].mean() >= found.baseline["columns"].mean() + 0.2


def test_practice_decides_and_local_steps_are_undone():
    def client_fit(model, batch):
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()
            optimiser.step()

    target = FederatedUpdate.from_training(
        made(Residual),
        people(3, 1),
        client_fit,
        learning_rate=0.1,
        local_steps=2,
        columns=GROUPS,
        population=people(4, 200),
    )
    attack = TabularInversion(restarts=2, steps=80, practice=1)
    assert attacked(attack, target).quality["columns"][0] >= 0.9


def test_labels_that_are_no_classes_are_searched_for():
    def loss(outputs, labels):
        return nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], labels)

    X, y = people(5, 101)
    target = FederatedUpdate.from_gradient(
        made(lambda: Residual(1)),
        (X[:1], y[:1].float()),
        loss=loss,
        columns=GROUPS,
        population=(X[1:], y[1:].float()),
    )
    assert attacked(QUICK, target).quality["columns"][0] >= 0.9
    blind = FederatedUpdate.from_gradient(target.model, (X[:1], y[:1].float()), loss=loss)
    assert "population" in QUICK.mismatch(blind)


def test_noise_gives_nothing():
    """Sign test over 50 batches, of which ties count half: false alarm below 1 in 1,000.

    Were the guess as good as one of the two of the baseline, it would be better in at most half of
    the batches; 36 of 50 or more have probability 0.0013 / 2 at one half.
    """
    model, (X, y) = made(Residual), people(6, 50)
    target = FederatedUpdate.from_gradient(
        model,
        client=noise,
        batches=[(X[place : place + 1], y[place : place + 1]) for place in range(50)],
        columns=GROUPS,
        population=people(7, 100),
    )
    found = attacked(TabularInversion(restarts=1, steps=2, practice=0), target)
    main, blind = found.quality["columns"], found.baseline["columns"]
    assert np.sum(main > blind) + np.sum(main == blind) / 2 < 36


def test_where_nothing_was_sent_nothing_is_rebuilt():
    model = made(Residual)
    zeros = [torch.zeros_like(value) for value in model.parameters()]
    target = FederatedUpdate(model, zeros, people(0, 2), columns=GROUPS)
    rebuilt = list(QUICK.rebuild_all(prepared(target), np.random.default_rng(0)))
    assert rebuilt[0].inputs is None
    assert "zero" in rebuilt[0].remark


def test_a_time_budget_is_marked():
    target = FederatedUpdate.from_gradient(made(Residual), people(0, 2), columns=GROUPS)
    attack = TabularInversion(restarts=1, practice=0, seconds=1e-6)
    rebuilt = list(attack.rebuild_all(prepared(target), np.random.default_rng(0)))
    assert rebuilt[0].cut
    assert rebuilt[0].inputs.shape == (2, 16)


@pytest.mark.parametrize("wrong", [{"restarts": 0}, {"steps": 1.5}, {"seconds": 0}])
def test_wrong_settings_are_named(wrong):
    with pytest.raises(LeakproError, match=next(iter(wrong))):
        TabularInversion(**wrong)


@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 4), st.booleans())
@settings(max_examples=25, deadline=None)
def test_pools_of_the_same_records_in_any_order_are_these_records(seed, m, n, weighted):
    rng = np.random.default_rng(seed)
    X, y = (part.numpy() for part in people(seed, n))
    table = TableRelaxation.of(view_of(made(Residual), people(8, 1), columns=GROUPS))
    orders = [rng.permutation(n) for _ in range(m)]
    losses = rng.random(m)
    given = np.stack([X[order] for order in orders]).astype(float)
    labels = np.stack([y[order] for order in orders])
    pooled = table.pooled(given, labels, losses, weighted=weighted)
    np.testing.assert_allclose(pooled, given[np.argmin(losses)], atol=1e-9)


def test_a_pool_takes_medians_of_numbers_and_means_of_categories():
    table = TableRelaxation.of(view_of(made(Residual), people(8, 1), columns=GROUPS))
    given = np.zeros((3, 1, 16))
    given[:, 0, 0] = [1.0, 2.0, 90.0]
    given[:, 0, 4] = [1.0, 1.0, 0.0]
    given[:, 0, 5] = [0.0, 0.0, 1.0]
    labels, losses = np.zeros((3, 1), dtype=int), np.array([0.5, 0.4, 1e-6])
    alike = table.pooled(given, labels, losses, weighted=False)
    np.testing.assert_allclose(alike[0, [0, 4, 5]], [2, 2 / 3, 1 / 3])
    weighted = table.pooled(given, labels, losses, weighted=True)
    np.testing.assert_allclose(weighted[0, [0, 4, 5]], [90, 0, 1], atol=1e-5)


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_relaxed_records_are_within_bounds_and_categories_sum_to_one(seed):
    view = view_of(made(Residual), people(8, 1), columns=GROUPS, bounds=(-0.5, 1.0))
    table = TableRelaxation.of(view)
    start = table.starts(np.random.default_rng(seed), 3, 2)
    records = table.records(start)
    assert records.min() >= -0.5 - 1e-6
    assert records.max() <= 1 + 1e-6
    rounded = table.rounded(records)
    for group in GROUPS.values():
        torch.testing.assert_close(records[..., group].sum(-1), torch.ones(3, 2))
        assert torch.equal(rounded[..., group].argmax(-1), records[..., group].argmax(-1))
        assert set(rounded[..., group].unique().tolist()) <= {0.0, 1.0}
    torch.testing.assert_close(table.with_numbers(records, start), records)
