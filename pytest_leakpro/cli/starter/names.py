"""What people call things: design matrices, labels, seeds, sides of a split.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import NamedTuple

__all__ = ["Part", "is_importable_name", "parameter_role", "part_named", "preference"]

_TRAIN = re.compile(r"^(?:train(?:ing)?|tr|trn|fit|members?)|(?:train(?:ing)?|tr|trn|members?)$")
_TEST = re.compile(
    r"^(?:test(?:ing)?|te|tst|hold_?out|held_?out|unseen|non_?members?|eval(?:uation)?)"
    r"|(?:test(?:ing)?|te|tst|hold_?out|held_?out|unseen|non_?members?|eval(?:uation)?)$"
)
_VALIDATION = re.compile(r"^(?:val(?:id|idation)?|dev)|(?:val(?:id|idation)?|dev)$")
_X = re.compile(r"xs?|features?|inputs?|samples?|images?|texts?|design|matrix|predictors?")
_Y = re.compile(r"ys?|labels?|targets?|outcomes?|class(?:es)?|response")
_WORKED_ON = re.compile(
    r"_(?:s|t|sc|std|scaled|norm|normali[sz]ed|standardi[sz]ed|processed|preprocessed|prep"
    r"|transformed|encoded|enc|imputed|clean(?:ed)?|tensors?|np|array|raw|\d+)$"
)
_WHOLE = re.compile(r"(?:(?:data(?:set)?|set|split|df|frame|pair|record|ds|loader|dl|cohort)s?)?")

_SEEDS = re.compile(r"seed|random_state|random_seed|rng_seed|rs|seed_value", re.IGNORECASE)
_MODELS = re.compile(r"(?:the_?)?(?:model|net|network|clf|classifier|regressor|estimator|pipeline)")
_WIDTHS = re.compile(
    r"(?:n|num|number_of)?_?(?:in|inputs?|features?)(?:_?(?:dim|size|features|channels))?|d_?in"
    r"|dim_?in|width|dim",
    re.IGNORECASE,
)

_GOOD = re.compile(r"train|fit|final|release|production|model", re.IGNORECASE)
_DOUBTFUL = re.compile(
    r"main|run|eval|cross|cv|tune|search|plot|demo|example|baseline|dummy|ablation|debug|shadow"
    r"|attack|benchmark|old|legacy|deprecated|experiment|toy|fake|mock|tmp",
    re.IGNORECASE,
)


class Part(NamedTuple):
    """Which part of the data a variable holds.

    Attributes
    ----------
    side : str
        ``"train"``, ``"test"``, ``"validation"``, or empty where it was not split.
    kind : str
        ``"X"``, ``"y"``, or ``"whole"`` where one variable holds both.
    """

    side: str
    kind: str


def part_named(name: str) -> Part | None:
    """Tell from its name which part of the data a variable holds; None where it does not say."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip("_")
    plain = _WORKED_ON.sub("", plain)
    for side, pattern in (("test", _TEST), ("train", _TRAIN), ("validation", _VALIDATION)):
        # Both orders are in use, with and without an underscore: X_train, train_x, xtrain.
        for match in (pattern.search(plain), pattern.search(plain.replace("_", ""))):
            if match is None:
                continue
            rest = (match.string[: match.start()] + match.string[match.end() :]).strip("_")
            kind = _kind(rest)
            if kind:
                return Part(side, kind)
    kind = _kind(plain)
    return Part("", kind) if kind in {"X", "y"} else None


def _kind(rest: str) -> str:
    for kind, pattern in (("X", _X), ("y", _Y), ("whole", _WHOLE)):
        if pattern.fullmatch(rest.replace("_", "")):
            return kind
    return ""


def parameter_role(name: str) -> str:
    """Tell what a parameter takes: ``X``, ``y``, ``seed``, ``model``, ``width``, or nothing."""
    if _SEEDS.fullmatch(name):
        return "seed"
    if _MODELS.fullmatch(name.lower()):
        return "model"
    part = part_named(name)
    if part is not None and part.side in {"", "train"} and part.kind in {"X", "y"}:
        return part.kind
    return "width" if _WIDTHS.fullmatch(name) else ""


def preference(name: str) -> int:
    """Rate a function's name: the one that trains what is released is called by its purpose."""
    points = 2 if _GOOD.search(name) else 0
    if _DOUBTFUL.search(name):
        points -= 3
    return points - 2 if name.startswith("_") else points


def is_importable_name(name: str) -> bool:
    """Tell whether a name can stand in an import statement and means itself there."""
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and name.isprintable()
        # Python folds names: what looks alike would be looked for under another.
        and unicodedata.normalize("NFKC", name) == name
    )
