"""What an SUV is normalised to: weight, lean mass, ideal weight or surface of the body."""

from __future__ import annotations

from radiomics_pipeline.errors import SuvError
from radiomics_pipeline.imaging import body
from radiomics_pipeline.imaging.suv.patient import height_m, sex_of, weight_kg
from radiomics_pipeline.imaging.suv.work import Work
from radiomics_pipeline.params.suv import Normalisation


def norm_of(work: Work, normalisation: Normalisation, *, own: bool = False) -> float:
    """What an SUV is normalised to, in g, or cm2 for bsa."""
    if normalisation == "bw":
        size, words = weight_kg(work, own=own), "body weight"
    elif normalisation == "ibw":
        size, words = body.ideal_weight_kg(height_m(work, own=own), sex_of(work, own=own)), "ideal body weight"
    elif normalisation == "bsa":
        size, words = (
            body.body_surface_m2(weight_kg(work, own=own), height_m(work, own=own)),
            "body surface after Du Bois",
        )
    else:
        weight, height, sex = weight_kg(work, own=own), height_m(work, own=own), sex_of(work, own=own)
        size, words = _lean_mass(work, normalisation, weight, height, sex)
    if size <= 0:
        raise SuvError(f"{work.name}: {words} comes out as {size:.3g} kg, which cannot be; check weight and height")
    norm, unit = (size * 1e4, "cm2") if normalisation == "bsa" else (size * 1e3, "g")
    if not own:
        step = f"{normalisation}: {words}, {norm:.6g} {unit}"
        work.note("normalisation", step, normalisation=normalisation, norm=norm, norm_unit=unit)
    return norm


def _lean_mass(work: Work, kind: Normalisation, weight: float, height: float, sex: str) -> tuple[float, str]:
    if kind == "lbmjanma":
        return body.lean_mass_janmahasatian_kg(weight, height, sex), "lean body mass after Janmahasatian"
    male = 128.0 if kind == "lbmjames128" else 120.0
    vertex = body.james_vertex_bmi(sex, male=male)
    if weight / height**2 > vertex:
        work.warn(
            f"body mass index {weight / height**2:.1f} lies above {vertex:.1f} kg/m2, from where James's lean mass "
            "falls with rising weight; lbmjanma does not"
        )
    return body.lean_mass_james_kg(weight, height, sex, male=male), f"lean body mass after James, {male:g} in men"
