"""Both checks of one split, and what they say.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_leakpro.auditing.checks import blind, duplicates
from pytest_leakpro.auditing.checks.columns import UnreadableError
from pytest_leakpro.auditing.checks.near_texts import near_texts
from pytest_leakpro.auditing.checks.sample import draw_sample
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.verdict import Verdict
from pytest_leakpro.gate.wording import printable
from pytest_leakpro.stats.seeding import derive_rng
from pytest_leakpro.targets.overlap import Identities
from pytest_leakpro.targets.release_view import ReleaseView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_leakpro.auditing.checks.sample import Sample
    from pytest_leakpro.gate.measurement import Measurement
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["GroundTruth", "check_ground_truth"]

_MANY = 0.01
_DIFFER = "source and control differ without the release"


@dataclass(frozen=True)
class GroundTruth:
    """What the checks of a split found.

    Attributes
    ----------
    blind : BlindTest or None
        None where it could not run.
    details : dict
        For the record, as plain data.
    notes : tuple of str
        For the user.
    warnings : tuple of str
        Those of the notes that are worth a warning.
    seconds : float
        Time that the checks took.
    """

    blind: blind.BlindTest | None
    details: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    def differences(
        self, measurements: Iterable[Measurement], alpha: float
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Say where the two sides differ without the model although no verdict was kept back.

        A verdict that was kept back says so itself.

        Parameters
        ----------
        measurements : iterable of Measurement
            Decided.
        alpha : float
            Error of both sides of a bound together.

        Returns
        -------
        tuple of tuple of str
            Notes, of the first metric where it is so; and those of them worth a warning.
        """
        if self.blind is None:
            return (), ()
        for entry in measurements:
            reading = self.blind.read(entry.metric, alpha / 4)
            if reading is None or not reading.beyond_chance:
                continue
            text = str(reading)
            if any(note.startswith(text) for note in entry.notes):
                continue
            if entry.verdict is Verdict.FAIL:
                return (f"{text}; {entry.attack} exceeds that, so the FAIL stands",), ()
            text += ", so the figures speak of that difference too"
            return (text,), (text,)
        return (), ()


def check_ground_truth(view: MembershipView | ReleaseView, seed: int, alpha: float) -> GroundTruth:
    """Run the blind classifier and count near-duplicates. Does not ask the model anything.

    Parameters
    ----------
    view : MembershipView or ReleaseView
        The split.
    seed : int
        The session's.
    alpha : float
        Error of both sides of a bound together.
    """
    started = time.perf_counter()
    try:
        sample = draw_sample(view, derive_rng(seed, "checks"))
    except UnreadableError as error:
        why = printable(f"records are {error}", 120)
        note = f"whether members and non-members differ without the model was not checked: {why}"
        return GroundTruth(None, {"blind": {"skipped": why}}, (note,))
    test = None
    details: dict[str, Any] = {}
    notes: list[str] = []
    if min(sample.sizes) < blind.FEWEST_UNITS:
        why = f"it takes {blind.FEWEST_UNITS} members and as many non-members"
        details["blind"] = {"skipped": why}
        notes.append(
            f"whether members and non-members differ without the model was not checked: {why}"
        )
    else:
        sides = _DIFFER if isinstance(view, ReleaseView) else blind.DIFFER
        test = blind.blind_test(sample, derive_rng(seed, "blind"), sides)
        details["blind"] = _blind_details(test, alpha)
    warnings = []
    if sample.sizes[1] >= duplicates.FEWEST_UNITS:
        n_near = _count_near(view, sample, seed)
        details["near_duplicates"] = {"members": n_near, "of": sample.sizes[0]}
        text, many = _near_text(n_near, sample)
        notes += [text] if text else []
        warnings += [text] if many else []
    return GroundTruth(test, details, tuple(notes), tuple(warnings), time.perf_counter() - started)


def _blind_details(test: blind.BlindTest, alpha: float) -> dict[str, Any]:
    reading = test.read(parse_metric("auc"), alpha / 4)
    assert reading is not None
    sizes = [half.sizes for half in test.halves]
    return {
        "auc": reading.value,
        "low": reading.low,
        "level": blind.LEVEL,
        "members": sum(members for members, _ in sizes),
        "nonmembers": sum(nonmembers for _, nonmembers in sizes),
    }


def _count_near(view: MembershipView | ReleaseView, sample: Sample, seed: int) -> int:
    if sample.texts is None:
        found = duplicates.near_duplicates(sample, derive_rng(seed, "near-duplicates"))
    else:
        found = near_texts(sample)
    if view.blocks_pass:  # records on both sides were let in; they are counted already
        sides = [view.records("members"), view.records("nonmembers")]
        found &= ~Identities(sides).also_in("members", "nonmembers")[sample.drawn[0]]
    return int(found.sum())


def _near_text(n_near: int, sample: Sample) -> tuple[str, bool]:
    """Say how many there are, where there are more than chance would give, and whether many."""
    from scipy import stats

    n = sample.sizes[0]
    if not n_near or stats.binom.sf(n_near - 1, n, duplicates.CHANCE) > blind.LEVEL:
        return "", False
    text = (
        f"{n_near:,} of {n:,} members ({sample.noun}) that were looked at have a near-duplicate "
        "among the non-members"
    )
    if n_near <= _MANY * n:
        return f"{text}, which weakens every attack on them", False
    advice = "keep copies and repeated measurements on one side (groups=)"
    return f"{text}: leakage is understated, since these look like members; {advice}", True
