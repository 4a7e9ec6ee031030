"""Shadow models in an audit: obtained, compared with the target, and asked which attacks run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.attacks.membership.record_facts import facts_of
from pytest_leakpro.attacks.membership.shadow_attack import ShadowAttack
from pytest_leakpro.auditing.parties import share_readings, share_shadows
from pytest_leakpro.auditing.ranking import rank_attacks
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.fidelity import compare_with_shadows
from pytest_leakpro.shadow.obtain import ShadowPlan, shadow_looks
from pytest_leakpro.shadow.place import Place
from pytest_leakpro.stats.multiplicity import look_shares

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.parties import Party
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["Round", "say_on_stderr", "shadow_rounds"]


@dataclass(frozen=True)
class Round:
    """What shadow models settle before the target's members are scored, at one look.

    Attributes
    ----------
    suite : tuple of Attack
        The attacks that run, the strongest first.
    strength : str
        How many shadow models the attacker has, in words.
    notes : tuple of str
        What was found, for the user.
    blocks_pass : tuple of str
        What keeps a verdict from being PASS.
    seconds : float
        Time that it took.
    training : dict
        How torch modules were trained together; empty where none were.
    share : float
        Of the error that this look may spend on a FAIL, in (0, 1].
    last : bool
        Whether no other look comes.
    """

    suite: tuple[Attack, ...]
    strength: str = "no shadow models"
    notes: tuple[str, ...] = ()
    blocks_pass: tuple[str, ...] = ()
    seconds: float = 0.0
    training: dict[str, Any] = field(default_factory=dict)
    share: float = 1.0
    last: bool = True


def shadow_rounds(
    parties: Sequence[Party], budgets: tuple[Budget, ...], session: SessionDefaults
) -> Iterator[tuple[Round, ...]]:
    """Obtain shadow signals, look by look, and settle what follows from them for every attacker.

    Parameters
    ----------
    parties : sequence of Party
        Their views get their `shadow`. The models are trained once for all.
    budgets : tuple of Budget
        The first false-positive rate among them ranks the attacks.
    session : SessionDefaults
        How many shadow models, and how.

    Yields
    ------
    tuple of Round
        One per attacker, once or at every look. What a look needs is trained when it is asked for.

    Raises
    ------
    LeakproError
        Where a shadow model cannot be trained.
    OutOfTimeError
        Where the time is over.
    """
    main = share_readings(parties)
    if main is None:
        yield tuple(Round(party.suite) for party in parties)
        return
    started = time.perf_counter()
    plan = ShadowPlan(
        n_models=session.shadow_models,
        workers=session.workers,
        cache=session.cache_dir,
        say=session.say or say_on_stderr,
        place=Place(session.backend, session.scheduler),
        deadline=session.deadline,
    )
    looks = shadow_looks(main.target, main.view, session.seed, plan)
    most = looks.numbers[-1]
    shares = look_shares(len(looks.numbers))
    for share, shadow in zip(shares, looks.signals, strict=True):
        last = shadow.n_models == most
        strength = f"{shadow.n_models} shadow models"
        early: tuple[str, ...] = ()
        if not last:
            strength = f"{shadow.n_models} of at most {most} shadow models"
            early = (f"a PASS takes all {most} shadow models, and this is a look at fewer",)
        settled = []
        for party in parties:
            if not party.needs_shadow:
                settled.append(Round(party.suite, blocks_pass=early, share=share, last=last))
                continue
            share_shadows(party, main, shadow)
            ranked, different = _settle(party.view, party.suite, budgets, session)
            found = () if different is None else (different,)
            settled.append(
                Round(
                    ranked,
                    strength,
                    (*plan.notes, *found),
                    (*found, *early),
                    time.perf_counter() - started,
                    dict(plan.training),
                    share,
                    last,
                )
            )
        yield tuple(settled)


def _settle(
    view: MembershipView,
    suite: tuple[Attack, ...],
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
) -> tuple[tuple[Attack, ...], str | None]:
    """Choose the attacks by the shadow models, and say in what the target differs from these."""
    shadow = view.shadow
    assert shadow is not None
    n_members, n_nonmembers = len(view.records("members")), len(view.records("nonmembers"))
    counted = shadow.take(np.arange(n_members + n_nonmembers))  # a population stands behind them
    counted.require_both(slice(None))

    suite = _able(suite, counted, named=session.attacks not in (None, "all"))
    rates = [budget.metric.fpr for budget in budgets if budget.metric.fpr is not None]
    regression = view.regression
    ranked = rank_attacks(
        suite,
        counted,
        rates[0] if rates else None,
        regression=regression,
        facts=facts_of(view, regression=regression),
        seed=session.seed,
    )
    if session.attacks is None:
        ranked = ranked[:LARGEST_DEFAULT_SUITE]
    elif session.attacks != "all":  # named attacks keep the order, and so the weights, of the call
        names = [attack.name for attack in suite]
        ranked.sort(key=lambda attack: names.index(attack.name))
    signals = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
    return tuple(ranked), compare_with_shadows(signals, counted, n_members, n_nonmembers)


def _able(suite: tuple[Attack, ...], shadow: ShadowSignals, *, named: bool) -> tuple[Attack, ...]:
    """Leave out attacks that the shadow models at hand do not do for; refuse those named."""
    able: list[Attack] = []
    for attack in suite:
        lacking = attack.lacking(shadow) if isinstance(attack, ShadowAttack) else None
        if lacking is None:
            able.append(attack)
        elif named:
            raise LeakproError(f"the attack {attack.name!r} does not match: {lacking}")
    return tuple(able)


def say_on_stderr(line: str) -> None:
    """Tell what takes long, where no session does."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - what takes long is said, even alone
