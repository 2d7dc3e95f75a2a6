"""What the rescaled values of a PET series are: by Units (0054,1001), and Philips' private factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.errors import SuvError
from radiomics_pipeline.imaging.suv.work import Work
from radiomics_pipeline.params.suv import Normalisation

SUV_TYPES: dict[str, Normalisation] = {
    "": "bw", "BW": "bw", "LBM": "lbm", "LBMJAMES128": "lbmjames128", "LBMJANMA": "lbmjanma", "IBW": "ibw",
}  # fmt: skip
"""What SUVType (0054,1006) says of values in GML."""


@dataclass(frozen=True)
class Stored:
    """Meaning of the rescaled values times `factors` [z]: Bq/ml, or SUV of a normalisation where one is named."""

    factors: np.ndarray
    normalisation: Normalisation | None = None


def stored_values(work: Work) -> Stored:
    """What PET values are, by Units (0054,1001) and the vendor's private elements; SuvError for other units."""
    a = work.acquisition
    _require_no_intercept(work)
    _require_corrections(work)
    work.figures.update(units=a.units, decay_correction=a.decay_correction)
    if a.units == "BQML":
        private = a.philips_suv_factor or a.philips_bqml_factor
        left = "; Philips' private factors are for counts, and not used" if private else ""
        work.note("units", f"BQML: the values are Bq/ml{left}")
        return Stored(work.ones())
    if a.units == "CNTS":
        return _counts_of_philips(work)
    if a.units in ("GML", "CM2ML"):
        return Stored(work.ones(), _stored_suv(work))
    raise SuvError(
        f"{work.name}: Units (0054,1001) is {a.units or 'missing'}; SUV can be derived from BQML, GML, CM2ML, and "
        "Philips' CNTS; reconstruct or export the series in Bq/ml"
    )


def _require_no_intercept(work: Work) -> None:
    wrong = next((s.rescale_intercept for s in work.acquisition.slices if s.rescale_intercept != 0), None)
    if wrong is not None:
        raise SuvError(f"{work.name}: RescaleIntercept is {wrong:g}; PET values have none (it must be 0), export again")
    slopes = {s.rescale_slope for s in work.acquisition.slices}
    how = "one slope" if len(slopes) == 1 else f"slice by slice, {len(slopes)} slopes"
    work.note("rescale", f"stored values were rescaled by RescaleSlope first ({how}); the intercept is 0")


def _require_corrections(work: Work) -> None:
    a = work.acquisition
    if "ATTN" not in a.corrections:
        raise SuvError(f"{work.name}: CorrectedImage (0028,0051) has no ATTN: not corrected for attenuation, so no SUV")
    if a.decay_correction != "NONE" and "DECY" not in a.corrections:
        raise SuvError(
            f"{work.name}: CorrectedImage (0028,0051) has no DECY, but DecayCorrection (0054,1102) is "
            f"{a.decay_correction or 'empty'}; only with NONE could the decay be made up for"
        )
    if a.decay_correction == "NONE" and "DECY" in a.corrections:
        raise SuvError(
            f"{work.name}: CorrectedImage (0028,0051) lists DECY, but DecayCorrection (0054,1102) is NONE; which holds "
            "is not clear"
        )
    decay = "decay (DECY)" if "DECY" in a.corrections else "not decay (NONE)"
    work.note("corrections", f"corrected for attenuation (ATTN) and {decay}".replace("and not", "but not"))


def _counts_of_philips(work: Work) -> Stored:
    a = work.acquisition
    for factor, normalisation, tag, what in (
        (a.philips_suv_factor, "bw", "7053,1000", "SUV by body weight"),
        (a.philips_bqml_factor, None, "7053,1009", "Bq/ml"),
    ):
        if factor is None or factor == 0:
            continue
        if factor < 0:
            raise SuvError(f"{work.name}: Philips' private factor ({tag}) is {factor:g}, below 0")
        work.note("units", f"CNTS: counts times Philips' private factor {factor:g} ({tag}) are {what}")
        return Stored(work.ones() * factor, normalisation)  # type: ignore[arg-type]
    raise SuvError(
        f"{work.name}: Units (0054,1001) is CNTS, without Philips' private factors (7053,1000) or (7053,1009); if "
        "de-identification removed them, keep them there; else reconstruct in Bq/ml"
    )


def _stored_suv(work: Work) -> Normalisation:
    """The normalisation of values that the scanner stored as SUV."""
    a = work.acquisition
    if a.units == "CM2ML":
        if a.suv_type not in ("", "BSA"):
            raise SuvError(f"{work.name}: Units CM2ML is SUV by body surface, but SUVType (0054,1006) is {a.suv_type}")
        work.note("units", "CM2ML: the values are SUV by body surface (bsa)")
        return "bsa"
    if a.suv_type not in SUV_TYPES:
        known = ", ".join(filter(None, SUV_TYPES))
        raise SuvError(f"{work.name}: Units GML with SUVType (0054,1006) {a.suv_type}; known are {known}")
    said = f"SUVType {a.suv_type}" if a.suv_type else "no SUVType, which means BW"
    work.note("units", f"GML: the values are SUV already, with {said}")
    return SUV_TYPES[a.suv_type]
