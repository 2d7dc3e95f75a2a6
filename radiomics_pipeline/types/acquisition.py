"""What the headers of a PET or SPECT series say about how it was acquired; nothing is computed, nothing assumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time


@dataclass(frozen=True)
class Slice:
    """Of one slice, as DICOM tags say; None where they say nothing.

    acquired : start of its acquisition (0008,0022 and 0008,0032; 0008,002A; 0018,9074)
    frame_reference_s : Frame Reference Time (0054,1300), s after a reference that vendors choose differently
    duration_s : Actual Frame Duration (0018,1242; 0018,9220)
    decay_factor : Decay Factor (0054,1321), by which the scanner multiplied
    rescale_slope, rescale_intercept : from stored to rescaled values (0028,1053 and 0028,1052)
    mapping : slope and intercept from *stored* values to `Acquisition.mapping_unit` (0040,9225 and 0040,9224)
    """

    acquired: datetime | None = None
    frame_reference_s: float | None = None
    duration_s: float | None = None
    decay_factor: float | None = None
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    mapping: tuple[float, float] | None = None


@dataclass(frozen=True)
class Acquisition:
    """Of one series. Times are all aware of their UTC offset, or none is.

    name : what errors call the series
    modality : "PT" or "NM"
    units : Units (0054,1001), such as "BQML"; of enhanced PET what stands in its place. Codes that the standard does
        not know are "UNLISTED", here and in the next two and `mapping_unit`
    suv_type : SUVType (0054,1006)
    decay_correction : DecayCorrection (0054,1102): START, ADMIN, NONE or empty
    corrections : CorrectedImage (0028,0051) of all slices; of enhanced PET ATTN and DECY by its flags
    weight_kg, height_m, dose_bq : as written, whatever unit was meant
    sex : PatientSex, "M", "F" or "O"
    half_life_s : as written (0018,1075)
    nuclide : such as "F-18"; empty where the header names none that is known here
    administered : RadiopharmaceuticalStartDateTime (0018,1078)
    administered_time : RadiopharmaceuticalStartTime (0018,1072), without a date
    series_time : SeriesDate and SeriesTime
    ge_reference : GE's (0009,100D); siemens_reference : Siemens' (0071,1022)
    philips_suv_factor, philips_bqml_factor : Philips' (7053,1000) and (7053,1009)
    decay_corrected_to : DecayCorrectionDateTime (0018,9701)
    mapping_unit : unit code of RealWorldValueMapping, such as "Bq/ml"; mapping : its slope and intercept, first slice
    collected_s : of SPECT, time per view times number of views of a rotation (0054,0052), all rotations
    notes : what had to be left out or assumed in reading, in plain words
    """

    name: str
    modality: str
    slices: tuple[Slice, ...]
    units: str = ""
    suv_type: str = ""
    decay_correction: str = ""
    corrections: tuple[str, ...] = ()
    manufacturer: str = ""
    model: str = ""
    weight_kg: float | None = None
    height_m: float | None = None
    sex: str = ""
    dose_bq: float | None = None
    half_life_s: float | None = None
    nuclide: str = ""
    administered: datetime | None = None
    administered_time: time | None = None
    series_time: datetime | None = None
    ge_reference: datetime | None = None
    siemens_reference: datetime | None = None
    philips_suv_factor: float | None = None
    philips_bqml_factor: float | None = None
    decay_corrected_to: datetime | None = None
    mapping_unit: str = ""
    mapping: tuple[float, float] | None = None
    collected_s: float | None = None
    notes: tuple[str, ...] = ()
