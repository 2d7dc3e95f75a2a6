"""Selection and prediction from files to files."""
