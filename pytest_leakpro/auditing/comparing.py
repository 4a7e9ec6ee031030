"""Several defences of one target, audited alike.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.comparison import Comparison
from pytest_leakpro.auditing.conductor import (
    fail,
    finish,
    read_budgets,
    report,
    session_of_call,
)
from pytest_leakpro.auditing.regression import shared_error
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.contrast import Contrast, Leakage, contrast
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.attackers import Attacker
from pytest_leakpro.targets.hidden_scores import guard_of
from pytest_leakpro.targets.membership_target import MembershipTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.gate.metric_name import MetricName

__all__ = ["compare"]

_LONGEST_LABEL = 60


def compare(
    targets: Mapping[str, Any],
    *budgets: str | Budget,
    utility: Callable[[Any], float] | Mapping[str, float] | None = None,
    utility_name: str | None = None,
    attacks: str | Sequence[str | Attack] | None = None,
    seed: int | None = None,
    alpha: float | None = None,
    shadow_models: int | str | None = None,
    workers: int | None = None,
    weak_suite: str | None = None,
    name: str | None = None,
) -> Comparison:
    """Audit several defences alike, and tell which leak less than the first.

    Every target is audited with the same seed, so that the same records are set aside and shadow
    models are trained on the same halves. A model that hides its scores
    (`pytest_leakpro.defences`) is attacked by labels alone too, and the strongest attacker counts.

    Parameters
    ----------
    targets : mapping of str to target
        At least two of the same kind, by the name of the defence; the others are compared with the
        first.
    *budgets : str or Budget
        As for `audit`, the same for all.
    utility : callable or mapping of str to float, optional
        What a defence is worth: a function of the target's model (of the target itself where it has
        none), or the values by name. More is better.
    utility_name : str, optional
        What it is called; the function's name by default.
    attacks, seed, alpha, shadow_models, workers, weak_suite, name
        As for `audit`.

    Returns
    -------
    Comparison
        Never raises for what it found. Its records say how each defence compares with the first:
        "lower" or "higher" where that is significant at `alpha` over all defences, for each metric.

    Raises
    ------
    LeakproError
        For bad input, as `audit`; where there are fewer than two targets, or of several kinds;
        where a utility cannot be measured, which is found before anything is audited.

    References
    ----------
    Zou and Donner (2008), Construction of confidence limits about effect measures, Statistics in
    Medicine 27, equation 5; the comparisons share the error by Bonferroni's inequality.
    """
    session = session_of_call(
        attacks=attacks,
        seed=seed,
        alpha=alpha,
        shadow_models=shadow_models,
        workers=workers,
        weak_suite=weak_suite,
        name=name,
    )
    session = replace(session, paired=True)
    wanted = read_budgets(budgets) or session.budgets
    _check_targets(targets)
    values = _utilities(targets, utility)
    called = _name_of(utility, utility_name)
    finished = _audit_each(targets, wanted, session)
    found = _Contrasts(finished, session.alpha)
    title = _title(session)
    compared: dict[str, Audit] = {}
    for order, (label, audit) in enumerate(finished.items()):
        about = {
            "name": title,
            "defence": label,
            "order": order,
            "of": len(finished),
            "utility": values.get(label),
            "shown_utility": f"{values[label]:.4g}" if label in values else "",
            "utility_name": called,
            "hides_scores": _hidden(targets[label]),
            "label_only_audited": any(
                entry.access.startswith(Access.LABEL.value) for entry in audit.measurements
            ),
        }
        measured = tuple(
            replace(entry, comparison=about | found.told(entry.metric, label))
            for entry in audit.measurements
        )
        compared[label] = report(replace(audit, measurements=measured), session)
    return Comparison(title, compared, values, called, session.alpha, found.pair)


class _Contrasts:
    """How every defence compares with the first, and any two of them, which is told when asked."""

    def __init__(self, audits: Mapping[str, Audit], alpha: float) -> None:
        self._audits = audits
        self._alpha = alpha
        self._first = next(iter(audits))
        self._leakages = {label: _leakages(audit) for label, audit in audits.items()}
        self._known: dict[tuple[MetricName, frozenset[str]], float | None] = {}

    def pair(self, metric: str, one: str, other: str) -> Contrast:
        """Compare a defence with another one, at the error of all pairs."""
        count = len(self._audits)
        return self._contrast(parse_metric(metric), one, other, count * (count - 1) // 2)

    def _contrast(self, metric: MetricName, one: str, other: str, comparisons: int) -> Contrast:
        key = (metric, frozenset((one, other)))
        if key not in self._known:
            self._known[key] = _shared(metric, self._audits[one], self._audits[other])
        return contrast(
            self._leakages[one].get(metric),
            self._leakages[other].get(metric),
            alpha=self._alpha,
            comparisons=comparisons,
            correlation=self._known[key],
        )

    def told(self, metric: MetricName, label: str) -> dict[str, Any]:
        """Give what a record says of it."""
        found = Contrast("first")
        if label != self._first:
            found = self._contrast(metric, self._first, label, len(self._audits) - 1)
        return {
            "outcome": found.outcome,
            "difference": found.difference,
            "at_least": found.at_least,
            "method": found.method,
            "shown": found.shown(metric, repr(printable(self._first, 40))),
        }


def _leakages(audit: Audit) -> dict[MetricName, Leakage | None]:
    """Join the attackers on one target, metric by metric; None where nothing was scored."""
    found: dict[MetricName, Leakage | None] = {}
    for metric in dict.fromkeys(entry.metric for entry in audit.measurements):
        intervals = [
            entry.comparable
            for entry in audit.measurements
            if entry.metric == metric and entry.comparable is not None
        ]
        found[metric] = Leakage.of(intervals) if intervals else None
    return found


def _shared(metric: MetricName, one: Audit, other: Audit) -> float | None:
    """Say how much sampling error two audits share; None unless both scored the same records."""
    if one.scores is None or other.scores is None:
        return None
    return shared_error(metric, one.scores, other.scores)


def _audit_each(
    targets: Mapping[str, Any], budgets: tuple[Budget, ...], session: SessionDefaults
) -> dict[str, Audit]:
    finished: dict[str, Audit] = {}
    for label, target in targets.items():
        try:
            audit = finish(_with_labels_alone(target), budgets, session)
        except Exception as error:
            # What was found of the others is not lost with it.
            for done in finished.values():
                report(done, session)
            fail(error, budgets, session, target)
            if isinstance(error, LeakproError):
                raise LeakproError(f"{printable(label, 40)!r}: {error}") from error
            raise
        # By its label, also in a baseline: models of one class have one name.
        finished[label] = replace(
            audit,
            target=label,
            measurements=tuple(replace(entry, target=label) for entry in audit.measurements),
            details={**audit.details, "named": True},
        )
    return finished


def _with_labels_alone(target: Any) -> Any:
    """Add an attacker who sees labels alone where scores are hidden from the others."""
    if not _hidden(target):
        return target
    attackers = target.attackers or (Attacker(target.access, recipe=target.train is not False),)
    if any(entry.access is Access.LABEL for entry in attackers):
        return target
    also = copy(target)
    also.attackers = (*attackers, Attacker(Access.LABEL, recipe=target.train is not False))
    return also


def _hidden(target: Any) -> str:
    if not isinstance(target, MembershipTarget):
        return ""
    guard = guard_of(getattr(target, "model", None))
    return "" if guard is None else guard.said


def _check_targets(targets: Any) -> None:
    if not isinstance(targets, Mapping) or len(targets) < 2:
        raise LeakproError(
            "compare takes at least two targets by the name of their defence, as "
            '{"none": Classifier(…), "early stopping": Classifier(…)}'
        )
    for label in targets:
        if not isinstance(label, str) or not label.strip():
            raise LeakproError(f"a defence is called by a text, not {printable(repr(label), 60)}")
        _check_line(label, "the name of a defence")
    kinds = {label: type(target).__name__ for label, target in targets.items()}
    if len(set(kinds.values())) > 1:
        said = ", ".join(f"{printable(label, 40)!r} is a {kind}" for label, kind in kinds.items())
        raise LeakproError(f"only targets of one kind can be compared: {said}")


def _check_line(text: Any, what: str) -> None:
    if (
        not isinstance(text, str)
        or not 0 < len(text) <= _LONGEST_LABEL
        or not text.isprintable()
        or text != text.strip()
    ):
        shown = printable(repr(text), 60)
        raise LeakproError(
            f"{what} is one line of at most {_LONGEST_LABEL} printable characters without spaces "
            f"around it, not {shown}"
        )


def _title(session: SessionDefaults) -> str:
    """Name the comparison; a second one of the same test is told from the first."""
    title = session.name or session.test or "comparison"
    number = 0 if session.log is None else session.log.occurrence("comparison", title)
    return f"{title} ({number + 1})" if number else title


def _utilities(targets: Mapping[str, Any], utility: Any) -> dict[str, float]:
    if utility is None:
        return {}
    if isinstance(utility, Mapping):
        if set(utility) != set(targets):
            raise LeakproError(
                "utility= names other defences than the targets: give one value for each of "
                f"{', '.join(repr(printable(label, 40)) for label in targets)}"
            )
        return {label: _finite(utility[label], label) for label in targets}
    if not callable(utility):
        raise LeakproError(
            f"utility is a {type(utility).__name__}: give a function of the model, or a value for "
            "each defence"
        )
    values = {}
    for label, target in targets.items():
        subject = getattr(target, "model", target)
        try:
            value = utility(subject)
        except Exception as error:
            raise LeakproError(
                f"the utility of {printable(label, 40)!r} could not be measured: utility was given "
                f"its {type(subject).__name__} and raised {type(error).__name__}"
            ) from error
        values[label] = _finite(value, label)
    return values


def _finite(value: Any, label: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise LeakproError(
            f"the utility of {printable(label, 40)!r} is no finite number but a "
            f"{type(value).__name__}"
        )
    return number


def _name_of(utility: Any, given: str | None) -> str:
    if given is not None:
        _check_line(given, "utility_name")
        return given
    if utility is None:
        return ""
    name = getattr(utility, "__name__", "utility")
    return "utility" if name == "<lambda>" else str(name)
