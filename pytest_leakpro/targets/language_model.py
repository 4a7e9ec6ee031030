"""The language model as a target.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.access import Access
from pytest_leakpro.targets.claim import Claim, canaries_alone
from pytest_leakpro.targets.membership_target import MembershipTarget, parse_access
from pytest_leakpro.targets.text_canaries import TextCanaries
from pytest_leakpro.targets.text_models import adapt_text_model
from pytest_leakpro.targets.text_reader import TextReader
from pytest_leakpro.targets.text_view import TextSight, TextView
from pytest_leakpro.targets.texts import read_text_side
from pytest_leakpro.targets.token_scores import TokenScores
from pytest_leakpro.targets.tokenisers import tokeniser_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pytest_leakpro.targets.membership_view import MembershipView
    from pytest_leakpro.targets.shadow_signals import ShadowSignals
    from pytest_leakpro.targets.text_models import TextModel

__all__ = ["LanguageModel"]


class LanguageModel(MembershipTarget):
    """A trained language model, with texts that were and were not in its training data.

    Parameters
    ----------
    model : torch.nn.Module or object
        A causal or masked language model of transformers, or any module that takes ``input_ids``
        and ``attention_mask`` and returns ``.logits``, on any device. Or an object with
        ``token_logprobs(texts)``, which gives one array of natural log-probabilities per text;
        where it has ``token_statistics(texts)``, which gives these, means and standard deviations
        of the log-probability under the model's own law, more attacks match.
    tokenizer : object, optional
        The model's tokenizer; left out for an object with ``token_logprobs``. One without a padding
        token will do.
    members, nonmembers : sequence of str
        Texts that were, and that were not, trained on; from the same distribution. A list, tuple,
        numpy array or Series.
    population : sequence of str, optional
        Further texts of that distribution, on neither side.
    canaries : TextCanaries, optional
        Texts that were inserted in the training data with the toss of a coin each. Members and
        non-members may then be left out: they are the canaries that were inserted, and those that
        were not.
    reference : object, optional
        Another language model that saw none of the texts, such as the one before fine-tuning, which
        the attacker compares with: as `model`, with the same tokenizer, or a pair of a model and
        its tokenizer.
    groups : (ids, ids) or (ids, ids, ids), optional
        Person ids of members, non-members (and population), one per text. The person is then what
        is counted.
    slices : mapping, optional
        Subgroups, each of which keeps every budget: ``{"ward": (values of the members, values of
        the non-members)}`` with one value per text, or a function of a list of texts.
    audit_size : int, optional
        Score at most that many of each side, drawn with the seed. At least 10.
    allow_overlap : bool, default False
        Measure although more than 1 % stand on both sides; no verdict is a PASS then.
    access : {"scores", "white-box"}, default "scores"
        What the attacker sees.
    attackers : sequence of str, optional
        Several attackers in place of `access`; see `Classifier`.
    batch_size : int, optional
        Send at most that many texts at once. By default as many as keep a batch's logits within a
        quarter of a gigabyte (one on a graphics card).
    context : int, optional
        Send at most that many tokens of one text at once, at least 2. By default what the model and
        its tokenizer say. Longer texts are read in windows that overlap by half.
    masked : bool, optional
        Whether the model predicts masked tokens, rather than the next one. By default told by its
        class and configuration.
    name : str, optional
        What to call the target. By default the class of the model.
    train : callable or False, optional
        How the model was trained: ``(texts, seed) -> model``, with the same tokenizer. Shadow
        models are trained by it.
    n_train : int, optional
        How many texts the model was trained on, where it saw more than the members given.
    signals : ShadowSignals, optional
        Mean log-probabilities per token of shadow models that were trained elsewhere.
    trainer_version : str, optional
        A name for what the cache cannot tell of `train`: change it when the recipe changes.
    detector : callable, optional
        Finds personal data: ``text -> spans``, each (start, end, kind). By default what the extra
        ``text`` installs, which finds no names or addresses.
    claimed_epsilon, delta, assume : optional
        As of `Classifier`, about canaries that are inserted once.

    Attributes
    ----------
    name : str
        What the target is called.
    access : Access
        What the attacker sees.
    n_members, n_nonmembers : int
        Texts, or persons with groups, as given.
    adapter : CausalModel, MaskedModel or TokenScores
        Asks the model.
    canaries : TextCanaries or None
        As given.

    Raises
    ------
    LeakproError
        If an argument is not as described.

    Notes
    -----
    A causal model scores each token once, with at least half a context before it or all that there
    is; a token that begins a text is put in front where the tokenizer has one, else the first token
    is not scored. A masked one scores each token with that token masked, so a text of t tokens is
    asked about t times (Salazar et al. 2020). Log-probabilities are computed in single precision.

    Examples
    --------
    >>> class Uniform:
    ...     def token_logprobs(self, texts):
    ...         return [[-3.0] * len(text.split()) for text in texts]
    >>> members, others = ([f"{side} {i}" for i in range(20)] for side in "ab")
    >>> LanguageModel(Uniform(), members=members, nonmembers=others)
    LanguageModel('Uniform', members=(20,), nonmembers=(20,), access='scores')
    """

    view_kind: ClassVar[type[MembershipView]] = TextView

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        members: Any = None,
        nonmembers: Any = None,
        *,
        population: Any = None,
        canaries: Any = None,
        reference: Any = None,
        groups: Any = None,
        slices: Any = None,
        audit_size: int | None = None,
        allow_overlap: bool = False,
        access: str | None = None,
        attackers: Sequence[str] | None = None,
        batch_size: int | None = None,
        context: int | None = None,
        masked: bool | None = None,
        name: str | None = None,
        train: Any = None,
        n_train: int | None = None,
        signals: ShadowSignals | None = None,
        trainer_version: str | None = None,
        detector: Callable[[str], Any] | None = None,
        claimed_epsilon: float | None = None,
        delta: float | None = None,
        assume: str | None = None,
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self._masked, self._context = masked, _check_context(context)
        self._mark = tokeniser_mark(tokenizer)
        self.adapter: TextModel = adapt_text_model(
            model,
            tokenizer,
            masked=masked,
            batch_size=_at_least_one(batch_size),
            context=self._context,
        )
        self._reference, self._reference_tokenizer = _read_reference(reference, tokenizer)
        if reference is not None:
            adapt_text_model(
                self._reference, self._reference_tokenizer, masked=masked, what="reference"
            )
        self.canaries: TextCanaries | None = _check_canaries(canaries)
        self.detector = _check_detector(detector)
        self.claim = None
        if canaries is None or (claimed_epsilon, delta, assume) != (None, None, None):
            self.claim = Claim.read(canaries, claimed_epsilon, delta, assume, TextCanaries)
        alone = canaries_alone(self.canaries, members, nonmembers, train, "texts")
        if alone and self.canaries is not None:
            members, nonmembers = (self.canaries.side(included=which) for which in (True, False))
            train = False
        super().__init__(
            *self._sight(parse_access(access, attackers)),
            _no_labels,
            _unlabelled(members, "members"),
            _unlabelled(nonmembers, "nonmembers"),
            population=None if population is None else _unlabelled(population, "population"),
            groups=groups,
            slices=slices,
            audit_size=audit_size,
            allow_overlap=allow_overlap,
            access=access,
            attackers=attackers,
            batch_size=batch_size,
            name=name,
            train=_read_trainer(train),
            n_train=n_train,
            signals=signals,
            trainer_version=trainer_version,
        )
        if alone and self.claim is not None and self.claim.canaries is self.canaries:
            self.claim = replace(self.claim, alone=True)

    @property
    def on_canaries(self) -> LanguageModel:
        """The same model with the canaries alone that are inserted once, for bounds on epsilon.

        Raises
        ------
        LeakproError
            Where there are none, or no delta was given.
        """
        if self.claim is None:
            lacking = "canaries=" if self.canaries is None else "delta="
            raise LeakproError(
                f"epsilon takes canaries= of Canaries.generate(…), which were inserted with the "
                f"toss of a coin each, and delta=, such as 1e-5: {lacking} is missing"
            )
        if self.claim.alone:
            return self
        sides = (
            _unlabelled(self.claim.canaries.side(included=which), "canaries")
            for which in (True, False)
        )
        alone = self.with_records(*sides)
        alone.claim = replace(self.claim, alone=True)
        return alone

    def _sight(self, access: Access) -> tuple[Any, Any]:
        """Ask for log-probabilities of tokens; see `MembershipTarget`."""
        if access is Access.LABEL:
            raise LeakproError(
                "an attacker with access 'label': a language model gives no labels; 'scores' gives "
                "away the log-probabilities of tokens"
            )
        if access is Access.WHITE_BOX and isinstance(self.adapter, TokenScores):
            raise LeakproError(
                f"access 'white-box': the model ({self.adapter.name}) gives log-probabilities and "
                "no weights: give the torch module that it asks, or say access='scores'"
            )
        return self.adapter, None

    @property
    def has_reference(self) -> bool:
        """Whether the attacker was given another language model."""
        return self._reference is not None

    @property
    def gives_statistics(self) -> bool:
        """Whether the model gives away its whole law in the place of each token."""
        return bool(self.adapter.gives_statistics)

    @property
    def model_reader(self) -> TextReader:
        """Reads other models of the same recipe as this one is read."""
        return self._reader_with(self.tokenizer, self._mark)

    def _reader_with(self, tokenizer: Any, mark: str) -> TextReader:
        return TextReader(
            batch_size=self._batch_size,
            # Minus a loss, as it is of regressors.
            regression=True,
            weights=self.access is Access.WHITE_BOX,
            tokenizer=tokenizer,
            mark=mark,
            masked=self._masked,
            context=self._context,
        )

    @property
    def sight(self) -> TextSight:
        """What the attacker can ask and knows."""
        plain = super().sight
        reader = None
        if self.has_reference:
            reader = self._reader_with(self._reference_tokenizer, "reference")
        return TextSight(
            **{entry.name: getattr(plain, entry.name) for entry in fields(plain)},
            reference=self._reference,
            reference_reader=reader,
            canaries=self.canaries,
            detector=self.detector,
        )


@dataclass(frozen=True, repr=False)
class TextTrainer:
    """A user's function of texts and a seed, called as others are, with labels.

    Attributes
    ----------
    train : callable
        ``(texts, seed) -> model``.
    """

    train: Callable[[list[str], int], Any]

    def __repr__(self) -> str:
        return "TextTrainer"

    def __call__(self, X: list[str], y: Any, seed: int) -> Any:
        """Train on texts, which have no labels."""
        del y
        return self.train(X, seed)


def _read_trainer(train: Any) -> Any:
    if train is None or train is False:
        return train
    if not callable(train) or isinstance(train, type):
        raise LeakproError(
            f"train is a {type(train).__name__}: give a function (texts, seed) -> model, or False "
            "for none"
        )
    return TextTrainer(train)


def _unlabelled(texts: Any, side: str) -> tuple[list[str], NDArray[np.intp]]:
    read = read_text_side(texts, side)
    return read, np.zeros(len(read), dtype=np.intp)


def _no_labels(y: Any, side: str) -> NDArray[np.intp]:
    del side
    return np.asarray(y, dtype=np.intp)


def _at_least_one(batch_size: Any) -> int | None:
    # What is no whole number is refused with all other options.
    return batch_size if isinstance(batch_size, int) and batch_size > 0 else None


def _check_context(context: Any) -> int | None:
    if context is None:
        return None
    if isinstance(context, bool) or not isinstance(context, (int, np.integer)) or context < 2:
        raise LeakproError(
            "context is the number of tokens that the model reads at once: give a whole number of "
            "at least 2, or leave it out"
        )
    return int(context)


def _read_reference(reference: Any, tokenizer: Any) -> tuple[Any, Any]:
    if isinstance(reference, (tuple, list)):
        if len(reference) != 2:
            raise LeakproError(
                f"reference is a {type(reference).__name__} of {len(reference)}: give a model, or "
                "a pair of a model and its tokenizer"
            )
        return reference[0], reference[1]
    own = callable(getattr(reference, "token_logprobs", None))
    return reference, None if own else tokenizer


def _check_canaries(canaries: Any) -> TextCanaries | None:
    if canaries is not None and not isinstance(canaries, TextCanaries):
        raise LeakproError(
            f"canaries is a {type(canaries).__name__}: give texts that were inserted at random, of "
            "Canaries.generate(…)"
        )
    return canaries


def _check_detector(detector: Any) -> Any:
    if detector is not None and not callable(detector):
        raise LeakproError(
            f"detector is a {type(detector).__name__}: give a function text -> [(start, end, kind)]"
        )
    return detector
