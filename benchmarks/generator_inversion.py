"""How often inversion with a generator meets a class, and how often a record.

    python benchmarks/generator_inversion.py [--pictures FILE]

The network, the generator and the digits are those of examples/inversion. A judge that was trained
on digits of its own says whether what is rebuilt shows the digit that was wanted; `near` counts
what is near to a training record, and to a non-member. Distinct are the training records that any
attempt is nearest to. The first row is what the generator makes without a search.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "inversion"))

import handwriting

from pytest_leakpro import Classifier, TorchTrainer
from pytest_leakpro.attacks.reconstruction.generator_inversion import GeneratorInversion
from pytest_leakpro.attacks.reconstruction.generator_search import GeneratorSearch
from pytest_leakpro.attacks.reconstruction.nearness import Attempts, judge
from pytest_leakpro.attacks.reconstruction.record_space import nearest_distances

ATTEMPTS = 400
ATTACKS = {
    "generator_inversion": GeneratorInversion(),
    "  enough=5": GeneratorInversion(enough=5.0),
    "  without an end": GeneratorInversion(enough=1e6),
    "generator_search": GeneratorSearch(),
}


def wanted(seed):
    """Give the classes in the order in which an attack takes them."""
    return np.resize(np.random.default_rng(seed).permutation(10), ATTEMPTS)


def plain(generator, labels):
    """Make digits without a search."""
    draw = torch.Generator().manual_seed(0)
    z = torch.randn(len(labels), generator.latent_dim, generator=draw)
    with torch.no_grad():
        return generator(z, torch.as_tensor(labels)).reshape(len(labels), -1).numpy()


def report(title, records, seconds, known, view):
    """Print one row, and the share of each class that is recognised."""
    labels = wanted(0)
    with torch.no_grad():
        seen = known(torch.as_tensor(records, dtype=torch.float32).reshape(-1, 1, 28, 28))
    right = seen.argmax(dim=1).numpy() == labels
    evidence = judge(view, Attempts(records), np.random.default_rng(0), title)
    near, other = ((part["near"] <= 0.5).mean() for part in (evidence.quality, evidence.baseline))
    members = view.records("members").inputs.reshape(-1, records.shape[1]).astype(float)
    distinct = len(np.unique(nearest_distances(records.astype(float), members)[1]))
    per_class = " ".join(f"{right[labels == digit].mean():4.0%}" for digit in range(10))
    print(
        f"{title:22} class {right.mean():6.1%}  near {near:5.1%} (non-members {other:5.1%})  "
        f"distinct {distinct:3}  {seconds:5.1f} s   {per_class}",
        flush=True,
    )


def save(path, records):
    """Write sixteen pictures of each digit, a row a digit."""
    from PIL import Image

    labels, pictures = wanted(0), records.reshape(-1, 28, 28)
    rows = [np.concatenate(pictures[labels == digit][:16], axis=1) for digit in range(10)]
    Image.fromarray((255 * np.concatenate(rows)).astype(np.uint8)).save(path)


def main():
    began = time.perf_counter()
    digits = handwriting.load_digits()
    model = handwriting.train_network(digits)
    known = TorchTrainer(
        module=handwriting.network, lr=2e-3, epochs=handwriting.EPOCHS, batch_size=64
    )(*digits.judges, 7).eval()
    generator = handwriting.train_generator(model, digits.public)
    target = Classifier(
        model, digits.train, digits.holdout, access="white-box", generator=generator, train=False
    )
    with torch.no_grad():
        right = known(torch.as_tensor(digits.holdout[0])).argmax(dim=1).numpy()
    print(
        f"{torch.get_num_threads()} threads; trained in {time.perf_counter() - began:.0f} s; the "
        f"judge is right about {np.mean(right == digits.holdout[1]):.1%} of real digits"
    )
    report("no search", plain(generator, wanted(0)), 0.0, known, target.prepare(0))
    for title, attack in ATTACKS.items():
        view, began = target.prepare(0), time.perf_counter()
        records = attack.rebuild(view, np.random.default_rng(0), lambda _: None).records
        report(title, records, time.perf_counter() - began, known, view)
        if title == "generator_inversion" and "--pictures" in sys.argv:
            save(sys.argv[sys.argv.index("--pictures") + 1], records)


if __name__ == "__main__":
    main()
