"""Where a cache is: folders, URLs that can be and cannot, and what is printed of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.store.cache import SignalCache
from pytest_leakpro.store.cache_url import is_url, scrubbed, shown_url
from pytest_leakpro.store.open_cache import open_cache
from tests.store.conftest import closed_port, installed

KEY = "ab" * 32
pytestmark = pytest.mark.skipif(not installed("fsspec"), reason="needs fsspec")


def test_what_is_a_folder_stays_one(tmp_path):
    for folder in ("signals/cache", "C:\\signals", "C://signals", "a/s3://b", str(tmp_path)):
        assert not is_url(folder)
        assert isinstance(open_cache(folder), SignalCache)
    assert open_cache(Path("s3://bucket")).folder == Path("s3:/bucket")
    local = open_cache((tmp_path / "a b").as_uri())
    assert isinstance(local, SignalCache)
    assert local.folder == tmp_path / "a b"


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("s4://bucket", "protocol that fsspec does not know: write s3://"),
        ("memry://signals", "does not know (did you mean 'memory'?)"),
        ("file://signals/cache", "three slashes"),
        ("s3://", "names no bucket"),
        ("memory://signals/*", "cannot hold '*'"),
        ("memory://signals::s3://bucket", "cannot hold '::'"),
        ("s3://somebody:open/sesame@bucket/x", "AWS_ACCESS_KEY_ID"),
        ("s3://open-sesame@bucket", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_urls_that_cannot_be(where, says):
    with pytest.raises(LeakproError) as raised:
        open_cache(where)
    assert says in str(raised.value)
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize("missing", ["s3fs", "fsspec"])
def test_a_missing_driver_names_the_extra(missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pytest_leakpro.store.open_cache import open_cache\n"
        "open_cache('s3://bucket')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "LeakproError" in result.stderr
    assert "pip install 'pytest-leakpro[cloud]'" in result.stderr


def test_a_password_is_never_printed(recwarn):
    url = f"ftp://me:open%20sesame@127.0.0.1:{closed_port()}/signals"
    cache = open_cache(url)
    assert cache.load(KEY, 0) is None
    with pytest.raises(LeakproError) as raised:
        cache.entries()
    (warning,) = recwarn
    for text in (str(warning.message), str(raised.value), repr(cache), repr(cache._objects)):
        assert "sesame" not in text
        assert "ftp://***@127.0.0.1" in text
    assert "sesame" not in scrubbed("530 me: open sesame is no password", url)
    assert scrubbed("at https://you:sesame@proxy/x", url) == "at https://***@proxy/x"
    assert shown_url("sftp://me:se@sa/me@host/x/") == "sftp://***@host/x"
