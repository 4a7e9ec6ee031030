"""Attacks on synthetic data: one file each.

PYTEST_DONT_REWRITE
"""
