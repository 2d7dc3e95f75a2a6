"""From volumes and regions to volumes and regions: resampling, re-segmentation, discretisation."""
