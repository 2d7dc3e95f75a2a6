"""Families that see the voxels of the file, what lies beyond a region, and images in another unit than is meant."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from radiomics_pipeline.errors import DiscretisationError, ParamsError
from radiomics_pipeline.extraction.ibsi import plan_ibsi, unknown_family
from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.registry import Sample
from radiomics_pipeline.features.uptake import uptake_family
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.types import Grid, Region, Volume
from radiomics_pipeline.types.context import Context, ReferenceValues

FINE = {"method": "fixed-bin-size", "width": 0.25, "origin": 0}
BINS = {"method": "fixed-bin-number", "bins": 16}
CONTEXT = Context({"liver": ReferenceValues(2.0, 0.25, 3.0, 100, 5.0)}, 50.0)
TURNED = (0.0, -1.0, 0.0, 0.6, 0.0, -0.8, 0.8, 0.0, 0.6)


def case(unit="SUV", factor=1.0):
    rng = np.random.default_rng(4)
    z, y, x = np.indices((11, 12, 13))
    mask = (z - 5) ** 2 + (y - 4) ** 2 + (x - 6) ** 2 <= 10
    image = (rng.gamma(2, 0.5, mask.shape) + 5 * mask) * factor
    grid = Grid(mask.shape, (3.0, 2.0, 2.5), (10.0, -20.0, 30.0), TURNED)
    return Volume(image, grid, unit), Region(mask, mask, grid, "tumour", 1)


def plan(**given):
    known = {"unit": "SUV", "discretise": FINE, "references": {"liver": {"label": 2}}}
    return plan_ibsi(SeriesParams.model_validate(known | given), "PET")


def features(found, family):
    return {k.split("_")[3]: v for k, v in found.values.items() if k.split("_")[2] == family}


def test_uptake_follows_the_families_and_only_where_its_section_asks_for_it():
    without, with_it = plan(), plan(uptake={"volumes": [{"percent": 41}]})
    assert with_it.columns[: len(without.columns)] == without.columns
    own = with_it.columns[len(without.columns) :]
    assert {spec.name.family for spec in own} == {"uptake"}
    units = {spec.name.feature: spec.unit for spec in own}
    assert (units["Maximum"], units["Tlg"], units["MtvPercent41"], units["SbrLiver"]) == ("SUV", "SUV*ml", "ml", "1")
    assert {spec.name.family for spec in without.columns} == {family.token for family in FAMILIES}
    assert {spec.standard for spec in own} == {"ibsi"}


def test_the_polar_map_follows_uptake_and_names_its_own_image():
    axis = {"method": "short-axis", "base": "+z", "anterior": "-y", "lateral": "+x"}
    textures = {"families": ["glcm"], "levels": 8}
    with_map = plan(uptake={}, polar_map={"axis": axis, "textures": textures}, families=["glcm"])
    order = list(dict.fromkeys((spec.name.image, spec.name.family) for spec in with_map.columns))
    own = [("original", "glcm"), ("original", "uptake"), ("original", "polarmap"), ("polar-map", "glcm")]
    assert order == own
    assert pickle.loads(pickle.dumps(with_map)).columns == with_map.columns


def test_uptake_is_taken_from_the_voxels_of_the_file_and_the_outline_as_drawn():
    volume, region = case()
    params = {"uptake": {}, "families": ["intensity"]}
    plain = plan(**params).extract(volume, region, CONTEXT)
    other = plan(
        **params,
        resample={"voxel_mm": 4},
        resegment={"range": [6, None]},
        discretise=BINS,
    ).extract(volume, region, CONTEXT)
    assert features(other, "uptake") == features(plain, "uptake")
    assert features(other, "intensity")["Mean"] > features(plain, "intensity")["Mean"]
    direct, _ = uptake_family(plan(**params).params.uptake, ("liver",)).compute(Sample(volume, region, context=CONTEXT))
    assert features(plain, "uptake") == pytest.approx(direct, rel=1e-12)
    assert features(plain, "uptake")["Maximum"] == volume.array[region.morphology].max()
    assert not plain.undefined


def test_the_context_reaches_the_indices_and_without_one_they_say_what_is_lacking():
    volume, region = case()
    with_section = plan(uptake={}, families=["intensity"])
    found = with_section.extract(volume, region, CONTEXT)
    mean = features(found, "uptake")["Mean"]
    assert features(found, "uptake")["SbrLiver"] == pytest.approx((mean - 2) / 2)
    assert features(found, "uptake")["CountsShare"] == pytest.approx(
        mean * region.morphology.sum() * 0.015 / 50, rel=1e-12
    )
    alone = with_section.extract(volume, region)
    assert alone.undefined["PET_original_uptake_SbrLiver"] == "the case has no reference region 'liver'"
    assert "not known" in alone.undefined["PET_original_uptake_CountsShare"]
    assert features(alone, "uptake")["Mean"] == mean


def test_plan_with_uptake_travels_and_can_be_bared():
    volume, region = case()
    one = plan(uptake={"volumes": [{"value": 4}]}, families=["intensity"])
    assert pickle.loads(pickle.dumps(one)).extract(volume, region, CONTEXT) == one.extract(volume, region, CONTEXT)
    assert one.without_features().extract(volume, region).values == {}


@pytest.mark.parametrize("standard", ["ibsi", "pyradiomics"])
def test_position_and_volume_are_those_of_the_outline_in_the_patient(standard):
    volume, region = case()
    params = {"setting": {"resampledPixelSpacing": [3, 3, 3]}, "featureClass": {"firstorder": ["Mean"]}}
    found = (
        plan(resample={"voxel_mm": 3}, families=["intensity"]).extract(volume, region)
        if standard == "ibsi"
        else plan_pyradiomics(PyradiomicsSeries.model_validate(params), "PET").extract(volume, region, CONTEXT)
    )
    places = [region.grid.position_mm(at) for at in np.argwhere(region.morphology).tolist()]
    assert found.facts.centroid_mm == pytest.approx(tuple(np.mean(places, axis=0)))
    assert found.facts.outline_ml == pytest.approx(len(places) * 0.015)
    assert found.facts.volume_ml != found.facts.outline_ml  # that on the grid of the features


def test_pyradiomics_itself_gives_position_and_volume_too(pyradiomics):
    from radiomics_pipeline.extraction.pyradiomics_engine import plan_engine

    volume, region = case()
    params = {"setting": {"resampledPixelSpacing": [3, 3, 3]}, "featureClass": {"firstorder": ["Mean"]}}
    section = PyradiomicsSeries.model_validate(params)
    found, own = (make(section, "PET").extract(volume, region, CONTEXT) for make in (plan_engine, plan_pyradiomics))
    assert found.facts.centroid_mm == own.facts.centroid_mm
    assert found.facts.outline_ml == own.facts.outline_ml


EVERYTHING = {
    "uptake": {"volumes": [{"percent": 41}, {"value": 4}, {"reference": "liver"}]},
    "settings": [{"name": "fbn", "families": ["histogram", "ivh", "glcm"], "discretise": BINS}],
}


def test_counts_instead_of_suv_leave_what_hangs_on_the_unit_empty_and_the_rest_as_it_is():
    counts = {"liver": ReferenceValues(2e4, 2.5e3, 3e4, 100, 5.0)}
    whole = plan(**EVERYTHING)
    suv = whole.extract(*case(), CONTEXT)
    found = whole.extract(*case("counts", 1e4), Context(counts, 50e4))
    reason = "the image is in counts, not in SUV"
    assert set(suv.values) == set(found.values)
    assert not suv.undefined
    empty = {column for column, value in found.values.items() if math.isnan(value)}
    assert empty == {column for column, why in found.undefined.items() if why == reason}
    for spec in whole.columns:
        binned = spec.name.family in ("histogram", "ivh", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
        in_suv = "SUV" in spec.unit or (binned and spec.name.setting != "fbn") or spec.name.family == "ivh"
        in_suv |= spec.name.feature == "MtvValue4"
        assert (spec.column in empty) == in_suv, spec.column
        if not in_suv:
            assert found.values[spec.column] == pytest.approx(suv.values[spec.column], rel=1e-9), spec.column
    assert "PET_original_morphology_IntegratedIntensity" in empty
    assert not {"PET_original_intensity_Skewness", "PET_original_uptake_SbrLiver"} & empty
    assert f"{reason}: what hangs on the unit is left empty" in found.facts.warnings
    assert found.facts.levels is None


def test_intensity_volume_histograms_of_bin_numbers_do_without_the_unit():
    numbered = plan(families=["ivh"], ivh={"method": "fixed-bin-number", "bins": 100})
    found = numbered.extract(*case("counts", 1e4))
    assert found.values == pytest.approx(numbered.extract(*case()).values)
    assert not found.undefined


def test_a_range_in_suv_leaves_shape_and_the_indices_of_the_outline():
    resegment = {"range": [1, None], "sigma": 3}
    cut = plan(**EVERYTHING, resegment=resegment)
    found = cut.extract(*case("counts", 1e4), CONTEXT)
    kept = {column for column, value in found.values.items() if not math.isnan(value)}
    assert {column.split("_")[2] for column in kept} == {"morphology", "uptake"}
    shape = features(plan(families=["morphology"], resegment=resegment).extract(*case()), "morphology")
    left = {column.split("_")[3] for column in kept if "_morphology_" in column}
    assert set(shape) - left == {"CentreOfMassShift", "IntegratedIntensity", "MoransI", "GearysC"}
    assert all(found.values[f"PET_original_morphology_{name}"] == pytest.approx(shape[name]) for name in left)


def test_without_knowing_the_unit_of_the_image_the_one_meant_is_taken():
    volume, region = case("")
    assert not plan(families=["intensity"]).extract(volume, region).undefined


def test_counts_said_to_be_suv_are_not_let_through():
    volume, region = case("SUV", 1e4)
    with pytest.raises(DiscretisationError, match="is the image in SUV"):
        plan().extract(volume, region)


@pytest.mark.parametrize(("name", "section"), [("uptake", "uptake"), ("polarmap", "polar_map"), ("Uptake", "uptake")])
def test_families_with_a_section_of_their_own_say_so_where_they_are_named(name, section):
    assert f"write `{section}: {{}}`" in unknown_family(name)
    with pytest.raises(ParamsError, match="section of its own"):
        plan(families=["glcm", name])


def test_plans_refuse_references_that_the_series_has_not():
    with pytest.raises(ParamsError, match="uptake: no reference region 'aorta' in this series; it has liver"):
        plan(uptake={"references": ["aorta"]})
