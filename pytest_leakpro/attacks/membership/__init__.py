"""Membership inference: was this record in the training data?

PYTEST_DONT_REWRITE
"""
