"""The page: what audits found, for people who decide and are no engineers.

PYTEST_DONT_REWRITE
"""
