"""Where shadow models are trained, as it is asked for."""

import pytest

from pytest_leakpro import LeakproError
from pytest_leakpro.auditing.session import SessionDefaults


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"backend": "desk"}, r"backend cannot be 'desk' \(did you mean 'dask'\?\)"),
        ({"scheduler": "tcp://host:1"}, "backend loky trains on this machine"),
        ({"backend": "ray", "scheduler": " "}, "scheduler is an address such as"),
    ],
)
def test_places_that_cannot_be(options, says):
    with pytest.raises(LeakproError, match=says):
        SessionDefaults(**options)
