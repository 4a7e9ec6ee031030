"""The conductor: attacks chosen and run, evidence measured, verdicts reached.

PYTEST_DONT_REWRITE
"""
