"""Getting started: reads a repository's code, and writes the first test.

PYTEST_DONT_REWRITE
"""
