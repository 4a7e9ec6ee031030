"""The rounds of a federated training as a target: what a participant saw of others' records.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.wording import listed
from pytest_leakpro.targets.checkpoints import load_state, read_checkpoints
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.labels import class_indices, label_values
from pytest_leakpro.targets.overlap import Identities
from pytest_leakpro.targets.participants import Participant
from pytest_leakpro.targets.records import MINIMUM, Records, read_pair, require_alike
from pytest_leakpro.targets.round_updates import read_updates
from pytest_leakpro.targets.rounds_view import RoundsSight, RoundsView
from pytest_leakpro.targets.torch_model import is_module
from pytest_leakpro.targets.units import record_units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_leakpro.targets.membership_view import MembershipView

__all__ = ["FederatedRounds"]

_WANTED = "the global models in the order of the rounds, at least 2, such as [after_1, after_2]"


class FederatedRounds(Classifier):
    """The global models of a federated training, as one participant saw them round by round.

    The participant tries to tell whose records others have contributed. It has the weights of
    every model that it saw, so attacks on a white box match too. No shadow models are trained,
    since a training in rounds is not done again here: for attacks that take them, audit the last
    model as a `Classifier` with ``checkpoints=`` and ``train=``.

    Parameters
    ----------
    models : sequence
        The global models that the participant saw, in their order, at least 2: torch modules
        (all but one may be state dicts, or paths to files of them) or scikit-learn classifiers.
    members, nonmembers : (X, y) or torch.utils.data.Dataset
        Records that other clients trained on in these rounds (of ``updates=`` the client who sent
        them), and records that nobody did; as for `Classifier`.
    access : {"client", "server"}, default "client"
        Who attacks: a client sees the global models and knows its own records, the server sees
        what each client sends as well.
    behaviour : {"honest", "malicious"}, default "honest"
        Whether the attacker only looks on, or hands out a manipulated model.
    own : (X, y) or torch.utils.data.Dataset, optional
        Of a client: records that it contributed itself, at least 10; on neither side. Together with
        a population an attack learns from them what a member looks like.
    population : (X, y) or torch.utils.data.Dataset, optional
        Records that the attacker has and nobody trained on, on neither side.
    updates : sequence, optional
        Of a server: what the audited client sent, one entry per round; ``updates[t]`` was computed
        at ``models[t]``, so there is one less than models, or as many. An entry is a list of
        tensors or arrays, one per weight in the order of ``model.parameters()``, or a dict by their
        names; None for a round without the client.
    updates_are : {"delta", "gradient"}, default "delta"
        Whether updates are weights after minus before, or gradients of the loss.
    continue_round : callable, optional
        Of a malicious participant: ``(model, seed) -> model``, one round in which the other clients
        train honestly, the members among their records, from the model given. The server hands it
        out; a client gets there by scaling its update.
    classes, output, groups, slices, audit_size, allow_overlap, batch_size, name
        As for `Classifier`.

    Attributes
    ----------
    participant : Participant
        Access and behaviour as given; `access` is white-box.
    model : object
        The last of the models.
    checkpoints : tuple
        All of them.

    Raises
    ------
    LeakproError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    >>> models = [LogisticRegression(C=c).fit(X[:20], y[:20]) for c in (0.1, 1.0)]
    >>> FederatedRounds(models, (X[:20], y[:20]), (X[20:], y[20:]), access="client")
    FederatedRounds('LogisticRegression', models=2, members=(20, 3), nonmembers=(20, 3),
    access='client', behaviour='honest')
    """

    view_kind: ClassVar[type[MembershipView]] = RoundsView

    def __init__(
        self,
        models: Any,
        members: Any,
        nonmembers: Any,
        *,
        access: str = "client",
        behaviour: str = "honest",
        own: Any = None,
        population: Any = None,
        updates: Any = None,
        updates_are: str = "delta",
        continue_round: Callable[[Any, int], Any] | None = None,
        classes: Sequence[Any] | None = None,
        output: str | None = None,
        groups: Any = None,
        slices: Any = None,
        audit_size: int | None = None,
        allow_overlap: bool = False,
        batch_size: int | None = None,
        name: str | None = None,
    ) -> None:
        self.participant = Participant.read(access, behaviour)
        _check_knowledge(self.participant, own, updates, continue_round)
        last, given = _read_models(models)
        super().__init__(
            last,
            members,
            nonmembers,
            population=population,
            classes=classes,
            output=output,
            groups=groups,
            slices=slices,
            audit_size=audit_size,
            allow_overlap=allow_overlap,
            access="white-box",
            batch_size=batch_size,
            name=name,
            train=False,
        )
        try:
            self.checkpoints = read_checkpoints(given, last, self._adapt(self.access))
        except LeakproError as error:
            raise LeakproError(f"models: {error}") from error
        self.attacker_name = str(self.participant)
        self.updates = (
            () if updates is None else read_updates(updates, updates_are, self.checkpoints)
        )
        self.deltas = bool(self.updates) and updates_are == "delta"
        self.continue_round = continue_round
        if continue_round is not None and not is_module(last):
            raise LeakproError(
                f"continue_round= with a {type(last).__name__}: only torch modules are manipulated"
            )
        self.own = None if own is None else self._read_own(own)

    def __repr__(self) -> str:
        return (
            f"FederatedRounds({self.name!r}, models={len(self.checkpoints)}, "
            f"members={self._members.shape}, nonmembers={self._nonmembers.shape}, "
            f"access={self.participant.access!r}, behaviour={self.participant.behaviour!r})"
        )

    def prepare(
        self, seed: int, *, population_share: float | None = None, told: bool = False
    ) -> MembershipView:
        """Choose the records to score; see `MembershipTarget.prepare`.

        Raises
        ------
        LeakproError
            Also where the participant's own records stand among others.
        """
        if self.own is not None:
            sides = [self.own, self._members, self._nonmembers, self._population]
            there = [side for side in sides if side is not None]
            others = [side.side for side in there[1:]]
            shared = int(Identities(there).also_in("own", *others).sum())
            if shared:
                raise LeakproError(
                    f"own: {shared:,} of {len(self.own):,} records stand among "
                    f"{' or '.join(others)} as well: own= holds what the participant contributed, "
                    "members= what others did, and the rest what nobody did: give each record once"
                )
        return super().prepare(seed, population_share=population_share, told=told)

    @property
    def sight(self) -> RoundsSight:
        """What the participant sees and knows."""
        seen = super().sight
        return RoundsSight(
            seen.adapter,
            seen.reader,
            seen.model,
            seen.model_reader,
            seen.access,
            seen.train,
            seen.augmentations,
            seen.checkpoints,
            own=self.own,
            updates=self.updates,
            deltas=self.deltas,
            continue_round=self.continue_round,
        )

    def _read_own(self, own: Any) -> Records:
        inputs, y = read_pair(own, "own")
        labels = class_indices(label_values(y, "own"), self.classes, "own")
        if len(labels) < MINIMUM:
            raise LeakproError(
                f"own: {len(labels)} records are too few: give at least {MINIMUM}, or leave own= "
                "out"
            )
        units = record_units(len(labels))
        records = Records("own", inputs, labels, units, y, np.arange(len(labels)))
        require_alike(self._members, records)
        return records


def _check_knowledge(participant: Participant, own: Any, updates: Any, continue_round: Any) -> None:
    """Check that what is given is what such a participant has."""
    if participant.access == "client" and updates is not None:
        raise LeakproError(
            "updates= with access='client': a client does not see what others send; say "
            "access='server', or leave updates= out"
        )
    if participant.access == "server" and own is not None:
        raise LeakproError(
            "own= with access='server': a server contributes no records; say access='client', or "
            "leave own= out"
        )
    if participant.malicious and not callable(continue_round):
        what = "" if continue_round is None else f", not a {type(continue_round).__name__}"
        raise LeakproError(
            "behaviour='malicious' takes continue_round=, a function (model, seed) -> model that "
            f"runs one round of the other clients from a manipulated model{what}"
        )
    if not participant.malicious and continue_round is not None:
        raise LeakproError(
            "continue_round= with behaviour='honest': an honest participant manipulates nothing; "
            "say behaviour='malicious', or leave continue_round= out"
        )


def _read_models(given: Any) -> tuple[Any, list[Any]]:
    """Give the last of the models, and all as checkpoints are read."""
    if not isinstance(given, (list, tuple)):
        raise LeakproError(f"models is a {type(given).__name__}: give a list of {_WANTED}")
    if len(given) < 2:
        raise LeakproError(
            f"models: {len(given)} of them: give {_WANTED}; one model alone is a Classifier"
        )
    models = list(given)
    last = models[-1]
    if is_module(last) or hasattr(last, "fit"):
        return last, models
    modules = [model for model in models if is_module(model)]
    if not modules:
        kinds = sorted({type(model).__name__ for model in models})
        raise LeakproError(
            f"models: none is a model ({listed(kinds, 3)}): give at least one torch module that "
            "the weights of the others are loaded into"
        )
    # The last one is what is asked, so it is a module.
    models[-1] = load_state(last, modules[0], f"models: checkpoint {len(models)}")
    return models[-1], models
