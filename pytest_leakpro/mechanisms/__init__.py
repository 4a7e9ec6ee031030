"""Mechanisms that claim differential privacy, tested on neighbouring data without any model.

PYTEST_DONT_REWRITE
"""
