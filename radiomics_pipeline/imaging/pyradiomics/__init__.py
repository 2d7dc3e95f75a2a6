"""Image and mask as PyRadiomics prepares them: normalised, resampled, checked, re-segmented, binned."""
