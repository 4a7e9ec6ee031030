"""What stands in boosters that keep their trees outside Python.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from typing import Any

__all__ = ["booster_parts"]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)", re.IGNORECASE)
_TEXTS = ("feature_names", "feature_infos", "objective")


def booster_parts(thing: Any) -> Any:
    """Read a booster of XGBoost or LightGBM, or a matrix of XGBoost's.

    Parameters
    ----------
    thing : object
        Anything.

    Returns
    -------
    dict, sparse matrix or None
        Nested dictionaries and lists; None for anything else.
    """
    xgboost = sys.modules.get("xgboost")
    if xgboost is not None:
        if isinstance(thing, xgboost.Booster):
            return _decoded(json.loads(bytes(thing.save_raw("json"))))
        if isinstance(thing, xgboost.DMatrix):
            return thing.get_data()
    lightgbm = sys.modules.get("lightgbm")
    if lightgbm is not None and isinstance(thing, lightgbm.Booster):
        return _lines(thing.model_to_string(num_iteration=-1))
    return None


def _decoded(model: Any) -> Any:
    """Give the categories as strings again, which are kept as bytes and where each of them ends."""
    try:
        kept = model["learner"]["gradient_booster"]["model"]["cats"]["enc"]
    except (KeyError, TypeError):
        return model
    for number, entry in enumerate(kept):
        offsets, values = entry.get("offsets"), entry.get("values")
        if offsets and values:
            text = bytes(value & 255 for value in values)
            kept[number] = [
                text[start:stop].decode(errors="replace")
                for start, stop in itertools.pairwise(offsets)
            ]
    return model


def _lines(text: str) -> dict[str, Any]:
    """Read a model that is written as lines ``name=values``, the trees one after the other."""
    head: dict[str, Any] = {"trees": []}
    part = head
    for line in text.partition("\nend of trees")[0].splitlines():
        name, equals, values = line.partition("=")
        if name == "Tree":
            part = {}
            head["trees"].append(part)
        elif name == "feature_names":
            part[name] = values.split(" ")
        elif name == "feature_infos":
            # The range of each feature, or its categories.
            part[name] = [_numbers(info) for info in values.split(" ")]
        elif equals and name not in _TEXTS:
            part[name] = _numbers(values)
    return head


def _numbers(text: str) -> list[float]:
    pieces = re.split(r"[\s:\[\]]+", text)
    return [float(piece) for piece in pieces if _NUMBER.fullmatch(piece)]
