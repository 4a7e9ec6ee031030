"""How language models of a target's recipe are read: small enough to travel to a worker.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.model_reader import ModelReader, final_model
from pytest_leakpro.targets.text_models import adapt_text_model
from pytest_leakpro.targets.text_signals import TextSignals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_leakpro.targets.records import Records

__all__ = ["TextReader"]


@dataclass(frozen=True)
class TextReader(ModelReader):
    """Reads what a language model says about texts.

    Signals are mean log-probabilities, minus a loss as those of regressors are; hence attacks that
    tell regressors from classifiers read them as such.

    Attributes
    ----------
    tokenizer : object or None
        The target's.
    mark : str
        Tells the tokenizer from others, in the cache.
    masked : bool or None
        Whether models predict masked tokens; None to tell of each.
    context : int or None
        At most how many tokens to send at once.
    """

    tokenizer: Any = field(default=None, repr=False, compare=False)
    mark: str = ""
    masked: bool | None = None
    context: int | None = None

    def negative_loss(self, model: Any, records: Records) -> NDArray[np.float64]:
        """Give the mean log-probability per token; see `ModelReader.negative_loss`."""
        return self._read(model, records, statistics=False).negative_loss

    def signals(self, model: Any, records: Records) -> Any:
        """Ask a model about texts, and give all that it says of their tokens.

        Parameters
        ----------
        model : object
            A language model as the target's.
        records : Records
            n texts.

        Returns
        -------
        TextSignals

        Raises
        ------
        LeakproError
            Where it is no language model, fails (its error is the cause), or has no token of a text
            to score.
        """
        return self._read(model, records, statistics=True)

    def _read(self, model: Any, records: Records, *, statistics: bool) -> TextSignals:
        model = final_model(model)
        if self.meter is not None:
            self.meter.queries += len(records)
        adapter = adapt_text_model(
            model,
            self.tokenizer,
            masked=self.masked,
            batch_size=self.batch_size,
            context=self.context,
        )
        try:
            scores = adapter.token_scores(records.inputs, statistics=statistics)
        except LeakproError as error:
            raise LeakproError(f"{records.side}: {error}") from error
        except Exception as error:
            # Without the error's own message, which may quote a text; the cause shows it.
            raise LeakproError(
                f"the model raised {type(error).__name__} while scoring {len(records):,} texts of "
                f"the {records.side}; its own error stands above{_hint(error)}"
            ) from error
        n_empty = sum(not len(score[0]) for score in scores)
        if n_empty:
            raise LeakproError(
                f"{records.side}: {n_empty:,} of {len(records):,} texts have no token to score: "
                "leave them out (where the tokenizer has no token that begins a text, a text of "
                "one token is too short)"
            )
        return TextSignals.from_lists(scores)


def _hint(error: Exception) -> str:
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return ": if memory ran out, say a smaller batch_size= or context="
    return ": try it on a few of these texts, with the tokenizer that you gave"
