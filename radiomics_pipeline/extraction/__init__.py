"""One case to one row: which images, settings and families are wanted, each computed once."""
