"""What is audited, and the adapters to the libraries that models come from.

PYTEST_DONT_REWRITE
"""
