"""Standard `pyradiomics` gives PyRadiomics' columns, numbers, diagnostics and refusals."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import numpy as np
import pytest

from radiomics_pipeline.errors import BadMask, DiscretisationError, ParamsError
from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
from radiomics_pipeline.extraction.pyradiomics_columns import FAMILIES, WITHDRAWN
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.types import read_name
from tests.extraction.pyradiomics_cases import (
    SPHERICAL,
    Case,
    as_text,
    clinical_cases,
    compare,
    extract,
    filtered,
    options,
    pyradiomics,
    spherical,
    synthetic_cases,
    table,
)

CASES = {case.name: case for case in synthetic_cases()}
OFTEN = "int16 anisotropic"
REFERENCE = Path(__file__).parents[1] / "reference"
SHOWN_OTHERWISE = {"diagnostics_Versions_PyRadiomics", "diagnostics_Versions_PyWavelet"}


@pytest.fixture(autouse=True)
def _installed(pyradiomics):
    """Every test here needs PyRadiomics."""


def section(**sections) -> PyradiomicsSeries:
    return PyradiomicsSeries.model_validate(sections)


@pytest.mark.parametrize("option", options(CASES[OFTEN]))
def test_every_option_gives_the_same(option):
    case = CASES[OFTEN]
    found = compare(case, option, options(case)[option])
    assert found.faults == ()


@pytest.mark.parametrize("option", filtered(CASES[OFTEN]))
def test_every_option_of_filters_gives_the_same(option):
    case = CASES[OFTEN]
    assert compare(case, option, filtered(case)[option]).faults == ()


@pytest.mark.parametrize("name", [name for name in CASES if name not in (OFTEN, "many levels")])
def test_every_filter_of_every_case_gives_the_same(name):
    case = CASES[name]
    assert compare(case, "every filter", filtered(case)["every filter"]).faults == ()


@pytest.mark.parametrize("name", SPHERICAL)
@pytest.mark.parametrize("option", spherical(CASES[OFTEN]))
def test_patterns_on_a_sphere_give_what_pyradiomics_gave(name, option):
    with (REFERENCE / "pyradiomics_lbp3d.csv").open(encoding="utf-8", newline="") as file:
        wanted = {
            row["column"]: float(row["value"])
            for row in csv.DictReader(file)
            if (row["case"], row["option"]) == (name, option)
        }
    found = extract(CASES[name], spherical(CASES[name])[option]).values
    assert list(found) == list(wanted)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("option", ["default", "resample finer", "resegmentShape", "normalize", "shape2D across z"])
@pytest.mark.parametrize("name", [name for name in CASES if name not in (OFTEN, "many levels")])
def test_every_case_gives_the_same(name, option):
    assert compare(CASES[name], option, options(CASES[name])[option]).faults == ()


@pytest.mark.parametrize("option", ["default", "resample to 2 mm", "resegment and resample", "binCount 16"])
def test_a_pet_gives_the_same(shared, option):
    (case,) = clinical_cases(shared)
    assert compare(case, option, options(case)[option]).faults == ()


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", CASES)
def test_every_case_under_every_option_gives_the_same(name):
    found = table([CASES[name]])
    assert [f"{one.option}: {fault}" for one in found for fault in one.faults] == [], as_text(found)


@pytest.mark.exhaustive
@pytest.mark.parametrize("series", [0, 1], ids=["PET", "CT"])
def test_pet_and_ct_under_every_option_give_the_same(shared, series):
    found = table([list(clinical_cases(shared, ct=True))[series]])
    assert [f"{one.option}: {fault}" for one in found for fault in one.faults] == [], as_text(found)


def test_a_difference_is_seen():
    case = CASES[OFTEN]
    other = Case(case.name, case.array + np.int16(1), case.mask, case.grid, case.width)
    theirs, _ = pyradiomics(case, {"setting": {"binWidth": 25}})
    values = extract(other, {"setting": {"binWidth": 25}}).values
    assert values["original_firstorder_Mean"] == pytest.approx(float(theirs["original_firstorder_Mean"]) + 1)
    assert not compare(case, "default", {"setting": {"binWidth": 25}}).faults
    assert compare(_Shifted(*vars(case).values()), "default", {"setting": {"binWidth": 25}}).faults


class _Shifted(Case):
    """A case of which we see another image than PyRadiomics."""

    def ours(self, label: int = 1):
        volume, region = super().ours(label)
        return type(volume)(volume.array + np.int16(1), volume.grid, native=True), region


def without_numpy(value) -> str:
    """PyRadiomics' text of a value, with numbers as they read without numpy 2."""
    return re.sub(r"np\.float64\(([^)]*)\)", r"\1", str(value))


@pytest.mark.parametrize(
    "option", ["default", "resample finer", "resegment and resample", "resegment sigma", "preCrop", "own of Original"]
)
def test_diagnostics_are_the_same(option):
    case = CASES["disconnected"]
    case = Case(case.name, case.array, (case.mask == 1).astype(np.uint8), case.grid, case.width)
    tree = options(case)[option]
    theirs, _ = pyradiomics(case, tree)
    expected = {name: without_numpy(v) for name, v in theirs.items() if name.startswith("diagnostics_")}
    found = extract(case, tree).diagnostics
    assert list(found) == list(expected)
    for name in set(expected) - SHOWN_OTHERWISE:
        if "Configuration" in name:
            assert ast.literal_eval(found[name]) == ast.literal_eval(expected[name]), name
        elif "Mean" in name:  # ITK adds the voxels up in another order
            assert float(found[name]) == pytest.approx(float(expected[name]), rel=1e-12), name
        else:
            assert found[name] == expected[name], name


def test_without_additional_info_there_are_no_diagnostics():
    assert extract(CASES["tiny"], {"setting": {"additionalInfo": False}}).diagnostics == {}


def test_every_feature_of_every_class_is_there_but_those_withdrawn():
    from radiomics import getFeatureClasses

    ours = {family.token: family for family in FAMILIES}
    for token, theirs in getFeatureClasses().items():
        names = {n: late for n, late in theirs.getFeatureNames().items() if n not in WITHDRAWN.get(token, ())}
        assert {name: not feature.default for name, feature in ours[token].features.items()} == names, token
        assert list(ours[token].features) == list(names), token


def test_every_column_is_read_back_and_explained():
    plan = plan_pyradiomics(section(setting={"force2D": True}, unit="HU"), "CT")
    assert len(plan.columns) == 107 + 9
    for spec in plan.columns:
        assert read_name(spec.column) == spec.name
        assert spec.column.startswith("CT_original_")
        assert spec.standard == "pyradiomics"
        assert spec.definition
        assert "{u}" not in spec.unit
    by_name = {spec.column: spec for spec in plan.columns}
    assert by_name["CT_original_firstorder_Energy"].unit == "HU^2"
    assert by_name["CT_original_glcm_Contrast"].aggregation == "2.5D:avg"


def test_the_dictionary_says_how_an_image_is_made():
    types = {"Original": {}, "Wavelet": {"binCount": 9}, "LBP2D": {"lbp2DRadius": 2}, "LoG": {"sigma": [1, 2.5]}}
    told = {spec.column: spec.filter for spec in plan_pyradiomics(section(imageType=types), "CT").columns}
    assert told["CT_original_glcm_Contrast"] == ""
    assert told["CT_wavelet-LLH_glcm_Contrast"] == (
        "Wavelet: wavelet coif1, start_level 0, level 1; grey levels: binCount 9"
    )
    assert told["CT_lbp-2D_glcm_Contrast"] == (
        "LBP2D: lbp2DRadius 2, lbp2DSamples 8, lbp2DMethod uniform; grey levels: binWidth 25"
    )
    assert told["CT_log-sigma-2-5-mm-3D_ngtdm_Contrast"].startswith("LoG: sigma [1, 2.5]; grey levels")


def test_a_plan_refuses_what_is_not_there():
    with pytest.raises(ParamsError, match="CT: featureClass glcm: no feature 'Contarst', did you mean 'Contrast'"):
        plan_pyradiomics(section(featureClass={"glcm": ["Contarst"]}), "CT")
    with pytest.raises(ParamsError, match="shape2D needs force2D"):
        plan_pyradiomics(section(featureClass={"shape2D": None}), "CT")
    with pytest.raises(ParamsError, match="imageType LoG makes no image; LoG needs sigma"):
        plan_pyradiomics(section(imageType={"LoG": {}}), "CT")
    with pytest.raises(ParamsError, match="'glcm' is the name of a feature family"):
        plan_pyradiomics(section(), "glcm")


def test_a_shape_in_two_dimensions_is_undefined_where_there_are_several_slices():
    found = extract(CASES[OFTEN], {"setting": {"force2D": True, "binWidth": 25}})
    reason = found.undefined["original_shape2D_Sphericity"]
    assert "slices across z" in reason
    assert np.isnan(found.values["original_shape2D_Sphericity"])
    assert not np.isnan(found.values["original_glcm_Contrast"])


def test_facts_speak_of_the_grid_of_the_features():
    case = CASES["float32"]
    low = float(np.median(case.array[case.mask == 1]))
    found = extract(case, {"setting": {"resampledPixelSpacing": [1, 1, 1], "binWidth": 1, "resegmentRange": [low]}})
    assert found.facts.voxel_mm == (1.0, 1.0, 1.0)
    assert found.facts.native_mm == case.grid.spacing_mm[::-1]
    assert found.facts.voxels == round(found.facts.volume_ml * 1000)
    assert 0 < found.facts.intensity_voxels < found.facts.voxels
    assert found.facts.levels > 3
    assert any(
        "border" in text for text in extract(CASES["at the border"], {"setting": {"binWidth": 1}}).facts.warnings
    )


def test_levels_beyond_eight_bits_are_warned_of():
    case, tree = CASES["uint8"], {"setting": {"binWidth": 25}, "featureClass": {"firstorder": ["Entropy"]}}
    for factor, shift, wrong in ((1, 100, False), (1.8, 0, True)):
        bright = (case.array * factor + shift).clip(0, 254).astype(np.uint8)
        bright = Case(case.name, bright, case.mask, case.grid, 25)
        assert bool(compare(bright, "default", tree).faults) is wrong
        assert any("NumPy 2" in text for text in extract(bright, tree).facts.warnings) is wrong
        assert not compare(bright, "default", {**tree, "setting": {"binWidth": 25.0}}).faults
        assert not extract(bright, {**tree, "setting": {"binWidth": 25.0}}).facts.warnings


def test_levels_of_a_filtered_image_beyond_eight_bits_are_warned_of():
    case = CASES["uint8"]
    codes = {"imageType": {"LBP2D": {"lbp2DMethod": "ror", "binWidth": 5}}, "setting": {"force2D": True}}
    assert any("values of lbp-2D" in text for text in extract(case, codes).facts.warnings)


def test_a_response_that_is_not_a_number_leaves_its_features_empty():
    case = CASES["constant"]
    tree = {"imageType": {"Original": {}, "LBP2D": {"lbp2DMethod": "var"}}, "setting": {"binWidth": 25}}
    floats = Case(case.name, case.array.astype(np.float32), case.mask, case.grid, case.width)
    found = extract(floats, tree)
    assert np.isnan(found.values["lbp-2D_glcm_Contrast"])
    assert "no value at" in found.undefined["lbp-2D_glcm_Contrast"]
    assert not np.isnan(found.values["original_firstorder_Mean"])


def test_a_filtered_image_of_too_many_levels_costs_only_itself():
    case = CASES["float32"]
    tree = {"imageType": {"Original": {}, "Square": {"binWidth": 1e-7}}, "setting": {"binWidth": case.width}}
    found = extract(case, tree)
    assert "more than 65536 grey levels" in found.undefined["square_glcm_Contrast"]
    assert not np.isnan(found.values["original_glcm_Contrast"])
    with pytest.raises(DiscretisationError):
        extract(case, {"setting": {"binWidth": 1e-7}})


def test_a_plan_without_features_prepares_all_the_same():
    plan = plan_pyradiomics(section(setting={"minimumROISize": 10000}), "", named=False).without_features()
    assert plan.columns == ()
    with pytest.raises(BadMask, match="minimumROISize"):
        plan.extract(*CASES[OFTEN].ours())
