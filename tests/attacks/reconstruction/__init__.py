"""Attacks that rebuild training records from a finished model."""
