"""Statistics on arrays of numbers: exact bounds, receiver operating curves, multiplicity.

PYTEST_DONT_REWRITE
"""
