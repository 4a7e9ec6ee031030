"""A server that speaks the protocol of S3, on loopback."""

import importlib.util
import itertools
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from pytest_leakpro.store.object_store import object_store

_NUMBERS = itertools.count()


def installed(*names):
    # Not importorskip: such libraries are not forgotten again, as pytester would have it.
    return all(importlib.util.find_spec(name) is not None for name in names)


needs_s3 = pytest.mark.skipif(
    not installed("s3fs", "moto", "flask_cors"), reason="needs s3fs and the server of moto"
)


def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture(scope="session")
def s3_endpoint():
    port = closed_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert server.poll() is None, "the server ended"
            try:
                urllib.request.urlopen(f"{address}/moto-api/", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def s3_settings(monkeypatch):
    """What a user sets, but for the endpoint; and nothing learnt of earlier servers."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "open-sesame")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    object_store.cache_clear()
    yield monkeypatch
    object_store.cache_clear()


@pytest.fixture
def bucket(s3_endpoint, s3_settings):
    """The URL of a new bucket."""
    import fsspec

    s3_settings.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    name = f"signals-{next(_NUMBERS)}"
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(name)
    return f"s3://{name}"
