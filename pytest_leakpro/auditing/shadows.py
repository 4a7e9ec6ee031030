"""Shadow models in an audit: obtained, compared with the target, and asked which attacks run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.auditing.ranking import rank_attacks
from pytest_leakpro.auditing.suite import LARGEST_DEFAULT_SUITE
from pytest_leakpro.shadow.fidelity import compare_with_shadows
from pytest_leakpro.shadow.obtain import ShadowPlan, obtain_shadows
from pytest_leakpro.shadow.place import Place
from pytest_leakpro.targets.regressor import Regressor

if TYPE_CHECKING:
    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.gate.budget import Budget
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["PreparedShadows", "prepare_shadows"]


@dataclass(frozen=True)
class PreparedShadows:
    """What shadow models settled before the target's members are scored.

    Attributes
    ----------
    suite : tuple of Attack
        The attacks that run, the strongest first.
    strength : str
        How many shadow models the attacker has, in words.
    notes : list of str
        What was found, for the user.
    blocks_pass : tuple of str
        What keeps a verdict from being PASS.
    seconds : float
        Time that it took.
    training : dict
        How torch modules were trained together, as plain data; empty for any other recipe.
    """

    suite: tuple[Attack, ...]
    strength: str
    notes: list[str]
    blocks_pass: tuple[str, ...]
    seconds: float
    training: dict[str, Any]


def prepare_shadows(
    target: Any,
    view: MembershipView,
    suite: tuple[Attack, ...],
    budgets: tuple[Budget, ...],
    session: SessionDefaults,
) -> PreparedShadows:
    """Obtain shadow signals for a view, and settle what follows from them.

    Parameters
    ----------
    target : MembershipTarget
        With shadow signals, or a way to train shadow models.
    view : MembershipView
        Gets its `shadow`.
    suite : tuple of Attack
        Candidates, or the attacks that were asked for.
    budgets : tuple of Budget
        The first false-positive rate among them ranks the attacks.
    session : SessionDefaults
        How many shadow models, and how.

    Returns
    -------
    PreparedShadows
    """
    started = time.perf_counter()
    plan = ShadowPlan(
        n_models=session.shadow_models,
        workers=session.workers,
        cache=None if session.cache_dir is None else Path(session.cache_dir),
        say=session.say or _say_on_stderr,
        place=Place(session.backend, session.scheduler),
    )
    shadow = obtain_shadows(target, view, session.seed, plan)
    view.shadow = shadow
    n_members, n_nonmembers = len(view.records("members")), len(view.records("nonmembers"))
    n_counted = n_members + n_nonmembers
    # Only a population stands behind them; without one a copy of all signals is saved.
    counted = shadow if n_counted == shadow.n_records else shadow.take(np.arange(n_counted))
    counted.require_both(slice(None))

    rates = [budget.metric.fpr for budget in budgets if budget.metric.fpr is not None]
    ranked = rank_attacks(
        suite, counted, rates[0] if rates else None, regression=isinstance(target, Regressor)
    )
    if session.attacks is None:
        ranked = ranked[:LARGEST_DEFAULT_SUITE]
    elif session.attacks != "all":  # named attacks keep the order, and so the weights, of the call
        names = [attack.name for attack in suite]
        ranked.sort(key=lambda attack: names.index(attack.name))
    signals = np.concatenate([view.members.negative_loss, view.nonmembers.negative_loss])
    different = compare_with_shadows(signals, counted, n_members, n_nonmembers)
    notes = list(plan.notes)
    if different is not None:
        notes.append(different)
    return PreparedShadows(
        tuple(ranked),
        f"{shadow.n_models} shadow models",
        notes,
        () if different is None else (different,),
        time.perf_counter() - started,
        plan.training,
    )


def _say_on_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - what takes long is said, even alone
