"""Sizes of the body that an SUV can be normalised to.

Weights in kg, heights in m; sex "M", "F", or "O", for which the mean of both is taken. The formulas of the DICOM
SUV types (PS3.3 C.8.9.1, SUVType) with the coefficients of IBSI-SUV.
"""

from __future__ import annotations

from collections.abc import Callable


def james_vertex_bmi(sex: str, *, male: float = 120.0) -> float:
    """Body mass index from which on James's lean mass falls with rising weight; of "O" the lower one of both sexes."""
    vertex = {"M": 1.10e4 / (2 * male), "F": 1.07e4 / (2 * 148)}
    return min(vertex[s] for s in ("MF" if sex == "O" else sex))


def lean_mass_james_kg(weight_kg: float, height_m: float, sex: str, *, male: float = 120.0) -> float:
    """Lean body mass after James 1976, kg (DICOM LBM; with `male` 128: LBMJAMES128).

    male : coefficient in men; both 120 and 128 are in use, and DICOM names both. The formula fails in the very obese
        (Tahari 2014).
    """
    square = (weight_kg / (100 * height_m)) ** 2
    return _by_sex(sex, lambda: 1.10 * weight_kg - male * square, lambda: 1.07 * weight_kg - 148 * square)


def lean_mass_janmahasatian_kg(weight_kg: float, height_m: float, sex: str) -> float:
    """Lean body mass after Janmahasatian 2005, kg (DICOM LBMJANMA; doi:10.2165/00003088-200544100-00004)."""
    bmi = weight_kg / height_m**2
    return _by_sex(sex, lambda: 9270 * weight_kg / (6680 + 216 * bmi), lambda: 9270 * weight_kg / (8780 + 244 * bmi))


def ideal_weight_kg(height_m: float, sex: str) -> float:
    """Ideal body weight, kg (DICOM IBW, with the coefficients that IBSI-SUV gives)."""
    above_cm = 100 * height_m - 152
    return _by_sex(sex, lambda: 48.0 + 1.06 * above_cm, lambda: 45.5 + 0.91 * above_cm)


def body_surface_m2(weight_kg: float, height_m: float) -> float:
    """Body surface area after Du Bois 1916, m2 (Arch Intern Med 17:863; DICOM BSA)."""
    return 0.007184 * (100 * height_m) ** 0.725 * weight_kg**0.425


def _by_sex(sex: str, male: Callable[[], float], female: Callable[[], float]) -> float:
    """One formula by sex; the mean of both for "O"; ValueError for anything else."""
    if sex == "M":
        return male()
    if sex == "F":
        return female()
    if sex == "O":
        return (male() + female()) / 2
    raise ValueError(f"sex {sex!r}; it is M, F or O")
