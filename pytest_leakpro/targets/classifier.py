"""The classifier as a target.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError, nearest_match
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.adapters import adapt_classifier
from pytest_leakpro.targets.checkpoints import read_checkpoints
from pytest_leakpro.targets.claim import Claim, sides_of
from pytest_leakpro.targets.containers import kind_of
from pytest_leakpro.targets.hidden_scores import guard_of
from pytest_leakpro.targets.label_model import LabelReader, adapt_labels
from pytest_leakpro.targets.labels import class_indices, label_values, name_classes
from pytest_leakpro.targets.membership_target import MembershipTarget, parse_access
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.reading import ClassReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_leakpro.targets.canaries import Canaries
    from pytest_leakpro.targets.hidden_scores import Guard
    from pytest_leakpro.targets.model_adapter import ModelAdapter
    from pytest_leakpro.targets.reading import Reader
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["Classifier"]

_OUTPUTS = ("probabilities", "logits")


class Classifier(MembershipTarget):
    """A trained classifier, with records that were and were not in its training data.

    Parameters
    ----------
    model : estimator, torch.nn.Module or callable
        A fitted scikit-learn estimator with `predict_proba` or `decision_function` (Pipelines,
        XGBoost and LightGBM included), a torch module, or any function that maps inputs to
        probabilities or logits. A function gets the records in the container given here.
    members, nonmembers : (X, y) or torch.utils.data.Dataset
        Records that were, and that were not, trained on; from the same distribution. X of shape
        (n, ...) as numpy array, pandas DataFrame or Series, scipy sparse matrix, torch tensor or
        list; y of shape (n,). A data set is map-style and returns ``(x, y)``.
    population : (X, y) or torch.utils.data.Dataset, optional
        Further records of that distribution, on neither side: what the attacker has at hand.
    classes : sequence, optional
        The labels in the order of the model's output columns. By default ``model.classes_``, or
        the column indices where the model has none.
    output : {"probabilities", "logits"}, optional
        What the model returns. By default told from the estimator's method, or from the values.
    groups : (ids, ids) or (ids, ids, ids), optional
        Person ids of members, non-members (and population), one per record. The person is then
        what is counted.
    slices : mapping or sequence, optional
        Subgroups, each of which keeps every budget: ``{"sex": (values of the members, values of
        the non-members)}`` with one value per record, or a function of X or the name of a column
        of X in place of the pair; ``["sex", "age_band"]`` for columns of those names.
    audit_size : int, optional
        Score at most that many of each side, drawn with the seed. At least 10.
    allow_overlap : bool, default False
        Measure although more than 1 % stand on both sides; no verdict is a PASS then.
    access : {"label", "scores", "white-box"}, default "scores"
        What the attacker sees.
    attackers : sequence of str, optional
        Several attackers in place of `access`, who are compared side by side: each an access, alone
        or with ``"without recipe"`` behind it, such as ``["label", "scores without recipe",
        "scores", "white-box"]``. Every budget holds for each of them.
    batch_size : int, optional
        Send at most that many records at once. By default all, of torch modules 1024.
    name : str, optional
        What to call the target. By default the class of the model.
    train : callable or False, optional
        How the model was trained: ``(X, y, seed) -> fitted model``, called with records in the
        containers given here. By default a clone of a scikit-learn estimator; False for none.
    n_train : int, optional
        How many records the model was trained on, where it saw more than the members given.
    signals : ShadowSignals, optional
        Signals of shadow models that were trained elsewhere; then none is trained here.
    trainer_version : str, optional
        A name for what the cache cannot tell of `train`: change it when the recipe changes.
    augmentations : sequence of callable, "default" or None, default "default"
        Functions ``X -> X'`` from records to as many others of the same kind, about which an
        attacker asks the model as well. By default images, of shape (n, h, w), (n, c, h, w) or
        (n, h, w, c), are mirrored and shifted by one pixel; None for none.
    checkpoints : sequence, optional
        Models that the training left on its way, in its order: what the attacker saw of it. Of a
        torch module also state dicts, or paths to files of them. `model` is the last one.
    secret : column or sequence of them, optional
        Columns whose values nobody should learn of a member: names of a DataFrame, or positions in
        the second axis of an array. ``attribute_inference`` without a column is of all of them.
    generator : torch.nn.Module, optional
        A conditional generator ``(z, labels) -> records``, with its number of latent variables as
        ``latent_dim``, for an attacker who has one of such records.
    canaries : Canaries, optional
        Records that were inserted in the training data with the toss of a coin each, for budgets of
        ``epsilon``. Members and non-members may then be left out: they are the canaries that were
        inserted, and those that were not.
    claimed_epsilon : float, optional
        What is said of the training, above 0: where there are no budgets it stands for ``epsilon <=
        claimed_epsilon``. With `delta`.
    delta : float, optional
        Of the (epsilon, delta)-differential privacy that is claimed, in [0, 1).
    assume : {"gaussian"}, optional
        What may be taken for granted of the training, for tighter bounds on epsilon: that it is a
        Gaussian mechanism. By default nothing.

    Attributes
    ----------
    name : str
        What the target is called.
    access : Access
        What the attacker sees.
    classes : tuple or None
        The labels in the order of the output columns; None until the model says how many.
    n_members, n_nonmembers : int
        Records, or persons with groups, as given.

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
    >>> model = LogisticRegression().fit(X[:20], y[:20])
    >>> Classifier(model, (X[:20], y[:20]), (X[20:], y[20:]))
    Classifier('LogisticRegression', members=(20, 3), nonmembers=(20, 3), access='scores')
    """

    def __init__(
        self,
        model: Any,
        members: Any = None,
        nonmembers: Any = None,
        *,
        population: Any = None,
        classes: Sequence[Any] | None = None,
        output: str | None = None,
        groups: Any = None,
        slices: Any = None,
        audit_size: int | None = None,
        allow_overlap: bool = False,
        access: str | None = None,
        attackers: Sequence[str] | None = None,
        batch_size: int | None = None,
        name: str | None = None,
        train: Any = None,
        n_train: int | None = None,
        signals: ShadowSignals | None = None,
        trainer_version: str | None = None,
        augmentations: Any = "default",
        checkpoints: Any = None,
        secret: Any = None,
        generator: Any = None,
        canaries: Canaries | None = None,
        claimed_epsilon: float | None = None,
        delta: float | None = None,
        assume: str | None = None,
    ) -> None:
        output = _check_output(output)
        claim = Claim.read(canaries, claimed_epsilon, delta, assume)
        self.claim, members, nonmembers, train = sides_of(claim, members, nonmembers, train)
        self.model = model
        self._output = output
        self.classes: tuple[Any, ...] | None = None
        seen = parse_access(access, attackers)
        first = self._sight(seen)[0]
        self.classes = _settle_classes(classes, first.classes)
        super().__init__(
            *self._sight(seen),
            partial(_read_labels, classes=self.classes),
            members,
            nonmembers,
            population=population,
            groups=groups,
            slices=slices,
            audit_size=audit_size,
            allow_overlap=allow_overlap,
            access=access,
            attackers=attackers,
            batch_size=batch_size,
            name=name,
            train=train,
            n_train=n_train,
            signals=signals,
            trainer_version=trainer_version,
            augmentations=augmentations,
            checkpoints=read_checkpoints(checkpoints, model, self._adapt(seen)),
            secret=secret,
            generator=generator,
        )

    @property
    def on_canaries(self) -> Classifier:
        """The same model with the canaries alone as its records, for bounds on epsilon.

        Raises
        ------
        LeakproError
            Where there are none: epsilon cannot be told from a split that the auditor did not draw.
        """
        if self.claim is None:
            raise LeakproError(
                "epsilon is bounded by records that the auditor inserted with the toss of a coin "
                "each, and this split was not drawn so: make Canaries, train on "
                "canaries.insert(X, y) and give Classifier(model, canaries=canaries, delta=1e-5)"
            )
        if self.claim.alone:
            return self
        canaries = self.claim.canaries
        alone = self.with_records(canaries.side(included=True), canaries.side(included=False))
        alone.claim = replace(self.claim, alone=True)
        return alone

    def _adapt(self, access: Access) -> Callable[[Any], ModelAdapter]:
        adapt = adapt_labels if access is Access.LABEL else adapt_classifier
        return partial(adapt, output=self._output)

    def _sight(self, access: Access) -> tuple[ModelAdapter, Reader]:
        """Ask for labels, or for scores; see `MembershipTarget`."""
        adapter = self._adapt(access)(self.model)
        if access is Access.LABEL:
            adapter.classes = adapter.classes if self.classes is None else self.classes
            return adapter, LabelReader(self.classes)
        told = adapter.output or self._output
        return adapter, ClassReader(self.classes, told, pairwise=adapter.pairwise)

    @property
    def _guard(self) -> Guard | None:
        guard = guard_of(self.model)
        return None if guard is None else replace(guard, output=guard.output or self._output)

    @property
    def model_reader(self) -> ModelReader:
        """Reads other models of the same recipe as this one is read."""
        return ModelReader(
            self.classes,
            self._output,
            self._batch_size,
            guard=self._guard,
            labels_only=self.access is Access.LABEL,
            weights=self.access is Access.WHITE_BOX,
        )


def _read_labels(y: Any, side: str, classes: tuple[Any, ...] | None) -> NDArray[np.intp]:
    return class_indices(label_values(y, side), classes, side)


def _check_output(output: Any) -> str | None:
    if output is None or output in _OUTPUTS:
        return output if output is None else str(output)
    hint = nearest_match(output, _OUTPUTS) if isinstance(output, str) else ""
    what = repr(output) if isinstance(output, str) else f"a {type(output).__name__}"
    raise LeakproError(f"output is {what}{hint}: give 'probabilities', 'logits', or nothing")


def _settle_classes(given: Any, known: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if given is None:
        return known
    if kind_of(given) is not None and not isinstance(given, list):
        listed = tuple(np.asarray(given).ravel().tolist())
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        listed = tuple(v.item() if isinstance(v, np.generic) else v for v in given)
    else:
        raise LeakproError(
            f"classes is a {type(given).__name__}: give the labels in the order of the model's "
            "output columns, as a list"
        )
    try:
        n_distinct = len(set(listed))
    except TypeError as exc:
        raise LeakproError("classes: give labels that are numbers or strings") from exc
    if n_distinct < max(2, len(listed)):
        raise LeakproError(f"classes {name_classes(listed)}: give at least two, each of them once")
    if known is not None and listed != known:
        raise LeakproError(
            f"classes {name_classes(listed)} are not those of the model, {name_classes(known)}: "
            "leave classes= out, the model knows the order of its columns"
        )
    return listed
