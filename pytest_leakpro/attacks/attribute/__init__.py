"""Attacks that infer a secret column of training records from a model.

PYTEST_DONT_REWRITE
"""
