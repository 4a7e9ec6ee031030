"""Figures of the report: a panel per kind of evidence, drawn by matplotlib, as SVG for a page.

PYTEST_DONT_REWRITE
"""
