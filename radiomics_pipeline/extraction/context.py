"""What the regions of an image are compared with: reference regions, and the image as a whole."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import MissingRoi
from radiomics_pipeline.extraction.result import stage
from radiomics_pipeline.imaging.references import reference_values
from radiomics_pipeline.imaging.regions import region_of, wanted_regions
from radiomics_pipeline.params.references import Reference
from radiomics_pipeline.params.series import SeriesSource
from radiomics_pipeline.types import Volume
from radiomics_pipeline.types.context import Context, ReferenceValues
from radiomics_pipeline.types.masks import Masks


def context_of(volume: Volume, section: SeriesSource, masks: Masks | None, references: Masks | None) -> Context:
    """The context of an image's regions.

    masks, references : the files of the regions and of the reference regions, on the image's voxels; None where absent
    Raises MissingRoi for a reference region that no file holds, EmptyRegion for one without a voxel.
    """
    total = float(volume.array.sum(dtype=np.float64)) * volume.grid.voxel_volume_mm3 / 1000
    with stage("references"):
        found = {
            name: _reference(volume, name, params, masks if params.file == "mask" else references)
            for name, params in section.references.items()
        }
    return Context(found, total)


def _reference(volume: Volume, name: str, params: Reference, source: Masks | None) -> ReferenceValues:
    if source is None:
        raise MissingRoi(
            f"reference {name}: the case has no file <SERIES>_{params.file}; add it, or take the reference out of the "
            "parameters"
        )
    ((_, number),) = wanted_regions(source, params.label, params.roi)
    return reference_values(volume, region_of(source, f"reference {name}", number).morphology, params, name)
