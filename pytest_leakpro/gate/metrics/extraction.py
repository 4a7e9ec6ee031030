"""``extraction[k=50]``: training texts that a language model continues as they were.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metrics.base import Nouns
from pytest_leakpro.gate.metrics.guess_risk import GuessRisk

if TYPE_CHECKING:
    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Concern

__all__ = ["Continuation", "Extraction", "continuation"]

_NUMBER = r"\d{1,9}"
_SHARE = r"(?:\d+\.?\d*|\.\d+)%?"
_PART = re.compile(rf"\s*(k|suffix|n|p|near)\s*=\s*({_SHARE})\s*")
_USUAL_TOKENS = 50


@dataclass(frozen=True)
class Continuation:
    """What counts as extracted.

    Attributes
    ----------
    prefix : int
        Tokens of a text that the attacker has, from its beginning.
    suffix : int
        Tokens behind these that the model must give.
    queries : int or None
        How often the attacker samples; None for the likeliest continuation, once.
    chance : float
        With which one of the samples must be right, in (0, 1).
    near : float
        At most how large the edit distance may be, as a share of the suffix, in [0, 1).
    """

    prefix: int = _USUAL_TOKENS
    suffix: int = _USUAL_TOKENS
    queries: int | None = None
    chance: float = 0.5
    near: float = 0.0

    def __str__(self) -> str:
        said = [f"k={self.prefix}"]
        if self.suffix != self.prefix:
            said.append(f"suffix={self.suffix}")
        if self.queries is not None:
            said += [f"n={self.queries}", f"p={self.chance:.12g}"]
        if self.near:
            said.append(f"near={self.near:.12g}")
        return ", ".join(said)


class Extraction(GuessRisk):
    """How many members a model continues word by word, beyond non-members.

    Of each text the first k tokens are given (50 without an argument), and as many behind them, or
    ``suffix=``, must come out: as the likeliest continuation; or with ``n=`` samples and a chance
    of ``p=`` at least (a half); or ``near=`` to them, in edit distance as a share of the suffix.

    References
    ----------
    Carlini et al. (2023), Quantifying memorization across neural language models, ICLR, section 3:
    extractable with k tokens of context. Hayes et al. (2024), Measuring memorization through
    probabilistic discoverable extraction, section 3: (n, p)-discoverable extraction. Ippolito et
    al. (2023), Preventing generation of verbatim memorization in language models gives a false
    sense of privacy, INLG, section 3: what is near counts too.
    """

    name: ClassVar[str] = "extraction"
    concern: ClassVar[Concern] = "memorisation"
    argument: ClassVar[Literal["none", "optional", "required"]] = "optional"
    nouns: ClassVar[Nouns] = Nouns("model", "members", "non-members", "texts", "between trainings")
    fault: ClassVar[str] = "gives training texts away word by word"
    remedy: ClassVar[str] = "remove duplicates, stop training earlier, or train with DP"
    meaning: ClassVar[str] = "training texts that the model continues as they were"

    def check_name(self, metric: MetricName) -> None:
        """Check the argument; see `Metric.check_name`."""
        super().check_name(metric)
        continuation(metric)

    def tidy_argument(self, argument: str) -> str:
        """Write the parts alike; see `Metric.tidy_argument`."""
        return ", ".join(re.sub(r"\s+", "", part) for part in argument.split(","))


def continuation(metric: MetricName) -> Continuation:
    """Read the argument.

    Raises
    ------
    LeakproError
        Where it says nothing of the kind, or a value is out of range.
    """
    given: dict[str, str] = {}
    for part in [] if metric.argument is None else metric.argument.split(","):
        match = _PART.fullmatch(part)
        if match is None or match.group(1) in given:
            raise _wrong(metric, "k, suffix, n, p and near are known, once each")
        given[match.group(1)] = match.group(2)
    prefix = _whole(metric, given, "k", _USUAL_TOKENS)
    queries = _whole(metric, given, "n", 0) or None
    chance, near = _share(metric, given, "p", 0.5), _share(metric, given, "near", 0.0)
    if queries is None and "p" in given:
        raise _wrong(metric, "p goes with a number of samples n")
    if queries is not None and "near" in given:
        raise _wrong(metric, "near goes with the likeliest continuation, not with samples")
    return Continuation(prefix, _whole(metric, given, "suffix", prefix), queries, chance, near)


def _whole(metric: MetricName, given: dict[str, str], name: str, usual: int) -> int:
    if name not in given:
        return usual
    if re.fullmatch(_NUMBER, given[name]) is None or int(given[name]) < 1:
        raise _wrong(metric, f"{name} is a whole number of at least 1")
    return int(given[name])


def _share(metric: MetricName, given: dict[str, str], name: str, usual: float) -> float:
    if name not in given:
        return usual
    text = given[name]
    value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    if not 0 < value < 1:
        raise _wrong(metric, f"{name} is a share above 0 and below 1")
    return value


def _wrong(metric: MetricName, why: str) -> LeakproError:
    return LeakproError(
        f"{metric}: {why}: give extraction[k=50], extraction[k=50, suffix=20], "
        "extraction[k=50, n=100, p=0.5] or extraction[k=50, near=0.1]"
    )
