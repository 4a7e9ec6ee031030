"""Trainings with Opacus, watched."""
