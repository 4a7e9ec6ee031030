"""What noise on the gradient protects: the reconstruction rate by the size of the noise.

    python benchmarks/defence_curve.py [draws]

The sigmoid LeNet on single images, 12 draws by default. Writes docs/figures/defence_curve.md, and
defence_curve.svg where matplotlib is installed.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from photographs import crops, sigmoid_lenet

from pytest_leakpro import FederatedUpdate, audit

SIZES = (0.0, 1e-4, 1e-3, 1e-2, 1e-1)
METRICS = ["reconstruction[psnr>=20]"]
if find_spec("skimage") is not None:
    METRICS.append("reconstruction[ssim>=0.5]")
FIGURES = Path(__file__).resolve().parents[1] / "docs" / "figures"


def noisy(size):
    """Give a client that adds noise to its gradient."""

    def client(model, batch):
        loss = torch.nn.functional.cross_entropy(model(batch[0]), batch[1])
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        return [slope + size * torch.randn_like(slope) for slope in slopes]

    return client


def measured(size, draws):
    """Give a measurement per metric."""
    batches = [
        (image[None], torch.tensor([place % 10])) for place, image in enumerate(crops(draws))
    ]
    target = FederatedUpdate.from_gradient(
        sigmoid_lenet(), batches=batches, bounds=(0.0, 1.0), client=noisy(size)
    )
    budgets = [f"{metric} <= 50%" for metric in METRICS]
    return audit(target, *budgets, attacks=["spectral_inversion"]).measurements


def main():
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    rows = []
    for size in SIZES:
        rows.append(measured(size, draws))
        print(size, [(one.value, one.low, one.high) for one in rows[-1]], flush=True)
    FIGURES.mkdir(exist_ok=True)
    lines = ["| noise | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for size, found in zip(SIZES, rows, strict=True):
        cells = [f"{one.value:.0%} ({one.low:.0%} to {one.high:.0%})" for one in found]
        lines.append(f"| {size:g} | " + " | ".join(cells) + " |")
    (FIGURES / "defence_curve.md").write_text("\n".join(lines) + "\n")
    if find_spec("matplotlib") is not None:
        draw(rows)


def draw(rows):
    """Draw the rates with their bounds."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.5))
    for place, metric in enumerate(METRICS):
        found = [row[place] for row in rows]
        values = [one.value for one in found]
        bars = (
            [one.value - one.low for one in found],
            [one.high - one.value for one in found],
        )
        where = [number + 0.08 * place for number in range(len(SIZES))]
        axes.errorbar(where, values, bars, marker="o", capsize=3, label=metric)
    axes.set_xticks(range(len(SIZES)), [f"{size:g}" for size in SIZES])
    axes.set(xlabel="standard deviation of the noise", ylabel="reconstructed", ylim=(-0.05, 1.05))
    axes.legend()
    figure.tight_layout()
    figure.savefig(FIGURES / "defence_curve.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
