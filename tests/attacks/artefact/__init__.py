"""Censuses of a fitted object."""
