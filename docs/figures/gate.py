"""The pictures of docs/statistics.md.

    python docs/figures/gate.py

Draws them anew, three minutes on one core; needs matplotlib (extra `report`). Every picture has a
white ground, so that it can be read on a dark page too, and says in shape or words what it says in
colour.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from scipy import special

from pytest_leakpro import MembershipScores, PytestLeakproWarning, audit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
INK, GREY, BLUE, RED, GREEN, YELLOW = (
    "#222222",
    "#8a8a8a",
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#e69f00",
)
mpl.rcParams.update(
    {
        "svg.hashsalt": "pytest-leakpro",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
)


def keep(figure: Figure, name: str) -> None:
    """Write a picture, the same bytes for the same picture."""
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def scores(rng: np.random.Generator, size: int, shift: float) -> MembershipScores:
    """Draw members from N(shift, 1), non-members from N(0, 1)."""
    return MembershipScores(rng.normal(shift, 1, size), rng.normal(0, 1, size))


def shift_for(tpr: float, fpr: float) -> float:
    """Give the shift at which the true TPR is that."""
    return float(special.ndtri(tpr) - special.ndtri(fpr))


def verdicts() -> None:
    """Draw three intervals beside a limit."""
    rows = (
        ("PASS", 0.9, 2.1, 3.6, GREEN, "o", "even the upper bound\nis within the limit"),
        (
            "INCONCLUSIVE",
            2.6,
            4.2,
            6.9,
            YELLOW,
            "s",
            "the limit lies between:\nmore records would decide",
        ),
        ("FAIL", 6.2, 8.3, 11.0, RED, "D", "even the lower bound\nis above the limit"),
    )
    figure, axes = plt.subplots(figsize=(7.2, 2.6))
    for place, (name, low, value, high, colour, marker, said) in enumerate(rows):
        axes.plot([low, high], [-place, -place], color=colour, lw=4, solid_capstyle="butt")
        axes.plot(value, -place, marker, color="white", mec=colour, mew=2, ms=8)
        axes.text(-0.3, -place, name, ha="right", va="center", weight="bold", color=colour)
        axes.text(11.6, -place, said, ha="left", va="center")
    axes.axvline(5, color=INK, ls="--", lw=1.2)
    axes.text(5, 0.62, "limit 5%", ha="center", va="bottom")
    axes.set(xlim=(0, 11.4), ylim=(-2.5, 0.6), yticks=[], xlabel="leakage (%), estimate and bounds")
    axes.spines["left"].set_visible(False)
    keep(figure, "verdicts")


def sizes() -> None:
    """Draw how bounds shrink as more records are audited."""
    grid = (250, 500, 1000, 2000, 4000, 8000, 16_000)
    figure, axes = plt.subplots(figsize=(7.2, 3.4))
    for true, colour, hatch, label in (
        (0.01, BLUE, "", "no leakage (1%)"),
        (0.15, RED, "///", "15% of the members exposed"),
    ):
        bounds = []
        for size in grid:
            rng = np.random.default_rng(size)
            found = [
                audit(scores(rng, size, shift_for(true, 0.01)), "tpr@1%fpr <= 5%").measurements[0]
                for _ in range(25)
            ]
            bounds.append((np.median([m.low for m in found]), np.median([m.high for m in found])))
        low, high = 100 * np.array(bounds).T
        axes.fill_between(
            grid, low, high, facecolor=colour, alpha=0.3, hatch=hatch, edgecolor=colour
        )
        axes.axhline(100 * true, color=colour, lw=1.2)
        axes.text(grid[-1] * 1.08, 100 * true, label, va="center", color=colour)
    axes.axhline(5, color=INK, ls="--", lw=1.2)
    axes.text(grid[-1] * 1.08, 5, "limit 5%", va="center")
    axes.set_xscale("log")
    axes.set_xticks(grid, [f"{size:,}" for size in grid])
    axes.minorticks_off()
    axes.set(
        xlim=(grid[0], grid[-1]),
        ylim=(0, 30),
        xlabel="members, and as many non-members",
        ylabel="TPR at 1% FPR (%)",
    )
    keep(figure, "sizes")


def bootstrap_verdicts(
    rng: np.random.Generator, evidence: MembershipScores, limit: float, fpr: float
) -> tuple[bool, bool]:
    """Say what a gate on a percentile bootstrap would call FAIL and PASS."""
    members, nonmembers = np.asarray(evidence.members), np.asarray(evidence.nonmembers)
    found = []
    for _ in range(200):
        inside = rng.choice(members, len(members))
        outside = rng.choice(nonmembers, len(nonmembers))
        found.append(np.mean(inside > np.quantile(outside, 1 - fpr)))
    low, high = np.quantile(found, (0.025, 0.975))
    return bool(low > limit), bool(high <= limit)


def false_alarms() -> None:
    """Draw how often either gate errs where the truth lies exactly at the limit."""
    grid, runs, limit, fpr = (500, 1000, 2000), 1000, 0.01, 0.001
    errors: dict[str, list[np.ndarray]] = {"bootstrap": [], "this gate": []}
    for size in grid:
        rng = np.random.default_rng(size)
        wrong = {"bootstrap": np.zeros(2), "this gate": np.zeros(2)}
        for _ in range(runs):
            evidence = scores(rng, size, shift_for(limit, fpr))
            wrong["bootstrap"] += bootstrap_verdicts(rng, evidence, limit, fpr)
            verdict = str(audit(evidence, "tpr@0.1%fpr <= 1%").measurements[0].verdict)
            wrong["this gate"] += ("FAIL" in verdict, "PASS" in verdict)
        for name, counts in wrong.items():
            errors[name].append(100 * counts / runs)
    figure, axes = plt.subplots(figsize=(5.4, 3.0))
    for step, (name, colour, hatch) in enumerate(
        (("bootstrap", RED, "///"), ("this gate", BLUE, ""))
    ):
        heights = [failed for failed, _ in errors[name]]
        places = np.arange(len(grid)) + 0.38 * step - 0.19
        axes.bar(places, heights, 0.36, color=colour, alpha=0.75, hatch=hatch, label=name)
        for place, height in zip(places, heights, strict=True):
            axes.text(place, height + 0.6, f"{height:.1f}", ha="center", fontsize=9)
    axes.axhline(2.5, color=INK, ls="--", lw=1.2)
    axes.set_xticks(range(len(grid)), [f"{size:,}" for size in grid])
    axes.set(
        xlabel="members, and as many non-members",
        ylabel="false FAILs in 100 audits\n(dashed: 2.5, allowed)",
    )
    axes.legend(frameon=False)
    keep(figure, "false_alarms")
    for name, shares in errors.items():
        print(name, [tuple(map(float, pair)) for pair in shares], "% false FAILs and PASSes")


def ties() -> None:
    """Draw why members above the cut count for FAIL, and those at it too for PASS."""
    figure, axes = plt.subplots(figsize=(7.2, 2.3))
    for row, (name, colour, values) in enumerate(
        (
            ("members", RED, [0.2, 0.35, 0.5, 0.5, 0.5, 0.5, 0.7, 0.9]),
            ("non-members", BLUE, [0.05, 0.1, 0.3, 0.35, 0.5, 0.5, 0.5, 0.62]),
        )
    ):
        height: dict[float, int] = {}
        for value in values:
            height[value] = height.get(value, -1) + 1
            axes.plot(
                value, -row * 1.3 + 0.16 * height[value], "o", color=colour, ms=8, mec="white"
            )
        axes.text(-0.02, -row * 1.3, name, ha="right", va="center", color=colour, weight="bold")
    axes.axvline(0.5, color=INK, ls="--", lw=1.2)
    axes.annotate(
        "lower bound: only members strictly above",
        (0.52, 0.85),
        xytext=(0.56, 0.95),
        va="center",
        fontsize=9,
    )
    axes.annotate(
        "upper bound: those at the cut as well",
        (0.5, 0.7),
        xytext=(0.56, 0.72),
        va="center",
        fontsize=9,
    )
    axes.set(
        xlim=(0, 1),
        ylim=(-1.6, 1.15),
        yticks=[],
        xticks=[],
        xlabel="score (the model knows few values)",
    )
    axes.spines["left"].set_visible(False)
    keep(figure, "ties")


def region() -> None:
    """Draw the ROC curves that a budget allows."""
    u = np.logspace(-4, 0, 400)
    limit, a = 0.05, 0.01
    allowed = np.where(u < a, limit, np.minimum(1, limit * u / a))
    figure, axes = plt.subplots(figsize=(5.4, 4.2))
    axes.fill_between(u, 1e-4, allowed, color=GREEN, alpha=0.18, lw=0)
    axes.plot(u[u >= a], allowed[u >= a], color=GREEN, lw=2)
    axes.plot(u, u, color=GREY, lw=1)
    for shift, spread, colour, style, label in (
        (0.45, 1.0, BLUE, "-", "within the budget"),
        (1.25, 1.0, RED, "--", "above it at 1% FPR"),
    ):
        axes.plot(
            u,
            special.ndtr((special.ndtri(u) + shift) / spread),
            style,
            color=colour,
            lw=1.8,
            label=label,
        )
    late = np.where(u < 0.008, u * 1.5, np.minimum(1, 0.012 + 12 * (u - 0.008)))
    axes.plot(u, np.maximum(late, u), ":", color=RED, lw=2.2, label="steep just beyond it")
    axes.plot(a, limit, "s", color=INK, ms=7)
    axes.annotate(
        "the budget:\n5% at 1% FPR",
        (a, limit),
        xytext=(0.0012, 0.16),
        arrowprops={"arrowstyle": "-", "color": INK},
    )
    axes.text(0.0002, 0.00013, "guessing", rotation=38, color=GREY)
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(1e-4, 1),
        ylim=(1e-4, 1),
        xlabel="false-positive rate",
        ylabel="true-positive rate",
    )
    axes.legend(frameon=False, loc="lower right")
    keep(figure, "region")


def main() -> None:
    """Draw all of them."""
    # At small sizes the audits say how often they are red by chance: that is what is drawn.
    warnings.simplefilter("ignore", PytestLeakproWarning)
    for draw in (verdicts, sizes, ties, region, false_alarms):
        draw()


if __name__ == "__main__":
    main()
