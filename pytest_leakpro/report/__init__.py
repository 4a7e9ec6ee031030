"""What is shown of an audit outside the terminal: made from records, and from nothing else.

PYTEST_DONT_REWRITE
"""
