"""Text canaries: made-up secrets that an auditor inserts in training texts at random.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.canary_scores import CanaryScores
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.exposures import Exposures
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.records import MINIMUM
from pytest_leakpro.targets.text_template import TextTemplate
from pytest_leakpro.targets.tosses import check_seed, toss

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

__all__ = ["TextCanaries"]


class TextCanaries:
    """Texts for the audit of a language model: each is inserted with the toss of a coin.

    How far ahead of other texts of their kind a model has put those that were inserted is their
    exposure; what it tells about which of them were bounds its epsilon from below. Make the same
    canaries in the training script and in the test: they, and the tosses, follow from the
    arguments. `Canaries.generate` makes them of a template.

    Parameters
    ----------
    texts : sequence of str
        The canaries, at least 10, all different.
    candidates : sequence of str, or TextTemplate
        All texts of their kind, at least twice as many as there are canaries, which are among them.
    seed : int, default 0
        What the tosses follow from, at least 0.
    multiplicity : int or sequence of int, default 1
        How often a canary is inserted, if it is: several are dealt out in turn.
    truth : path, optional
        A file that remembers which canaries were inserted; see `Canaries`.

    Attributes
    ----------
    texts : list of str
        The canaries.
    included : ndarray of bool, shape (n,)
        Which of them were inserted, each with probability 1/2.
    multiplicities : ndarray of int, shape (n,)
        How often each is inserted, if it is.
    space : int or None
        How many texts of their kind there are; None where nobody knows.
    kind : str
        What they are, for records.

    Raises
    ------
    LeakproError
        Where arguments are not as described, or the file is damaged or of other canaries.

    References
    ----------
    Carlini et al. (2019), The Secret Sharer, USENIX Security, section 4.1: canaries and the space
    that they are drawn from. Steinke, Nasr and Jagielski (2023), Privacy auditing with one (1)
    training run, NeurIPS, section 1: examples inserted independently at random.
    """

    def __init__(
        self,
        texts: Sequence[str],
        *,
        candidates: Sequence[str] | TextTemplate,
        seed: int = 0,
        multiplicity: int | Sequence[int] = 1,
        truth: str | PathLike[str] | None = None,
    ) -> None:
        self.texts = read_texts(texts, "canaries")
        self.seed = check_seed(seed)
        self.kind = "texts"
        self._own = frozenset(self.texts)
        if len(self._own) < len(self.texts):
            raise LeakproError(
                f"canaries: {len(self.texts) - len(self._own):,} texts stand among them more than "
                "once: give each once, and say with multiplicity= how often it is inserted"
            )
        self._source = _source(candidates, self._own)
        self.space = self._source.space if isinstance(self._source, TextTemplate) else (
            len(self._source)
        )  # fmt: skip
        self._check_space()
        self.multiplicities = _dealt(multiplicity, len(self.texts))
        self.included = toss(len(self.texts), self.seed, truth, self._digest)

    @classmethod
    def from_template(
        cls,
        n: int,
        template: str,
        *,
        seed: int = 0,
        multiplicity: int | Sequence[int] = 1,
        truth: str | PathLike[str] | None = None,
        locale: str | None = None,
    ) -> TextCanaries:
        """Fill a template at random; see `pytest_leakpro.Canaries.generate`."""
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < MINIMUM:
            raise LeakproError(
                f"canaries: n is the number of canaries: give a whole number of at least {MINIMUM}"
            )
        filled = TextTemplate(template, locale)
        # Twice as many are drawn as are needed, which tells whether there are so many.
        if filled.space is not None and filled.space < 2 * n:
            raise LeakproError(_too_few(int(n), filled.space))
        texts = filled.fillings(2 * int(n), check_seed(seed), "texts")[: int(n)]
        return cls(texts, candidates=filled, seed=seed, multiplicity=multiplicity, truth=truth)

    def __repr__(self) -> str:
        often = sorted({int(times) for times in self.multiplicities})
        return f"TextCanaries({len(self)}, multiplicities={often})"

    def __len__(self) -> int:
        return len(self.texts)

    def insert(self, texts: Iterable[str]) -> list[str]:
        """Give training texts with the canaries that are included, in random order.

        Parameters
        ----------
        texts : iterable of str
            The training texts.

        Returns
        -------
        list of str
            With each included canary as often as its multiplicity says.

        Raises
        ------
        LeakproError
            Where a canary stands among them already.
        """
        given = read_texts(texts, "the training texts", least=1)
        there = sum(text in self._own for text in given)
        if there:
            raise LeakproError(
                f"canaries: {there:,} of the training texts are canaries, so that nobody knows "
                "which were inserted: insert() takes the texts without them"
            )
        times = np.where(self.included, self.multiplicities, 0)
        both = given + [
            text for text, often in zip(self.texts, times, strict=True) for _ in range(often)
        ]
        order = derive_rng(self.seed, "canaries", "order").permutation(len(both))
        return [both[place] for place in order]

    def candidates(self, n: int, seed: int = 0) -> list[str]:
        """Draw texts of the same kind that are no canaries, to rank canaries among.

        Parameters
        ----------
        n : int
            How many, at least 1; all different.
        seed : int
            What they follow from, at least 0.

        Raises
        ------
        LeakproError
            Where there are not so many.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise LeakproError("candidates: n is how many: give a whole number of at least 1")
        check_seed(seed)
        if isinstance(self._source, TextTemplate):
            return self._source.fillings(int(n), seed, "candidates", without=self._own)
        others = [text for text in self._source if text not in self._own]
        if n > len(others):
            raise LeakproError(
                f"candidates: {n:,} were asked for, and there are {len(others):,} beside the "
                "canaries"
            )
        rng = derive_rng(seed, "canaries", "candidates")
        return [others[place] for place in rng.choice(len(others), size=int(n), replace=False)]

    def side(self, *, included: bool) -> list[str]:
        """Give the canaries that were inserted, or those that were not."""
        places = np.flatnonzero(self.included == included)
        return [self.texts[place] for place in places]

    def exposures(
        self,
        losses: ArrayLike,
        candidate_losses: ArrayLike,
        *,
        assume: str | None = None,
        name: str | None = None,
    ) -> Exposures:
        """Rank the canaries by a model's losses, to be audited for ``exposure``.

        Parameters
        ----------
        losses : array_like of shape (n,)
            Of `texts`, in their order: minus the log-probability of each whole text.
        candidate_losses : array_like of shape (c,)
            Of ``candidates(c)``.
        assume, name
            As for `Exposures`.

        Returns
        -------
        Exposures
            Of the canaries that were inserted, with their multiplicities; the others are the
            check that candidates and canaries are alike.

        Raises
        ------
        LeakproError
            As `Exposures`.
        """
        self._check_losses(losses)
        space = self.space
        if space is not None:
            # A canary is ranked among those that are no canaries, and itself.
            space = space - len(self) + 1
        return Exposures.from_losses(
            losses,
            candidate_losses,
            space=space,
            multiplicities=np.where(self.included, self.multiplicities, 0),
            assume=assume,
            name=name,
        )

    def scores(
        self,
        losses: ArrayLike,
        *,
        delta: float,
        assume: str | None = None,
        name: str | None = None,
    ) -> CanaryScores:
        """Score the canaries that are inserted once at most, to be audited for ``epsilon``.

        Parameters
        ----------
        losses : array_like of shape (n,)
            Of `texts`, in their order.
        delta, assume, name
            As for `CanaryScores`.

        Returns
        -------
        CanaryScores
            Of one record a canary: differential privacy promises less to those that are inserted
            more often.

        Raises
        ------
        LeakproError
            As `CanaryScores`, and where fewer than 10 canaries have a multiplicity of 1.
        """
        self._check_losses(losses)
        once = self.inserted_once
        chosen = -np.asarray(losses, float)[self.multiplicities == 1]
        return CanaryScores(chosen, once.included, delta=delta, assume=assume, name=name)

    @property
    def inserted_once(self) -> TextCanaries:
        """Those with a multiplicity of 1, of which one is one record: for bounds on epsilon.

        Raises
        ------
        LeakproError
            Where there are fewer than 10.
        """
        chosen = self.multiplicities == 1
        if chosen.all():
            return self
        if chosen.sum() < MINIMUM:
            raise LeakproError(
                f"canaries: {chosen.sum()} have a multiplicity of 1, and epsilon is about one "
                f"record: make at least {MINIMUM} that are inserted once (a useful audit takes a "
                "thousand)"
            )
        places = np.flatnonzero(chosen)
        part = object.__new__(TextCanaries)
        part.__dict__ |= self.__dict__
        part.texts = [self.texts[place] for place in places]
        part.multiplicities, part.included = self.multiplicities[chosen], self.included[chosen]
        return part

    def _check_space(self) -> None:
        if self.space is not None and self.space < 2 * len(self):
            raise LeakproError(_too_few(len(self), self.space))

    def _check_losses(self, losses: Any) -> None:
        if np.shape(losses) != (len(self),):
            raise LeakproError(
                f"canaries: the losses have shape {np.shape(losses)} for {len(self):,} canaries: "
                "give one for each of canaries.texts, in their order"
            )

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for text, often in zip(self.texts, self.multiplicities, strict=True):
            digest.update(repr((text, int(often))).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def read_texts(texts: Any, what: str, least: int = MINIMUM) -> list[str]:
    """Read a list of texts, none of them empty.

    Raises
    ------
    LeakproError
        Where it is none, or there are fewer than `least`.
    """
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise LeakproError(f"{what}: a {type(texts).__name__}: give a list of texts")
    read = list(texts)
    wrong = sum(not isinstance(text, str) for text in read)
    if wrong:
        raise LeakproError(f"{what}: {wrong:,} of {len(read):,} are no texts: give str")
    empty = sum(not text.strip() for text in read)
    if empty:
        raise LeakproError(f"{what}: {empty:,} of {len(read):,} are empty: leave them out")
    if len(read) < least:
        raise LeakproError(f"{what}: {len(read)} texts are too few: give at least {least}")
    return [str(text) for text in read]


def _source(candidates: Any, own: frozenset[str]) -> list[str] | TextTemplate:
    if isinstance(candidates, TextTemplate):
        return candidates
    read = list(dict.fromkeys(read_texts(candidates, "candidates")))
    missing = len(own - set(read))
    if missing:
        raise LeakproError(
            f"candidates: {missing:,} of {len(own):,} canaries are missing from them: candidates "
            "are all texts of the kind that the canaries were drawn from"
        )
    return read


def _dealt(multiplicity: Any, n: int) -> NDArray[np.intp]:
    given = [multiplicity] if isinstance(multiplicity, (int, np.integer)) else multiplicity
    if not isinstance(given, (Sequence, np.ndarray)) or isinstance(given, (str, bytes)):
        given = []
    whole = [
        int(entry)
        for entry in given
        if isinstance(entry, (int, np.integer)) and not isinstance(entry, bool) and entry >= 1
    ]
    if not whole or len(whole) < len(given) or len(whole) > n:
        raise LeakproError(
            "canaries: multiplicity is how often a canary is inserted: give a whole number of at "
            f"least 1, or a sequence of at most {n} of them, which are dealt out in turn"
        )
    return np.resize(np.array(whole, dtype=np.intp), n)


def _too_few(n: int, space: int) -> str:
    return (
        f"canaries: there are {space:,} texts of the kind of {n:,} canaries: at least {2 * n:,} "
        "are needed, so that others are left to rank them among: give the template more digits"
    )
