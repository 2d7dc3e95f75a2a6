"""Headers of PET and SPECT slices, made by hand, and the files of reference series read plainly."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

DOSE = {
    "RadiopharmaceuticalStartTime": "100000",
    "RadiopharmaceuticalStartDateTime": "20250101100000",
    "RadionuclideTotalDose": "370000000",
    "RadionuclideHalfLife": "6586.2",
}
PLAIN = {
    "Modality": "PT",
    "Manufacturer": "SIEMENS",
    "Units": "BQML",
    "DecayCorrection": "START",
    "CorrectedImage": ["NORM", "ATTN", "SCAT", "DECY"],
    "PatientWeight": "70",
    "PatientSize": "1.75",
    "PatientSex": "F",
    "SeriesDate": "20250101",
    "SeriesTime": "110000",
    "AcquisitionDate": "20250101",
    "AcquisitionTime": "110000",
    "ActualFrameDuration": "120000",
    "RescaleSlope": "1",
    "RescaleIntercept": "0",
}
PET_IMAGE, NM_IMAGE = "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.20"
F18 = ("C-111A1", "SRT", "^18^Fluorine")


def header(*, dose: dict[str, Any] | None = None, nuclide: tuple[str, str, str] | None = F18, **tags: Any) -> Dataset:
    """A header of one slice: 70 kg, 1.75 m, F, 370 MBq of F-18 at 10:00, scan at 11:00; None leaves a tag out."""
    made = _filled(PLAIN | tags)
    item = _filled(DOSE | (dose or {}))
    if nuclide:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = nuclide
        item.RadionuclideCodeSequence = [code]
    made.RadiopharmaceuticalInformationSequence = [item]
    return made


def _filled(tags: dict[str, Any]) -> Dataset:
    made = Dataset()
    for keyword, value in tags.items():
        if value is not None:
            setattr(made, keyword, value)
    return made


def vendor_case(folder: Path, name: str) -> list[Dataset]:
    """The slices of one of the vendors' headers kept as JSON."""
    return [vendor_header(one) for one in json.loads((folder / f"{name}-instances.json").read_text())]


def vendor_header(facts: dict[str, Any]) -> Dataset:
    """A header from its facts; what belongs to the radiopharmaceutical goes into its sequence."""
    made, item = Dataset(), Dataset()
    made.Modality = "PT"
    for keyword, value in facts.items():
        if keyword == "PhilipsPETPrivateGroup":
            if value:
                block = made.private_block(0x7053, "Philips PET Private Group", create=True)
                for name, element in (("SUVScaleFactor", 0x00), ("ActivityConcentrationScaleFactor", 0x09)):
                    if name in value:
                        block.add_new(element, "DS", value[name].strip())
            continue
        into = item if keyword.startswith(("Radiopharmaceutical", "Radionuclide")) else made
        setattr(into, keyword, value.strip() if isinstance(value, str) else value)
    made.RadiopharmaceuticalInformationSequence = [item]
    return made


def read_zip(archive: Path, folder: str) -> tuple[list[Dataset], np.ndarray]:
    """Headers by ascending z, and rescaled values float64 [z, y, x], of the slices in a folder of a zip."""
    with zipfile.ZipFile(archive) as opened:
        names = [n for n in opened.namelist() if n.startswith(folder) and n.endswith(".dcm")]
        slices = [pydicom.dcmread(BytesIO(opened.read(n))) for n in names]
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    array = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
    for s in slices:
        del s.PixelData
    return slices, array


def write_series(folder: Path, headers: list[Dataset], array: np.ndarray, series: int = 1) -> None:
    """The headers as DICOM files, with stored values int16 [z, y, x] on voxels of 4 mm."""
    folder.mkdir(parents=True, exist_ok=True)
    for z, (made, stored) in enumerate(zip(headers, array, strict=True)):
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        made.SOPClassUID = NM_IMAGE if made.Modality == "NM" else PET_IMAGE
        made.SOPInstanceUID, made.SeriesInstanceUID = f"1.2.826.{series}.{z + 1}", f"1.2.826.{series}"
        made.StudyInstanceUID, made.FrameOfReferenceUID = "1.2.826", "1.2.826.9"
        made.InstanceNumber, made.SliceThickness, made.PixelSpacing = z + 1, "4", ["4", "4"]
        made.ImagePositionPatient, made.ImageOrientationPatient = ["0", "0", str(4 * z)], ["1", "0", "0", "0", "1", "0"]
        made.ImageType = ["ORIGINAL", "PRIMARY"]
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.Rows, made.Columns = stored.shape
        made.BitsAllocated = made.BitsStored = 16
        made.HighBit, made.PixelRepresentation = 15, 1
        made.PixelData = stored.astype("<i2").tobytes()
        made.save_as(folder / f"{z:03d}.dcm", enforce_file_format=True)
