"""Frozen parameter models: shapes, types and ranges of what a YAML file may say. No file is opened here."""
