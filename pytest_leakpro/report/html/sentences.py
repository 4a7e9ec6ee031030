"""What was measured as a sentence about people: of 1,000, about so many.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.metric_name import MetricName
from pytest_leakpro.gate.wording import UNBOUNDED
from pytest_leakpro.report.html.frequency import Frequency, frequency, one_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_leakpro.report.texts.catalogue import Words

__all__ = ["metric_name", "said_of"]

_NEAR = "near"
_IMAGINABLE = 1_000_000


def metric_name(record: Mapping[str, Any]) -> MetricName:
    """Read the metric of a record; one that is not known has nothing but its name."""
    try:
        return parse_metric(record["metric"])
    except LeakproError:
        return MetricName(record["metric"])


def said_of(record: Mapping[str, Any], words: Words) -> str:
    """Say what was measured in plain words.

    Parameters
    ----------
    record : mapping
        Complete.
    words : Words
        Of the page's language.

    Returns
    -------
    str
        One to three sentences. Counts are rounded so that they never understate: the estimate to
        the nearest, bounds outwards.
    """
    if record["error"] is not None or record["verdict"] == "ERROR":
        return words("answer.error")
    if record["value"] is None:
        return words("answer.not_scored")
    metric = metric_name(record)
    say = _SAYING.get(metric.name, _share)
    return say(record, metric, words) or _as_shown(record, words)


def _tpr(record: Mapping[str, Any], metric: MetricName, words: Words) -> str:
    found = _frequency(record)
    if found is None or metric.fpr is None:
        return ""
    wrong, of = one_in(metric.fpr)
    accepted = words.count("answer.tpr.wrong", wrong, of=words.number(of))
    main = words(
        "answer.tpr", base=words.number(found.base), wrong=accepted, about=_about(found, words)
    )
    guessing = _number(metric.fpr * found.base, words)
    return f"{_sentence(main, found, words)} {words('answer.tpr.chance', n=guessing)}"


def _by_halves(
    key: str, of: Callable[[float], float]
) -> Callable[[Mapping[str, Any], MetricName, Words], str]:
    """Say how often the attacker is right where guessing alone is right half of the time."""

    def say(record: Mapping[str, Any], metric: MetricName, words: Words) -> str:
        del metric
        found = _frequency(record, of)
        if found is None:
            return ""
        main = words(key, base=words.number(found.base), about=_about(found, words))
        half = words.number(found.base // 2)
        return f"{_sentence(main, found, words)} {words(f'{key}.chance', n=half)}"

    return say


def _share(record: Mapping[str, Any], metric: MetricName, words: Words) -> str:
    key = f"answer.{metric.name}"
    if metric.name == "reconstruction" and metric.argument == _NEAR:
        key = "answer.reconstruction_near"
    found = _frequency(record)
    if found is None or key not in words:
        return ""
    if record["census"]:
        return _counted(record, key, found, words)
    main = words(key, base=words.number(found.base), about=_about(found, words))
    return _sentence(main, found, words)


def _counted(record: Mapping[str, Any], key: str, found: Frequency, words: Words) -> str:
    """Say of how many how many were found where each was looked at."""
    evidence = record["evidence"] or {}
    of = (evidence.get("attempts") or {}).get("main")
    count = (evidence.get("successes") or {}).get("main")
    if not of or count is None or evidence.get("kind") != "counts":
        main = words(key, base=words.number(found.base), about=_about(found, words))
    else:
        main = words(key, base=words.number(of), about=words.number(count))
    return f"{main}{_budget(found, words)}. {words('answer.census')}"


def _epsilon(record: Mapping[str, Any], metric: MetricName, words: Words) -> str:
    del metric
    if record["low"] is None:
        return ""
    if record["low"] <= 0:
        return f"{words('answer.epsilon.nothing')} {words('answer.epsilon.open')}"
    factor = _factor(math.e, record["low"], words)
    said = words("answer.epsilon", low=record["shown_low"], factor=factor)
    said += _shown_budget(record, words)
    return f"{said}. {words('answer.epsilon.open')}"


def _exposure(record: Mapping[str, Any], metric: MetricName, words: Words) -> str:
    del metric
    factor = _factor(2.0, record["value"], words)
    said = words("answer.exposure", value=record["shown_value"], factor=factor)
    said += _shown_bounds(record, words)
    said += _shown_budget(record, words)
    return f"{said}. {words('answer.exposure.chance')}"


def _as_shown(record: Mapping[str, Any], words: Words) -> str:
    """Say it by the figures as they are, whatever they are of."""
    said = words("answer.any", metric=record["metric"], value=record["shown_value"])
    said += _shown_bounds(record, words)
    said += _shown_budget(record, words)
    return f"{said}."


def _shown_bounds(record: Mapping[str, Any], words: Words) -> str:
    low, high = record["shown_low"], record["shown_high"]
    if low == UNBOUNDED:
        return "" if high == UNBOUNDED else words("answer.at_most", high=high)
    if high == UNBOUNDED:
        return words("answer.at_least", low=low)
    return words("answer.bounds", low=low, high=high)


def _shown_budget(record: Mapping[str, Any], words: Words) -> str:
    if record["limit"] is None:
        return ""
    return words("answer.budget", limit=record["shown_limit"])


def _frequency(
    record: Mapping[str, Any], of: Callable[[float], float] = lambda share: share
) -> Frequency | None:
    figures = (record[key] for key in ("value", "low", "high", "limit"))
    value, low, high, limit = (None if figure is None else of(figure) for figure in figures)
    return frequency(value, low, high, limit)


def _sentence(main: str, found: Frequency, words: Words) -> str:
    bounds = ""
    if found.low is not None and found.high is not None:
        low, high = words.number(found.low), words.number(found.high)
        bounds = words("answer.bounds", low=low, high=high)
    elif found.low is not None:
        bounds = words("answer.at_least", low=words.number(found.low))
    elif found.high is not None:
        bounds = words("answer.at_most", high=words.number(found.high))
    return f"{main}{bounds}{_budget(found, words)}."


def _budget(found: Frequency, words: Words) -> str:
    if found.limit is None:
        return ""
    return words("answer.budget", limit=_number(found.limit, words))


def _about(found: Frequency, words: Words) -> str:
    if found.value == 0:
        return words.number(0)
    if found.value < 0.5:
        return words("answer.fewer_than_one")
    return words("answer.about", n=words.number(round(found.value)))


def _number(value: float, words: Words) -> str:
    """Write a count that may be a part of one: 10, 1.5."""
    nearest = round(value)
    if abs(value - nearest) <= 1e-6 * max(1.0, abs(value)):
        return words.number(nearest)
    return f"{value:.3g}".replace(".", words("number.decimal"))


def _factor(base: float, exponent: float, words: Words) -> str:
    """Write a power in two digits, as far as anybody has an idea of it."""
    if exponent * math.log(base) > math.log(_IMAGINABLE):
        return words("answer.factor.beyond", n=words.number(_IMAGINABLE))
    power = base**exponent
    if power < 10:
        return f"{power:.1f}".replace(".", words("number.decimal"))
    size = 10 ** (math.floor(math.log10(power)) - 1)
    return words.number(round(power / size) * size)


_SAYING: dict[str, Callable[[Mapping[str, Any], MetricName, Words], str]] = {
    "tpr": _tpr,
    "auc": _by_halves("answer.auc", lambda auc: auc),
    # Of whom half are members, (1 + advantage) / 2 are placed rightly.
    "advantage": _by_halves("answer.advantage", lambda advantage: (1 + advantage) / 2),
    "epsilon": _epsilon,
    "exposure": _exposure,
}
