"""What the DICOM headers of a PET or SPECT series say about its acquisition.

Values are read as written; one that cannot be read counts as absent, with a note.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, datetime, time
from typing import TypeVar

from pydicom.dataset import Dataset

from radiomics_pipeline.errors import MissingMetadata, MixedSeries, SuvError
from radiomics_pipeline.io.dicom.clock import STAMP, Clock, date_of, time_of, zone_of
from radiomics_pipeline.io.dicom.headers import plain_number, quiet
from radiomics_pipeline.io.dicom.lenient import (
    GE,
    PHILIPS,
    SIEMENS,
    items_of,
    private_text,
    radiopharmaceuticals,
    text_of,
)
from radiomics_pipeline.io.dicom.nuclides import nuclide_of
from radiomics_pipeline.types.acquisition import Acquisition, Slice

T = TypeVar("T")

ENHANCED_PET = "1.2.840.10008.5.1.4.1.1.130"
UNLISTED = "UNLISTED"
"""In place of a code that the standard does not know, as anything may have been typed there."""
UNITS = {
    "CNTS", "NONE", "CM2", "CM2ML", "PCNT", "CPS", "BQML", "MGMINML", "UMOLMINML", "MLMING", "MLG", "1CM", "UMOLML",
    "PROPCNTS", "PROPCPS", "MLMINML", "MLML", "GML", "STDDEV", "US",
}  # fmt: skip
SUV_TYPES = {"BSA", "BW", "LBM", "LBMJAMES128", "LBMJANMA", "IBW"}
DECAY_CORRECTIONS = {"NONE", "START", "ADMIN"}
MAPPED_UNITS = {
    "bq/ml", "kbq/ml", "mbq/ml", "{counts}", "{counts}/s", "{propcounts}", "{propcounts}/s", "1", "%", "[hnsf'u]",
    "g/ml", "cm2/ml", "g/ml{suvbw}", "{suvbw}g/ml", "g/ml{suvlbm}", "{suvlbm}g/ml", "g/ml{suvlbm(janma)}",
    "g/ml{suvlbm(james128)}", "g/ml{suvibw}", "{suvibw}g/ml", "cm2/ml{suvbsa}", "{suvbsa}cm2/ml",
}  # fmt: skip
"""UCUM codes of RealWorldValueMapping (DICOM CID 83 to 85), in lower case, and spellings in use."""


def read_acquisition(headers: Sequence[Dataset], name: str) -> Acquisition:
    """The acquisition of a series, from one header a slice, in the order of its array.

    name : what errors call the series
    Raises MissingMetadata without a header, MixedSeries or SuvError where slices contradict each other in what they
    must share, such as weight, dose, units, half-life or the time of administration.
    """
    if not headers:
        raise MissingMetadata(f"{name}: no headers to read; the series holds no image")
    with quiet():  # of values that do not follow the standard we make notes ourselves
        clock = Clock(headers, name)
        read = [_one(_Header(header, clock)) for header in headers]
    first = read[0]
    for other in read[1:]:
        _require_same(first, other, name)
    notes = [note for one in read for note in one.notes]
    return replace(
        first,
        name=name,
        slices=tuple(one.slices[0] for one in read),
        corrections=tuple(c for c in first.corrections if all(c in other.corrections for other in read)),
        mapping=first.slices[0].mapping,
        notes=tuple(dict.fromkeys([*clock.notes(), *notes])),
    )


class _Header:
    """One header, read tolerantly: what cannot be read is None, and noted."""

    def __init__(self, header: Dataset, clock: Clock) -> None:
        self.header, self.clock = header, clock
        self.notes: list[str] = []

    def text(self, keyword: str, item: Dataset | None = None) -> str:
        return text_of(self.header if item is None else item, keyword)

    def number(self, keyword: str, item: Dataset | None = None) -> float | None:
        return self._parsed(self.text(keyword, item), keyword, _number)

    def private(self, group: tuple[int, str], element: int, keyword: str, parse: Callable[[str], T]) -> T | None:
        return self._parsed(private_text(self.header, group, element), keyword, parse)

    def moment(self, text: str, keyword: str) -> datetime | None:
        """A DICOM date and time (DT)."""
        return self._parsed(text, keyword, self.stamp)

    def joined(self, day: str, clock: str) -> datetime | None:
        """A date (DA) and a time (TM) of the same event; None where one is missing."""
        on = self._parsed(self.text(day), day, date_of)
        at = self._parsed(self.text(clock), clock, time_of)
        return None if on is None or at is None else self.clock.local(datetime.combine(on, at))

    def stamp(self, text: str) -> datetime:
        match = STAMP.fullmatch(text)
        if not match:
            raise ValueError
        moment = datetime.combine(date_of(match.group(1)), time_of(match.group(2)))
        return moment.replace(tzinfo=zone_of(match.group(3))) if match.group(3) else self.clock.local(moment)

    def time(self, keyword: str, item: Dataset) -> time | None:
        at = self._parsed(self.text(keyword, item), keyword, time_of)
        return None if at is None else self.clock.local(datetime.combine(date(2000, 1, 1), at)).timetz()

    def _parsed(self, text: str, keyword: str, parse: Callable[[str], T]) -> T | None:
        if not text:
            return None
        try:
            return parse(text)
        except ValueError:
            self.notes.append(f"{keyword} cannot be read, and counts as absent")
            return None


def _one(h: _Header) -> Acquisition:
    """What one header says."""
    items = radiopharmaceuticals(h.header)
    if len(items) > 1:
        raise SuvError(
            f"{h.clock.name}: {len(items)} radiopharmaceuticals in one series; which of them an SUV refers to is not "
            "clear, so none is derived"
        )
    dose = items[0] if items else Dataset()
    enhanced = h.text("SOPClassUID") == ENHANCED_PET
    unit, mapping = _mapping(h)
    units, suv_type = _listed(h.text("Units"), UNITS), _listed(h.text("SUVType"), SUV_TYPES)
    if not units and enhanced:
        units, suv_type = _units_of_enhanced(h, unit)
    return Acquisition(
        name="",
        modality=h.text("Modality").upper(),
        slices=(_slice(h, mapping),),
        units=units,
        suv_type=suv_type,
        decay_correction=_listed(h.text("DecayCorrection"), DECAY_CORRECTIONS)
        or ("NONE" if h.text("DecayCorrected").upper() == "NO" else ""),
        corrections=_corrections(h),
        manufacturer=h.text("Manufacturer"),
        model=h.text("ManufacturerModelName"),
        weight_kg=h.number("PatientWeight"),
        height_m=h.number("PatientSize"),
        sex=h.text("PatientSex").upper(),
        dose_bq=h.number("RadionuclideTotalDose", dose),
        half_life_s=h.number("RadionuclideHalfLife", dose),
        nuclide=nuclide_of(dose),
        administered=h.moment(h.text("RadiopharmaceuticalStartDateTime", dose), "RadiopharmaceuticalStartDateTime"),
        administered_time=h.time("RadiopharmaceuticalStartTime", dose),
        series_time=h.joined("SeriesDate", "SeriesTime"),
        ge_reference=h.private(GE, 0x0D, "GE's private scan time (0009,100D)", h.stamp),
        siemens_reference=h.private(SIEMENS, 0x22, "Siemens' private decay time (0071,1022)", h.stamp),
        philips_suv_factor=h.private(PHILIPS, 0x00, "Philips' SUV factor (7053,1000)", _number),
        philips_bqml_factor=h.private(PHILIPS, 0x09, "Philips' activity factor (7053,1009)", _number),
        decay_corrected_to=h.moment(h.text("DecayCorrectionDateTime"), "DecayCorrectionDateTime"),
        mapping_unit=unit,
        collected_s=_collected(h),
        notes=tuple(h.notes),
    )


def _listed(code: str, known: AbstractSet[str]) -> str:
    """A code of the standard; UNLISTED for any other text, which may hold what must not be shown."""
    word = code.upper()
    return word if not word or word in known else UNLISTED


def _slice(h: _Header, mapping: tuple[float, float] | None) -> Slice:
    slope, intercept = h.number("RescaleSlope"), h.number("RescaleIntercept")
    reference = h.number("FrameReferenceTime")
    duration = h.number("ActualFrameDuration")
    duration = h.number("FrameAcquisitionDuration") if duration is None else duration
    return Slice(
        acquired=_acquired(h),
        frame_reference_s=None if reference is None else reference / 1000,
        duration_s=None if duration is None else duration / 1000,
        decay_factor=h.number("DecayFactor"),
        rescale_slope=1.0 if slope is None else slope,
        rescale_intercept=0.0 if intercept is None else intercept,
        mapping=mapping,
    )


def _acquired(h: _Header) -> datetime | None:
    """Start of the acquisition: of the frame, else by date and time, else by the combined element."""
    frame, both = "FrameAcquisitionDateTime", "AcquisitionDateTime"
    moment = h.moment(h.text(frame), frame) or h.joined("AcquisitionDate", "AcquisitionTime")
    return moment or h.moment(h.text(both), both)


def _mapping(h: _Header) -> tuple[str, tuple[float, float] | None]:
    """Unit code, slope and intercept of the linear mapping to real-world values; the one to Bq/ml among several."""
    found: list[tuple[str, tuple[float, float] | None]] = []
    for item in items_of(h.header, "RealWorldValueMappingSequence"):
        codes = items_of(item, "MeasurementUnitsCodeSequence")
        slope, intercept = h.number("RealWorldValueSlope", item), h.number("RealWorldValueIntercept", item)
        if codes and slope is not None:
            code = h.text("CodeValue", codes[0])
            found.append((code if code.lower() in MAPPED_UNITS else UNLISTED, (slope, intercept or 0.0)))
    activity = [entry for entry in found if entry[0].lower().endswith("bq/ml")]
    return (activity or found or [("", None)])[0]


def _units_of_enhanced(h: _Header, unit: str) -> tuple[str, str]:
    """Units and SUV type of an enhanced PET image, which has no Units (0054,1001): those of its rescaled values."""
    rescaled = _listed(h.text("RescaleType"), UNITS)
    if rescaled in ("BQML", "GML", "CM2ML", "CNTS", "PROPCNTS", "PROPCPS", "CPS", "1CM"):
        return rescaled, ""
    return ("BQML", "") if unit.lower() == "bq/ml" and _mapped_as_rescaled(h) else (rescaled, "")


def _mapped_as_rescaled(h: _Header) -> bool:
    """Whether the real-world mapping is the rescaling itself, so that rescaled values are in its unit."""
    mapping, slope, intercept = _mapping(h)[1], h.number("RescaleSlope"), h.number("RescaleIntercept")
    own = (1.0 if slope is None else slope, intercept or 0.0)
    return mapping is not None and all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(mapping, own, strict=True))


def _corrections(h: _Header) -> tuple[str, ...]:
    """CorrectedImage, or the flags that enhanced PET has instead."""
    listed = [part.strip().upper() for part in h.text("CorrectedImage").split("\\") if part.strip()]
    flags = {"ATTN": "AttenuationCorrected", "DECY": "DecayCorrected"}
    listed += [word for word, keyword in flags.items() if h.text(keyword).upper() == "YES"]
    return tuple(dict.fromkeys(listed))


def _collected(h: _Header) -> float | None:
    """Time of collection of a tomography, s: time per view times views, over all rotations; None where not said."""
    total = 0.0
    for rotation in items_of(h.header, "RotationInformationSequence"):
        view_ms = h.number("ActualFrameDuration", rotation)
        views = h.number("NumberOfFramesInRotation", rotation)
        if not view_ms or not views:
            return None
        total += view_ms * views / 1000
    return total or None


def _number(text: str) -> float:
    value = plain_number(text)
    if not math.isfinite(value):
        raise ValueError
    return value


_SHARED = {
    "Modality": "modality", "Manufacturer": "manufacturer", "ManufacturerModelName": "model", "Units": "units",
    "SUVType": "suv_type", "DecayCorrection": "decay_correction", "PatientWeight": "weight_kg",
    "PatientSize": "height_m", "PatientSex": "sex", "RadionuclideTotalDose": "dose_bq",
    "RadionuclideHalfLife": "half_life_s", "RadionuclideCodeSequence": "nuclide",
    "RadiopharmaceuticalStartDateTime": "administered", "RadiopharmaceuticalStartTime": "administered_time",
    "the series' date or time": "series_time", "GE's private scan time (0009,100D)": "ge_reference",
    "Siemens' private decay time (0071,1022)": "siemens_reference",
    "Philips' SUV factor (7053,1000)": "philips_suv_factor",
    "Philips' activity factor (7053,1009)": "philips_bqml_factor",
    "DecayCorrectionDateTime": "decay_corrected_to", "the unit of RealWorldValueMapping": "mapping_unit",
    "the time of collection": "collected_s",
}  # fmt: skip


def _require_same(first: Acquisition, other: Acquisition, name: str) -> None:
    for what, field in _SHARED.items():
        if getattr(first, field) == getattr(other, field):
            continue
        kind = MixedSeries if field in ("modality", "manufacturer", "model") else SuvError
        raise kind(f"{name}: {what} differs between slices; a series has one, so these files must be put right first")
