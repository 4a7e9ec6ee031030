"""Checks of the ground truth: whether members and non-members are what an audit takes them for.

PYTEST_DONT_REWRITE
"""
