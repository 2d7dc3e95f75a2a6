"""What DICOM headers say of how a series was acquired, as columns of case_log.csv.

Numbers, and words of closed lists (vocabulary.py): no date, no name, nothing that somebody typed. What cannot be read
counts as not known; facts are for the reader and for warnings, and never stop a case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from pydicom.dataset import Dataset

from radiomics_pipeline.errors import CaseError
from radiomics_pipeline.io.dicom.acquisition import read_acquisition
from radiomics_pipeline.io.dicom.headers import items, text
from radiomics_pipeline.io.dicom.vocabulary import kernel, reconstruction, scanner, tracer
from radiomics_pipeline.types import Grid
from radiomics_pipeline.types.acquisition import Acquisition
from radiomics_pipeline.types.facts import Facts, earl_of, sex_of

OLDEST = 89
"""Years at which ages end: older patients are few enough to be found by theirs."""
CORRECTIONS = (
    "DECY", "ATTN", "SCAT", "DTIM", "MOTN", "PMOT", "CLN", "RAN", "RADL", "DCAL", "NORM", "RANSNG", "RAN-SM", "SLSENS",
    "EDGE", "UNIF", "COR", "NCO", "PSF",
)  # fmt: skip
"""Words of Corrected Image (0028,0051) as the standard and vendors define them."""
_GE = (0x0009, "GEMS_PETD_01")
_LONGEST_S = 10 * 86400
"""Of the wait for a scan: dosimetry of Lu-177 or Zr-89 ends within ten days."""
_MG_DL = 18.016
"""mg/dl of glucose in 1 mmol/l."""


def facts_of(
    headers: Sequence[Dataset],
    grid: Grid,
    *,
    uptake_time_min: float | None = None,
    dose_mbq: float | None = None,
    weight_kg: float | None = None,
    height_m: float | None = None,
    table: Mapping[str, str] | None = None,
    gated: bool = False,
) -> Facts:
    """The facts of a series of one header a slice; of an image without headers, what the table of cases says of it.

    grid : of its voxels
    uptake_time_min, dose_mbq, weight_kg, height_m : as the conversion to SUV took them, which has checked units and
        times; they go before all that is read here
    table : what the table of cases says: weight_kg, height_m, sex, glucose_mmol_l, earl, dose_mbq; before the header
    gated : whether the series was read as gates
    """
    said = dict(table or {})
    first = headers[0] if headers else Dataset()
    modality = _word(first, "Modality", ("PT", "NM", "CT"))
    nuclear = modality in ("PT", "NM")
    found = _acquisition(headers if uptake_time_min is None else headers[:1]) if nuclear else None
    weight, height = _positive(_text(first, "PatientWeight")), _positive(_text(first, "PatientSize"))
    x, y, z = (float(edge) for edge in grid.spacing_mm[::-1])
    return Facts(
        modality=modality,
        scanner=scanner(_text(first, "Manufacturer"), _text(first, "ManufacturerModelName")),
        reconstruction=_reconstruction(first),
        nuclide=found.nuclide if found else "",
        tracer=_tracer(first),
        dose_mbq=_first(dose_mbq, _positive(said.get("dose_mbq")), _megabecquerels(found.dose_bq if found else None)),
        uptake_time_min=_first(uptake_time_min, _waited(found) if found else None),
        weight_kg=_first(weight_kg, _positive(said.get("weight_kg")), _kilograms(weight)),
        height_m=_first(height_m, _positive(said.get("height_m")), _metres(height)),
        age_years=_age(first),
        sex=sex_of(said.get("sex", "")) or sex_of(_text(first, "PatientSex")),
        glucose_mmol_l=_first(_positive(said.get("glucose_mmol_l")), _glucose(first)),
        voxel_mm=(x, y, z),
        slice_mm=_positive(_text(first, "SliceThickness")),
        duration_s=_duration(headers, found),
        corrections=_corrections(first, found),
        gated=(gated or _gated(first)) if nuclear else None,
        earl=earl_of(said.get("earl", "")),
    )


def _acquisition(headers: Sequence[Dataset]) -> Acquisition | None:
    try:
        return read_acquisition(headers, "")
    except CaseError:  # slices that contradict each other: whoever needs an SUV refuses them
        return None


def _tracer(header: Dataset) -> str:
    """By the radiopharmaceutical's code, its meaning, and its name."""
    texts = []
    for item in _items(header, "RadiopharmaceuticalInformationSequence"):
        for code in _items(item, "RadiopharmaceuticalCodeSequence"):
            texts += [
                _meaning(_text(code, "CodeValue"), _text(code, "CodingSchemeDesignator")),
                _text(code, "CodeMeaning"),
            ]
        texts.append(_text(item, "Radiopharmaceutical"))
    return tracer([text for text in texts if text])


def _meaning(value: str, scheme: str) -> str:
    """What the standard calls a code of radiopharmaceuticals; empty where it has none such."""
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    if scheme in ("SRT", "SNM3", "99SDM"):
        value, scheme = mapping["SRT"].get(value, value), "SCT"
    known: dict[str, dict[str, tuple[str, list[int]]]] = concepts.get(scheme, {})  # type: ignore[assignment]
    return next((names[value][0] for names in known.values() if value in names), "")


def _reconstruction(header: Dataset) -> str:
    """Method, steps and filter. (0054,1103), (0018,9739), (0018,9740), (0018,1210); of GE its private steps."""
    inner = next(iter(_items(header, "PETReconstructionSequence")), header)
    method = " ".join(_text(header, k) or _text(inner, k) for k in ("ReconstructionMethod", "ReconstructionAlgorithm"))
    if _text(inner, "TimeOfFlightInformationUsed").upper() in ("TRUE", "YES"):
        method += " TOF"
    iterations, subsets = (_whole(_text(inner, k)) for k in ("NumberOfIterations", "NumberOfSubsets"))
    if iterations is None:
        iterations, subsets = _whole(_private(header, 0xB2)), _whole(_private(header, 0xB3))
    how = reconstruction(method, iterations, subsets) if method.strip() else ""
    return ", ".join(part for part in (how, kernel(_text(header, "ConvolutionKernel"))) if part)


def _waited(found: Acquisition) -> float | None:
    """Minutes from injection to the first acquired slice; None where a time lacks, or where they contradict."""
    starts = [one.acquired for one in found.slices if one.acquired]
    if not starts:
        return None
    start, waited = min(starts), None
    if found.administered is not None:
        waited = (start - found.administered).total_seconds()
    elif found.administered_time is not None:
        at = found.administered_time
        waited = ((start.hour - at.hour) * 3600 + (start.minute - at.minute) * 60 + start.second - at.second) % 86400
    return waited / 60 if waited is not None and 0 <= waited <= _LONGEST_S else None


def _duration(headers: Sequence[Dataset], found: Acquisition | None) -> float | None:
    """Seconds of a frame, where all have the same; of SPECT those of the whole rotation."""
    if found is None:
        return None
    if found.collected_s:
        return found.collected_s
    lasted = {_text(h, "ActualFrameDuration") or _text(h, "FrameAcquisitionDuration") for h in headers}
    milliseconds = _positive(lasted.pop()) if len(lasted) == 1 else None
    return None if milliseconds is None else milliseconds / 1000


def _age(header: Dataset) -> int | None:
    """Whole years at the time of the study, no more than 89. (0010,1010), or birth date and study date."""
    match = re.fullmatch(r"(\d{1,3})([DWMY])", _text(header, "PatientAge").upper())
    if match:
        years = int(match[1]) * {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1}[match[2]]
        return min(int(years), OLDEST)
    born, studied = _date(_text(header, "PatientBirthDate")), _date(_text(header, "StudyDate"))
    if born is None or studied is None or born > studied:
        return None
    years = studied.year - born.year - ((studied.month, studied.day) < (born.month, born.day))
    return min(years, OLDEST) if years <= 130 else None


def _date(text: str) -> date | None:
    match = re.fullmatch(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})", text)
    try:
        return date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None


def _glucose(header: Dataset) -> float | None:
    """Blood glucose from the acquisition context (0040,0555), where a measurement is called so."""
    for item in _items(header, "AcquisitionContextSequence"):
        names = [_text(code, "CodeMeaning").lower() for code in _items(item, "ConceptNameCodeSequence")]
        value = _positive(_text(item, "NumericValue"))
        if value is None or not any("glucose" in name for name in names):
            continue
        units = {_text(code, "CodeValue").lower() for code in _items(item, "MeasurementUnitsCodeSequence")}
        if "mmol/l" in units:
            return value
        if "mg/dl" in units:
            return value / _MG_DL
    return None


def _corrections(header: Dataset, found: Acquisition | None) -> tuple[str, ...]:
    words = found.corrections if found else tuple(_text(header, "CorrectedImage").upper().split("\\"))
    return tuple(dict.fromkeys(word for word in words if word in CORRECTIONS))


def _gated(header: Dataset) -> bool:
    """Whether Series Type (0054,1000) or Image Type (0008,0008) calls it so, or it has R-R intervals (0054,0061)."""
    words = f"{_text(header, 'SeriesType')}\\{_text(header, 'ImageType')}".upper()
    return "GATED" in words or (_whole(_text(header, "NumberOfRRIntervals")) or 0) > 0


def _word(header: Dataset, keyword: str, known: Sequence[str]) -> str:
    text = _text(header, keyword).upper()
    return text if text in known else ""


def _kilograms(value: float | None) -> float | None:
    return value / 1000 if value is not None and value > 1000 else value


def _metres(value: float | None) -> float | None:
    return value / 100 if value is not None and value > 3 else value


def _megabecquerels(value: float | None) -> float | None:
    """Of a dose in Bq; below 1e5 it stands in MBq, as some headers have it."""
    if value is None or value <= 0:
        return None
    return value if value < 1e5 else value / 1e6


def _first(*values: float | None) -> float | None:
    return next((float(value) for value in values if value is not None), None)


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,3}", text) else None


def _private(header: Dataset, element: int) -> str:
    group, creator = _GE
    for block in range(0x10, 0x20):
        if _at(header, group, block).strip().upper() == creator:
            return _at(header, group, block << 8 | element)
    return ""


def _at(header: Dataset, group: int, element: int) -> str:
    try:
        value = header[group, element].value if (group, element) in header else ""
        return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip(" \0")
    except Exception:  # noqa: BLE001 - as of _text
        return ""


def _text(item: Dataset, keyword: str) -> str:
    """A value as text, several joined by backslashes; empty where absent or not decodable."""
    try:
        return text(item, keyword).strip(" \0")
    except Exception:  # noqa: BLE001 - pydicom raises many kinds for a value that its VR does not allow
        return ""


def _items(item: Dataset, keyword: str) -> list[Dataset]:
    try:
        return items(item, keyword)
    except Exception:  # noqa: BLE001 - a sequence that cannot be decoded is as good as none
        return []
