"""How long 100,000 records are looked for in a large forest and in a large network.

    python benchmarks/stored_records.py [forest | network]

Both sides have 100,000 records of 50 columns. The forest has 200 trees of default depth; the
network 10 million weights, in which two records are planted. Printed are the seconds of the search,
and how far the peak of memory rises above what data and model take.
"""

import resource
import sys
import time

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from pytest_leakpro import Classifier
from pytest_leakpro.attacks.artefact.stored_records import StoredRecords

N, COLUMNS = 100_000, 50


def forest(X, y):
    """Fit 200 trees, each split chosen among three columns so that it takes minutes, not hours."""
    return RandomForestClassifier(200, max_features=3, n_jobs=2, random_state=0).fit(X, y)


def network(X, y):
    """Give a network that nobody trained, with two records in it."""
    import torch

    torch.manual_seed(0)
    layers = [torch.nn.Linear(COLUMNS, 3000), torch.nn.ReLU(), torch.nn.Linear(3000, 3250)]
    model = torch.nn.Sequential(*layers, torch.nn.ReLU(), torch.nn.Linear(3250, len(set(y))))
    with torch.no_grad():
        model[2].weight.view(-1)[12345 : 12345 + COLUMNS] = torch.tensor(X[7])
        model[0].weight[5] = torch.tensor(X[8])
    return model


def peak():
    """Give the peak of memory so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    """Print a line per model."""
    for make in (forest, network):
        if len(sys.argv) > 1 and make.__name__ != sys.argv[1]:
            continue
        rng = np.random.default_rng(0)
        X = rng.normal(size=(2 * N, COLUMNS)).astype(np.float32)
        y = (X[:, 0] + rng.normal(size=2 * N) > 0).astype(int)
        model = make(X[:N], y[:N])
        target = Classifier(model, (X[:N], y[:N]), (X[N:], y[N:]), train=False)
        view = target.prepare(0)
        before, started = peak(), time.perf_counter()
        found = StoredRecords().find(view, rng).evidence
        seconds = time.perf_counter() - started
        print(
            f"{make.__name__}: {found.found} of {found.of:,} members found, {seconds:.0f} s, "
            f"{peak() - before:.2f} GiB above {before:.2f}"
        )


if __name__ == "__main__":
    main()
