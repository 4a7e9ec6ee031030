from __future__ import annotations

from itertools import product

import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.targets.access import Access


def test_the_order_is_that_of_definition_and_of_the_strings():
    order = [Access.LABEL, Access.SCORES, Access.WHITE_BOX]
    assert list(Access) == order
    assert sorted(order, key=str) == order
    for (i, a), (j, b) in product(enumerate(order), repeat=2):
        assert a.covers(b) == (i >= j)
        assert (a < b) == (i < j)


@pytest.mark.parametrize("value", ["label", "scores", "white-box", Access.SCORES])
def test_known_values_are_read(value):
    assert Access.parse(value) == value
    assert isinstance(Access.parse(value), Access)


@pytest.mark.parametrize(
    ("value", "said"),
    [("score", "did you mean 'scores'"), ("white", "white-box"), (None, "NoneType"), (3, "int")],
)
def test_unknown_values_are_refused(value, said):
    with pytest.raises(LeakproError, match="access") as caught:
        Access.parse(value)
    assert said in str(caught.value)


def test_it_prints_as_its_value():
    assert f"{Access.WHITE_BOX}" == "white-box"
