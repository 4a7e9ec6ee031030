"""Evidence, metrics, budgets and verdicts: what was measured and what it means.

PYTEST_DONT_REWRITE
"""
