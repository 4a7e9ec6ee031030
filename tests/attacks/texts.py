"""Texts of random words, for tests of what releases copy of them."""

import numpy as np

WORDS = np.array([f"w{k}" for k in range(3000)])
SHARES = 1 / np.arange(10.0, 3010.0)
SHARES /= SHARES.sum()


def texts(n, words, seed):
    """Give n texts of so many words each, as common as those of a language."""
    rng = np.random.default_rng(seed)
    return [" ".join(row) for row in rng.choice(WORDS, size=(n, words), p=SHARES)]
