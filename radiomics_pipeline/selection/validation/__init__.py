"""Splits, scores and tests of whole plans."""
