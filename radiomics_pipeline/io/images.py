"""An image of a case, from DICOM or any other file: checked, and in the unit that the parameters ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radiomics_pipeline.errors import DamagedFile, MixedSeries, NotDicom, SuvError, WrongModality, some
from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.imaging.suv import ACTIVITY, COUNTS, SUV, Conversion, PatientOverrides, apply, convert
from radiomics_pipeline.io.volumes import VolumeFile, load_image
from radiomics_pipeline.types import Volume

if TYPE_CHECKING:
    from radiomics_pipeline.io.dicom.series import DicomSeries

UNITS = {unit.lower(): unit for unit in (SUV, ACTIVITY, COUNTS)}
"""Units that PET and SPECT can be had in."""
MODALITIES = {"HU": ("CT",)}
"""Modalities whose intensities can be in a unit; of any other unit PET and SPECT."""


@dataclass(frozen=True)
class Image:
    """An image as it is measured.

    volume : in the unit of the parameters, or in counts where these cannot become SUV
    name : what errors call it
    series : its headers, of DICOM
    conversion : how its unit came about, of PET and SPECT in DICOM
    notes : what a reader of its numbers should know
    """

    volume: Volume
    name: str
    series: DicomSeries | None = None
    conversion: Conversion | None = None
    notes: tuple[str, ...] = ()


def open_image(
    files: Sequence[VolumeFile],
    name: str,
    source: Source,
    *,
    patient: PatientOverrides | None = None,
) -> Image:
    """An image in the unit of `source`; CaseError where it cannot be had rightly.

    files : one volume, or the DICOM files of one series, among which masks may lie
    patient : what the table of cases says of weight, height, sex, dose and injection
    """
    from radiomics_pipeline.io.dicom.scan import is_dicom

    if not is_dicom(files[0].data):
        return Image(load_image(files[0], source), files[0].name)
    return _open_series(_one_series(files, name), name, source, patient)


def _complete(series: DicomSeries) -> tuple[str, ...]:
    """What speaks against a series being all there: slices that lack at an end leave no gap."""
    from radiomics_pipeline.io.dicom.headers import text

    there, announced = len(series.headers), text(series.headers[0], "NumberOfSlices")  # (0054,0081), of PET
    if announced.isdigit() and int(announced) > there:
        return (f"{there} of the {announced} slices that the header announces; is the series complete?",)
    return ("a single slice: volumes and textures are those of its thickness",) if there == 1 else ()


def _one_series(files: Sequence[VolumeFile], name: str) -> Sequence[VolumeFile]:
    """The files of the one image series among these."""
    from radiomics_pipeline.io.dicom.scan import describe

    found = describe(files)
    if broken := next((part.problem for part in found if part.problem), ""):
        raise DamagedFile(broken)  # which may be a slice at an end, whose lack no gap shows
    images = [part for part in found if part.kind == "image"]
    if not images:
        raise NotDicom(f"{name}: no image among its {len(files)} DICOM files")
    if len(images) > 1:
        told = some(f"{part.modality} of {len(part.files)} files" for part in images)
        raise MixedSeries(
            f"{name}: {len(images)} series in one folder ({told}); give each a folder of its own, or let "
            "'radiomics-pipeline index' write cases.csv, which tells them apart"
        )
    return images[0].files


def _open_series(files: Sequence[VolumeFile], name: str, source: Source, patient: PatientOverrides | None) -> Image:
    from radiomics_pipeline.io.dicom.acquisition import read_acquisition
    from radiomics_pipeline.io.dicom.series import read_series

    section, unit = source.section, source.unit
    series = read_series(files, name, gate=section.gate)
    meant = MODALITIES.get(unit.upper(), ("PT", "NM"))
    if unit and series.modality not in meant:
        raise WrongModality(
            f"{name}: modality {series.modality}, but the parameters' unit is {unit}; choose the series of "
            f"{' or '.join(meant)}, or other parameters"
        )
    notes = _complete(series)
    stored = Volume(series.array, series.grid, "HU" if series.modality == "CT" else "counts", source.native)
    if series.modality == "CT" or not unit:
        return Image(stored, name, series, notes=notes)
    if unit.strip().lower() not in UNITS:
        raise SuvError(
            f"{name}: unit {unit!r} in the parameters; PET and SPECT in DICOM become {', '.join(UNITS.values())}"
        )
    conversion = convert(read_acquisition(series.headers, name), section.suv, patient or PatientOverrides(), unit)
    return Image(apply(stored, conversion), name, series, conversion, notes)
