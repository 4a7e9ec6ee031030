"""Attacks on releases: cases whose answers are known, and predicates against plain counting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LinearRegression, LogisticRegression

from pytest_leakpro import SyntheticData
from pytest_leakpro.attacks.synthetic.base_attack import UnattackableError
from pytest_leakpro.attacks.synthetic.exact_copies import ExactCopies
from pytest_leakpro.attacks.synthetic.inference import InferenceByModel, InferenceByNeighbours
from pytest_leakpro.attacks.synthetic.linkability import Linkability
from pytest_leakpro.attacks.synthetic.missing_values import MissingValues
from pytest_leakpro.attacks.synthetic.predicates import Predicates, RankedColumns, matches
from pytest_leakpro.attacks.synthetic.singling_out import (
    MultivariateSinglingOut,
    SinglingOut,
    UnivariateSinglingOut,
)
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.targets.mixed_table import MixedColumns

GUESSING = [
    SinglingOut(),
    UnivariateSinglingOut(),
    MultivariateSinglingOut(),
    Linkability(),
    Linkability(neighbours=3),
    MissingValues(),
]


def people(n, seed, missing=0.05):
    """Draw people of whom no column tells another: leakage alone links them."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n).astype(float),
            "sex": rng.choice(["F", "M"], n),
            "income": rng.lognormal(10, 1, n),
            "visits": rng.poisson(3.0, n),
            "ward": rng.choice(list("ABCDEFGH"), n),
            "weight": rng.normal(70, 12, n),
        }
    )
    for name in ("age", "income"):
        table.loc[rng.random(n) < missing, name] = np.nan
    return table


def view_of(original, synthetic, control, seed=0, **given):
    return SyntheticData(original, synthetic, control, **given).prepare(seed, threads=2)


def attack(attack, view, column=None, seed=0):
    return attack.run(view, np.random.default_rng(seed), column)


def rates(guesses):
    (main, of), (control, of_control) = guesses.main, guesses.control
    return main / of, guesses.control_scale * control / of_control


@pytest.fixture(scope="module")
def copied():
    source = people(1000, 0)
    return view_of(source, source.sample(frac=1, random_state=1), people(1000, 2))


@pytest.fixture(scope="module")
def independent():
    return view_of(people(1000, 3), people(1000, 4), people(1000, 5))


class TestCopy:
    """The release is the source: every attack finds what it looks for."""

    @pytest.mark.parametrize(
        "tried", [SinglingOut(), MultivariateSinglingOut(), UnivariateSinglingOut()]
    )
    def test_what_is_alone_in_the_release_is_alone_in_the_source(self, copied, tried):
        main, control = rates(attack(tried, copied))
        assert main == 1
        assert control < 0.3

    def test_records_are_linked_and_completed(self, copied):
        main, control = rates(attack(Linkability(), copied))
        assert main > 0.97  # two sets of columns coincide for hardly anybody
        assert control < 0.02
        main, control = rates(attack(MissingValues(), copied))
        assert main > 0.97
        assert control < 0.1

    @pytest.mark.parametrize("column", ["income", "sex", "age"])
    def test_secrets_are_read_off(self, copied, column):
        main, control = rates(attack(InferenceByNeighbours(), copied, column))
        assert main > 0.99
        assert control < 0.6

    def test_all_rows_are_copies(self, copied):
        counts = attack(ExactCopies(), copied)
        assert (counts.found, counts.of, counts.control_found) == (1000, 1000, 0)


class TestIndependentDraw:
    """The release has nothing to do with the source: source and control are alike to an attacker.

    Each test allows what two binomials differ by with probability 1e-4, so that all of them
    together raise a false alarm less than once in five hundred seeds.
    """

    @pytest.mark.parametrize("tried", GUESSING, ids=repr)
    def test_as_often_right_inside_as_outside(self, independent, tried):
        self.check(attack(tried, independent))

    @pytest.mark.parametrize("column", ["income", "ward"])
    @pytest.mark.parametrize(
        "tried", [InferenceByNeighbours(), InferenceByModel(attempts=500)], ids=repr
    )
    def test_secrets_stay_secret(self, independent, tried, column):
        self.check(attack(tried, independent, column))

    def check(self, guesses):
        (main, of), (control, of_control) = guesses.main, guesses.control
        table = [[main, of - main], [control, of_control - control]]
        assert stats.fisher_exact(table).pvalue > 1e-4

    def test_no_row_is_a_copy(self, independent):
        assert attack(ExactCopies(), independent).found == 0


def test_of_a_half_copy_half_is_found():
    """Of 1,000 records 500 are copied: shares within 5 standard errors (1e-6 two-sided)."""
    source = people(1000, 6)
    release = pd.concat([source[:500], people(500, 7)])
    view = view_of(source, release, people(1000, 8))
    for tried, column in [
        (Linkability(), None),
        (MissingValues(), None),
        (InferenceByNeighbours(), "income"),
    ]:
        main, control = rates(attack(tried, view, column))
        assert (main - control) / (1 - control) == pytest.approx(0.5, abs=0.08)
    assert attack(ExactCopies(), view).found == 500


class TestStrangeTables:
    def test_a_column_that_is_constant_and_one_that_is_missing_change_nothing(self):
        tables = [people(300, seed) for seed in (9, 10, 11)]
        dull = [table.assign(same="x", none=np.nan, one=1.0) for table in tables]
        roles = SyntheticData(*dull).roles
        assert roles.secrets == SyntheticData(*tables).roles.secrets
        for tried in (Linkability(), SinglingOut(), MissingValues()):
            found = attack(tried, view_of(*dull))
            assert 0 <= found.main[0] <= found.main[1]
        plain, padded = (
            attack(Linkability(), view_of(*given, aux_columns=(["age", "ward"], ["income", "sex"])))
            for given in (tables, dull)
        )
        assert plain.main == padded.main

    def test_a_release_of_one_row(self):
        source = people(200, 12)
        view = view_of(source, source[:1], people(200, 13))
        linked = attack(Linkability(), view)
        assert linked.main == linked.control == (200, 200)  # there is but one row to link to
        with pytest.raises(UnattackableError, match="too few"):
            attack(SinglingOut(), view)
        assert attack(ExactCopies(), view).found == 1

    def test_a_source_in_which_every_row_stands_twice(self):
        half = people(200, 14)
        source = pd.concat([half, half])
        view = view_of(source, source, people(400, 15))
        assert attack(Linkability(), view).main[0] > 395
        assert attack(SinglingOut(), view).main[0] == 0  # two people fulfil every predicate
        assert attack(ExactCopies(), view).found == 400

    def test_a_release_of_the_same_row_over_and_over(self):
        source = people(200, 16)
        view = view_of(source, source.iloc[[0] * 50], people(200, 17))
        with pytest.raises(UnattackableError):
            attack(SinglingOut(), view)
        found = attack(InferenceByNeighbours(), view, "sex")
        assert found.main[1] == 200

    def test_too_few_columns(self):
        tables = [people(50, seed)[["age", "sex"]] for seed in (18, 19, 20)]
        view = view_of(*tables, allow_overlap=True)
        with pytest.raises(UnattackableError, match="three columns"):
            attack(MissingValues(), view)
        one = [table[["age"]] for table in tables]
        with pytest.raises(UnattackableError, match="two columns"):
            attack(Linkability(), view_of(*one, allow_overlap=True))

    def test_more_attempts_than_rows_are_refused(self):
        view = view_of(people(300, 21), people(300, 22), people(100, 23))
        with pytest.raises(LeakproError, match="200 attempts, and control has 100 rows"):
            attack(Linkability(attempts=200), view)
        with pytest.raises(LeakproError, match="400 attempts, and original has 300 rows"):
            attack(SinglingOut(attempts=400), view)
        assert attack(Linkability(attempts=100), view).main[1] == 100


@pytest.mark.parametrize(
    "make",
    [
        lambda: Linkability(attempts=3),
        lambda: Linkability(attempts=True),
        lambda: Linkability(neighbours=0),
        lambda: SinglingOut(columns=1),
        lambda: InferenceByNeighbours(tolerance=-1),
        lambda: MissingValues(hidden=1.0),
        lambda: MissingValues(tolerance=2.0),
    ],
)
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(LeakproError, match=r"give|a share"):
        make()


class TestSecrets:
    def test_a_number_may_be_off_by_the_tolerance_and_a_category_by_nothing(self):
        known = np.arange(40.0)
        source = pd.DataFrame({"known": known, "number": 100.0 + known, "word": ["a", "b"] * 20})
        release = source.assign(number=source["number"] * 1.04, word=["b", "a"] * 20)
        control = source.assign(known=known + 0.5)
        view = view_of(source, release, control, quasi_identifiers=["known"])
        assert attack(InferenceByNeighbours(), view, "number").main == (40, 40)
        assert attack(InferenceByNeighbours(tolerance=0.03), view, "number").main == (0, 40)
        assert attack(InferenceByNeighbours(), view, "word").main == (0, 40)

    def test_a_missing_secret_is_inferred_to_be_missing(self):
        known = np.arange(40.0)
        secret = np.where(known < 30, known, np.nan)
        source = pd.DataFrame(
            {"known": known, "secret": secret, "word": pd.Series(["a", None] * 20)}
        )
        view = view_of(
            source, source, source.assign(known=known + 0.5), quasi_identifiers=["known"]
        )
        assert attack(InferenceByNeighbours(), view, "secret").main == (40, 40)
        assert attack(InferenceByNeighbours(), view, "word").main == (40, 40)

    def test_dates_to_a_day(self):
        known = np.arange(40.0)
        dates = pd.Timestamp("2020-03-01") + pd.to_timedelta(known * 10, unit="D")
        source = pd.DataFrame({"known": known, "date": dates})
        control = source.assign(known=known + 0.5)
        for hours, right in ((20, 40), (30, 0)):
            release = source.assign(date=dates + pd.Timedelta(hours=hours))
            view = view_of(source, release, control, quasi_identifiers=["known"])
            assert attack(InferenceByNeighbours(), view, "date").main == (right, 40)

    @pytest.mark.parametrize(
        ("estimator", "column"),
        [
            (None, "twice"),
            (LinearRegression(), "twice"),
            (None, "large"),
            (LogisticRegression(), "large"),
        ],
        ids=["boosted", "linear", "boosted classifier", "logistic"],
    )
    def test_a_model_learns_what_holds_for_everybody(self, estimator, column):
        """What follows from the known columns is no leakage: it is right outside the source too."""

        def table(seed):
            x = np.random.default_rng(seed).uniform(1, 2, 300)
            return pd.DataFrame({"x": x, "twice": 2 * x, "large": np.where(x > 1.5, "yes", "no")})

        view = view_of(table(0), table(1), table(2), quasi_identifiers=["x"])
        found = attack(InferenceByModel(estimator=estimator), view, column)
        main, control = rates(found)
        assert main > 0.95
        assert control > 0.95
        assert found.naive[0] < 0.8 * found.naive[1]

    def test_an_estimator_of_the_other_kind_is_refused(self):
        view = view_of(people(60, 0), people(60, 1), people(60, 2))
        with pytest.raises(LeakproError, match="give a classifier"):
            attack(InferenceByModel(estimator=LinearRegression()), view, "ward")
        with pytest.raises(LeakproError, match="give a regressor"):
            attack(InferenceByModel(estimator=LogisticRegression()), view, "income")


class TestPredicates:
    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1), n=st.integers(1, 300), levels=st.sampled_from([2, 5, 60])
    )
    def test_rows_are_counted_as_by_hand(self, seed, n, levels):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(
            {
                "a": np.where(rng.random(n) < 0.2, np.nan, rng.integers(0, levels, n)),
                "b": rng.choice(["x", "y", "z", None], n),
                "c": rng.integers(0, levels, n),
            }
        )
        table = MixedColumns({"t": frame}).encode(frame)
        ranked = RankedColumns({"t": table}, list(frame))
        size = 40
        columns = rng.integers(0, 3, size=(size, 2))
        low = rng.integers(0, ranked.top[columns] + 2)
        high = np.minimum(low + rng.integers(0, 3, size=low.shape), ranked.top[columns] + 1)
        counts, rows = matches(Predicates(columns, low, high), ranked.tables["t"])
        ranks = ranked.tables["t"].ranks.astype(int)
        for place in range(size):
            holds = np.ones(n, dtype=bool)
            for column, least, most in zip(columns[place], low[place], high[place], strict=True):
                holds &= (ranks[column] >= least) & (ranks[column] <= most)
            assert counts[place] == holds.sum()
            assert rows[place] == -1 if not holds.any() else holds[rows[place]]

    @pytest.mark.parametrize(
        "tried", [SinglingOut(), UnivariateSinglingOut(), MultivariateSinglingOut()], ids=repr
    )
    def test_guesses_hold_for_one_row_of_the_release_and_rest_on_different_ones(self, tried):
        view = view_of(people(400, 24), people(400, 25), people(400, 26))
        tables = {"synthetic": view.synthetic, "original": view.original, "control": view.control}
        ranked = RankedColumns(tables, view.roles.usable)
        predicates = tried._guesses(ranked, 300, np.random.default_rng(0))
        counts, rows = matches(predicates, ranked.tables["synthetic"])
        assert len(predicates) > 100
        assert (counts == 1).all()
        assert len(set(rows.tolist())) == len(rows)

    def test_a_control_of_another_size_is_scaled_to_the_source(self):
        """Without leakage the scaled rates enclose the rate inside, on average over 30 releases.

        The means have standard errors of about 0.004; they are allowed 5 of them (1e-6).
        """
        differences = {100: [], 300: [], 900: []}
        for seed in range(30):
            source, release = people(300, 3 * seed), people(300, 3 * seed + 1)
            others = people(900, 3 * seed + 2)
            for size, found in differences.items():
                guesses = attack(
                    SinglingOut(), view_of(source, release, others[:size], seed), seed=seed
                )
                main, least = rates(guesses)
                most = guesses.control_scale * (guesses.control_most or 0) / guesses.control[1]
                found.append((main - least, main - max(most, least)))
        for size, found in differences.items():
            above, below = np.mean(found, axis=0)
            error = np.std(found, axis=0) / np.sqrt(len(found))
            assert above > -5 * error[0], size
            assert below < 5 * error[1], size
            if size != 100:
                assert abs(above) < 5 * error[0]


def test_the_same_seed_gives_the_same_guesses_on_any_number_of_threads():
    tables = people(400, 30), people(400, 31), people(400, 32)
    target = SyntheticData(*tables)
    for tried in GUESSING:
        one, two = (attack(tried, target.prepare(0, threads=threads)) for threads in (1, 3))
        assert (one.main, one.control, one.naive) == (two.main, two.control, two.naive)


def test_copies_of_texts_are_counted_by_column():
    notes = [
        f"the patient {name} was seen again on day {day}"
        for day, name in enumerate("abcdefghij" * 4)
    ]
    tables = [people(40, seed).assign(note=notes) for seed in (33, 34, 35)]
    tables[1]["note"] = [*notes[:10], *(f"nothing of note about bed number {k}" for k in range(30))]
    tables[2]["note"] = [f"another one who came on day {k} and went" for k in range(40)]
    view = view_of(*tables)
    assert ExactCopies().columns_of(view) == ("note",)
    counts = attack(ExactCopies(), view, "note")
    assert (counts.found, counts.of, counts.control_found) == (10, 40, 0)
    assert attack(ExactCopies(), view).found == 0
