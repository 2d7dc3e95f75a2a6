"""Filtered images by the definitions of PyRadiomics: one file a filter, listed in `table`."""
