"""Attacks on releases of texts, where it is known what was copied."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_leakpro import SyntheticData
from pytest_leakpro.attacks.synthetic.base_attack import UnattackableError
from pytest_leakpro.attacks.synthetic.copied_runs import words_needed
from pytest_leakpro.attacks.synthetic.exact_copies import ExactCopies
from pytest_leakpro.attacks.synthetic.near_copies import NearCopies
from pytest_leakpro.attacks.synthetic.personal_data import PersonalDataCarriedOver
from pytest_leakpro.attacks.synthetic.text_overlap import TextOverlap
from pytest_leakpro.gate.budget import parse_metric
from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.gate.guesses import Guesses
from tests.attacks.texts import texts

SOURCE, CONTROL, OTHERS = (texts(60, 100, seed) for seed in (1, 2, 3))


def view_of(synthetic, source=SOURCE, control=CONTROL, **given):
    return SyntheticData(source, synthetic, control, **given).prepare(0)


def run(attack, view, column=None):
    return attack.run(view, np.random.default_rng(0), column)


def beginnings(words):
    """Give the first words of each text of the source, in capitals, between others."""
    return [f"before; {' '.join(text.split()[:words]).upper()}, behind" for text in SOURCE]


class TestNearCopies:
    @pytest.mark.parametrize("attack", [NearCopies(), NearCopies(words=8), NearCopies(words=100)])
    def test_of_a_copy_all_texts_are_found(self, attack):
        found = run(attack, view_of(SOURCE[::-1]))
        assert (found.main, found.control) == ((60, 60), (0, 60))

    def test_of_other_texts_none_is_found(self):
        found = run(NearCopies(), view_of(OTHERS))
        assert (found.main, found.control) == ((0, 60), (0, 60))

    @pytest.mark.parametrize(("words", "released"), [(40, 40), (20, 20), (90, 50)])
    def test_a_part_is_found_from_the_stated_length_on(self, words, released):
        attack = NearCopies(words=words)
        assert run(attack, view_of(beginnings(released))).main == (60, 60)
        assert run(attack, view_of(beginnings(released - 1))).main == (0, 60)

    def test_a_copy_is_in_one_text(self):
        halves = [" ".join(part) for text in SOURCE for part in np.split(np.array(text.split()), 5)]
        assert run(NearCopies(), view_of(halves)).main == (0, 60)

    @given(st.integers(1, 300), st.integers(8, 100))
    def test_no_more_words_are_needed_than_there_are_and_no_fewer_than_eight(self, length, words):
        needed = int(words_needed(np.array([length]), words)[0])
        assert needed == min(words, length, max(8, -(-length // 2)))

    def test_a_metric_sets_the_words(self):
        metric = parse_metric("near_copies[notes, words=20]")
        assert NearCopies(attempts=50).set_for(metric) == NearCopies(attempts=50, words=20)
        assert NearCopies(words=30).set_for(parse_metric("near_copies")).words == 30
        assert NearCopies().part_of(metric) == "notes"

    def test_phrases_that_all_texts_share_are_the_controls_too(self):
        phrase = " ".join(f"standard{k}" for k in range(50))
        sides = [[f"{text} {phrase}" for text in side] for side in (SOURCE, CONTROL, OTHERS)]
        found = run(NearCopies(), view_of(sides[2], sides[0], sides[1]))
        assert (found.main, found.control) == ((60, 60), (60, 60))

    def test_texts_without_words_are_not_looked_for(self):
        found = run(
            NearCopies(), view_of(SOURCE, [*SOURCE[:20], *[f"{'.' * k}" for k in range(1, 30)]])
        )
        assert found.main == (20, 20)
        with pytest.raises(UnattackableError, match="0 texts to look for"):
            run(NearCopies(), view_of(SOURCE, ["." * k for k in range(1, 30)]))

    def test_attempts_are_drawn(self):
        assert run(NearCopies(attempts=25), view_of(SOURCE)).main == (25, 25)

    @pytest.mark.parametrize("words", [7, 2.5, True])
    def test_so_few_words_are_refused(self, words):
        with pytest.raises(LeakproError, match="give at least 8"):
            NearCopies(words=words)


def test_texts_of_tables_are_compared_by_column():
    frames = [
        pd.DataFrame({"age": np.arange(60) % 7, "note": notes, "text": texts(60, 100, seed)})
        for seed, notes in ((4, SOURCE), (5, SOURCE), (6, CONTROL))
    ]
    frames[0].loc[:9, "note"] = None
    view = view_of(frames[1], frames[0], frames[2])
    assert NearCopies().columns_of(view) == ("note", "text")
    assert run(NearCopies(), view, "note").main == (50, 50)
    assert run(NearCopies(), view, "text").main == (0, 60)


def test_exact_copies_of_texts_are_rows():
    found = run(ExactCopies(), view_of([*SOURCE[:20], *CONTROL[:5], *OTHERS[:15]]))
    assert (found.found, found.control_found, found.of) == (20, 5, 40)


def test_overlap_is_the_longest_run_of_words():
    view = view_of([*beginnings(12)[:30], *OTHERS])
    scores = run(TextOverlap(), view)
    assert (scores.members[:30] == 12).all()
    assert max(scores.members[30:].max(), scores.nonmembers.max()) < 8


def dialled(n, first):
    return [
        f"+46 8 {508} {number // 100:03d} {number % 100:02d}" for number in range(first, first + n)
    ]


class TestPersonalData:
    def views(self, released, **given):
        numbers = dialled(120, 28000)
        mails = [f"person{k}@example.org" for k in range(120)]
        held = [
            f"{text} {numbers[k]} or {mails[k]}" if k % 60 < 40 else f"{text} {mails[k]}"
            for k, text in enumerate([*SOURCE, *CONTROL])
        ]
        return view_of(released(numbers, mails), held[:60], held[60:], **given)

    def test_kinds_are_told_apart(self):
        view = self.views(lambda numbers, mails: numbers[:30])
        attack = PersonalDataCarriedOver()
        assert attack.columns_of(view) == ("email", "phone")
        assert attack.sizes(view, "phone") == run(attack, view, "phone").sizes == (40, 40)
        assert run(attack, view, "phone").main == (30, 40)
        assert run(attack, view, "email").main == (0, 60)
        whole = run(attack, view)
        assert (whole.main, whole.control) == ((30, 60), (0, 60))

    def test_punctuation_hides_nothing(self):
        def released(numbers, mails):
            return [
                *(number.replace(" ", "-") for number in numbers[:10]),
                *(number.replace(" ", "") for number in numbers[10:20]),
                *(f"<{mail.upper()}>," for mail in mails[40:45]),
            ]

        assert run(PersonalDataCarriedOver(), self.views(released)).main == (25, 60)

    def test_what_the_control_holds_is_its_own(self):
        view = self.views(lambda numbers, mails: [*mails[:6], *mails[60:90]])
        found = run(PersonalDataCarriedOver(), view, "email")
        assert (found.main, found.control) == ((6, 60), (30, 60))

    def test_what_many_hold_is_nobodys_own(self):
        sides = [
            [
                f"{text} ward@example.org {'x' * (k < 20)}{k % 20}@example.org"
                for k, text in enumerate(side)
            ]
            for side in (SOURCE, CONTROL)
        ]
        found = run(PersonalDataCarriedOver(), view_of(["ward@example.org"], *sides))
        assert (found.main[0], found.control[0]) == (0, 0)

    def test_a_detector_of_the_users_is_used(self):
        def detector(text):
            start = text.rindex(" ") + 1
            return [(start, len(text), "last word")]

        view = view_of([text.split()[-1] for text in SOURCE], detector=detector)
        assert PersonalDataCarriedOver().columns_of(view) == ("last word",)
        assert run(PersonalDataCarriedOver(), view, "last word").main_rate == 1

    def test_texts_without_any_cannot_be_attacked(self):
        with pytest.raises(
            UnattackableError,
            match="0 of 60 records of original hold personal data of the kind iban",
        ):
            run(PersonalDataCarriedOver(), self.views(lambda numbers, mails: mails), "iban")

    def test_columns_of_texts_count_together(self):
        frames = [
            pd.DataFrame(
                {
                    "age": np.arange(60) % 7,
                    "one": [f"{text} {mail}" for text, mail in zip(notes, mails, strict=True)],
                    "two": texts(60, 30, seed),
                }
            )
            for seed, notes, mails in (
                (4, SOURCE, [f"a{k}@example.org" for k in range(60)]),
                (5, OTHERS, [f"a{k}@example.org" for k in range(60)]),
                (6, CONTROL, [f"b{k}@example.org" for k in range(60)]),
            )
        ]
        frames[1]["two"], frames[1]["one"] = frames[1]["one"], frames[1]["two"]
        found = run(PersonalDataCarriedOver(), view_of(frames[1], frames[0], frames[2]))
        assert isinstance(found, Guesses)
        assert (found.main, found.control) == ((60, 60), (0, 60))
