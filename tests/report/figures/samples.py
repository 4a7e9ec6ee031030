"""Records of real audits of each kind of evidence, and their figures, each drawn once."""

import re
import warnings
from functools import cache
from importlib import import_module
from xml.etree import ElementTree as ET

import numpy as np

from pytest_leakpro import (
    CanaryScores,
    Counts,
    Exposures,
    Guesses,
    MembershipScores,
    PytestLeakproWarning,
    Reconstructions,
    audit,
)
from pytest_leakpro.report.figures.drawing import as_svg
from pytest_leakpro.report.texts.catalogue import words_of

WORDS = words_of("en")


def measured(evidence, budget):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PytestLeakproWarning)
        return audit(evidence, budget).to_plain()[0]


@cache
def records():
    rng = np.random.default_rng(0)
    tossed = rng.random(600) < 0.5
    shifted = MembershipScores(rng.normal(0.8, 1, 2000), rng.normal(0, 1, 2000), name="churn-v3")
    found = {
        "tpr": measured(shifted, "tpr@0.1%fpr <= 1%"),
        "auc": measured(shifted, "auc <= 0.6"),
        "advantage": measured(shifted, "advantage <= 60%"),
        "tied": measured(MembershipScores(np.ones(500), np.ones(400)), "tpr@1%fpr <= 5%"),
        "apart": measured(MembershipScores(np.ones(500), np.zeros(400)), "tpr@1%fpr <= 5%"),
        "guesses": measured(Guesses((41, 1000), (30, 1000), (1, 1000)), "linkability <= 5%"),
        "scaled": measured(
            Guesses((41, 1000), (15, 1000), control_scale=2.0, control_most=20),
            "linkability <= 5%",
        ),
        "counts": measured(
            Counts(found=3, of=1000, control_found=1, control_of=1000), "exact_copies <= 1%"
        ),
        "update": measured(
            Reconstructions(
                {"ssim": rng.uniform(-0.2, 1, 64)}, {"ssim": rng.uniform(-0.2, 0.2, 64)}
            ),
            "reconstruction[ssim>=0.5] <= 10%",
        ),
        "updates": measured(
            Reconstructions(
                {"mse": 10.0 ** rng.uniform(-8, 1, 64)},
                {"mse": 10.0 ** rng.uniform(-1, 1, 64)},
                batches=list(range(16)) * 4,
            ),
            "reconstruction[mse<=0.01] <= 10%",
        ),
        "exposure": measured(
            Exposures(ranks=[1, 1, 1, 2, 1, 1, 8, 1, 3, 400], candidates=1024), "exposure <= 4"
        ),
        "epsilon": measured(
            CanaryScores(scores=rng.normal(0, 1, 600) + 1.5 * tossed, included=tossed, delta=1e-5),
            "epsilon <= 1",
        ),
    }
    found["sliced"] = {**found["tpr"], "slices": slices(), "slice": "sex=M"}
    return found


def slices():
    figures = [
        ("F", 0.012, 0.001, 0.03, "INCONCLUSIVE"),
        ("M", 0.05, 0.02, 0.08, "FAIL"),
        ("other", 0.001, 0.0, 0.005, "PASS"),
    ]
    return [
        {
            "slicing": "sex",
            "label": label,
            "value": value,
            "low": low,
            "high": high,
            "verdict": verdict,
            "attack": "lira",
            "n_members": 100,
            "n_nonmembers": 100,
            "shown_value": f"{value:.1%}",
            "shown_low": f"{low:.1%}",
            "shown_high": f"{high:.1%}",
        }
        for label, value, low, high, verdict in figures
    ]


def point(value, low=None, high=None, limit=0.01, **more):
    fields = {"value": value, "low": low, "high": high, "limit": limit, "comparable": True}
    return {**fields, "commit": "0123456789abcdef", "time": "2026-11-29T00:00:00Z", **more}


def compared(with_utility=True, **changes):
    figures = [
        ("none", 0.32, 0.28, 0.37, 0.91, "first"),
        ("early stopping", 0.11, 0.08, 0.15, 0.905, "lower"),
        ("smaller model", 0.29, 0.25, 0.34, 0.88, "not told apart"),
        ("dp-sgd", 0.012, 0.004, 0.03, 0.84, "lower"),
        ("bagging", 0.45, 0.4, 0.5, 0.915, "higher"),
    ]
    return [
        {
            **records()["tpr"],
            "value": value,
            "low": low,
            "high": high,
            "shown_value": f"{value:.1%}",
            "shown_low": f"{low:.1%}",
            "shown_high": f"{high:.1%}",
            "comparison": {
                "name": "defences of churn",
                "defence": name,
                "order": order,
                "of": len(figures),
                "utility": utility if with_utility else None,
                "shown_utility": f"{utility:.3f}" if with_utility else "",
                "utility_name": "accuracy",
                "outcome": outcome,
            },
            **changes,
        }
        for order, (name, value, low, high, utility, outcome) in enumerate(figures)
    ]


# By name: what is drawn, and of which record.
OF_RECORDS = (
    *(("roc", name) for name in ("tpr", "auc", "advantage", "tied", "apart")),
    *(("scores", name) for name in ("tpr", "tied")),
    *(("rates", name) for name in ("guesses", "scaled", "counts", "update")),
    *(("quality", name) for name in ("update", "updates")),
    ("ranks", "exposure"),
    ("bounds", "epsilon"),
    ("slices", "sliced"),
)


def maker(kind, what="svg"):
    module = import_module(f"pytest_leakpro.report.figures.{kind}")
    if what == "svg" and kind != "people":
        return lambda *things: as_svg(getattr(module, f"{kind}_panel")(*things))
    return getattr(module, f"{kind}_{what}")


@cache
def drawn():
    """Give every figure by its name."""
    figures = {
        f"{kind} of {name}": maker(kind)(records()[name], WORDS) for kind, name in OF_RECORDS
    }
    runs = [point(0.004, 0.002, 0.008), point(None), point(0.02, 0.01, None, 0.03)]
    figures["history"] = maker("history")(runs, records()["tpr"], WORDS)
    figures["comparison"] = maker("comparison")(compared(), WORDS)
    figures["comparison without utility"] = maker("comparison")(compared(False), WORDS)
    figures["people"] = maker("people")(1000, 47, 31.2, 65.6, 10, WORDS)
    return figures


def parsed(svg):
    return ET.fromstring(svg)


def texts(svg):
    return [element.text for element in parsed(svg).iter("text")]


def described(svg):
    root = parsed(svg)
    return root.find("title").text, root.find("desc").text


def numbers_in(svg):
    """Give every coordinate of the paths."""
    paths = " ".join(element.get("d") for element in parsed(svg).iter("path"))
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", paths)]
