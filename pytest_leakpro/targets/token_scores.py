"""Anything that gives the log-probabilities of the tokens of texts, such as a client of an API.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.containers import as_numpy, is_tensor
from pytest_leakpro.targets.model_adapter import model_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["TokenScores"]

_TOLERANCE = 1e-4  # above 0, which rounding in half precision may give


class TokenScores:
    """An object with ``token_logprobs(texts)``, and what else it can do.

    Parameters
    ----------
    model : object
        ``token_logprobs(texts)`` gives one array of log-probabilities per text;
        ``token_statistics(texts)``, where there is one, such arrays, those of the means and those
        of the standard deviations; ``generate(prefixes, n_tokens)``, where there is one, continues
        texts.
    batch_size : int or None
        At most how many texts to send at once; None for all.
    """

    context: int | None = None
    device: str | None = None

    def __init__(self, model: Any, batch_size: int | None) -> None:
        self._model = model
        self._batch_size = batch_size
        self.name = model_name(model)

    def __repr__(self) -> str:
        return f"TokenScores({self.name})"

    @property
    def gives_statistics(self) -> bool:
        """Whether it gives means and deviations, too."""
        return callable(getattr(self._model, "token_statistics", None))

    @property
    def generate(self) -> Any:
        """Its method that continues texts; None where it has none."""
        method = getattr(self._model, "generate", None)
        return method if callable(method) else None

    def token_scores(
        self, texts: Sequence[str], *, statistics: bool = True
    ) -> list[tuple[NDArray[np.float64], ...]]:
        """Ask about texts; see `CausalModel.token_scores`.

        Raises
        ------
        LeakproError
            Where what comes back is not one array of log-probabilities per text.
        """
        found: list[tuple[NDArray[np.float64], ...]] = []
        size = self._batch_size or len(texts)
        for start in range(0, len(texts), size):
            part = list(texts[start : start + size])
            if statistics and self.gives_statistics:
                found += self._with_statistics(part)
            else:
                found += [(scores,) for scores in self._asked(self._model.token_logprobs, part)]
        return found

    def _with_statistics(self, texts: list[str]) -> list[tuple[NDArray[np.float64], ...]]:
        answer = self._model.token_statistics(texts)
        if not isinstance(answer, (tuple, list)) or len(answer) != 3:
            raise LeakproError(
                f"{self.name}: token_statistics returned a {type(answer).__name__}: it must return "
                "three lists: log-probabilities, means and standard deviations, one array per text"
            )
        log_p = _read(answer[0], len(texts), f"{self.name}: token_statistics")
        others = [
            _arrays(part, len(texts), f"{self.name}: token_statistics") for part in answer[1:]
        ]
        rows = list(zip(log_p, *others, strict=True))
        if any(len({len(part) for part in row}) > 1 for row in rows):
            raise LeakproError(
                f"{self.name}: token_statistics returned other numbers of means or deviations than "
                "of log-probabilities: it must return one of each per token"
            )
        if any((row[2] < 0).any() for row in rows):
            raise LeakproError(f"{self.name}: token_statistics returned deviations below 0")
        return rows

    def _asked(
        self, method: Callable[[list[str]], Any], texts: list[str]
    ) -> list[NDArray[np.float64]]:
        return _read(method(texts), len(texts), f"{self.name}: token_logprobs")


def _read(answer: Any, n_texts: int, what: str) -> list[NDArray[np.float64]]:
    arrays = _arrays(answer, n_texts, what)
    n_above = sum(int((array > _TOLERANCE).any()) for array in arrays)
    if n_above:
        raise LeakproError(
            f"{what} returned values above 0 for {n_above:,} of {n_texts:,} texts, which are no "
            "log-probabilities: give natural logarithms of probabilities, not losses"
        )
    return [np.minimum(array, 0.0) for array in arrays]


def _arrays(answer: Any, n_texts: int, what: str) -> list[NDArray[np.float64]]:
    try:
        listed = list(answer)
        arrays = [
            np.asarray(as_numpy(entry) if is_tensor(entry) else entry, dtype=np.float64)
            for entry in listed
        ]
    except (TypeError, ValueError) as error:
        raise LeakproError(
            f"{what} returned a {type(answer).__name__} that holds no numbers: it must return a "
            "list with one array per text"
        ) from error
    if len(arrays) != n_texts or any(array.ndim != 1 for array in arrays):
        raise LeakproError(
            f"{what} returned {len(arrays):,} arrays for {n_texts:,} texts, or some that are not "
            "of one dimension: it must return one of shape (tokens,) per text"
        )
    n_wrong = sum(int(not np.isfinite(array).all()) for array in arrays)
    if n_wrong:
        raise LeakproError(
            f"{what} returned NaN or infinite values for {n_wrong:,} of {n_texts:,} texts: give "
            "finite numbers (of the first token, which many APIs give none for, nothing at all)"
        )
    return arrays
