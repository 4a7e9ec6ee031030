"""The shadow signals of a target: brought along, from the cache, or trained.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.shadow.assignment import assign, models_per_unit
from pytest_leakpro.shadow.executor import default_workers, execute
from pytest_leakpro.shadow.job import ShadowJob
from pytest_leakpro.shadow.place import Place
from pytest_leakpro.shadow.pool import Pool, pool_of
from pytest_leakpro.shadow.way import way_for
from pytest_leakpro.stats.seeding import derive_seed
from pytest_leakpro.store.cache import SignalCache
from pytest_leakpro.targets.shadow_signals import ShadowSignals
from pytest_leakpro.targets.torch_trainer import TorchTrainer
from pytest_leakpro.targets.torch_training import new_modules
from pytest_leakpro.targets.trainers import trainer_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from pytest_leakpro.shadow.way import Way
    from pytest_leakpro.targets.membership_target import MembershipTarget
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["ShadowPlan", "has_shadows", "obtain_shadows"]

_NOTABLE_GAP = 0.02


@dataclass(frozen=True)
class ShadowPlan:
    """How shadow models are to be had.

    Attributes
    ----------
    n_models : int
        How many, at least 4.
    workers : int or None
        Number of processes; None for the cores, shared among pytest-xdist's workers.
    cache : Path or None
        The folder where signals are kept; None for none.
    say : callable
        Told in one line what is coming.
    notes : list of str
        What was found on the way, for the user.
    place : Place
        Where they are trained; on this machine by default.
    training : dict
        How torch modules were trained together, as plain data: way, group and reason.
    """

    n_models: int
    workers: int | None
    cache: Path | None
    say: Callable[[str], None]
    notes: list[str] = field(default_factory=list)
    place: Place = field(default_factory=Place)
    training: dict[str, Any] = field(default_factory=dict)


def has_shadows(target: MembershipTarget) -> bool:
    """Tell whether a target comes with shadow signals, or with a way to train shadow models."""
    return target.signals is not None or trainer_of(target) is not None


def obtain_shadows(
    target: MembershipTarget, view: MembershipView, seed: int, plan: ShadowPlan
) -> ShadowSignals:
    """Give the shadow signals on the records of a view.

    Parameters
    ----------
    target : MembershipTarget
        For which `has_shadows` holds.
    view : MembershipView
        The records that are scored.
    seed : int
        The session's.
    plan : ShadowPlan
        How many, and where from.

    Returns
    -------
    ShadowSignals
        Columns: the view's members, its non-members, its population (never in).

    Raises
    ------
    LeakproError
        Where a shadow model cannot be trained, or signals brought along do not fit.
    """
    if target.signals is not None:
        return _brought_along(target.signals, view, plan)
    train = trainer_of(target)
    assert train is not None
    pool = pool_of(target, view)
    n_pool = len(pool.codes)
    n_target = target.n_train or len(view.pool[0])
    n_in = models_per_unit(plan.n_models, n_target / n_pool)
    assignment = assign(pool.n_units, plan.n_models, n_in, seed)[:, pool.codes]
    _note_sizes(n_target, round(n_pool * n_in / plan.n_models), plan)

    way = _way(train, plan)
    key = _key(train, target, pool, view, seed, plan, n_in)
    job = ShadowJob(
        X=pool.X,
        y=pool.y,
        assignment=assignment,
        seeds=tuple(
            int(derive_seed(seed, "shadow-model", str(index)).generate_state(1)[0] % 2**31)
            for index in range(plan.n_models)
        ),
        audited=pool.audited,
        reader=target.model_reader,
        cache=None if plan.cache is None or key is None else SignalCache(plan.cache),
        key=key or "",
        about={
            "target": target.name,
            "shadow_models": plan.n_models,
            "records": int(sum(map(len, pool.audited))),
        },
        way=way,
    )
    signals = execute(job, train, plan.workers or default_workers(), plan.say, plan.place)
    _require_different(signals)
    included = assignment[:, pool.places]
    if view.has_population:
        never = np.zeros((plan.n_models, len(pool.audited[-1])), dtype=bool)
        included = np.hstack([included, never])
    in_order = np.array_equal(pool.columns, np.arange(signals.shape[1]))
    return ShadowSignals(signals if in_order else signals[:, pool.columns], included)


def _way(train: Any, plan: ShadowPlan) -> Way | None:
    """Choose how torch modules are trained together; None for any other recipe."""
    if not isinstance(train, TorchTrainer):
        return None
    # Two: a factory that returns the same module again is found before anything is trained.
    module = new_modules(train.module, [0, 0], "cpu")[0]
    way = way_for(train, module, plan.n_models)
    plan.notes.append(str(way))
    plan.training.update(way=way.name, group=way.group, reason=way.reason)
    return way


def _brought_along(signals: ShadowSignals, view: MembershipView, plan: ShadowPlan) -> ShadowSignals:
    members, nonmembers = view.records("members"), view.records("nonmembers")
    n_given = view.n_members_given
    chosen = signals.take(np.concatenate([members.positions, n_given + nonmembers.positions]))
    chosen.require_both(slice(None))
    plan.notes.append(f"signals of {signals.n_models} shadow models brought along")
    return chosen


def _note_sizes(n_target: int, n_shadow: int, plan: ShadowPlan) -> None:
    if abs(n_shadow - n_target) > _NOTABLE_GAP * n_target:
        plan.notes.append(
            f"shadow models are trained on {n_shadow:,} records, the target on {n_target:,}: with "
            "as many non-members as members they would be alike"
        )


def _require_different(signals: NDArray[np.float64]) -> None:
    if len(np.unique(signals, axis=0)) < len(signals):
        raise LeakproError(
            "some shadow models are alike to the last bit: train must use the records and the "
            "seed that it is given, and return a model of its own each time"
        )


def _key(
    train: Any,
    target: MembershipTarget,
    pool: Pool,
    view: MembershipView,
    seed: int,
    plan: ShadowPlan,
    n_in: int,
) -> str | None:
    """Digest all that signals depend on; None where it cannot be told."""
    if plan.cache is None:
        return None
    from pytest_leakpro import __version__
    from pytest_leakpro.shadow.digest import (
        UndigestibleError,
        digest_records,
        digest_trainer,
        library_versions,
    )

    recipe = getattr(train, "estimator", train)
    try:
        parts = {
            "recipe": digest_trainer(recipe, target.trainer_version),
            "pool": digest_records(pool.X, pool.y),
            "population": (
                digest_records(view.records("population").inputs, view.records("population").y)
                if view.has_population
                else ""
            ),
        }
    except UndigestibleError as reason:
        plan.notes.append(
            f"shadow models are not cached, since it cannot be told when the recipe changes "
            f"({reason}); name it with trainer_version="
        )
        return None
    audited = hashlib.sha256()
    for marks in pool.marks:
        audited.update(marks.astype("<i8").tobytes() + b"|")
    parts |= {
        "audited": audited.hexdigest(),
        "reader": repr(target.model_reader),
        "assignment": f"{plan.n_models} {n_in} {seed}",
        "training": "{way} {group}".format(**plan.training) if plan.training else "",
        "versions": json.dumps(library_versions(), sort_keys=True),
        "plugin": __version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
