"""Training on one thread, so that the same seed gives the same bits.

Threads inside a model are held back where shadow models are trained one after the other, too: a
forest adds up its trees' probabilities in the order in which threads finish, a booster its
gradients thread by thread, so the last bits would depend on the number of workers. The parallelism
is over shadow models, so little is lost by it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["one_thread", "one_thread_parameters"]

_NAMES = {"n_jobs", "thread_count", "num_threads", "num_thread", "nthread", "nthreads"}
# Their default is all cores. scikit-learn's None is one, and where n_jobs is deprecated a number
# would be warned of.
_ALL_CORES_BY_DEFAULT = {"xgboost": "n_jobs", "lightgbm": "n_jobs", "catboost": "thread_count"}


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold numerical libraries, and what runs in joblib, to one thread."""
    from joblib import parallel_config
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch is not None else 0
    with threadpool_limits(limits=1), parallel_config(backend="sequential"):
        try:
            if torch is not None:
                torch.set_num_threads(1)
            yield
        finally:
            if torch is not None:
                torch.set_num_threads(threads)


def one_thread_parameters(model: Any, parameters: Mapping[str, Any]) -> dict[str, int]:
    """Give the parameters that hold an estimator, and those inside it, to one thread.

    Parameters
    ----------
    model : estimator
        Of scikit-learn, XGBoost, LightGBM or CatBoost, maybe inside others.
    parameters : mapping
        Its ``get_params(deep=True)``.

    Returns
    -------
    dict of str to int
        For ``set_params``.
    """
    found = {
        name: 1
        for name, value in parameters.items()
        if name.rpartition("__")[2] in _NAMES and value is not None
    }
    for prefix, owner in (("", model), *((f"{name}__", part) for name, part in parameters.items())):
        libraries = {base.__module__.partition(".")[0] for base in type(owner).__mro__}
        for library, name in _ALL_CORES_BY_DEFAULT.items():
            if library in libraries and hasattr(owner, "set_params"):
                aliases = {prefix + alias for alias in _NAMES} & found.keys()
                found |= {} if aliases else {prefix + name: 1}
    return found
