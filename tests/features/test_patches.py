"""The kernels of feature maps against their slow twins, and their features against those of the family on each box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.extraction import ibsi_maps, pyradiomics_maps
from radiomics_pipeline.extraction.map_work import Kernel
from radiomics_pipeline.features import glcm as ibsi_glcm
from radiomics_pipeline.features import intensity
from radiomics_pipeline.features.patches import FIRST_ORDER, GLCM_IBSI, GLCM_PYRADIOMICS, INTENSITY, PAIRS
from radiomics_pipeline.features.pyradiomics.firstorder import firstorder
from radiomics_pipeline.features.pyradiomics.glcm import glcm
from radiomics_pipeline.features.pyradiomics.sample import FeatureSettings
from radiomics_pipeline.kernels.patch_intensities import describe_intensities
from radiomics_pipeline.kernels.patch_pairs import describe_pairs
from radiomics_pipeline.params.extraction import SeriesParams
from radiomics_pipeline.params.pyradiomics import PyradiomicsSeries
from radiomics_pipeline.types import Grid, Region, Volume
from tests.naive import patches as naive

ROUGH = {PAIRS.index("information_2"), PAIRS.index("maximal_correlation")}
"""Square roots of what may be 0 but for rounding."""


def frozen(array, dtype):
    found = np.ascontiguousarray(array, dtype)
    found.flags.writeable = False
    return found


def small(seed, n_levels, density=0.7):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 6, 3))
    mask = rng.random(shape) < density
    levels = frozen(np.where(mask, rng.integers(1, n_levels + 1, shape), 0), np.int32)
    return rng, levels, np.argwhere(np.ones(shape, bool)).astype(np.int64)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(0, 2))
def test_intensities_agree_with_the_definition(seed, radius, kind):
    rng, levels, centres = small(seed, 5)
    image = rng.normal(50, 20, levels.shape) if kind else rng.integers(0, 4, levels.shape)
    image, counted = frozen(image, np.float64), frozen(levels > 0, np.uint8)
    reach = np.array([radius, 1, kind], np.int64)
    found = describe_intensities(image, levels, counted, centres, reach, 7.0, 1)
    for row, centre in zip(found, centres, strict=True):
        expected = naive.describe_intensities(image, levels, counted, tuple(centre), reach, 7.0)
        np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 2, 3, 6, 40)), st.integers(0, 1), st.booleans())
def test_pairs_agree_with_the_definition(seed, n_levels, merged, weighted):
    rng, levels, centres = small(seed, n_levels)
    steps = FeatureSettings(distances=(1, 2) if weighted else (1,)).steps
    weights = rng.uniform(0.1, 2, len(steps)) if weighted else np.ones(len(steps))
    reach, flat = np.array([1, rng.integers(1, 3), 1], np.int64), np.array([0.25, 0.5, 0.75])
    found = describe_pairs(levels, centres, reach, steps, weights, merged, n_levels, flat, 0.0)
    for row, centre in zip(found, centres, strict=True):
        expected = naive.describe_pairs(levels, tuple(centre), reach, steps, weights, merged, n_levels, flat)
        for k, (a, b) in enumerate(zip(row[:24], expected, strict=True)):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=3e-7 if k in ROUGH else 1e-9, err_msg=str(k))


@pytest.mark.parametrize("n", [3, 4, 5, 9, 20, 60])
def test_the_maximal_correlation_is_that_of_many_levels_too(n):
    """A box whose levels are many: the eigenvalues of a large matrix."""
    rng = np.random.default_rng(n)
    levels = frozen(rng.integers(1, n + 1, (7, 7, 7)), np.int32)
    steps, reach, flat = FeatureSettings().steps, np.array([3, 3, 3], np.int64), np.zeros(3)
    centre = np.array([[3, 3, 3]], np.int64)
    found = describe_pairs(levels, centre, reach, steps, np.ones(13), 1, n, flat, 0.0)[0]
    assert found[25] == 3 * 6 * 49 + 6 * 36 * 7 + 4 * 216  # pairs across faces, edges and corners
    expected = naive.describe_pairs(levels, (3, 3, 3), reach, steps, np.ones(13), 1, n, flat)
    np.testing.assert_allclose(found[:24], expected, rtol=1e-9, atol=1e-12)


def test_every_feature_of_the_quick_families_has_its_column():
    assert set(FIRST_ORDER) == set(firstorder.features)
    assert set(INTENSITY) == set(intensity.features)
    assert set(GLCM_PYRADIOMICS) == set(glcm.features)
    assert set(GLCM_IBSI) == set(ibsi_glcm.features)


def textured(seed, *, flat):
    """A noisy image of whole numbers, with an isolated voxel and, if asked for, patches of one intensity."""
    rng = np.random.default_rng(seed)
    image = rng.normal(100, 40, (6, 7, 8)).round()
    if flat:
        image[1:4, 2:5, 2:5], image[0] = 110, 60
    mask = np.zeros(image.shape, bool)
    mask[0:4, 3:6, 3:7] = rng.random((4, 3, 4)) < 0.85
    mask[5, 6, 7] = True
    return Volume(image, Grid(image.shape, (2.0, 1.5, 1.0))), mask


def computed(plan, volume, mask):
    work = plan.prepare(volume, Region(mask, mask, volume.grid), crop=True)
    return np.concatenate([values for _, values in work.blocks()], axis=1)


def agree(plan, quick, slow):
    for spec, a, b in zip(plan.maps, quick, slow, strict=True):
        loose = spec.feature in ("Imc2", "MCC", "InformationCorrelation2")
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-7 if loose else 1e-10, err_msg=spec.name)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("kernel", [Kernel(1), Kernel(2, masked=False), Kernel(radius_mm=1.6)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"aggregation": "3D:avg"},
        {"aggregation": "2.5D:avg", "resegment": {"range": [60, None]}},
        {"aggregation": "2.5D:mrg", "resample": {"voxel_mm": 1.3}},
    ],
)
def test_maps_are_what_the_families_of_the_ibsi_give_for_each_box(monkeypatch, flat, kernel, options):
    volume, mask = textured(3, flat=flat)
    params = SeriesParams(unit="HU", **{"discretise": {"method": "fixed-bin-number", "bins": 8}, **options})
    plan = ibsi_maps.plan_ibsi_maps(params, "CT", ("intensity", "glcm"), kernel)
    quick = computed(plan, volume, mask)
    monkeypatch.setattr(ibsi_maps, "describe_ibsi", lambda *_: None)
    agree(plan, quick, computed(plan, volume, mask))


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("kernel", [Kernel(1), Kernel(2), Kernel(1, masked=False)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weightingNorm": "euclidean", "voxelArrayShift": 100},
        {"weightingNorm": "no_weighting", "force2D": True},
        {"distances": [1, 2], "binCount": 5},
    ],
)
def test_maps_are_what_the_families_of_pyradiomics_give_for_each_box(monkeypatch, flat, kernel, options):
    volume, mask = textured(4, flat=flat)
    section = PyradiomicsSeries(setting=options)
    plan = pyradiomics_maps.plan_pyradiomics_maps(section, "", ("firstorder", "glcm"), kernel)
    quick = computed(plan, volume, mask)
    monkeypatch.setattr(pyradiomics_maps, "describe_pyradiomics", lambda *_: None)
    agree(plan, quick, computed(plan, volume, mask))
