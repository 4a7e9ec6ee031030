"""Attacks on what the participants of a federated training send and see.

PYTEST_DONT_REWRITE
"""
