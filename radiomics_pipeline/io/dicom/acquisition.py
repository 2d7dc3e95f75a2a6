"""What the DICOM headers of a PET or SPECT series say about its acquisition.

Values are read as written; one that cannot be read counts as absent, with a note. Private elements are found through
their creator, or at their usual place where nobody has reserved the block: de-identified files often lack the creator.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, TypeVar

from pydicom.dataset import Dataset

from radiomics_pipeline.errors import MissingMetadata, MixedSeries, SuvError
from radiomics_pipeline.types.acquisition import Acquisition, Slice

T = TypeVar("T")

ENHANCED_PET = "1.2.840.10008.5.1.4.1.1.130"
GE, PHILIPS, SIEMENS = (0x0009, "GEMS_PETD_01"), (0x7053, "Philips PET Private Group"), (0x0071, "SIEMENS MED PT")
"""Groups of private elements, and who reserves blocks in them."""

NUCLIDES = {
    "77004003": "F-18", "40565003": "C-11", "21576001": "N-13", "129504001": "O-15", "79197006": "Rb-82",
    "35337001": "Ga-68", "3932008": "Cu-64", "63360001": "Zr-89", "40937006": "I-124", "72454006": "Tc-99m",
    "21572004": "I-123", "56609000": "In-111", "60057003": "Tl-201", "1368003": "I-131", "447553000": "Lu-177",
    "53315004": "Ge-68",
    "C-111A1": "F-18", "C-105A1": "C-11", "C-107A1": "N-13", "C-B1038": "O-15", "C-159A2": "Rb-82",
    "C-131A3": "Ga-68", "C-127A2": "Cu-64", "C-168A4": "Zr-89", "C-114A5": "I-124", "C-163A8": "Tc-99m",
    "C-114A4": "I-123", "C-145A4": "In-111", "C-138A9": "Tl-201", "C-114B1": "I-131", "C-101ED": "Lu-177",
    "C-128A2": "Ge-68",
}  # fmt: skip
"""SNOMED codes, new and old, of radionuclides (DICOM CID 18 and 4020)."""

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

_ELEMENTS = {
    "fluorine": "F", "carbon": "C", "nitrogen": "N", "oxygen": "O", "rubidium": "Rb", "gallium": "Ga",
    "copper": "Cu", "zirconium": "Zr", "iodine": "I", "technetium": "Tc", "indium": "In", "thallium": "Tl",
    "lutetium": "Lu", "germanium": "Ge",
}  # fmt: skip
_SYMBOLS = {symbol.lower(): symbol for symbol in _ELEMENTS.values()} | _ELEMENTS
_ELEMENT = "|".join(sorted(_SYMBOLS, key=len, reverse=True))
_NUCLIDE = re.compile(
    rf"(?<![a-z0-9])(?:\^?(\d+m?)\^?[\s-]*({_ELEMENT})|({_ELEMENT})[\s-]*\^?(\d+m?)\^?)(?![a-z0-9])", re.IGNORECASE
)
_DATE = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d*))?")
_STAMP = re.compile(r"(\d{8})(\d{2,6}(?:\.\d*)?)\s*([+-]\d{4})?")


def read_acquisition(headers: Sequence[Dataset], name: str) -> Acquisition:
    """The acquisition of a series, from one header a slice, in the order of its array.

    name : what errors call the series
    Raises MissingMetadata without a header, MixedSeries or SuvError where slices contradict each other in what they
    must share, such as weight, dose, units, half-life or the time of administration.
    """
    if not headers:
        raise MissingMetadata(f"{name}: no headers to read; the series holds no image")
    with warnings.catch_warnings():  # pydicom warns of values that do not follow the standard; we note them ourselves
        warnings.simplefilter("ignore")
        clock = _Clock(headers, name)
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


class _Clock:
    """How times without a UTC offset are to be understood, the same for all headers of a series."""

    STAMPS = ("AcquisitionDateTime", "FrameAcquisitionDateTime", "DecayCorrectionDateTime")

    def __init__(self, headers: Sequence[Dataset], name: str) -> None:
        self.name = name
        self.assumed = False
        said = {_text(header, "TimezoneOffsetFromUTC") for header in headers} - {""}
        if len(said) > 1:
            raise SuvError(f"{name}: TimezoneOffsetFromUTC differs between slices; export the series again")
        self.zone = _zone(said.pop()) if said else None
        self.given = self.zone is not None
        stamps = [_text(h, keyword) for h in headers for keyword in self.STAMPS]
        items = [item for header in headers for item in _radiopharmaceuticals(header)]
        stamps += [_text(item, "RadiopharmaceuticalStartDateTime") for item in items]
        stamps += [_private(headers[0], GE, 0x0D), _private(headers[0], SIEMENS, 0x22)]
        found = {match.group(3) for match in map(_STAMP.fullmatch, stamps) if match and match.group(3)}
        self.offsets = sorted(found)
        if self.zone is None and len(found) == 1:
            self.zone = _zone(self.offsets[0])

    def local(self, moment: datetime) -> datetime:
        """A time without offset, in the offset of the series."""
        if not self.given and self.offsets:
            if len(self.offsets) > 1:
                raise SuvError(
                    f"{self.name}: times with the UTC offsets {' and '.join(self.offsets)} stand beside times without "
                    "any; write TimezoneOffsetFromUTC (0008,0201) into the headers"
                )
            self.assumed = True
        return moment.replace(tzinfo=self.zone)

    def notes(self) -> list[str]:
        """What had to be assumed."""
        if not self.assumed:
            return []
        return [f"some times carry the UTC offset {self.offsets[0]}, others none: all are taken as of that offset"]


class _Header:
    """One header, read tolerantly: what cannot be read is None, and noted."""

    def __init__(self, header: Dataset, clock: _Clock) -> None:
        self.header, self.clock = header, clock
        self.notes: list[str] = []

    def text(self, keyword: str, item: Dataset | None = None) -> str:
        return _text(self.header if item is None else item, keyword)

    def number(self, keyword: str, item: Dataset | None = None) -> float | None:
        return self._parsed(self.text(keyword, item), keyword, _number)

    def private(self, group: tuple[int, str], element: int, keyword: str, parse: Callable[[str], T]) -> T | None:
        return self._parsed(_private(self.header, group, element), keyword, parse)

    def moment(self, text: str, keyword: str) -> datetime | None:
        """A DICOM date and time (DT)."""
        return self._parsed(text, keyword, self.stamp)

    def joined(self, day: str, clock: str) -> datetime | None:
        """A date (DA) and a time (TM) of the same event; None where one is missing."""
        on = self._parsed(self.text(day), day, _date)
        at = self._parsed(self.text(clock), clock, _time)
        return None if on is None or at is None else self.clock.local(datetime.combine(on, at))

    def stamp(self, text: str) -> datetime:
        match = _STAMP.fullmatch(text)
        if not match:
            raise ValueError
        moment = datetime.combine(_date(match.group(1)), _time(match.group(2)))
        return moment.replace(tzinfo=_zone(match.group(3))) if match.group(3) else self.clock.local(moment)

    def time(self, keyword: str, item: Dataset) -> time | None:
        at = self._parsed(self.text(keyword, item), keyword, _time)
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
    items = _radiopharmaceuticals(h.header)
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
        nuclide=_nuclide(dose),
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
    for item in _items(h.header, "RealWorldValueMappingSequence"):
        codes = _items(item, "MeasurementUnitsCodeSequence")
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
    for rotation in _items(h.header, "RotationInformationSequence"):
        view_ms = h.number("ActualFrameDuration", rotation)
        views = h.number("NumberOfFramesInRotation", rotation)
        if not view_ms or not views:
            return None
        total += view_ms * views / 1000
    return total or None


def _nuclide(item: Dataset) -> str:
    """The radionuclide by its code, or by a name that says element and mass number; empty where neither is known."""
    for code in _items(item, "RadionuclideCodeSequence"):
        known = NUCLIDES.get(_text(code, "CodeValue")) or _named(_text(code, "CodeMeaning"))
        if known:
            return known
    return _named(_text(item, "Radiopharmaceutical"))


def _named(text: str) -> str:
    for before, element, other, after in _NUCLIDE.findall(text):
        symbol = _SYMBOLS[(element or other).lower()]
        nuclide = f"{symbol}-{(before or after).lower()}"
        if nuclide in NUCLIDES.values():
            return nuclide
    return ""


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


def _radiopharmaceuticals(header: Dataset) -> list[Dataset]:
    return _items(header, "RadiopharmaceuticalInformationSequence")


def _items(item: Dataset, keyword: str) -> list[Dataset]:
    try:
        return list(item[keyword].value or ()) if keyword in item else []
    except Exception:  # noqa: BLE001 - a sequence that pydicom cannot decode is as good as none
        return []


def _text(item: Dataset, keyword: str) -> str:
    """A value as text, several joined by backslashes; empty where absent or not decodable."""
    try:
        return _shown(item[keyword].value) if keyword in item else ""
    except Exception:  # noqa: BLE001 - pydicom raises many kinds for a value that its VR does not allow
        return "?"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str) and isinstance(value, Iterable):
        return "\\".join(_shown(part) for part in value)
    return str(value).strip(" \0")


def _private(header: Dataset, where: tuple[int, str], element: int) -> str:
    """A private value by its creator; at block 0x10 where no creator has reserved that block."""
    group, creator = where
    numbers = [tag & 0xFFFF for tag in header.keys() if tag >> 16 == group and 0x10 <= tag & 0xFFFF <= 0xFF]  # noqa: SIM118
    blocks = {number: _private_text(header, group, number) for number in sorted(numbers)}
    own = [number for number, who in blocks.items() if who.upper() == creator.upper()]
    block = own[0] if own else 0x10 if 0x10 not in blocks else None
    return "" if block is None else _private_text(header, group, block << 8 | element)


def _private_text(header: Dataset, group: int, element: int) -> str:
    try:
        return _shown(header[group, element].value) if (group, element) in header else ""
    except Exception:  # noqa: BLE001 - as of _text
        return "?"


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _date(text: str) -> date:
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError
    return date(*(int(part) for part in match.groups()))


def _time(text: str) -> time:
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    return time(hour, minute, second, int((match.group(4) or "").ljust(6, "0")[:6]))


def _zone(text: str) -> timezone:
    match = re.fullmatch(r"([+-])(\d{2})(\d{2})", text)
    if not match:
        raise SuvError("TimezoneOffsetFromUTC (0008,0201) is no UTC offset; write it as +HHMM or -HHMM")
    offset = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
    return timezone(-offset if match.group(1) == "-" else offset)
