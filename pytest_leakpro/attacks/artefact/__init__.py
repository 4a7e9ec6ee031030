"""Censuses of a fitted object: what it stores of its training records, and of whom it tells.

PYTEST_DONT_REWRITE
"""
