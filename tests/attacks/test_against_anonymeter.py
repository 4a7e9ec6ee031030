"""Agreement with anonymeter, an independent implementation; `tox run -e anonymeter` has it.

Where both are given the same records, the same columns and as many neighbours they must find the
same, to the record. Where they differ on purpose, the difference is tested.
"""

import numpy as np
import pandas as pd
import pytest

from pytest_leakpro import SyntheticData
from pytest_leakpro.attacks.synthetic import singling_out
from pytest_leakpro.attacks.synthetic.base_attack import right_guesses
from pytest_leakpro.attacks.synthetic.inference import InferenceByNeighbours
from pytest_leakpro.attacks.synthetic.linkability import Linkability
from pytest_leakpro.attacks.synthetic.predicates import RankedColumns, matches
from pytest_leakpro.stats.gower import nearest_rows
from pytest_leakpro.targets.mixed_table import MixedColumns

pytest.importorskip("anonymeter.evaluators", reason="anonymeter is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:Attack is as good or worse:UserWarning")

N = 301
NUMBERS = ["age", "income", "weight"]
CATEGORIES = ["sex", "ward", "job"]
AUX = (["age", "sex", "ward"], ["income", "weight", "job"])
SIDES = ("original", "control")


def people(n, seed):
    """Draw people whose numbers are continuous: no two rows are at the same distance."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.uniform(18, 90, n),
            "sex": rng.choice(["F", "M"], n),
            "income": rng.lognormal(10, 1, n),
            "ward": rng.choice(list("ABCDEFGH"), n),
            "weight": rng.normal(70, 12, n),
            "job": rng.choice([f"job {code}" for code in range(12)], n),
        }
    )


def release(lacking):
    """Give a source, a release that leaks half its rows, and a control.

    The release has the least and the greatest of every number: anonymeter scales by the range of
    the targets and the release, and we by that of all tables.
    """
    tables = {"original": people(N, 0), "fresh": people(N - N // 2, 1), "control": people(N, 2)}
    rng = np.random.default_rng(3)
    for table in tables.values():
        for name in lacking:
            table[name] = table[name].mask(rng.random(len(table)) < 0.1)
    ends = tables["original"].head(2).copy()
    for name in NUMBERS:
        values = pd.concat([table[name] for table in tables.values()])
        ends[name] = [values.min(), values.max()]
    copied = tables["original"].sample(N // 2, random_state=4)
    released = pd.concat([copied, tables["fresh"], ends]).sample(frac=1, random_state=5)
    return {
        "original": tables["original"],
        "synthetic": released.reset_index(drop=True),
        "control": tables["control"],
    }


@pytest.fixture(scope="module", params=["complete", "with gaps"])
def frames(request):
    """Missing categories are values to both; missing numbers are not (see the differences)."""
    return release([] if request.param == "complete" else CATEGORIES)


@pytest.fixture(scope="module")
def with_gaps():
    """Every column has missing values, numbers too."""
    return release(NUMBERS + CATEGORIES)


def view_of(frames, **given):
    return SyntheticData(**frames, **given).prepare(0)


def their_neighbours(targets, released, k):
    """Give distances, summed over columns, and positions of the k nearest rows."""
    from anonymeter.neighbors.mixed_types_kneighbors import MixedTypeKNeighbors

    search = MixedTypeKNeighbors(n_neighbors=k, n_jobs=1).fit(released)
    return search.kneighbors(targets, return_distance=True)


def their_links(targets, released, aux, k):
    """Count the targets that are linked: all are attacked, so that nothing is drawn."""
    from anonymeter.evaluators import LinkabilityEvaluator

    attack = LinkabilityEvaluator(
        ori=targets, syn=released, aux_cols=aux, n_attacks=None, n_neighbors=k
    )
    return attack.evaluate(n_jobs=1).results().n_success


def their_inference(targets, released, known, secret, regression):
    """Count the targets whose secret is guessed; give the guesses too, in the targets' order."""
    from anonymeter.evaluators import InferenceEvaluator

    attack = InferenceEvaluator(
        ori=targets,
        syn=released,
        aux_cols=known,
        secret=secret,
        regression=regression,
        n_attacks=len(targets),
    ).evaluate(n_jobs=1)
    return int(attack.results().n_success), attack._guesses_success.reindex(targets.index)


def their_predicates(released, rows, columns):
    """Make a predicate from each of some rows, on the columns named for it."""
    import polars as pl
    from anonymeter.evaluators.singling_out_evaluator import _query_from_record

    table = pl.DataFrame(released)
    medians = table.median().to_dicts()[0]
    types = dict(table.schema)
    records = table[list(map(int, rows))].to_dicts()
    return [
        _query_from_record(record, types, list(names), medians, rng=None)
        for record, names in zip(records, columns, strict=True)
    ]


def their_counts(frame, predicates):
    """Count the rows that each predicate holds for; duplicates count, unlike in the evaluator."""
    import polars as pl
    from anonymeter.evaluators.singling_out_evaluator import _evaluate_queries

    return np.array(_evaluate_queries(pl.DataFrame(frame), predicates))


class TestAgreement:
    @pytest.mark.parametrize("columns", [NUMBERS + CATEGORIES, *AUX], ids=len)
    def test_the_same_rows_are_the_nearest(self, frames, columns):
        view = view_of(frames)
        for side in SIDES:
            theirs = their_neighbours(frames[side][columns], frames["synthetic"][columns], 3)
            ours = nearest_rows(view.rows(side, columns), view.rows("synthetic", columns), 3)
            assert np.allclose(ours[0] * len(columns), theirs[0], atol=1e-9)
            assert np.array_equal(ours[1], theirs[1])

    @pytest.mark.parametrize("k", [1, 3])
    def test_as_many_are_linked(self, frames, k):
        found = Linkability(neighbours=k).run(
            view_of(frames, aux_columns=AUX), np.random.default_rng(0)
        )
        theirs = [their_links(frames[side], frames["synthetic"], AUX, k) for side in SIDES]
        assert [found.main, found.control] == [(count, N) for count in theirs]
        assert theirs[0] > theirs[1] + N // 3

    def test_as_many_categories_are_inferred(self, frames):
        known = [name for name in NUMBERS + CATEGORIES if name != "job"]
        view = view_of(frames, secret="job", quasi_identifiers=known)
        found = InferenceByNeighbours().run(view, np.random.default_rng(0), "job")
        theirs = [
            their_inference(frames[side], frames["synthetic"], known, "job", False)[0]
            for side in SIDES
        ]
        assert [found.main, found.control] == [(count, N) for count in theirs]
        assert theirs[0] > theirs[1] + N // 3

    def test_numbers_are_guessed_alike(self, frames):
        """The guesses are the same; the tolerance is a share of the truth, not of the guess."""
        known = [name for name in NUMBERS + CATEGORIES if name != "income"]
        view = view_of(frames, secret="income", quasi_identifiers=known)
        found = InferenceByNeighbours().run(view, np.random.default_rng(0), "income")
        for side, (count, _) in zip(SIDES, (found.main, found.control), strict=True):
            truth = frames[side]["income"]
            theirs, guess = their_inference(
                frames[side], frames["synthetic"], known, "income", True
            )
            off = (guess - truth).abs()
            assert theirs == (off <= 0.05 * guess).sum()
            assert count == (off <= 0.05 * truth).sum()

    @pytest.mark.parametrize("width", [1, 2, 3])
    def test_predicates_hold_for_as_many_rows(self, with_gaps, width):
        """Missing values included: whoever lacks a value is told apart by lacking it."""
        rng = np.random.default_rng(width)
        view = view_of(with_gaps)
        names = list(view.original.columns)
        ranked = RankedColumns({side: getattr(view, side) for side in with_gaps}, view.roles.usable)
        released = ranked.tables["synthetic"].ranks
        medians = singling_out._medians(ranked, released)
        rows = rng.integers(released.shape[1], size=400)
        columns = np.sort(np.argsort(rng.random((400, len(names))), axis=1)[:, :width], axis=1)
        values = released[columns, rows[:, None]].astype(np.int64)
        # Of an even number of rows theirs is between two of them, ours the greater.
        clear = ~(ranked.ordered[columns] & (values == medians[columns])).any(axis=1)
        assert clear.mean() > 0.9
        columns, values, rows = columns[clear], values[clear], rows[clear]
        ours = singling_out._conditions(ranked, columns, values, medians[columns])
        theirs = their_predicates(
            with_gaps["synthetic"], rows, [[names[place] for place in some] for some in columns]
        )
        for side, frame in with_gaps.items():
            counts = their_counts(frame, theirs)
            assert np.array_equal(matches(ours, ranked.tables[side])[0], counts)
            assert (width == 1) or (counts == 1).any()


class TestDifferences:
    def test_a_missing_number_is_like_a_missing_one(self):
        """Theirs are one apart, and at no distance from others: what is nearest is left open."""
        values = pd.DataFrame({"x": [np.nan, 0.0, 1.0]})
        theirs, _ = their_neighbours(values, values, 3)
        assert theirs[0, 0] == 1
        assert np.isnan(theirs).sum() == 4
        rows = MixedColumns({"x": values}).encode(values).rows(["x"])
        ours, _ = nearest_rows(rows, rows, 3)
        assert np.array_equal(ours, [[0, 1, 1]] * 3)

    def test_the_tolerance_is_a_share_of_the_truth(self):
        """A guess below zero has a tolerance below zero there, and is right whatever the truth."""
        from anonymeter.evaluators.inference_evaluator import evaluate_inference_guesses

        guess, truth = pd.Series([-50.0, 104.9, 95.1]), pd.Series([3.0, 100.0, 100.0])
        theirs = evaluate_inference_guesses(guess, truth, regression=True)
        columns = MixedColumns({"a": pd.DataFrame({"x": guess}), "b": pd.DataFrame({"x": truth})})
        coded = [columns.encode(pd.DataFrame({"x": values})) for values in (truth, guess)]
        assert theirs.tolist() == [True, True, False]
        assert right_guesses(*coded, "x", 0.05).tolist() == [False, True, True]

    def test_a_record_that_is_there_twice_is_not_singled_out(self):
        """They drop duplicates first, of the source too, and then it is."""
        from anonymeter.evaluators import SinglingOutEvaluator

        once = people(N, 6)
        twice = pd.concat([once, once])
        attack = SinglingOutEvaluator(ori=twice, syn=once, n_attacks=50, seed=0).evaluate()
        found = singling_out.MultivariateSinglingOut(attempts=50).run(
            view_of({"original": twice, "synthetic": once, "control": people(N, 7)}),
            np.random.default_rng(0),
        )
        assert attack.results().n_success == 50
        assert found.main[0] == 0

    def test_the_naive_guess_is_a_guess(self):
        """Theirs is lost where the row of the release with the target's label was not drawn."""
        from anonymeter.evaluators import InferenceEvaluator

        np.random.seed(0)  # noqa: NPY002 - what it draws from
        tables = [people(2000, seed) for seed in (8, 9, 10)]
        attack = InferenceEvaluator(
            ori=tables[0], syn=tables[1], aux_cols=["age"], secret="sex", n_attacks=200
        ).evaluate(n_jobs=1)
        view = view_of(dict(zip(("original", "synthetic", "control"), tables, strict=True)))
        found = InferenceByNeighbours(attempts=200).run(view, np.random.default_rng(0), "sex")
        # Half of 200 guesses, six standard deviations either way; a tenth of them are kept there.
        assert attack.results().n_baseline < 200 * 0.2
        assert abs(found.naive[0] - 100) < 43
