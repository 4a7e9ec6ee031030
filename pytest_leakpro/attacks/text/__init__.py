"""Attacks on language models, by what they say of the tokens of texts.

PYTEST_DONT_REWRITE
"""
