"""What tells the signals of one recipe on one pool from all others.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pytest_leakpro.shadow.digest import digest_records, digest_trainer, library_versions

if TYPE_CHECKING:
    from pytest_leakpro.shadow.pool import Pool
    from pytest_leakpro.targets.membership_target import MembershipTarget
    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["signal_key"]


def signal_key(train: Any, target: MembershipTarget, pool: Pool, view: MembershipView) -> str:
    """Digest what the signals of all shadow models of a target depend on.

    Parameters
    ----------
    train : callable
        The recipe.
    target : MembershipTarget
        Whose `trainer_version` names the recipe where it is given.
    pool : Pool
        The records.
    view : MembershipView
        With the population, where there is one.

    Returns
    -------
    str
        Hexadecimal.

    Raises
    ------
    UndigestibleError
        Where it cannot be told when the recipe changes.
    """
    from pytest_leakpro import __version__

    recipe = getattr(train, "estimator", train)
    parts = {
        "recipe": digest_trainer(recipe, target.trainer_version),
        "pool": digest_records(pool.X, pool.y),
        "population": (
            digest_records(view.records("population").inputs, view.records("population").y)
            if view.has_population
            else ""
        ),
    }
    audited = hashlib.sha256()
    for marks in pool.marks:
        audited.update(marks.astype("<i8").tobytes() + b"|")
    parts |= {
        "audited": audited.hexdigest(),
        "reader": repr(target.model_reader),
        "readings": " ".join(map(digest_trainer, view.readings)),
        "versions": json.dumps(library_versions(), sort_keys=True),
        "plugin": __version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
