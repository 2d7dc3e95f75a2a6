"""Sizes of the body that SUV is normalised to: the published patient, the formulas and what they must do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiomics_pipeline.imaging.body import (
    body_surface_m2,
    ideal_weight_kg,
    james_vertex_bmi,
    lean_mass_james_kg,
    lean_mass_janmahasatian_kg,
)

SEXED = [lean_mass_james_kg, lean_mass_janmahasatian_kg, lambda weight, height, sex: ideal_weight_kg(height, sex)]


def test_the_real_patient_of_71_kg_and_163_cm():
    published = {"lbm": 6.1650, "james128": 5.9959, "janma": 5.8891, "ibw": 6.6472}
    sizes = {
        "lbm": lean_mass_james_kg(71, 1.63, "M"),
        "james128": lean_mass_james_kg(71, 1.63, "M", male=128),
        "janma": lean_mass_janmahasatian_kg(71, 1.63, "M"),
        "ibw": ideal_weight_kg(1.63, "M"),
    }
    for name, size in sizes.items():
        assert 7.910675 * size / 71 == pytest.approx(published[name], abs=5e-5)
    assert 7.910675 * body_surface_m2(71, 1.63) * 10 / 71 == pytest.approx(1.9676, abs=5e-5)


def test_ideal_weight_at_the_formulas_own_height():
    assert ideal_weight_kg(1.52, "M") == pytest.approx(48.0)
    assert ideal_weight_kg(1.52, "F") == pytest.approx(45.5)
    assert ideal_weight_kg(1.62, "M") - ideal_weight_kg(1.52, "M") == pytest.approx(10.6)


@pytest.mark.parametrize("size", SEXED)
def test_sex_other_is_the_mean_of_both(size):
    assert size(80, 1.7, "O") == pytest.approx((size(80, 1.7, "M") + size(80, 1.7, "F")) / 2)


@pytest.mark.parametrize("size", SEXED)
@pytest.mark.parametrize("sex", ["", "m", "X"])
def test_any_other_sex_is_refused(size, sex):
    with pytest.raises(ValueError, match="M, F or O"):
        size(80, 1.7, sex)


@pytest.mark.parametrize("sex", ["M", "F"])
def test_the_lean_mass_of_james_falls_from_its_vertex_on_and_that_of_janmahasatian_never(sex):
    height, step = 1.7, 0.01
    vertex = james_vertex_bmi(sex) * height**2
    assert lean_mass_james_kg(vertex, height, sex) > lean_mass_james_kg(vertex + step, height, sex)
    assert lean_mass_james_kg(vertex, height, sex) > lean_mass_james_kg(vertex - step, height, sex)
    weights = [40 + 5 * n for n in range(40)]
    masses = [lean_mass_janmahasatian_kg(w, height, sex) for w in weights]
    assert masses == sorted(masses)


@given(st.floats(16, 60), st.floats(1.4, 2.1), st.sampled_from("MFO"))
def test_lean_mass_is_less_than_the_whole_unless_a_body_is_all_too_thin(bmi, height, sex):
    weight = bmi * height**2
    assert 0 < lean_mass_janmahasatian_kg(weight, height, sex) < weight
    assert lean_mass_james_kg(weight, height, sex) < weight * 1.1
    assert 0.9 < body_surface_m2(weight, height) < 4.1
