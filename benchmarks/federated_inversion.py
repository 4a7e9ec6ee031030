"""How near gradient inversion comes to images, in how long, per network and batch.

    python benchmarks/federated_inversion.py [--quick]

Images are crops of photographs, 32 x 32 pixels; at least ten per row. Labels are different within a
batch and not known to the attacker, who has no population: settings are tuned on made-up images.
Seconds per batch are those of the search; those of tuning are spent once. `--quick` leaves out
the batch of 16 and the attacks that are not run by default, and takes four images per row.
"""

import math
import sys
import time
from dataclasses import fields

import numpy as np
import torch
from photographs import NETWORKS, crops

from pytest_leakpro.attacks.federated.dlg import DeepLeakage
from pytest_leakpro.attacks.federated.inverting_gradients import InvertingGradients
from pytest_leakpro.attacks.federated.quality import qualities
from pytest_leakpro.attacks.federated.spectral_inversion import SpectralInversion
from pytest_leakpro.attacks.federated.watch import Watch
from pytest_leakpro.targets.federated_update import FederatedUpdate

QUICK = "--quick" in sys.argv[1:]
BATCHES = (1, 4, 8) if QUICK else (1, 4, 8, 16)
IMAGES = 4 if QUICK else 10
ATTACKS = (
    (SpectralInversion(),) if QUICK else (SpectralInversion(), InvertingGradients(), DeepLeakage())
)


def measure(attack, build, size):
    """Rebuild enough batches; give seconds of tuning and per batch, and the qualities."""
    count = math.ceil(IMAGES / size)
    images = crops(count * size)
    classes = 10 if size < 10 else 100  # so that labels within a batch differ
    batches = [
        (images[place * size : (place + 1) * size], torch.arange(size)) for place in range(count)
    ]
    target = FederatedUpdate.from_gradient(build(classes), batches=batches, bounds=(0.0, 1.0))
    updates, rng = target.prepare(0), np.random.default_rng(0)
    began = time.perf_counter()
    settled = attack.settle(updates[0].view, rng)
    tuning, began = time.perf_counter() - began, time.perf_counter()
    found = [settled.search(entry.view, rng, Watch(None, lambda _: None)) for entry in updates]
    seconds = (time.perf_counter() - began) / count
    measured = [
        qualities(entry.view, entry.inputs.numpy(), one.inputs.numpy(), None)
        for entry, one in zip(updates, found, strict=True)
    ]
    return (
        settled,
        tuning,
        seconds,
        {name: np.concatenate([one[name] for one in measured]) for name in measured[0]},
    )


def main():
    print(f"{torch.get_num_threads()} threads; PSNR and SSIM are means over the images")
    for title, build in NETWORKS.items():
        for size in BATCHES:
            for attack in ATTACKS:
                settled, tuning, seconds, quality = measure(attack, build, size)
                tuned = {
                    entry.name: getattr(settled, entry.name)
                    for entry in fields(attack)
                    if getattr(settled, entry.name) != getattr(attack, entry.name)
                }
                ssim = f"{quality['ssim'].mean():.2f}" if "ssim" in quality else "-"
                print(
                    f"{title:14} batch {size:2} {attack.name:20} steps {attack.steps} "
                    f"tuning {tuning:5.1f} s, search {seconds:5.1f} s  "
                    f"PSNR {quality['psnr'].mean():5.1f} (least {quality['psnr'].min():4.1f})  "
                    f"SSIM {ssim}  {tuned}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
