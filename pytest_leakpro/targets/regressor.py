"""The regressor as a target.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.adapters import adapt_regressor
from pytest_leakpro.targets.checkpoints import read_checkpoints
from pytest_leakpro.targets.labels import target_values
from pytest_leakpro.targets.membership_target import MembershipTarget, parse_access
from pytest_leakpro.targets.model_reader import ModelReader
from pytest_leakpro.targets.reading import RegressionReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_leakpro.targets.model_adapter import ModelAdapter
    from pytest_leakpro.targets.reading import Reader
    from pytest_leakpro.targets.shadow_signals import ShadowSignals

__all__ = ["Regressor"]


class Regressor(MembershipTarget):
    """A trained regressor, with records that were and were not in its training data.

    Parameters
    ----------
    model : estimator, torch.nn.Module or callable
        A fitted scikit-learn estimator with `predict` (Pipelines, XGBoost and LightGBM included),
        a torch module, or any function that maps inputs to predictions. A function gets the
        records in the container given here.
    members, nonmembers : (X, y) or torch.utils.data.Dataset
        Records that were, and that were not, trained on; from the same distribution. X of shape
        (n, ...) as numpy array, pandas DataFrame or Series, scipy sparse matrix, torch tensor or
        list; y of shape (n,) or (n, d), finite. A data set is map-style and returns ``(x, y)``.
    population : (X, y) or torch.utils.data.Dataset, optional
        Further records of that distribution, on neither side: what the attacker has at hand.
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
    access : {"scores", "white-box"}, default "scores"
        What the attacker sees.
    attackers : sequence of str, optional
        Several attackers in place of `access`, who are compared side by side: each an access, alone
        or with ``"without recipe"`` behind it. Every budget holds for each of them.
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

    Attributes
    ----------
    name : str
        What the target is called.
    access : Access
        What the attacker sees.
    n_members, n_nonmembers : int
        Records, or persons with groups, as given.

    Raises
    ------
    LeakproError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    >>> model = LinearRegression().fit(X[:20], y[:20])
    >>> Regressor(model, (X[:20], y[:20]), (X[20:], y[20:]))
    Regressor('LinearRegression', members=(20, 3), nonmembers=(20, 3), access='scores')
    """

    def __init__(
        self,
        model: Any,
        members: Any,
        nonmembers: Any,
        *,
        population: Any = None,
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
    ) -> None:
        self.model = model
        super().__init__(
            *self._sight(parse_access(access, attackers)),
            target_values,
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
            checkpoints=read_checkpoints(checkpoints, model, adapt_regressor),
            secret=secret,
        )

    def _sight(self, access: Access) -> tuple[ModelAdapter, Reader]:
        """Ask for predictions; see `MembershipTarget`."""
        if access is Access.LABEL:
            raise LeakproError(
                "an attacker with access 'label': a regressor predicts no labels; 'scores' gives "
                "away its predictions"
            )
        return adapt_regressor(self.model), RegressionReader()

    @property
    def n_outputs(self) -> int:
        """How many numbers are predicted per record, such as the horizons of a forecast."""
        return int(self._members.labels.shape[1])

    @property
    def model_reader(self) -> ModelReader:
        """Reads other models of the same recipe as this one is read."""
        return ModelReader(
            batch_size=self._batch_size,
            regression=True,
            weights=self.access is Access.WHITE_BOX,
        )
