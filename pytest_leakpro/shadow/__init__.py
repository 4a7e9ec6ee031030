"""Training many models as the target was, and what they say about its records.

PYTEST_DONT_REWRITE
"""
