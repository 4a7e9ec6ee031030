"""Near-duplicates across the split are counted."""

import numpy as np
import pandas as pd
import pytest

from tests.auditing.checks import splits
from tests.auditing.checks.test_blind import check

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore::pytest_leakpro.PytestLeakproWarning")


def near(members, nonmembers, **options):
    found = check(members, nonmembers, **options)
    return found.details["near_duplicates"]["members"], found


def test_none_where_there_are_none():
    # A member in ten thousand counts by chance: of 600 one or more in 6 % of such trials.
    rng = np.random.default_rng(0)
    for kind in (splits.table, splits.frame, splits.images, splits.dicts, splits.tokens):
        count, found = near(kind(rng, 600, 0), kind(rng, 600, 0))
        assert count == 0
        assert not found.warnings


@pytest.mark.parametrize("dimension", [1, 2, 3, 6, 20, 100])
def test_chance_is_one_in_ten_thousand_in_any_dimension(dimension):
    # 10,000 members: more than 6 would come up once in 12,000 times.
    rng = np.random.default_rng(dimension)
    size = 10_000 if dimension <= 3 else 3000
    count, _ = near(rng.uniform(size=(size, dimension)), rng.uniform(size=(size, dimension)))
    assert count <= 6


def test_records_with_noise():
    rng = np.random.default_rng(0)
    members, nonmembers = splits.table(rng, 1000, 0), splits.table(rng, 1000, 0)
    nonmembers[:30] = members[100:130] + rng.normal(size=(30, 6)) / 1000
    count, found = near(members, nonmembers)
    assert count == 30
    assert (
        "30 of 1,000 members (records) that were looked at have a near-duplicate"
        in (found.warnings[0])
    )
    assert found.warnings == found.notes
    nonmembers[8:] = splits.table(rng, 992, 0)
    count, found = near(members, nonmembers)
    assert count == 8
    assert found.warnings == ()
    assert len(found.notes) == 1


def test_patients_seen_again():
    rng = np.random.default_rng(0)
    members, nonmembers = splits.frame(rng, 500, 0), splits.frame(rng, 500, 0)
    again = members.iloc[:20].copy()
    again["visit"] += np.timedelta64(1, "D")
    count, _ = near(members, pd.concat([nonmembers.iloc[:480], again]))
    assert count == 20


def test_images_with_noise():
    rng = np.random.default_rng(0)
    patterns = torch.from_numpy(rng.uniform(size=(1000, 1, 12, 12))).float()
    members, nonmembers = patterns[:500].clone(), patterns[500:].clone()
    nonmembers[:25] = members[:25] + torch.from_numpy(rng.normal(size=(25, 1, 12, 12))) / 255
    assert near(members, nonmembers)[0] == 25


def test_persons_are_counted_once():
    rng = np.random.default_rng(0)
    members, nonmembers = splits.table(rng, 400, 0), splits.table(rng, 400, 0)
    nonmembers[:40] = members[:40] + 1e-4
    ids = np.arange(400) // 4
    assert near(members, nonmembers, groups=(ids, ids + 1000))[0] == 10


def test_exact_duplicates_are_not_counted_again():
    rng = np.random.default_rng(0)
    members, nonmembers = splits.table(rng, 300, 0), splits.table(rng, 300, 0)
    nonmembers[:50] = members[:50]
    nonmembers[50:60] = members[50:60] + 1e-5
    assert near(members, nonmembers, allow_overlap=True)[0] == 10


def test_few_non_members_have_too_few_neighbours():
    rng = np.random.default_rng(0)
    found = check(splits.table(rng, 100, 0), splits.table(rng, 40, 0))
    assert "near_duplicates" not in found.details
