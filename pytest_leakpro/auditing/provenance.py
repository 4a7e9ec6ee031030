"""What a record says of how its figures came about.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.plain import plain
from pytest_leakpro.shadow.digest import (
    UndigestibleError,
    digest_records,
    digest_trainer,
    library_versions,
)
from pytest_leakpro.targets.trainers import trainer_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.targets.membership_target import MembershipTarget
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.release_view import ReleaseView
    from pytest_leakpro.targets.synthetic_data import SyntheticData

__all__ = [
    "configuration",
    "details_of_evidence",
    "details_of_release",
    "details_of_target",
    "digest_of_records",
]


def configuration(
    session: SessionDefaults, suite: Iterable[Attack], shadow_models: int | str | None
) -> dict[str, Any]:
    """Say what was asked of the attacks: only what was asked alike is compared.

    Parameters
    ----------
    session : SessionDefaults
        What the call, the marker and the session say together.
    suite : iterable of Attack
        The attacks that were asked for, or the candidates.
    shadow_models : int, "auto" or None
        How many there are to be, None for none.
    """
    asked = session.attacks
    return {
        "attacks": asked if asked is None or asked == "all" else [_plain(entry) for entry in suite],
        "shadow_models": shadow_models,
    }


def _plain(attack: Attack) -> dict[str, Any]:
    # What is not compared is no parameter but what the attack learned.
    parameters = {
        entry.name: _recorded(getattr(attack, entry.name))
        for entry in fields(attack)
        if entry.compare
    }
    return {"name": attack.name, **parameters}


def _recorded(value: Any) -> Any:
    try:
        return plain(value)
    except LeakproError:  # an array, or an object of the user's
        return "not recorded"


def details_of_evidence() -> dict[str, Any]:
    """Say what is known of scores that were measured elsewhere."""
    return {
        "queries": None,
        "device": None,
        "configuration": {"attacks": None, "shadow_models": None},
        "digests": {},
        "libraries": library_versions(),
    }


def details_of_target(
    target: MembershipTarget, view: MembershipView, session: SessionDefaults
) -> dict[str, Any]:
    """Say on what a target was audited; the configuration is added by who knows it."""
    return {
        "queries": view.queries,
        "device": target.device,
        "digests": _digests(target, view, session.digest_key),
        "libraries": library_versions(),
    }


def details_of_release(
    target: SyntheticData, view: ReleaseView, session: SessionDefaults
) -> dict[str, Any]:
    """Say on what a release was audited, as `details_of_target`."""
    digests = {}
    if target.generate is not None:
        with suppress(UndigestibleError):
            digests["recipe"] = digest_trainer(target.generate, target.generator_version)
    if session.digest_key is not None:
        data = digest_of_records(view)
        if data is not None:
            digests["data"] = _keyed(session.digest_key, data)
        with suppress(UndigestibleError):
            released = digest_records(view.released, np.zeros(len(view.released)))
            digests["model"] = _keyed(session.digest_key, released)
    return {
        "queries": None,
        "device": None,
        "digests": digests,
        "libraries": library_versions(),
    }


def _digests(target: MembershipTarget, view: MembershipView, key: bytes | None) -> dict[str, str]:
    digests = {}
    train = trainer_of(target)
    if train is not None:
        try:
            recipe = getattr(train, "estimator", train)
            digests["recipe"] = digest_trainer(recipe, target.trainer_version)
        except UndigestibleError:
            pass
    if key is None:
        return digests
    # A model follows from its records, so a plain digest of it would confirm a guess of them too.
    data = digest_of_records(view)
    if data is not None:
        digests["data"] = _keyed(key, data)
    model = _digest_of_model(target.model)
    if model is not None:
        digests["model"] = _keyed(key, model)
    return digests


def digest_of_records(view: MembershipView | ReleaseView) -> str | None:
    """Digest the records that are scored, in their order; None where they have no digest."""
    try:
        sides = (view.records(side) for side in ("members", "nonmembers"))
        return "-".join(digest_records(records.inputs, records.y) for records in sides)
    except UndigestibleError:
        return None


def _digest_of_model(model: Any) -> str | None:
    import joblib

    try:
        return str(joblib.hash(model))
    except Exception:  # whatever cannot be pickled has no digest
        return None


def _keyed(key: bytes, digest: str) -> str:
    return hmac.new(key, digest.encode(), "sha256").hexdigest()
