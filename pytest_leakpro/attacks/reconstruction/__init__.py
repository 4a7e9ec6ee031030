"""Attacks that rebuild training records from a finished model.

PYTEST_DONT_REWRITE
"""
