"""Estimators that the plans end in: one a file."""
