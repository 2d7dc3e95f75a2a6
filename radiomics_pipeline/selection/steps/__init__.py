"""Transformers fitted inside the folds: one idea a file."""
