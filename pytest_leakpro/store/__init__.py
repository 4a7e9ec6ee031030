"""Everything that is written to disk.

PYTEST_DONT_REWRITE
"""
