"""Filtered images among the features of a series: names, settings, refusals, and what the features see."""

import numpy as np
import pytest

import radiomics_pipeline as rp
from radiomics_pipeline.errors import AnisotropicVoxels, ParamsError
from radiomics_pipeline.extraction.ibsi import plan_ibsi
from radiomics_pipeline.imaging.filters.table import filter_named, settings_of
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.types import Grid, Region, Volume

FAMILIES = ("intensity", "glcm")
GRID = Grid((24, 26, 28), (2.0, 2.0, 2.0))
BINS = {"method": "fixed-bin-number", "bins": 16}
LOG = {"filter": "log", "settings": {"sigma_mm": 2.5}, "families": FAMILIES}


def section(*filters, **more):
    values = {"unit": "SUV", "families": ("intensity",), "discretise": BINS, "filters": filters, **more}
    return SeriesParams.model_validate(values)


def case(seed=0, unit="SUV"):
    rng = np.random.default_rng(seed)
    mask = np.zeros(GRID.shape, bool)
    mask[9:15, 8:17, 10:18] = rng.random((6, 9, 8)) < 0.8
    return Volume(rng.gamma(2.0, 2.0, GRID.shape), GRID, unit), Region(mask, mask, GRID)


def images(plan):
    return list(dict.fromkeys(spec.name.image for spec in plan.columns))


def test_features_are_those_of_the_response_in_the_voxels_of_the_region():
    volume, region = case()
    row = filter_named("log")
    response = row.respond(volume.array, GRID.spacing_mm, settings_of(row, LOG["settings"]))[region.intensity]
    values = plan_ibsi(section(LOG), "PET").extract(volume, region).values
    assert values["PET_log-2.5mm_intensity_Mean"] == pytest.approx(response.mean(), rel=1e-9)
    assert values["PET_log-2.5mm_intensity_Maximum"] == pytest.approx(response.max(), rel=1e-9)
    assert values["PET_original_intensity_Mean"] == pytest.approx(volume.array[region.intensity].mean())
    assert np.isfinite(values["PET_log-2.5mm_glcm_Contrast"])


def test_voxels_are_chosen_by_the_image_and_not_by_the_response():
    volume, region = case()
    values = plan_ibsi(section(LOG, resegment={"range": (3.0, None)}), "PET").extract(volume, region).values
    row = filter_named("log")
    response = row.respond(volume.array, GRID.spacing_mm, settings_of(row, LOG["settings"]))
    kept = region.intensity & (volume.array >= 3.0)
    assert values["PET_log-2.5mm_intensity_Minimum"] == pytest.approx(response[kept].min(), rel=1e-9)


def test_the_rest_of_the_image_matters_as_far_as_a_filter_reaches_and_no_further():
    volume, region = case()
    plan = plan_ibsi(section(LOG), "PET")
    near, far = volume.array.copy(), volume.array.copy()
    near[3:6] += 5.0
    far[:3] += 5.0
    found = {
        name: plan.extract(Volume(array, GRID, "SUV"), region).values for name, array in (("near", near), ("far", far))
    }
    whole = plan.extract(volume, region).values
    assert found["far"] == whole
    assert found["near"] != whole


def test_columns_are_named_after_filter_and_settings_and_are_in_the_order_asked_for():
    wavelets = {
        "filter": "wavelet",
        "settings": {"wavelet": "haar"},
        "each": {"subband": ("LLH", "HHH")},
        "families": ("intensity",),
    }
    named = {**LOG, "name": "edges", "settings": {"sigma_mm": 1}}
    plan = plan_ibsi(section(wavelets, LOG, named), "PET")
    assert images(plan) == ["original", "wavelet-haar-LLH", "wavelet-haar-HHH", "log-2.5mm", "edges"]
    units = {spec.column: spec.unit for spec in plan.columns}
    assert units["PET_edges_intensity_Variance"] == "response^2"
    assert units["PET_original_intensity_Variance"] == "SUV^2"


def test_all_families_are_those_that_see_intensities():
    plan = plan_ibsi(section({**LOG, "families": "all"}), "PET")
    families = {spec.name.family for spec in plan.columns if spec.name.image != "original"}
    assert "morphology" not in families
    assert "localintensity" not in families
    assert {"intensity", "histogram", "ivh", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"} == families
    volume, region = case()
    values = plan.extract(volume, region).values
    assert sum(np.isnan(value) for value in values.values()) == 0


def test_grey_levels_are_32_or_those_asked_for():
    volume, region = case()
    column = "PET_log-2.5mm_glcm_JointMaximum"
    plain = plan_ibsi(section(LOG), "PET").extract(volume, region).values[column]
    same = plan_ibsi(section({**LOG, "discretise": {**BINS, "bins": 32}}), "PET").extract(volume, region).values[column]
    other = plan_ibsi(section({**LOG, "discretise": BINS}), "PET").extract(volume, region).values[column]
    assert plain == same != other


def test_a_flat_image_has_one_grey_level_and_no_texture_of_noise():
    _, region = case()
    volume = Volume(np.full(GRID.shape, 0.1), GRID, "SUV")
    wavelet = {"filter": "wavelet", "settings": {"wavelet": "db3", "subband": "HHL"}, "families": ("intensity", "glcm")}
    values = plan_ibsi(section(wavelet), "PET").extract(volume, region).values
    assert values["PET_wavelet-db3-HHL_intensity_Range"] == 0
    assert values["PET_wavelet-db3-HHL_glcm_JointMaximum"] == 1


def test_counts_where_suv_is_meant_leave_intensities_empty_and_keep_textures():
    volume, region = case(unit="counts")
    found = plan_ibsi(section(LOG), "PET").extract(volume, region)
    assert np.isnan(found.values["PET_log-2.5mm_intensity_Mean"])
    assert "not in SUV" in found.undefined["PET_log-2.5mm_intensity_Mean"]
    suv = plan_ibsi(section(LOG), "PET").extract(Volume(volume.array, GRID, "SUV"), region)
    assert found.values["PET_log-2.5mm_glcm_Contrast"] == suv.values["PET_log-2.5mm_glcm_Contrast"]


def test_a_series_may_have_filters_alone():
    plan = plan_ibsi(section(LOG, families=()), "PET")
    assert images(plan) == ["log-2.5mm"]


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({"filter": "lag"}, r"filters, number 2: no filter 'lag', did you mean 'log' or 'laws'|did you mean 'log'"),
        ({"filter": "log"}, "filter log: give either sigma_mm or sigma_voxels"),
        ({**LOG, "families": ("morphology",)}, "family morphology says nothing of a filtered image"),
        ({**LOG, "families": ("glmc",)}, "no feature family 'glmc', did you mean 'glcm'"),
        (LOG, "two images are called log-2.5mm; give one of them another `name`"),
        ({**LOG, "name": "glcm"}, "'glcm' is the name of a feature family"),
    ],
)
def test_filters_that_cannot_be_computed_are_refused_with_their_place(one, message):
    with pytest.raises(ParamsError, match=message):
        plan_ibsi(section(LOG, one), "PET")


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({**LOG, "resegment": {"range": (0, 1)}}, "a filtered image has no unit and no range of its own"),
        ({**LOG, "each": {"sigma_mm": (1, 2)}}, "sigma_mm stands in settings and in each"),
        ({**LOG, "each": {"truncate": ()}}, "each.truncate names no value"),
        ({**LOG, "name": "x", "each": {"truncate": (3, 4)}}, "leave `name` out"),
    ],
)
def test_entries_that_contradict_themselves_are_refused(one, message):
    with pytest.raises(ValueError, match=message):
        section(one)


def test_a_filter_is_applied_from_python():
    volume, _ = case()
    response = rp.apply_filter(volume, {"filter": "mean", "settings": {"support": 3}})
    assert response.grid == volume.grid
    assert response.array[5, 5, 5] == pytest.approx(volume.array[4:7, 4:7, 4:7].mean())
    with pytest.raises(ParamsError, match="2 images are asked for, log-1mm, log-2mm; name one"):
        rp.apply_filter(volume, {"filter": "log", "each": {"sigma_mm": (1, 2)}})
    with pytest.raises(ParamsError, match="filter: filter: Field required"):
        rp.apply_filter(volume, {"filtre": "log"})


def test_the_dictionary_says_how_an_image_is_made():
    told = {spec.column: spec.filter for spec in plan_ibsi(section(LOG), "PET").columns}
    whole = "log: boundary mirror, slicewise false, sigma_mm 2.5, truncate 4.0"
    assert told["PET_log-2.5mm_intensity_Mean"] == whole
    assert told["PET_log-2.5mm_glcm_Contrast"] == f"{whole}; grey levels: method fixed-bin-number, bins 32"
    assert told["PET_original_intensity_Mean"] == ""


def test_a_response_without_the_grey_levels_asked_for_costs_only_its_textures():
    volume, region = case()
    above = {**LOG, "discretise": {"method": "fixed-bin-size", "width": 0.1, "origin": 0}}
    found = plan_ibsi(section(above), "PET").extract(volume, region)
    assert "below" in found.undefined["PET_log-2.5mm_glcm_Contrast"]
    assert np.isnan(found.values["PET_log-2.5mm_glcm_Contrast"])
    assert np.isfinite(found.values["PET_log-2.5mm_intensity_Mean"])


def test_a_check_without_features_sees_voxels_that_a_filter_cannot_take():
    volume, region = case()
    flat = Grid(GRID.shape, (3.0, 2.0, 2.0))
    plan = plan_ibsi(section(LOG), "PET").without_features()
    assert not plan.extract(volume, region).values
    with pytest.raises(AnisotropicVoxels, match="resample to voxels of one edge"):
        plan.extract(Volume(volume.array, flat, "SUV"), Region(region.morphology, region.intensity, flat))
