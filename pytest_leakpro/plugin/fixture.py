"""What the fixture ``leakpro`` gives a test.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_leakpro.auditing.comparison import Comparison
    from pytest_leakpro.auditing.outcome import Audit
    from pytest_leakpro.gate.budget import Budget

__all__ = ["Leakpro"]


class Leakpro:
    """Audits with the budgets and options of the test's marker.

    Budgets in the call replace the marker's, these the command line's, these the ini file's; they
    are never merged.
    """

    def audit(self, target: Any, *budgets: str | Budget, **options: Any) -> Audit:
        """Assert that a target leaks no more than its budgets allow.

        Parameters
        ----------
        target, *budgets, **options
            As for `pytest_leakpro.assert_leakage_below`.

        Returns
        -------
        Audit

        Raises
        ------
        LeakageError, InconclusiveError, LeakproError
            As `pytest_leakpro.assert_leakage_below`.
        """
        __tracebackhide__ = True
        from pytest_leakpro.auditing.conductor import assert_leakage_below

        return assert_leakage_below(target, *budgets, **options)

    def measure(self, target: Any, *budgets: str | Budget, **options: Any) -> Audit:
        """Measure and decide, without raising for what is found.

        Parameters
        ----------
        target, *budgets, **options
            As for `pytest_leakpro.audit`.

        Returns
        -------
        Audit

        Raises
        ------
        LeakproError
            For bad input only.
        """
        __tracebackhide__ = True
        from pytest_leakpro.auditing.conductor import audit

        return audit(target, *budgets, **options)

    def compare(
        self, targets: Mapping[str, Any], *budgets: str | Budget, **options: Any
    ) -> Comparison:
        """Audit several defences alike, without raising for what is found.

        Parameters
        ----------
        targets, *budgets, **options
            As for `pytest_leakpro.compare`.

        Returns
        -------
        Comparison

        Raises
        ------
        LeakproError
            For bad input only.
        """
        __tracebackhide__ = True
        from pytest_leakpro.auditing.comparing import compare

        return compare(targets, *budgets, **options)
