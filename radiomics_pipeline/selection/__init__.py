"""Redundancy, ranking and leak-free validation of features."""
