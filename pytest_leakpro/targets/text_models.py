"""The choice of the adapter that fits a language model.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import Any, TypeAlias

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.causal_model import CausalModel
from pytest_leakpro.targets.masked_model import MaskedModel
from pytest_leakpro.targets.model_adapter import model_name
from pytest_leakpro.targets.token_scores import TokenScores
from pytest_leakpro.targets.tokenisers import Tokeniser
from pytest_leakpro.targets.torch_model import is_module

__all__ = ["TextModel", "adapt_text_model"]

_WANTED = (
    "a causal or masked language model of transformers with its tokenizer, or an object with "
    "token_logprobs(texts)"
)

TextModel: TypeAlias = CausalModel | MaskedModel | TokenScores


def adapt_text_model(
    model: Any,
    tokenizer: Any = None,
    *,
    masked: bool | None = None,
    batch_size: int | None = None,
    context: int | None = None,
    what: str = "model",
) -> TextModel:
    """Choose the adapter for a language model.

    Parameters
    ----------
    model : object
        The model.
    tokenizer : object or None
        None only for an object with ``token_logprobs``.
    masked : bool or None
        Whether it predicts masked tokens; None to tell by its class and configuration.
    batch_size, context : int or None
        See `LogitModel`.
    what : str
        What the argument is called, for errors.

    Raises
    ------
    LeakproError
        If it is no language model, or the tokenizer does not go with it.
    """
    if isinstance(model, type):
        raise LeakproError(f"{what} is the class {model.__name__}, not an instance: pass {_WANTED}")
    if callable(getattr(model, "token_logprobs", None)):
        if tokenizer is not None:
            raise LeakproError(
                f"{what} has token_logprobs(texts), which takes texts: leave tokenizer= out"
            )
        return TokenScores(model, batch_size)
    if not callable(model):
        kind = "None" if model is None else f"a {type(model).__name__}"
        hint = "; files are yours to load" if isinstance(model, str) else ""
        raise LeakproError(f"{what} is {kind}: pass {_WANTED}{hint}")
    if not is_module(model) and tokenizer is None:
        raise LeakproError(
            f"{what} is a {model_name(model)} without token_logprobs(texts): pass {_WANTED}"
        )
    config = getattr(model, "config", None)
    if getattr(config, "is_encoder_decoder", False) is True:
        raise LeakproError(
            f"{what} ({model_name(model)}) reads one text and writes another: wrap it in an object "
            "with token_logprobs(texts), which says what is scored given what"
        )
    adapter = MaskedModel if (_is_masked(model) if masked is None else masked) else CausalModel
    return adapter(model, Tokeniser(tokenizer), batch_size, context)


def _is_masked(model: Any) -> bool:
    names = [type(model).__name__]
    config = getattr(model, "config", None)
    architectures = getattr(config, "architectures", None)
    if "ForCausalLM" in names[0] or "LMHeadModel" in names[0]:
        return False
    if isinstance(architectures, (list, tuple)):
        names += [str(name) for name in architectures]
    return any("MaskedLM" in name for name in names)
