"""Torch data sets as sides."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_leakpro import Classifier, LeakproError, Regressor
from tests.targets.examples import CANARY, never, regression_sides, sides, softmax

torch = pytest.importorskip("torch")
nn = torch.nn
data = torch.utils.data

(X, Y), (X2, Y2) = sides(n_classes=3)


def tensors(x, y):
    return torch.tensor(x), torch.tensor(y)


class Pairs(data.Dataset):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        item = self.items[index]
        if isinstance(item, Exception):
            raise item
        return item


DATASETS = {
    "tensors": lambda x, y: data.TensorDataset(*tensors(x, y)),
    "subset": lambda x, y: data.Subset(data.TensorDataset(*tensors(x, y)), range(40)),
    "arrays": lambda x, y: Pairs(list(zip(x, y, strict=True))),
    "lists": lambda x, y: Pairs(
        [[row.tolist(), int(label)] for row, label in zip(x, y, strict=True)]
    ),
    "scalars": lambda x, y: Pairs(
        [(torch.tensor(r), torch.tensor([v])) for r, v in zip(x, y, strict=True)]
    ),
}


@pytest.mark.parametrize("name", DATASETS)
def test_data_sets_are_read_by_indexing(name):
    make = DATASETS[name]
    target = Classifier(nn.Identity(), make(X, Y), make(X2, Y2))
    assert "members=(40, 3), nonmembers=(40, 3)" in repr(target)
    view = target.prepare(0)
    np.testing.assert_array_equal(view.members.labels, Y)
    np.testing.assert_allclose(np.exp(view.members.log_probabilities), softmax(X), rtol=1e-5)


def test_a_subset_keeps_its_order():
    pool = data.TensorDataset(*tensors(np.vstack([X, X2]), np.concatenate([Y, Y2])))
    one, other = data.Subset(pool, range(79, 39, -1)), data.Subset(pool, range(40))
    view = Classifier(nn.Identity(), one, other).prepare(0)
    np.testing.assert_array_equal(view.members.labels, Y2[::-1])


def test_a_regression_data_set():
    members, others = regression_sides(outputs=2)
    make = DATASETS["tensors"]
    view = Regressor(lambda x: x[:, :2], make(*members), make(*others)).prepare(0)
    np.testing.assert_array_equal(view.members.labels, members[1])


class Stream(data.IterableDataset):
    def __iter__(self):
        return iter([])


class NoLength(data.Dataset):
    def __getitem__(self, index):
        return 0, 0


NO_DATASETS = {
    "stream": (Stream(), "iterable data set"),
    "no length": (NoLength(), "iterable data set"),
    "single": (data.TensorDataset(torch.tensor(X)), "not pairs (x, y) (record 0 is a tuple of 1)"),
    "triple": (data.TensorDataset(*[torch.tensor(X)] * 3), "a tuple of 3"),
    "dictionary": (Pairs([{"x": 1, "y": CANARY}] * 40), "a dict"),
    "raises": (Pairs([(X[0], 1)] * 5 + [KeyError(CANARY)]), "raised KeyError when its record 5"),
    "empty": (Pairs([]), "no record"),
    "loader": (data.DataLoader(data.TensorDataset(*tensors(X, Y))), "pass its .dataset"),
    "tensor": (torch.tensor(X), "labels are needed"),
    "sparse tensor": ((torch.tensor(X).to_sparse(), Y), "to_dense"),
    "number": ((torch.tensor(1.0), Y), "single number"),
}


@pytest.mark.parametrize("name", NO_DATASETS)
@pytest.mark.parametrize("where", ["members", "nonmembers"])
def test_other_data_sets_are_refused_with_their_side(name, where):
    given, said = NO_DATASETS[name]
    sides_ = {"members": (X, Y), "nonmembers": (X2, Y2), where: given}
    with pytest.raises(LeakproError, match=f"^{where}: ") as caught:
        Classifier(never, **sides_)
    assert said in str(caught.value)
    assert str(CANARY) not in str(caught.value)
