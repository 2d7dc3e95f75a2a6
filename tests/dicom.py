"""Small DICOM series on disk, right and wrong in known ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from radiomics_pipeline.io.volumes import VolumeFile

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SOP_CLASSES = {
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
}
ENHANCED = {"PT": "1.2.840.10008.5.1.4.1.1.130", "CT": "1.2.840.10008.5.1.4.1.1.2.1"}
PATIENT = {
    "PatientName": "Phantom^Uniform",
    "PatientID": "PHANTOM-1",
    "PatientBirthDate": "19500101",
    "PatientSex": "F",
    "PatientWeight": 70.0,
    "PatientSize": 1.75,
}
DOSE_BQ, HALF_LIFE_S, DELAY_S = 370e6, 6588.0, 3600.0
SUV_FACTOR = 70_000 / (DOSE_BQ * 0.5 ** (DELAY_S / HALF_LIFE_S))
"""From Bq/ml to SUV in the series that `write_series` writes for PET."""


def uid(*parts: object) -> str:
    """A UID that is the same whenever it is made of the same parts."""
    return generate_uid(entropy_srcs=[str(part) for part in parts])


def write_series(
    folder: Path,
    array: np.ndarray,
    *,
    modality: str = "PT",
    spacing_mm: tuple[float, float, float] = (3.0, 4.0, 4.0),
    origin_mm: tuple[float, float, float] = (-20.0, -30.0, 100.0),
    direction: tuple[float, ...] = IDENTITY,
    sop_class: str = "",
    slopes: np.ndarray | None = None,
    tags: dict[str, Any] | None = None,
    slice_tags: Callable[[int], dict[str, Any]] | None = None,
    patient: dict[str, Any] | None = None,
    series: str = "",
) -> list[Path]:
    """A classic series, one file a slice, of an array [z, y, x] in Bq/ml (PT) or HU (CT); its files by ascending z.

    PET: BQML, START, 70 kg, 1.75 m, F, 370 MBq of F-18 given an hour before the scan.
    slopes : rescale slope of each slice; without, one that uses the whole range of the slice (PT), or 1 (CT)
    tags, slice_tags : further values, or others, None to leave one out; slice_tags gets the slice's number from 0
    series : tells series apart: another text gives other UIDs
    """
    folder.mkdir(parents=True, exist_ok=True)
    axes = np.array(direction).reshape(3, 3)
    paths = []
    for z, plane in enumerate(np.asarray(array, float)):
        found = common(modality, sop_class or SOP_CLASSES[modality], {**PATIENT, **(patient or {})}, series)
        stored, slope, intercept = _stored(plane, modality, None if slopes is None else float(slopes[z]))
        found.SOPInstanceUID = uid(modality, series, "slice", z)
        found.InstanceNumber = z + 1
        found.ImagePositionPatient = [float(c) for c in np.array(origin_mm) + axes[:, 2] * z * spacing_mm[0]]
        found.ImageOrientationPatient = [float(c) for c in (*axes[:, 0], *axes[:, 1])]
        found.PixelSpacing = [float(s) for s in spacing_mm[1:]]
        found.SliceThickness = float(spacing_mm[0])
        found.RescaleSlope, found.RescaleIntercept = slope, intercept
        set_pixels(found, stored)
        update(found, {**(tags or {}), **(slice_tags(z) if slice_tags else {})})
        paths.append(save(found, folder / f"{z:04d}.dcm"))
    return paths


def common(modality: str, sop_class: str, patient: dict[str, Any], series: str = "") -> Dataset:
    """What all files of a series say."""
    found = Dataset()
    found.SOPClassUID = sop_class
    found.Modality = modality
    found.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"] if modality == "CT" else ["ORIGINAL", "PRIMARY"]
    update(found, patient)
    found.StudyInstanceUID, found.SeriesInstanceUID = uid("study"), uid(modality, series, "series")
    found.FrameOfReferenceUID = uid("frame")
    found.StudyDate = found.SeriesDate = found.AcquisitionDate = found.ContentDate = "20240115"
    found.StudyTime = found.SeriesTime = found.AcquisitionTime = found.ContentTime = "110000.000000"
    found.StudyID, found.AccessionNumber, found.SeriesNumber = "S1", "A1", 2
    found.Manufacturer, found.ManufacturerModelName = "SIEMENS", "Biograph"
    found.ReferringPhysicianName = ""
    if modality == "PT":
        _describe_pet(found)
    return found


def _describe_pet(found: Dataset) -> None:
    dose = Dataset()
    dose.RadionuclideTotalDose = DOSE_BQ
    dose.RadionuclideHalfLife = HALF_LIFE_S
    dose.RadiopharmaceuticalStartTime = "100000.000000"
    dose.RadiopharmaceuticalStartDateTime = "20240115100000.000000"
    dose.Radiopharmaceutical = "FDG -- fluorodeoxyglucose"
    nuclide = Dataset()
    nuclide.CodeValue, nuclide.CodingSchemeDesignator, nuclide.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
    dose.RadionuclideCodeSequence = [nuclide]
    found.RadiopharmaceuticalInformationSequence = [dose]
    found.SeriesType = ["STATIC", "IMAGE"]
    found.Units, found.DecayCorrection = "BQML", "START"
    found.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"]
    found.ActualFrameDuration, found.FrameReferenceTime = 120_000, 60_000.0


def _stored(plane: np.ndarray, modality: str, slope: float | None) -> tuple[np.ndarray, float, float]:
    if modality == "CT":
        step = 1.0 if slope is None else slope
        return np.rint((plane + 1024) / step).astype(np.uint16), step, -1024.0
    step = slope or float(f"{max(float(np.abs(plane).max()), 1e-6) / 32767:.10g}")
    return np.rint(plane / step).astype(np.int16), step, 0.0


def set_pixels(found: Dataset, stored: np.ndarray) -> None:
    """Whole numbers [y, x] or [frame, y, x] as pixel data."""
    found.Rows, found.Columns = stored.shape[-2:]
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = 8 * stored.dtype.itemsize
    found.BitsAllocated, found.BitsStored, found.HighBit = bits, bits, bits - 1
    found.PixelRepresentation = int(stored.dtype.kind == "i")
    if stored.ndim == 3:
        found.NumberOfFrames = len(stored)
    found.PixelData = stored.tobytes()
    found["PixelData"].VR = "OW"


def update(found: Dataset, tags: dict[str, Any]) -> None:
    """Set values by keyword; None takes one out."""
    for keyword, value in tags.items():
        if value is None:
            if keyword in found:
                delattr(found, keyword)
        else:
            setattr(found, keyword, value)


def save(found: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a data set as a DICOM file; in big endian its pixels must be so already."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = found.SOPClassUID, found.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    path.parent.mkdir(parents=True, exist_ok=True)
    file = Dataset()
    file.update({element.tag: element for element in found})
    file.file_meta, file.preamble = meta, b"\0" * 128
    file.save_as(path, enforce_file_format=True)
    return path


def volume_files(folder: Path) -> list[VolumeFile]:
    """All files below a folder, as the readers take them."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [VolumeFile(path, f"file {i} of {len(paths)}", path.read_bytes()) for i, path in enumerate(paths, 1)]


def nuclear(
    array: np.ndarray,
    *,
    spacing_mm: tuple[float, float, float] = (4.0, 4.0, 4.0),
    origin_mm: tuple[float, float, float] = (-20.0, -30.0, 100.0),
    direction: tuple[float, ...] = IDENTITY,
    tags: dict[str, Any] | None = None,
) -> Dataset:
    """A tomogram of nuclear medicine in one object, of whole counts [z, y, x], or gated [gate, z, y, x].

    spacing_mm : (z, y, x), z negative where the frames follow each other against the normal
    origin_mm, direction : of the first frame
    """
    gated = array.ndim == 4
    gates, slices = array.shape[0] if gated else 1, array.shape[-3]
    axes = np.array(direction).reshape(3, 3)
    found = common("NM", SOP_CLASSES["NM"], PATIENT)
    found.SOPInstanceUID = uid("NM", "tomogram")
    found.ImageType = ["ORIGINAL", "PRIMARY", "RECON GATED TOMO" if gated else "RECON TOMO", "EMISSION"]
    detector = Dataset()
    detector.ImagePositionPatient = [float(c) for c in origin_mm]
    detector.ImageOrientationPatient = [float(c) for c in (*axes[:, 0], *axes[:, 1])]
    found.NumberOfDetectors, found.DetectorInformationSequence = 1, [detector]
    found.PixelSpacing = [float(s) for s in spacing_mm[1:]]
    found.SpacingBetweenSlices, found.SliceThickness = float(spacing_mm[0]), 2 * abs(float(spacing_mm[0]))
    set_pixels(found, np.asarray(array).reshape(-1, *array.shape[-2:]).astype(np.uint16))
    found.FrameIncrementPointer = [0x00540070, 0x00540080] if gated else [0x00540080]
    found.NumberOfSlices = slices
    found.SliceVector = list(range(1, slices + 1)) * gates
    if gated:
        found.RRIntervalVector, found.NumberOfRRIntervals = [1] * gates * slices, 1
        found.TimeSlotVector = [gate for gate in range(1, gates + 1) for _ in range(slices)]
        found.NumberOfTimeSlots = gates
    update(found, tags or {})
    return found


def enhanced(
    array: np.ndarray,
    *,
    modality: str = "PT",
    spacing_mm: tuple[float, float, float] = (3.0, 4.0, 4.0),
    origin_mm: tuple[float, float, float] = (-20.0, -30.0, 100.0),
    slopes: np.ndarray | None = None,
    sop_class: str = "",
    tags: dict[str, Any] | None = None,
) -> Dataset:
    """An enhanced object of an array [z, y, x]: in plane the same for all frames, position and slope of each frame."""
    found = common(modality, sop_class or ENHANCED[modality], PATIENT)
    found.SOPInstanceUID = uid(modality, "enhanced")
    found.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    planes = [
        _stored(plane, modality, None if slopes is None else float(slopes[z]))
        for z, plane in enumerate(np.asarray(array, float))
    ]
    set_pixels(found, np.stack([stored for stored, _, _ in planes]))
    found.SharedFunctionalGroupsSequence = [
        group(
            PixelMeasuresSequence={"PixelSpacing": list(spacing_mm[1:]), "SliceThickness": spacing_mm[0]},
            PlaneOrientationSequence={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        )
    ]
    found.PerFrameFunctionalGroupsSequence = [
        group(
            PlanePositionSequence={
                "ImagePositionPatient": [origin_mm[0], origin_mm[1], origin_mm[2] + z * spacing_mm[0]]
            },
            PixelValueTransformationSequence={"RescaleSlope": slope, "RescaleIntercept": intercept},
            FrameContentSequence={"FrameAcquisitionDateTime": f"202401151100{z:02d}.000", "StackID": "1"},
        )
        for z, (_, slope, intercept) in enumerate(planes)
    ]
    update(found, tags or {})
    return found


def group(**items: dict[str, Any]) -> Dataset:
    """A functional group: sequences of one item each."""
    found = Dataset()
    for keyword, values in items.items():
        item = Dataset()
        update(item, values)
        setattr(found, keyword, [item])
    return found


def file_of(found: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> VolumeFile:
    """Write a data set, and read it as the readers take it."""
    return VolumeFile(save(found, path, syntax), path.name, path.read_bytes())
