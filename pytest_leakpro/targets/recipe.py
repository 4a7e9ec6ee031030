"""A recipe as the target: the training is audited rather than one model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.stats.seeding import derive_number, derive_rng
from pytest_leakpro.targets.classifier import Classifier
from pytest_leakpro.targets.containers import take
from pytest_leakpro.targets.model_reader import final_model
from pytest_leakpro.targets.one_thread import one_thread
from pytest_leakpro.targets.records import read_pair
from pytest_leakpro.targets.regressor import Regressor
from pytest_leakpro.targets.slice_values import label_codes, read_slicings
from pytest_leakpro.targets.slices import require_agreement
from pytest_leakpro.targets.trainers import CloneTrainer, is_estimator
from pytest_leakpro.targets.units import group_units, record_units

__all__ = ["Recipe"]


class Recipe:
    """A way to train, and a pool of records: the split is drawn and the target trained here.

    Parameters
    ----------
    train : callable or estimator
        ``(X, y, seed) -> fitted model``, or a scikit-learn estimator, of which clones are fitted.
        A list of models is the checkpoints of one training, the fitted model last.
    X : container of n records
        As for `Classifier`.
    y : container of n labels
        As for `Classifier`, or numbers where `regression` is True.
    train_fraction : float, default 0.5
        The share of the pool that the target is trained on, in (0, 1).
    groups : sequence, optional
        Person ids, one per record: the records of one person stay on one side.
    slices : mapping or sequence, optional
        As for `Classifier`, with one container of values over the pool in place of a pair.
    regression : bool, default False
        Whether the models predict numbers.
    targets : int, default 1
        How many models to train and to audit, each on a split of its own; an odd number. With
        more than one the training is audited rather than one model: the figures are medians, and
        the verdict is what more than half of the targets are called at half the error. They share
        their shadow models.
    name : str, optional
        What to call the target.
    **options
        Further arguments of `Classifier` (or `Regressor`): population, classes, output,
        audit_size, allow_overlap, access, batch_size, trainer_version, augmentations, secret,
        generator.

    Raises
    ------
    LeakproError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> Recipe(LogisticRegression(), rng.normal(size=(100, 3)), np.arange(100) % 2)
    Recipe('LogisticRegression', records=100, train_fraction=0.5)
    """

    def __init__(
        self,
        train: Any,
        X: Any,
        y: Any,
        *,
        train_fraction: float = 0.5,
        groups: Any = None,
        slices: Any = None,
        regression: bool = False,
        targets: int = 1,
        name: str | None = None,
        **options: Any,
    ) -> None:
        if is_estimator(train):
            self.train: Any = CloneTrainer(train)
            default = type(train).__name__
        elif callable(train) and not isinstance(train, type):
            self.train = train
            default = getattr(train, "__name__", type(train).__name__)
        else:
            raise LeakproError(
                f"train is a {type(train).__name__}: give a function (X, y, seed) -> fitted model, "
                "or a scikit-learn estimator"
            )
        if not isinstance(train_fraction, (int, float)) or not 0 < train_fraction < 1:
            raise LeakproError("train_fraction is a share above 0 and below 1, such as 0.5")
        if isinstance(targets, bool) or not isinstance(targets, int) or targets < 1:
            raise LeakproError(f"targets is a whole number of at least 1, not {targets!r}")
        if targets % 2 == 0:
            raise LeakproError(
                f"targets is an odd number, so that there is a median: {targets + 1}, not {targets}"
            )
        self.targets = targets
        own = {"train", "signals", "n_train", "members", "nonmembers", "model", "checkpoints"}
        unknown = own & set(options)
        if unknown:
            raise LeakproError(f"a Recipe takes no {', '.join(sorted(unknown))}: it trains itself")
        self.named = name is not None
        self.name = name or ("recipe" if default == "<lambda>" else default)
        self._fraction = float(train_fraction)
        self._kind = Regressor if regression else Classifier
        self._options = options
        self._X, self._y = read_pair((X, y), "the pool")
        self._groups = groups
        n_records = len(self._X) if isinstance(self._X, list) else int(self._X.shape[0])
        self._n_records = n_records
        self._units = (
            record_units(n_records) if groups is None else group_units(groups, n_records, "pool")
        )
        self._slices: dict[str, list[Any]] | None = None
        if slices is not None:
            values = read_slicings(slices, [("pool", self._X, n_records)])
            for slicing, (codes,) in label_codes(values)[1].items():
                require_agreement(slicing, "pool", codes, self._units)
            self._slices = {slicing: part for slicing, (part,) in values.items()}

    def __repr__(self) -> str:
        return (
            f"Recipe({self.name!r}, records={self._n_records}, train_fraction={self._fraction:g})"
        )

    def realise(self, seed: int, index: int = 0) -> Classifier | Regressor:
        """Draw a split and train a target.

        Parameters
        ----------
        seed : int
            At least 0; the split and the target's own seed follow from it and the index.
        index : int
            Which of several targets.

        Returns
        -------
        Classifier or Regressor
            With the recipe, so that shadow models can be trained from the same pool.

        Raises
        ------
        LeakproError
            Where the pool is too small, or training fails (its error is the cause).
        """
        n_units = len(self._units)
        n_in = round(self._fraction * n_units)
        chosen = np.zeros(n_units, dtype=bool)
        which = () if index == 0 else (str(index),)
        chosen[derive_rng(seed, "recipe-split", *which).permutation(n_units)[:n_in]] = True
        inside = chosen[self._units.codes]
        positions = (np.flatnonzero(inside), np.flatnonzero(~inside))
        sides = [(take(self._X, places), take(self._y, places)) for places in positions]
        groups = None
        if self._groups is not None:
            ids = self._units.ids[self._units.codes]
            groups = (ids[inside], ids[~inside])
        slices = None
        if self._slices is not None:
            slices = {
                name: tuple([values[place] for place in places] for places in positions)
                for name, values in self._slices.items()
            }
        number = derive_number(seed, "recipe-target", *which)
        with one_thread():
            try:
                model = self.train(*sides[0], number)
            except Exception as error:
                raise LeakproError(
                    f"{self.name}: train raised {type(error).__name__} on {int(inside.sum()):,} "
                    "records of the pool; its own error stands above"
                ) from error
        if model is None:
            raise LeakproError(
                f"{self.name}: train returned nothing; it must return the fitted model"
            )
        target = self._kind(
            final_model(model),
            sides[0],
            sides[1],
            groups=groups,
            slices=slices,
            name=self.name,
            train=self.train,
            checkpoints=model if isinstance(model, (list, tuple)) and len(model) > 1 else None,
            **self._options,
        )
        target.pool_positions = positions
        return target

    @property
    def trainer_version(self) -> str | None:
        """What names the recipe for the cache, where the user gave it a name."""
        version: str | None = self._options.get("trainer_version")
        return version

    @property
    def note(self) -> str:
        """At which training size the recipe is audited, for the summary."""
        n_in = round(self._fraction * len(self._units))
        return (
            f"the training was audited at {n_in:,} of {len(self._units):,} {self._units.noun}; "
            "more of them expose each one less"
        )
