"""What the plugin costs a session that does not use it.

Runs an empty test session with this plugin and with one that is an empty file in turn, and prints
the paired differences of wall and processor time. Plugins of other packages are not loaded: they
would blur the picture.

    python benchmarks/startup.py [pairs]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def session(folder: Path, *flags: str) -> tuple[float, float]:
    """Time one session: wall and processor time in milliseconds."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *flags]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return 1000 * wall, 1000 * cpu


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_nothing.py").write_text("def test_nothing(): pass\n")
        (folder / "empty_plugin.py").write_text("")
        empty, ours = ("-p", "empty_plugin"), ("-p", "pytest_leakpro.plugin.hooks")
        session(folder, *empty), session(folder, *ours)
        timed = [(session(folder, *empty), session(folder, *ours)) for _ in range(pairs)]
    for clock, label in enumerate(("wall", "processor")):
        base = statistics.median(without[clock] for without, _ in timed)
        added = [having[clock] - without[clock] for without, having in timed]
        quartiles = statistics.quantiles(added, n=4)
        print(
            f"{label} time: {base:.0f} ms without the plugin, "
            f"{statistics.median(added):+.1f} ms with it (median of {pairs} pairs; "
            f"quartiles {quartiles[0]:+.1f} and {quartiles[2]:+.1f})"
        )


if __name__ == "__main__":
    main()
