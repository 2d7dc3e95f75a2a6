"""A PET or SPECT series to the unit asked for."""

from __future__ import annotations

from dataclasses import replace

from radiomics_pipeline.errors import ParamsError, SuvError, WrongModality
from radiomics_pipeline.imaging.suv.conversion import ACTIVITY, COUNTS, SUV, Conversion
from radiomics_pipeline.imaging.suv.factor import renormalised, suv_per_activity
from radiomics_pipeline.imaging.suv.overrides import NO_OVERRIDES, PatientOverrides
from radiomics_pipeline.imaging.suv.spect import convert_spect
from radiomics_pipeline.imaging.suv.units import stored_values
from radiomics_pipeline.imaging.suv.work import Work
from radiomics_pipeline.params.suv import Suv
from radiomics_pipeline.types import Volume
from radiomics_pipeline.types.acquisition import Acquisition


def convert(
    acquisition: Acquisition, params: Suv, patient: PatientOverrides = NO_OVERRIDES, unit: str = SUV
) -> Conversion:
    """How the rescaled intensities of a series become a unit: "SUV", "Bq/ml" or "counts".

    Raises MissingMetadata or SuvError where a PET header does not say, or contradicts itself. A SPECT series whose unit
    cannot be had keeps its own, with `Conversion.missing` (see there).
    """
    work = Work(acquisition, params, patient)
    ways = {"suv": _to_suv, "bq/ml": _to_activity, "counts": _to_counts}
    way = ways.get(unit.strip().lower())
    if way is None:
        raise ParamsError(f"unit {unit!r}: PET and SPECT series become {SUV}, {ACTIVITY} or {COUNTS}")
    if acquisition.modality not in ("PT", "NM"):
        found = acquisition.modality or "not given"
        raise WrongModality(f"{work.name}: modality {found}; {unit} is of PT or NM series")
    conversion = way(work)
    return conversion if conversion.missing else replace(conversion, unit=unit.strip())


def to_suv(acquisition: Acquisition, params: Suv, patient: PatientOverrides = NO_OVERRIDES) -> Conversion:
    """SUV of the normalisation that the parameters name; errors as of `convert`."""
    return convert(acquisition, params, patient, SUV)


def to_activity(acquisition: Acquisition, params: Suv, patient: PatientOverrides = NO_OVERRIDES) -> Conversion:
    """Bq/ml: as stored, or what a stored SUV was made of; errors as of `convert`."""
    return convert(acquisition, params, patient, ACTIVITY)


def to_counts(acquisition: Acquisition, params: Suv, patient: PatientOverrides = NO_OVERRIDES) -> Conversion:
    """Counts as stored; SuvError where the series holds something else."""
    return convert(acquisition, params, patient, COUNTS)


def apply(volume: Volume, conversion: Conversion) -> Volume:
    """A volume of rescaled intensities in the conversion's unit."""
    if volume.array.shape[0] != conversion.factors.size:
        raise ValueError(f"{conversion.factors.size} factors for {volume.array.shape[0]} slices")
    array = volume.array * conversion.factors[:, None, None]
    return Volume(array, volume.grid, conversion.unit, volume.native)


def _to_suv(work: Work) -> Conversion:
    if work.acquisition.modality == "NM":
        return convert_spect(work, SUV)
    stored, target = stored_values(work), work.params.normalisation
    if stored.normalisation:
        return work.done(SUV, stored.factors * renormalised(work, stored.normalisation, target))
    return work.done(SUV, stored.factors * suv_per_activity(work, target))


def _to_activity(work: Work) -> Conversion:
    if work.acquisition.modality == "NM":
        return convert_spect(work, ACTIVITY)
    stored = stored_values(work)
    if not stored.normalisation:
        return work.done(ACTIVITY, stored.factors)
    return work.done(ACTIVITY, stored.factors / suv_per_activity(work, stored.normalisation, own=True))


def _to_counts(work: Work) -> Conversion:
    units = work.acquisition.units
    if work.acquisition.modality == "PT" and units not in ("CNTS", "PROPCNTS"):
        raise SuvError(f"{work.name}: Units (0054,1001) is {units or 'empty'}, not CNTS; counts cannot be had from it")
    work.note("units", "counts, as stored", units=units)
    return work.done(COUNTS, work.ones())
