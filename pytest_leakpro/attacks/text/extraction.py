"""Extraction: texts of which a model gives the rest when it is given the beginning.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.attacks.content_attack import Found, silent
from pytest_leakpro.attacks.text.continued import SIDES, ContinuedAttack
from pytest_leakpro.attacks.text.writing import writer_of
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metrics.extraction import Continuation, continuation

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["ExtractionOfTexts", "discoverable"]


@dataclass(frozen=True)
class ExtractionOfTexts(ContinuedAttack):
    """Give a model the first tokens of texts, and compare what comes with what stands there.

    By the likeliest continuation (greedy decoding), word by word or near to it; or by the chance
    that one of n samples (of the model's own law, at temperature 1) is right, which follows from
    the token probabilities without drawing any. Texts that are shorter than beginning and
    continuation together are left out. Of a model without a tokenizer words are counted.

    Parameters
    ----------
    attempts : int, optional
        See `ContinuedAttack`.

    References
    ----------
    Carlini et al. (2023), Quantifying memorization across neural language models, ICLR, section 3.
    Hayes et al. (2024), Measuring memorization through probabilistic discoverable extraction,
    definition 3.2 and equation 2: a sample is right with a probability q, the product of those of
    the tokens, and one of n is with 1 - (1 - q)^n.
    """

    name: ClassVar[str] = "extraction"
    metrics: ClassVar[tuple[str, ...]] = ("extraction",)
    rank: ClassVar[int] = 540

    def parts_of(self, view: MembershipView, metric: MetricName) -> tuple[Hashable | None, ...]:
        """Give what counts as extracted; see `ContentAttack.parts_of`."""
        del view
        return (continuation(metric),)

    def fitting(self, view: Any, part: Hashable | None) -> tuple[dict[str, NDArray[np.intp]], str]:
        """Choose the texts that are long enough; see `ContinuedAttack.fitting`."""
        wanted = part if isinstance(part, Continuation) else Continuation()
        length = wanted.prefix + wanted.suffix
        fits = {
            side: np.flatnonzero([len(text) >= length for text in texts])
            for side, texts in units_of(view).items()
        }
        return fits, f"have {length:,} {writer_of(view.adapter).unit} or more ({wanted})"

    def find(
        self,
        view: Any,
        rng: np.random.Generator,
        part: Hashable | None = None,
        say: Callable[[str], None] = silent,
    ) -> Found:
        """Continue texts of both sides; see `ContentAttack.find`.

        Raises
        ------
        LeakproError
            Where fewer than 10 texts of a side are long enough.
        """
        wanted = part if isinstance(part, Continuation) else Continuation()
        writer = writer_of(view.adapter)
        length = wanted.prefix + wanted.suffix
        units = units_of(view)
        notes = []
        for side, fit in self.fitting(view, wanted)[0].items():
            left = len(units[side]) - len(fit)
            if left:
                notes.append(
                    f"{left:,} of {len(units[side]):,} {side} are shorter than {length:,} "
                    f"{writer.unit}: left out"
                )

        def score(side: str, places: NDArray[np.intp]) -> NDArray[np.float64]:
            texts = [units[side][place] for place in places]
            begun = [text[: wanted.prefix] for text in texts]
            rest = [text[wanted.prefix : length] for text in texts]
            say(f"{len(texts):,} {side}")
            view.charge(self.name, len(texts))
            if wanted.queries is not None:
                chances = discoverable(writer.log_chances(begun, rest), wanted.queries)
                # What does not reach the chance shows how far it is from it.
                return np.where(chances >= wanted.chance, 1.0, chances / wanted.chance * 0.999)
            written = writer.likeliest(begun, wanted.suffix)
            return _alike(written, rest, wanted.near)

        return self.judged(view, self.drawn(view, wanted, rng), score, tuple(notes))


def units_of(view: Any) -> dict[str, list[list[Any]]]:
    """Take the texts of both sides apart, once."""
    if "units" not in view.kept:
        writer = writer_of(view.adapter)
        view.kept["units"] = {side: writer.split(view.texts(side)) for side in SIDES}
    kept: dict[str, list[list[Any]]] = view.kept["units"]
    return kept


def discoverable(log_chances: NDArray[np.float64], queries: int) -> NDArray[np.float64]:
    """Give the chance that one of n samples is right.

    Parameters
    ----------
    log_chances : ndarray of shape (m,)
        Logarithms of the probability that a sample is right, at most 0.
    queries : int
        n, at least 1.

    Returns
    -------
    ndarray of shape (m,)
        In [0, 1].
    """
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(queries * np.log1p(-np.exp(log_chances))))


def _alike(
    written: Sequence[Sequence[Any]], wanted: Sequence[Sequence[Any]], near: float
) -> NDArray[np.float64]:
    pairs = zip(written, wanted, strict=True)
    if not near:
        return np.array([float(list(one) == list(other)) for one, other in pairs])
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise LeakproError(
            "near= takes rapidfuzz, which measures edit distances: pip install "
            "'pytest-leakpro[text]'"
        ) from error
    shares = [Levenshtein.distance(one, other) / len(other) for one, other in pairs]
    return (np.array(shares) <= near).astype(float)
