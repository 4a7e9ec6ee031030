"""Where a cache is: a folder, or the URL of an object store, which may hold a password.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable

__all__ = ["S3", "is_url", "local_path", "require_usable", "scheme_of", "scrubbed", "shown_url"]

S3 = frozenset({"s3", "s3a"})
"""Schemes of Amazon's protocol, which many other stores speak."""

# Of two characters at least: one is a drive of Windows.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_LOCAL = frozenset({"file", "local"})
# To fsspec they are patterns, versions and chains, of which clearing could hit what is not ours.
_SPECIAL = re.compile(r"[*?\[\]]|::")
_CREDENTIALS = re.compile(r"//[^/\s@]*@")


def is_url(where: str) -> bool:
    """Tell a URL from a folder."""
    return _URL.fullmatch(where) is not None


def scheme_of(url: str) -> str:
    """Give what stands before ``://``, in small letters."""
    return url.partition("://")[0].lower()


def local_path(url: str) -> Path | None:
    """Give the folder that a ``file:///`` URL names, None for any other.

    Raises
    ------
    LeakproError
        Where it names another machine, or a path that is not absolute.
    """
    if scheme_of(url) not in _LOCAL:
        return None
    from urllib.request import url2pathname  # slow, and every session with audits comes by here

    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"} or not parts.path:
        raise LeakproError(
            f"the cache {shown_url(url)} is no folder of this machine: give a path, or a URL with "
            "three slashes, as file:///var/cache/leakpro"
        )
    return Path(url2pathname(parts.path))


def require_usable(url: str) -> None:
    """Check that a URL names one place of its own.

    Raises
    ------
    LeakproError
        Where it names nothing, or a pattern, or holds credentials that S3 does not take there.
    """
    rest = url.partition("://")[2]
    authority = rest.partition("/")[0]
    if scheme_of(url) in S3 and (
        "@" in authority or (":" in authority and not authority.startswith("arn:"))
    ):
        raise LeakproError(
            "the cache's URL holds credentials, which process lists and configuration files would "
            f"show: write {scheme_of(url)}://bucket/prefix, and give them as AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or as a profile or role"
        )
    if not rest.strip("/"):
        raise LeakproError(
            f"the cache {shown_url(url)} names no bucket: write {scheme_of(url)}://bucket/prefix"
        )
    special = _SPECIAL.search(rest)
    if special is not None:
        raise LeakproError(
            f"the cache {shown_url(url)} cannot hold {special.group()!r}: give a plain bucket and "
            "prefix"
        )


def shown_url(url: str) -> str:
    """Give the URL without credentials, safe to print."""
    scheme, _, rest = url.partition("://")
    # The last one: a password may itself hold a slash or an at sign.
    _, at, place = rest.rpartition("@")
    return printable(f"{scheme}://{'***@' if at else ''}{place}".rstrip("/"))


def scrubbed(text: str, url: str) -> str:
    """Take the credentials of a URL, and any that look like some, out of a text."""
    rest = url.partition("://")[2]
    secrets = set()
    for part in (rest, rest.partition("/")[0]):
        credentials = part.rpartition("@")[0]
        secrets |= {credentials, credentials.partition(":")[2]}
    for secret in sorted(secrets | {unquote(secret) for secret in secrets}, key=len, reverse=True):
        if secret:
            text = text.replace(secret, "***")
    return _CREDENTIALS.sub("//***@", text)
