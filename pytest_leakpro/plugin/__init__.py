"""The pytest face of the package.

PYTEST_DONT_REWRITE
"""
