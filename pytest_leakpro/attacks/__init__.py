"""The attacks, one file each.

PYTEST_DONT_REWRITE
"""
