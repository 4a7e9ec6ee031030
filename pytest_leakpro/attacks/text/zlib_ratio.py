"""The loss against how much a text says: what is easy for everyone is no sign of training.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.text.base_attack import TextAttack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.text_view import TextView

__all__ = ["CompressionRatio", "compressed_sizes"]


@dataclass(frozen=True)
class CompressionRatio(TextAttack):
    """Score a text by minus its loss over the number of bytes that zlib compresses it to.

    References
    ----------
    Carlini, Tramèr, Wallace et al. (2021), Extracting training data from large language models,
    USENIX Security, section 5.2 (zlib): the logarithm of the perplexity over the zlib entropy.
    """

    name: ClassVar[str] = "zlib_ratio"
    rank: ClassVar[int] = 503

    def score_texts(self, view: TextView, side: str) -> NDArray[Any]:
        """Divide by the compressed size; see `TextAttack.score_texts`."""
        loss = view.tokens(side).negative_loss
        return np.asarray(loss / compressed_sizes(view.texts(side)))


def compressed_sizes(texts: Sequence[str]) -> NDArray[np.float64]:
    """Give the number of bytes that zlib makes of each text in UTF-8, shape (n,)."""
    return np.array(
        [len(zlib.compress(text.encode("utf-8", "surrogatepass"))) for text in texts],
        dtype=np.float64,
    )
