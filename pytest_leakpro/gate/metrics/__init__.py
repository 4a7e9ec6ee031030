"""One file per metric: a number read off evidence, with a finite-sample bound.

PYTEST_DONT_REWRITE
"""
