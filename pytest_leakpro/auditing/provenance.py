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
from pytest_leakpro.targets.containers import as_numpy
from pytest_leakpro.targets.trainers import trainer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_leakpro.attacks.base import Attack
    from pytest_leakpro.auditing.session import SessionDefaults
    from pytest_leakpro.targets.federated_update import FederatedUpdate
    from pytest_leakpro.targets.membership_target import MembershipTarget
    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.release_view import ReleaseView
    from pytest_leakpro.targets.synthetic_data import SyntheticData
    from pytest_leakpro.targets.update_view import AuditedUpdates

__all__ = [
    "configuration",
    "details_of_evidence",
    "details_of_release",
    "details_of_target",
    "details_of_update",
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
        "digests": _digests(
            trainer_of(target),
            target.trainer_version,
            view,
            lambda: _digest_of_model(target.model),
            session.digest_key,
        ),
        "libraries": library_versions(),
    }


def details_of_release(
    target: SyntheticData, view: ReleaseView, session: SessionDefaults
) -> dict[str, Any]:
    """Say on what a release was audited, as `details_of_target`."""
    return {
        "queries": None,
        "device": None,
        "digests": _digests(
            target.generate,
            target.generator_version,
            view,
            lambda: _digest_of_release(view.released),
            session.digest_key,
        ),
        "libraries": library_versions(),
    }


def details_of_update(
    target: FederatedUpdate, updates: AuditedUpdates, session: SessionDefaults
) -> dict[str, Any]:
    """Say on what an update was audited, as `details_of_target`."""
    digests = {}
    if session.digest_key is not None:
        digest = digest_records(
            np.concatenate([as_numpy(entry.inputs) for entry in updates.updates]),
            np.concatenate([as_numpy(entry.labels) for entry in updates.updates]),
        )
        digests["data"] = _keyed(session.digest_key, digest)
    return {
        "queries": None,
        "device": target.device,
        "digests": digests,
        "libraries": library_versions(),
    }


def _digests(
    train: Any,
    version: str | None,
    view: MembershipView | ReleaseView,
    digest_of_model: Callable[[], str | None],
    key: bytes | None,
) -> dict[str, str]:
    """Digest the recipe, and with a key the records and what was trained on them."""
    digests = {}
    if train is not None:
        with suppress(UndigestibleError):
            digests["recipe"] = digest_trainer(getattr(train, "estimator", train), version)
    if key is None:
        return digests
    # A model follows from its records, so a plain digest of it would confirm a guess of them too.
    for name, digest in (("data", digest_of_records(view)), ("model", digest_of_model())):
        if digest is not None:
            digests[name] = _keyed(key, digest)
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


def _digest_of_release(released: Any) -> str | None:
    try:
        return digest_records(released, np.zeros(len(released)))
    except UndigestibleError:
        return None


def _keyed(key: bytes, digest: str) -> str:
    return hmac.new(key, digest.encode(), "sha256").hexdigest()
