"""A Flower SuperLink of one's own that simulates the clients, so the user's is left alone."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

APP = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
SECONDS = 60
"""To wait for the SuperLink."""


class Federation:
    """Starts the SuperLink and stops it; runs the app on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "superlink.log"
        self.environment = {
            **os.environ,
            "FLWR_HOME": str(folder / "home"),
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLWR_DISABLE_UPDATE_CHECK": "1",
            # The app is run with the libraries that are here, torch among them.
            "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1",
            "PATH": os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", "")]),
        }

    def __enter__(self) -> "Federation":
        port = _free_port()
        home = self.folder / "home"
        home.mkdir()
        (home / "config.toml").write_text(
            '[superlink]\ndefault = "audit"\n\n'
            f'[superlink.audit]\naddress = "127.0.0.1:{port}"\ninsecure = true\n'
        )
        command = [PROGRAMS / "flower-superlink", "--insecure", "--simulation"]
        command += ["--isolation", "subprocess", "--host", "127.0.0.1", "--port", str(port)]
        with self.log.open("wb") as log:
            self.superlink = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        give_up = time.monotonic() + SECONDS
        while not _answers(port):
            if self.superlink.poll() is not None or time.monotonic() > give_up:
                self.superlink.kill()
                raise RuntimeError(f"flower-superlink did not start:\n{self.log.read_text()}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self.superlink.terminate()
        try:
            self.superlink.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.superlink.kill()

    def run(self, *, private: bool) -> Path:
        """Run the app to its end; give the folder in which its rounds were recorded."""
        records = self.folder / ("private" if private else "plain")
        settings = f'leakpro-dir="{records.as_posix()}" private={str(private).lower()}'
        done = subprocess.run(
            [PROGRAMS / "flwr", "run", APP, "--stream", "--run-config", settings],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        # flwr run succeeds once the run has started, whatever becomes of it.
        if done.returncode or "Strategy execution finished" not in done.stdout:
            raise RuntimeError(f"flwr run failed:\n{done.stdout}")
        return records


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
