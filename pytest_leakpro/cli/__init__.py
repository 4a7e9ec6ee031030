"""The command ``pytest-leakpro``: planning, looking around and getting started outside of a test.

PYTEST_DONT_REWRITE
"""
