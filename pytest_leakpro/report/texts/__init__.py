"""The words of the page: one file per language, each with the same keys.

PYTEST_DONT_REWRITE
"""
