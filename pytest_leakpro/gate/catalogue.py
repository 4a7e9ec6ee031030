"""The table of metrics, found by looking through the folder that holds them.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from pytest_leakpro.gate.errors import LeakproError, nearest_match

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.gate.metric_name import MetricName
    from pytest_leakpro.gate.metrics.base import Metric

__all__ = ["definition_of", "metric_named", "metrics"]


@cache
def metrics() -> Mapping[str, Metric]:
    """Give every metric by its name.

    Returns
    -------
    mapping of str to Metric
        A metric is an instance of each class in ``gate/metrics`` that names itself.
    """
    from pytest_leakpro.gate import metrics as folder
    from pytest_leakpro.gate.metrics.base import Metric

    found: dict[str, Metric] = {}
    for module in pkgutil.iter_modules(folder.__path__):
        home = import_module(f"{folder.__name__}.{module.name}")
        for thing in vars(home).values():
            if (
                isinstance(thing, type)
                and issubclass(thing, Metric)
                and thing.__module__ == home.__name__
                and hasattr(thing, "name")
                and thing.name not in found  # a variant stands behind its metric
            ):
                found[thing.name] = thing()
    return found


def metric_named(name: str) -> Metric:
    """Give the metric of a name.

    Raises
    ------
    LeakproError
        With the nearest match where there is no such metric.
    """
    try:
        return metrics()[name]
    except KeyError:
        known = nearest_match(name, metrics())
        raise LeakproError(f"there is no metric {name!r}{known}") from None


def definition_of(metric: MetricName) -> Metric:
    """Give what a metric with its argument is: some arguments speak of another kind of target.

    Raises
    ------
    LeakproError
        As `metric_named`.
    """
    return metric_named(metric.name).variant(metric)
