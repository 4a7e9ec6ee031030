"""Splits of every kind of record, with and without a difference between the two sides."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pytest_leakpro import Classifier

torch = pytest.importorskip("torch")


def constant(X):
    """A model that says the same of every record."""
    return np.full((X.shape[0] if hasattr(X, "shape") else len(X), 2), 0.5)


def target(members, nonmembers, **options):
    rng = np.random.default_rng(7)
    sides = [
        (X, rng.integers(2, size=X.shape[0] if hasattr(X, "shape") else len(X)))
        for X in (members, nonmembers)
    ]
    return Classifier(
        constant, *sides, classes=[0, 1], output="probabilities", train=False, **options
    )


def table(rng, n, shift):
    return rng.normal(size=(n, 6)) + shift


def spread(rng, n, shift):
    return rng.normal(size=(n, 4)) * (1 + 2 * shift)


def missing(rng, n, shift):
    X = rng.normal(size=(n, 4))
    X[rng.random((n, 4)) < 0.1 + 0.4 * shift] = np.nan
    return X


def infinite(rng, n, shift):
    X = rng.normal(size=(n, 3)).astype(np.float32)
    X[rng.random((n, 3)) < 0.1 + 0.4 * shift] = np.inf
    return X


def waves(rng, n, shift):
    return rng.normal(size=(n, 3)) + 1j * (rng.normal(size=(n, 3)) + shift)


def frame(rng, n, shift):
    days = pd.to_timedelta(rng.integers(0, 300, n) + int(300 * shift), unit="D")
    return pd.DataFrame(
        {
            "age": rng.integers(20, 90, n),
            "visit": pd.Timestamp("2020-01-01") + days,
            "zone": (pd.Timestamp("2020-01-01", tz="Europe/Stockholm") + days)[::-1],
            "ward": pd.Categorical(rng.choice(["a", "b", "c"], n)),
            "sex": rng.choice(np.array(["f", "m", None], dtype=object), n),
            "stay": pd.array(rng.integers(0, 5, n), dtype="Int64"),
            "smokes": rng.random(n) < 0.3,
            "count": pd.Series(rng.integers(0, 50, n), dtype=object),
            "note": [f"seen in week {i} by doctor {i * 7 % 1000}" for i in rng.integers(0, 999, n)],
            "list": [[1] * int(i) for i in rng.integers(0, 4, n)],
        }
    )


def hospital(rng, n, shift):
    names = ["Kiruna", "Lund", "Umeå"]
    return pd.DataFrame(
        {
            "hospital": rng.choice(names, n, p=[0.3 + shift / 2, 0.4 - shift / 4, 0.3 - shift / 4]),
            "weight": rng.normal(75, 12, n),
        }
    )


def plain_frame(rng, n, shift):
    return pd.DataFrame(table(rng, n, shift))


def texts(rng, n, shift):
    words = np.array(["fever", "cough", "rash", "pain"])
    share = np.array([0.25 + shift / 2, 0.25 - shift / 6, 0.25 - shift / 6, 0.25 - shift / 6])
    return [" ".join(rng.choice(words, 15, p=share)) for _ in range(n)]


def text_series(rng, n, shift):
    return pd.Series(texts(rng, n, shift))


def words(rng, n, shift):
    return [text.split()[: int(rng.integers(8, 15))] for text in texts(rng, n, shift)]


def tokens(rng, n, shift):
    return [
        [int(i) for i in rng.integers(int(30 * shift), 60, int(rng.integers(5, 20)))]
        for _ in range(n)
    ]


def images(rng, n, shift):
    return torch.from_numpy(rng.normal(size=(n, 3, 8, 8)) + shift / 2).float()


def large_images(rng, n, shift):
    return (rng.integers(0, 200, (n, 40, 40, 1)) + int(40 * shift)).astype(np.uint8)


def one_pixel(rng, n, shift):
    X = rng.normal(size=(n, 784)).astype(np.float32)
    X[:, 300] += 2 * shift
    return X


def images_one_by_one(rng, n, shift):
    return list(images(rng, n, shift))


def images_of_any_size(rng, n, shift):
    return [
        torch.from_numpy(rng.normal(size=(int(rng.integers(5, 9)), 6)) + shift) for _ in range(n)
    ]


def pairs(rng, n, shift):
    return [(row, float(rng.normal())) for row in torch.from_numpy(table(rng, n, shift))]


def dicts(rng, n, shift):
    return [
        {"age": float(a), "sex": str(s)}
        for a, s in zip(rng.normal(size=n) + shift, rng.choice(["f", "m"], n), strict=True)
    ]


def rows(rng, n, shift):
    return [[float(x), str(s)] for x, s in zip(*_columns(rng, n, shift), strict=True)]


def objects(rng, n, shift):
    return np.array(rows(rng, n, shift), dtype=object)


def _columns(rng, n, shift):
    return rng.normal(size=n) + shift, rng.choice(["f", "m"], n)


def counts(rng, n, shift):
    return sparse.csr_matrix(rng.poisson(0.5 + 0.2 * shift, size=(n, 50)))


def wide_counts(rng, n, shift):
    X = sparse.random(n, 5000, 0.004, format="lil", random_state=int(rng.integers(2**31)))
    X[:, 17] = (rng.random(n) < 0.1 + 0.4 * shift)[:, None]
    return sparse.csc_matrix(X)


KINDS = [
    table,
    spread,
    missing,
    infinite,
    waves,
    frame,
    hospital,
    plain_frame,
    texts,
    text_series,
    words,
    tokens,
    images,
    large_images,
    one_pixel,
    images_one_by_one,
    images_of_any_size,
    pairs,
    dicts,
    rows,
    objects,
    counts,
    wide_counts,
]
