"""Masks of the gates of one heart beat: a volume of four dimensions, or a SEG with a segment for each gate."""

from __future__ import annotations

import numpy as np

from radiomics_pipeline.errors import BadMask, DamagedFile
from radiomics_pipeline.io.itk import reader_of
from radiomics_pipeline.io.volumes import VolumeFile


def read_gates(file: VolumeFile) -> tuple[np.ndarray, tuple[float, float, float]]:
    """The cavity in each gate, bool [gate, z, y, x], in the order of the file, and the spacing (z, y, x) in mm.

    Raises BadMask where there are no gates, DamagedFile where the file cannot be decoded.
    """
    from radiomics_pipeline.io.dicom.peek import kind
    from radiomics_pipeline.io.dicom.seg import read_seg

    if kind(file) == "seg":
        segments = read_seg(file, None, None)
        masks = np.stack([segments.mask(entry.number) for entry in segments.entries])
        return masks, segments.grid.spacing_mm
    return _of_volume(file)


def _of_volume(file: VolumeFile) -> tuple[np.ndarray, tuple[float, float, float]]:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        image = sitk.ReadImage(str(file.path), imageIO=reader_of(file.path))
        array = sitk.GetArrayFromImage(image)
    except RuntimeError:
        raise DamagedFile(f"{file.name}: cannot be decoded; copy or export it again") from None
    if array.ndim != 4 or len(array) < 2:
        raise BadMask(f"{file.name}: {array.ndim} dimensions; masks of gates are one volume of four, a mask for each")
    if not np.isin(array, (0, 1)).all():
        raise BadMask(f"{file.name}: values other than 0 and 1; the cavity of a gate is 1")
    x, y, z = image.GetSpacing()[:3]
    return array.astype(bool), (z, y, x)
