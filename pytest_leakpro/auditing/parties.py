"""The attackers of one audit, each with what it sees of the target and the attacks it may run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_leakpro.attacks.base import MembershipAttack
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE, choose_suite
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.obtain import has_shadows
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.attackers import AsLabels, LabelsRight
from pytest_leakpro.targets.shadow_signals import ShadowSignals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.targets.membership_target import MembershipTarget
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.readings import Reading

__all__ = ["Party", "gather_readings", "parties_of", "share_readings", "share_shadows"]

# Where an attack needs a population and the user gave none.
_POPULATION_SHARE = 0.3


@dataclass(frozen=True, repr=False, eq=False)
class Party:
    """One attacker in an audit.

    Attributes
    ----------
    target : MembershipTarget
        As this attacker sees it.
    view : MembershipView
        The records to score, the same for all attackers.
    suite : tuple of Attack
        Candidates, or the attacks that were asked for.
    n_attacks : int
        How many of them run.
    readings : tuple of Reading
        What these read beyond the loss.
    """

    target: MembershipTarget
    view: MembershipView
    suite: tuple[Attack, ...]
    n_attacks: int
    readings: tuple[Reading, ...]

    @property
    def name(self) -> str:
        """What the attacker sees and knows, for records."""
        return self.target.attacker_name

    @property
    def needs_shadow(self) -> bool:
        """Whether some attack of the suite does."""
        return any(attack.needs_shadow for attack in self.suite)


def parties_of(target: MembershipTarget, session: SessionDefaults) -> tuple[Party, ...]:
    """Choose the attacks of every attacker on a target, and the records to score.

    Parameters
    ----------
    target : MembershipTarget
        With its attackers, or one alone.
    session : SessionDefaults
        What the call, the marker and the session say together.

    Returns
    -------
    tuple of Party
        In the order in which the attackers are given.

    Raises
    ------
    LeakproError
        Where an attack that was asked for matches no attacker, or an attacker has none.
    """
    seen = [target.seen_by(attacker) for attacker in target.attackers] or [target]
    suites = (
        [_suite(sight, session) for sight in seen] if len(seen) == 1 else _suites(seen, session)
    )
    lacking = not target.has_population and any(
        attack.wants_population(sight)
        for sight, suite in zip(seen, suites, strict=True)
        for attack in suite
    )
    share = _POPULATION_SHARE if lacking else None
    view = target.prepare(session.seed, population_share=share)
    parties = []
    for sight, suite in zip(seen, suites, strict=True):
        own = view if sight is target else view.seen_by(sight.sight)
        n_attacks = len(suite)
        if session.attacks is None:
            n_attacks = min(n_attacks, LARGEST_DEFAULT_SUITE)
        parties.append(Party(sight, own, suite, n_attacks, gather_readings(suite, own)))
    return tuple(parties)


def _suite(
    target: MembershipTarget, session: SessionDefaults, asked: Any = None
) -> tuple[Attack, ...]:
    wanted = session.shadow_models if target.signals is None else target.signals.n_models
    return choose_suite(
        target,
        session.attacks if asked is None else asked,
        session.others,
        shadows=has_shadows(target),
        shadow_models=wanted if isinstance(wanted, int) else None,
    )


def _suites(seen: Sequence[MembershipTarget], session: SessionDefaults) -> list[tuple[Attack, ...]]:
    """Choose for several attackers: each runs those of the attacks asked for that match it."""
    if session.attacks is None or session.attacks == "all":
        return [_suite(target, session) for target in seen]
    asked = [session.attacks] if isinstance(session.attacks, str) else list(session.attacks)
    suites: list[list[Attack]] = [[] for _ in seen]
    for entry in asked:
        errors = [
            error
            for target, suite in zip(seen, suites, strict=True)
            if (error := _add_if_it_matches(suite, entry, target, session)) is not None
        ]
        if len(errors) == len(seen):
            raise errors[-1]
    for target, suite in zip(seen, suites, strict=True):
        names = [attack.name for attack in suite]
        if len(set(names)) < len(names):
            raise LeakproError(f"attacks= names an attack twice: {', '.join(names)}")
        if not suite:
            raise LeakproError(
                f"none of the attacks asked for matches the attacker {target.attacker_name!r}: "
                "leave the attacker out, or name an attack for it"
            )
    return [tuple(suite) for suite in suites]


def _add_if_it_matches(
    suite: list[Attack], entry: Any, target: MembershipTarget, session: SessionDefaults
) -> LeakproError | None:
    try:
        suite.extend(_suite(target, session, [entry]))
    except LeakproError as error:
        return error
    return None


def gather_readings(suite: Sequence[Attack], view: MembershipView) -> tuple[Reading, ...]:
    """Gather what attacks read beyond the loss, each reading once."""
    found: dict[str, Reading] = {}
    for attack in suite:
        if isinstance(attack, MembershipAttack):
            for reading in attack.readings(view):
                found.setdefault(reading.name, reading)
    return tuple(found.values())


def share_readings(parties: Sequence[Party]) -> Party | None:
    """Let one attacker's shadow models be read for all: they are trained once.

    Parameters
    ----------
    parties : sequence of Party
        Of one audit.

    Returns
    -------
    Party or None
        The one who sees most among those that need shadow models, whose view is told what else to
        read; None where nobody needs them.
    """
    needing = [party for party in parties if party.needs_shadow]
    if not needing:
        return None
    main = max(needing, key=lambda party: list(Access).index(party.target.access))
    readings: dict[str, Reading] = {}
    for party in needing:
        if _sees_less(party, main):
            readings.setdefault(LabelsRight.name, LabelsRight())
            for reading in map(AsLabels, party.readings):
                readings.setdefault(reading.name, reading)
        else:
            for own in party.readings:
                readings.setdefault(own.name, own)
    main.view.readings = tuple(readings.values())
    return main


def share_shadows(party: Party, main: Party, shadow: ShadowSignals) -> None:
    """Give an attacker what the shadow models say as it sees them."""
    if not _sees_less(party, main):
        # What is read for others is not to be learned from.
        party.view.shadow = shadow.with_further([reading.name for reading in party.readings])
        return
    # Only counted records are read further; a population stands behind them.
    right = shadow.further[LabelsRight.name][:, 0]
    further = {reading.name: shadow.further[AsLabels(reading).name] for reading in party.readings}
    party.view.shadow = ShadowSignals(right, shadow.included[:, : right.shape[1]], further)


def _sees_less(party: Party, main: Party) -> bool:
    labels = Access.LABEL
    return party.target.access is labels and main.target.access is not labels
