"""Random numbers that depend on a seed and a name, never on a worker or an order.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["derive_number", "derive_rng", "derive_seed"]


def derive_seed(seed: int, *names: str) -> np.random.SeedSequence:
    """Derive the seed of one piece of work from the session's seed and a stable name.

    Parameters
    ----------
    seed : int
        The session's seed, at least 0.
    *names : str
        The path of names that identifies the work.

    Returns
    -------
    numpy.random.SeedSequence
        The same for the same arguments on every machine; others for other names.
    """
    # Each name is hashed by itself, so that ("ab", "c") and ("a", "bc") differ.
    digests = [hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest() for name in names]
    words = [int.from_bytes(digest[i : i + 4], "little") for digest in digests for i in (0, 4, 8)]
    return np.random.SeedSequence(seed, spawn_key=tuple(words))


def derive_number(seed: int, *names: str) -> int:
    """Give a seed as libraries take it, in [0, 2**31); see `derive_seed`."""
    return int(derive_seed(seed, *names).generate_state(1)[0]) % 2**31


def derive_rng(seed: int, *names: str) -> np.random.Generator:
    """Give the random generator of one piece of work; see `derive_seed`."""
    return np.random.default_rng(derive_seed(seed, *names))
