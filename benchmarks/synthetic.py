"""What attacks on synthetic data cost, beside anonymeter, in one process.

Run, where both are installed (anonymeter wants numpy below 2):

    python benchmarks/synthetic.py [repeats] [rows] [attacks]

The table is like one of a census: 7 columns of numbers, some of them heaped or mostly zero, and 7
of categories. Half the release is copied from the source. Both attack as many records, or make as
many predicates, of the source and of the control, on two cores; both are warmed up first, so that
what is compiled is paid for, and then take turns. Singling out costs what it takes to find
predicates that hold for exactly one row of the release: 6 in 1,000 of those that are tried. Risks
are those of each one's own rule.
"""

import logging
import statistics
import sys
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from pytest_leakpro import SyntheticData
from pytest_leakpro.attacks.synthetic.inference import InferenceByNeighbours
from pytest_leakpro.attacks.synthetic.linkability import Linkability
from pytest_leakpro.attacks.synthetic.singling_out import MultivariateSinglingOut

THREADS = 2
NUMBERS = ["age", "weight", "education years", "gain", "loss", "hours", "household"]
CATEGORIES = ["employer", "education", "marital", "occupation", "relation", "origin", "sex"]
AUX = (
    ["age", "education years", "gain", "marital", "relation", "sex", "origin"],
    ["weight", "loss", "hours", "household", "employer", "education", "occupation"],
)
SECRET = "occupation"
KNOWN = [name for name in NUMBERS + CATEGORIES if name != SECRET]


def ours_linkability(original, synthetic, control, aux, n_attacks, seed):
    """Give how many records of the source were linked, and how many of the control."""
    given = {"aux_columns": aux}
    return _ours(Linkability(attempts=n_attacks), original, synthetic, control, seed, **given)


def ours_singling_out(original, synthetic, control, n_attacks, seed):
    """Give how many records of the source were singled out, and how many of the control."""
    attack = MultivariateSinglingOut(attempts=n_attacks)
    return _ours(attack, original, synthetic, control, seed)


def ours_inference(original, synthetic, control, known, secret, n_attacks, seed):
    """Give how many secrets of the source were guessed, and how many of the control."""
    given = {"quasi_identifiers": known, "secret": secret, "column": secret}
    attack = InferenceByNeighbours(attempts=n_attacks)
    return _ours(attack, original, synthetic, control, seed, **given)


def _ours(attack, original, synthetic, control, seed, column=None, **given):
    """Read the tables and attack, all of which an audit pays for."""
    target = SyntheticData(original, synthetic, control, allow_overlap=True, **given)
    view = target.prepare(seed, threads=THREADS)
    guesses = attack.run(view, np.random.default_rng(seed), column)
    return guesses.main[0], guesses.control[0]


@dataclass(frozen=True, repr=False)
class Tables:
    """A release, its source and a control."""

    original: pd.DataFrame
    synthetic: pd.DataFrame
    control: pd.DataFrame


def census(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw people: correlated by four hidden traits of theirs, with margins like a census's."""
    columns = NUMBERS + CATEGORIES
    # The same traits for every draw: all tables are of one population.
    loadings = np.random.default_rng(0).normal(size=(4, len(columns)))
    loadings /= np.sqrt((loadings**2).sum(axis=0) + 2)
    noise = np.sqrt(1 - (loadings**2).sum(axis=0))
    latent = rng.normal(size=(n, 4)) @ loadings + noise * rng.normal(size=(n, len(columns)))
    ranks = pd.DataFrame(norm.cdf(latent), columns=columns)
    hours = np.round(norm.ppf(ranks["hours"], 40, 14)).clip(1, 99)
    people = {
        "age": np.floor(17 + 73 * ranks["age"] ** 1.7),
        "weight": np.round(np.exp(norm.ppf(ranks["weight"], 12.0, 0.6))),
        "education years": np.round(norm.ppf(ranks["education years"], 10, 2.6)).clip(1, 16),
        "gain": _mostly_zero(ranks["gain"], 0.92, 8.5, 1.0),
        "loss": _mostly_zero(ranks["loss"], 0.95, 7.5, 0.25),
        "hours": np.where(ranks["hours"].between(0.25, 0.72), 40.0, hours),
        "household": np.ceil(-np.log1p(-ranks["household"]) * 2).clip(1, 12),
    }
    n_values = dict(zip(CATEGORIES, (8, 16, 7, 14, 6, 41, 2), strict=True))
    for name, count in n_values.items():
        shares = 0.7 ** np.arange(count)
        codes = np.searchsorted(np.cumsum(shares / shares.sum())[:-1], ranks[name])
        # Categories, which anonymeter is faster with than with texts.
        people[name] = pd.Categorical.from_codes(codes, [f"{name} {code}" for code in range(count)])
    return pd.DataFrame(people)[columns]


def _mostly_zero(ranks: pd.Series, share: float, centre: float, spread: float) -> np.ndarray:
    rest = ((ranks - share) / (1 - share)).clip(1e-9, 1 - 1e-9)
    return np.where(ranks < share, 0.0, np.round(np.exp(norm.ppf(rest, centre, spread)), -1))


def tables(n: int, seed: int) -> Tables:
    """Draw a source, a control, and a release of which half is copied from the source."""
    rng = np.random.default_rng(seed)
    original, control, fresh = (census(n, rng) for _ in range(3))
    copied = original.iloc[rng.choice(n, size=n // 2, replace=False)]
    synthetic = pd.concat([copied, fresh.iloc[: n - n // 2]]).sample(frac=1, random_state=seed)
    return Tables(original, synthetic.reset_index(drop=True), control)


def their_linkability(original, synthetic, control, aux, n_attacks, seed):
    from anonymeter.evaluators import LinkabilityEvaluator

    np.random.seed(seed)  # noqa: NPY002 - what it draws from
    return _counts(
        LinkabilityEvaluator(
            ori=original, syn=synthetic, control=control, aux_cols=aux, n_attacks=n_attacks
        ).evaluate(n_jobs=THREADS)
    )


def their_singling_out(original, synthetic, control, n_attacks, seed):
    from anonymeter.evaluators import SinglingOutEvaluator

    return _counts(
        SinglingOutEvaluator(
            ori=original, syn=synthetic, control=control, n_attacks=n_attacks, seed=seed
        ).evaluate(mode="multivariate")
    )


def their_inference(original, synthetic, control, known, secret, n_attacks, seed):
    from anonymeter.evaluators import InferenceEvaluator

    np.random.seed(seed)  # noqa: NPY002 - what it draws from
    return _counts(
        InferenceEvaluator(
            ori=original,
            syn=synthetic,
            control=control,
            aux_cols=known,
            secret=secret,
            n_attacks=n_attacks,
        ).evaluate(n_jobs=THREADS)
    )


def _counts(evaluator) -> tuple[int, int]:
    found = evaluator.results()
    return int(found.n_success), int(found.n_control)


def timed(attack, *arguments) -> tuple[float, tuple[int, int]]:
    """Give the wall time and what was found."""
    started = time.perf_counter()
    found = attack(*arguments)
    return time.perf_counter() - started, found


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]]
    repeats, n, n_attacks = given + [5, 15_000, 1_000][len(given) :]
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    attacks = {
        "linkability": (their_linkability, ours_linkability, (AUX,)),
        "singling out": (their_singling_out, ours_singling_out, ()),
        "inference": (their_inference, ours_inference, (KNOWN, SECRET)),
    }
    data = tables(n, seed=0)
    frames = data.original, data.synthetic, data.control
    print(
        f"{n:,} rows of {data.original.shape[1]} columns, {n_attacks:,} attacks, {repeats} repeats"
    )
    print(f"{'':<14}{'anonymeter':>22}{'pytest-leakpro':>22}{'':>8}{'risk':>16}")
    heads = "seconds (range)"
    print(f"{'':<14}{heads:>22}{heads:>22}{'ratio':>8}{'theirs':>9}{'ours':>7}")
    for name, (*sides, extra) in attacks.items():
        for attack in sides:
            attack(*(frame.head(500) for frame in frames), *extra, 100, 0)
        took = [[], []]
        found = [[], []]
        for seed in range(repeats):
            for side, attack in enumerate(sides):
                seconds, counts = timed(attack, *frames, *extra, n_attacks, seed)
                took[side].append(seconds)
                found[side].append(_risk(counts, n_attacks))
        medians = [statistics.median(times) for times in took]
        cells = [
            f"{median:.2f} ({min(times):.2f}-{max(times):.2f})"
            for median, times in zip(medians, took, strict=True)
        ]
        risks = [f"{100 * statistics.mean(risks):.1f}%" for risks in found]
        ratio = f"{medians[0] / medians[1]:.1f}"
        print(
            f"{name:<14}{cells[0]:>22}{cells[1]:>22}{ratio:>8}{risks[0]:>9}{risks[1]:>7}",
            flush=True,
        )


def _risk(counts: tuple[int, int], n_attacks: int) -> float:
    main_rate, control_rate = (count / n_attacks for count in counts)
    return (main_rate - control_rate) / (1 - control_rate)


if __name__ == "__main__":
    main()
