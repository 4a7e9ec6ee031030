"""What scoring takes as records grow: seconds and peak memory of an audit with 64 shadow models.

    python benchmarks/scale.py [records ...]
    python benchmarks/scale.py --rates

A target whose shadow signals lie in `.npy` files is audited in a process of its own, once per size
(10,000, 100,000 and 1,000,000 records by default, half of them members), by the default suite and
three budgets. Shadow training has no part in it. Memory is what the process holds of its own at its
peak (`VmRSS` without the pages of files, watched every 10 ms), over what it held before the audit:
maps of files do not count, since the system takes their pages back when it needs them. Where a
system does not tell the two apart, what is shown includes the maps.

`--rates` times, on one thread and a million records, what else grows with them: drawing a shadow
model's records, gathering these, training by batched products, reading a model's outputs, and
keeping its signals and taking them back. `docs/scale.md` reckons with these.
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

MODELS = 64
SIZES = (10_000, 100_000, 1_000_000)
BLOCK = 50_000


def own_memory() -> int:
    """Give the bytes that this process holds of its own."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    kinds = ("RssAnon",) if "RssAnon" in fields else ("VmRSS",)
    return sum(int(fields[kind].split()[0]) << 10 for kind in kinds)


class Peak:
    """The largest own memory while something runs."""

    def __enter__(self):
        self.start = self.largest = own_memory()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        while not self._over.wait(0.01):
            self.largest = max(self.largest, own_memory())

    def __exit__(self, *error):
        self._over.set()
        self._thread.join()

    @property
    def grown(self) -> int:
        """Give how far it rose."""
        return self.largest - self.start


def write_signals(folder: Path, n: int) -> None:
    """Write signals of records that are hard in different degrees, and leak a little."""
    shape = (MODELS, n)
    shadow = np.lib.format.open_memmap(folder / "shadow.npy", "w+", np.float64, shape)
    included = np.lib.format.open_memmap(folder / "included.npy", "w+", bool, shape)
    target = np.empty(n)
    rng = np.random.default_rng(0)
    for start in range(0, n, BLOCK):
        rows = slice(start, min(start + BLOCK, n))
        width = rows.stop - rows.start
        hardness = rng.normal(2, 2, width)
        inside = rng.permuted(np.tile(np.arange(MODELS) % 2 == 0, (width, 1)), axis=1).T
        included[:, rows] = inside
        shadow[:, rows] = hardness + 0.3 * inside + rng.normal(size=(MODELS, width))
        member = np.arange(rows.start, rows.stop) < n // 2
        target[rows] = hardness + 0.3 * member + rng.normal(size=width)
    np.save(folder / "target.npy", target)


def audit_it(folder: Path) -> None:
    from pytest_leakpro import Classifier, ShadowSignals, audit
    from pytest_leakpro.auditing.session import SessionDefaults, session_variable

    target = np.load(folder / "target.npy")
    n = len(target)
    # The model is its own table of log-odds: a record is its number.
    records = np.arange(n, dtype=float)[:, None]
    labels = np.ones(n, dtype=np.int64)
    labels[::2] = 0

    def predict_proba(X):
        numbers = X[:, 0].astype(np.intp)
        p = 1 / (1 + np.exp(-target[numbers]))
        return np.where(labels[numbers, None] == np.arange(2), p[:, None], 1 - p[:, None])

    half = n // 2
    session_variable.set(SessionDefaults(cache_dir=None))
    audited = Classifier(
        predict_proba,
        (records[:half], labels[:half]),
        (records[half:], labels[half:]),
        signals=ShadowSignals(folder / "shadow.npy", folder / "included.npy"),
    )
    started = time.perf_counter()
    with Peak() as peak:
        result = audit(audited, "tpr@0.1%fpr <= 1%", "tpr@1%fpr <= 5%", "auc <= 0.6")
    seconds = time.perf_counter() - started
    verdicts = ", ".join(f"{m.metric} {m.value:.4f}" for m in result.measurements)
    print(f"{n:>9,}  {seconds:7.1f} s  {seconds / n * 1e6:6.1f} µs per record  "
          f"{peak.grown / 2**20:7.0f} MiB  {verdicts}", flush=True)  # fmt: skip


def rates(n: int = 1_000_000) -> None:
    """Time the steps of an audit that stand outside of scoring."""
    import torch
    from torch import nn

    from pytest_leakpro import Classifier, TorchTrainer
    from pytest_leakpro.shadow.assignment import Assignment
    from pytest_leakpro.shadow.stacked_training import train_group
    from pytest_leakpro.store.cache import SignalCache

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, 104)).astype(np.float32), rng.integers(0, 2, n)
    rows, cache = Assignment(n, 64, 32, 0), SignalCache(Path(tempfile.mkdtemp()))

    def timed(what, action, per=n):
        started = time.perf_counter()
        result = action()
        seconds = time.perf_counter() - started
        print(f"{what:<44}{seconds / per * 1e6:9.3f} µs per record", flush=True)
        return result

    chosen = np.flatnonzero(timed("drawing a shadow model's records", lambda: rows[0]))

    def mlp():
        return nn.Sequential(
            nn.Linear(104, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
        )

    trainer = TorchTrainer(module=mlp, epochs=1)
    train_group(trainer, "products", (X, y), [chosen[:1000]] * 2, range(2))  # the first is slower
    for group in (1, 3, 16):
        few = [chosen[:20_000]] * group
        timed(
            f"training, {group} stacked, per model and epoch",
            lambda few=few: train_group(trainer, "products", (X, y), few, range(len(few))),
            per=20_000 * group,
        )
    model = trainer(X[:1000], y[:1000], 0)
    half = n // 2
    target = Classifier(model, (X[:half], y[:half]), (X[half:], y[half:]), train=trainer)
    view = timed("preparing members and non-members", lambda: target.prepare(0))
    records = view.records("members")
    signals = timed(
        "reading a model's outputs",
        lambda: target.model_reader.negative_loss(model, records),
        per=len(records),
    )
    signals = np.resize(signals, n)
    timed("keeping its signals", lambda: cache.store("0" * 64, 0, signals, {}))
    timed("taking them back", lambda: np.array(cache.load("0" * 64, 0)))
    cache.clear()


def main() -> None:
    if sys.argv[1:] == ["--rates"]:
        rates()
        return
    if sys.argv[1:2] == ["--audit"]:
        audit_it(Path(sys.argv[2]))
        return
    print(f"audits with {MODELS} shadow models")
    for n in [int(text) for text in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as name:
            write_signals(Path(name), n)
            subprocess.run([sys.executable, __file__, "--audit", name], check=True)


if __name__ == "__main__":
    main()
