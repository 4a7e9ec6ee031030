"""The gate: a language model that knows its texts by heart is not released."""

import pytest

from pytest_leakpro import LeakageError

BUDGETS = ("tpr@1%fpr <= 10%", "exposure <= 4", "extraction[k=10] <= 3%")


@pytest.mark.leakage(*BUDGETS)
def test_a_model_that_stopped_in_time_may_be_released(leakpro, audited, notes):
    leakpro.audit(audited("stopped early", public=notes.public))


@pytest.mark.xfail(raises=LeakageError, strict=True, reason="it knows its texts by heart")
@pytest.mark.leakage(*BUDGETS)
def test_a_model_that_was_trained_to_the_end_gives_texts_away(leakpro, audited):
    leakpro.audit(audited("trained to the end"))
