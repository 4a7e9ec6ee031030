"""Membership inference: telling training records from others.

PYTEST_DONT_REWRITE
"""
