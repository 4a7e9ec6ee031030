"""What travels to other processes: everything once, and nothing that was used before."""

import os
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pytest_leakpro import Classifier
from pytest_leakpro.shadow.executor import execute
from pytest_leakpro.shadow.group import in_cluster
from pytest_leakpro.shadow.parcel import Parcel, pack
from tests.shadow.jobs import forest, job_of, quiet, same, with_data

ROWS, COLUMNS = 20_000, 20


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, COLUMNS))
    y = (X[:, 0] > 0).astype(int)
    half = ROWS // 2
    model = forest(X[:200], y[:200], 0)
    target = Classifier(model, (X[:half], y[:half]), (X[half:], y[half:]), train=False)
    return job_of(target, n_models=4)


def tensor(array):
    return pytest.importorskip("torch").from_numpy(np.ascontiguousarray(array))


CONTAINERS = {
    "array": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "frame": pd.DataFrame,
    "frame of columns": lambda array: pd.DataFrame({str(i): row for i, row in enumerate(array.T)}),
    "sparse": sparse.csr_matrix,
    "tensor": tensor,
}


def dense(container):
    return container.toarray() if sparse.issparse(container) else np.asarray(container)


@pytest.mark.parametrize("name", CONTAINERS)
def test_large_containers_stand_beside_the_stream(large, name):
    job = with_data(large, CONTAINERS[name])
    parcel = pack(job, forest)
    beside = sum(buffer.nbytes for buffer in parcel.buffers)
    assert beside >= 2 * ROWS * COLUMNS * 8
    assert parcel.stream.nbytes < beside / 2
    assert parcel.__sizeof__() == beside + parcel.stream.nbytes
    unpacked, train = pickle.loads(pickle.dumps(parcel, protocol=5)).unpack()
    assert type(unpacked.X) is type(job.X)
    assert same(dense(unpacked.X), dense(job.X))
    assert train(*map(np.asarray, ([[0.0], [1.0]] * 5, [0, 1] * 5)), 3).random_state == 3


def test_tensors_that_numpy_cannot_hold(large):
    torch = pytest.importorskip("torch")
    for convert in (
        lambda array: tensor(array).to(torch.bfloat16),
        lambda array: tensor(array).T.contiguous().T,
        lambda array: tensor(array).requires_grad_(),
    ):
        job = with_data(large, convert)
        unpacked, _ = pack(job, forest).unpack()
        assert torch.equal(unpacked.X, job.X)
        assert unpacked.X.dtype == job.X.dtype
        assert unpacked.X.requires_grad == job.X.requires_grad


@pytest.mark.parametrize("name", ["array", "frame of columns", "tensor"])
def test_the_same_signals_in_processes(large, name):
    job = with_data(large, CONTAINERS[name])

    def train(X, y, seed):
        return forest(np.asarray(X)[:300], y[:300], seed).predict_proba

    alone = execute(job, train, 1, quiet)
    assert same(alone, execute(job, train, 2, quiet))


def test_what_one_model_writes_into_records_no_other_reads(large):
    here = os.getpid()

    def train(X, y, seed):
        model = forest(X[:300], y[:300], seed)

        def predict(records):
            probabilities = model.predict_proba(records)
            if os.getpid() != here:
                records[:] = 0.0
            return probabilities

        return predict

    assert same(execute(large, train, 2, quiet), execute(large, train, 1, quiet))


def test_a_cluster_of_other_versions_is_refused():
    parcel = pack(job_of(), forest)
    assert in_cluster(parcel, range(1, 2))[0].signals is not None
    other = Parcel(parcel.stream, parcel.buffers, {**parcel.versions, "numpy": "0.1"})
    refused = in_cluster(other, range(1, 2))[0]
    assert refused.signals is None
    assert f"numpy {np.__version__} instead of 0.1" in refused.failure


def test_what_cannot_be_unpacked_is_said():
    parcel = pack(job_of(), forest)
    broken = Parcel(parcel.stream[:50], parcel.buffers, parcel.versions)
    assert "cannot be unpacked in another process" in in_cluster(broken, range(1))[0].failure
