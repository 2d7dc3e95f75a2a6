"""Acquisitions outside their protocol and regions too small for textures are remarked upon, all others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from radiomics_pipeline.imaging.quality import acquisition_warnings, region_warnings
from radiomics_pipeline.params.acquisition import AcquisitionRanges
from radiomics_pipeline.types.facts import FACTS, Facts

RANGES = AcquisitionRanges(
    uptake_time_min=(55, 75),
    glucose_mmol_l=(None, 11.1),
    dose_mbq_per_kg=(2, 8),
    voxel_mm=(None, 4),
    nuclides=("F-18",),
    tracers=("FDG",),
    corrected=("ATTN", "SCAT"),
    minimum_volume_ml=10,
    minimum_voxels=64,
)
GOOD = Facts(
    uptake_time_min=60.0,
    glucose_mmol_l=5.5,
    dose_mbq=250.0,
    weight_kg=70.0,
    voxel_mm=(4.0, 4.0, 3.0),
    nuclide="F-18",
    tracer="FDG",
    corrections=("ATTN", "SCAT", "DECY"),
)


def test_a_protocol_that_was_kept_gives_no_warning():
    assert acquisition_warnings(GOOD, RANGES) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"uptake_time_min": 95.2}, "uptake time 95.2 min, above the 75 min"),
        ({"uptake_time_min": 40.0}, "uptake time 40 min, below the 55 min"),
        ({"glucose_mmol_l": 12.0}, "blood glucose 12 mmol/l, above the 11.1"),
        ({"dose_mbq": 700.0}, "injected activity by weight 10 MBq/kg, above the 8"),
        ({"voxel_mm": (5.5, 5.5, 3.3)}, "voxels of 5.5 x 5.5 x 3.3 mm, above the 4 mm"),
        ({"nuclide": "Ga-68"}, "radionuclide Ga-68; the parameters are for F-18"),
        ({"tracer": "PSMA-1007"}, "radiopharmaceutical PSMA-1007; the parameters are for FDG"),
        ({"corrections": ("ATTN", "DECY")}, "does not name the corrections SCAT; it has ATTN, DECY"),
    ],
)
def test_each_fact_outside_its_range_is_named_with_its_value_and_the_bound(change, words):
    (warning,) = acquisition_warnings(replace(GOOD, **change), RANGES)
    assert words in warning


def test_what_is_not_known_and_what_is_not_asked_for_gives_no_warning():
    assert acquisition_warnings(Facts(), RANGES) == ()
    odd = replace(
        GOOD, uptake_time_min=500.0, glucose_mmol_l=30.0, tracer="PSMA-11", nuclide="Ga-68", voxel_mm=(9.0, 9.0, 9.0)
    )
    assert acquisition_warnings(odd, AcquisitionRanges()) == ()


def test_a_bound_is_kept_within_the_rounding_of_headers():
    assert acquisition_warnings(replace(GOOD, voxel_mm=(4.0001, 4.0001, 3.0)), RANGES) == ()
    assert acquisition_warnings(replace(GOOD, uptake_time_min=75.3), RANGES) == ()
    assert acquisition_warnings(replace(GOOD, uptake_time_min=75.4), RANGES) != ()


def test_voxels_below_the_lower_end_are_named_too():
    (warning,) = acquisition_warnings(
        replace(GOOD, voxel_mm=(1.0, 1.0, 3.0)), RANGES.model_copy(update={"voxel_mm": (2, 4)})
    )
    assert "below the 2 mm" in warning


def test_small_regions_are_remarked_upon_by_volume_and_by_voxels():
    assert region_warnings(10.0, 64, RANGES) == ()
    assert ["9.5 ml" in w for w in region_warnings(9.5, 64, RANGES)] == [True]
    assert ["63 voxels" in w for w in region_warnings(10.0, 63, RANGES)] == [True]
    assert len(region_warnings(0.5, 8, RANGES)) == 2
    assert region_warnings(0.001, 1, AcquisitionRanges()) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"uptake_time_min": (75, 55)},
        {"uptake_time_min": (60, 60)},
        {"voxel_mm": (None, -4)},
        {"minimum_volume_ml": 0},
        {"corrected": ("ATTENUATION",)},
        {"nuclides": ("F18",)},
        {"tracers": ("FGD",)},
        {"glucose": (None, 11)},
    ],
)
def test_ranges_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValidationError):
        AcquisitionRanges(**wrong)


def test_facts_are_columns_and_blank_where_not_known():
    assert tuple(Facts().cells()) == FACTS
    assert set(Facts().cells().values()) == {""}
    cells = replace(GOOD, gated=False, age_years=0).cells()
    assert "voxel_mm" not in cells
    assert cells["corrections"] == "ATTN SCAT DECY"
    assert (cells["gated"], cells["age_years"], cells["dose_mbq"]) == ("no", "0", "250")
