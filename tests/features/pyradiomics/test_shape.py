"""PyRadiomics' shape features: its own values on hard masks, and the kernels against slow twins."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from radiomics_pipeline.features.pyradiomics.cells import TABLE, mesh_of
from radiomics_pipeline.features.pyradiomics.sample import FeatureSettings, PyradiomicsSample
from radiomics_pipeline.features.pyradiomics.shape import Shape, padded, shape
from radiomics_pipeline.features.pyradiomics.shape2d import shape2d
from radiomics_pipeline.kernels.cells import sum_cells
from radiomics_pipeline.kernels.diameters import find_row_ends
from tests.naive import pyradiomics_cells
from tests.naive import pyradiomics_shape as naive

MASKS = arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=5), elements=st.integers(0, 1)).filter(np.any)
SPACING_MM = (3.1, 0.7, 1.13)


def crop(mask):
    places = np.argwhere(mask)
    return mask[tuple(slice(low, high) for low, high in zip(places.min(0), places.max(0) + 1, strict=True))]


def noise(seed):
    """A random region: at middle density most of its cells are ambiguous, at low it falls apart into voxels."""
    rng = np.random.default_rng(seed)
    while True:
        mask = rng.random(rng.integers(1, 12, 3)) < rng.choice([0.03, 0.2, 0.5, 0.8])
        if mask.sum() > 1:
            return crop(mask), tuple(rng.uniform(0.4, 4, 3).round(rng.integers(1, 8)).tolist())


def ball(radius):
    return sum(i**2 for i in np.indices((2 * radius + 1,) * 3) - radius) <= radius**2


def apart():
    mask = np.zeros((20, 24, 30), bool)
    mask[1:10, 2:11, 3:12] = ball(4)
    mask[13:20, 15:22, 22:29] = ball(3)
    mask[0, 23, 0] = True
    return crop(mask)


CHOSEN = {
    "one voxel": np.ones((1, 1, 1), bool),
    "two voxels": np.ones((1, 2, 1), bool),
    "voxels that touch in an edge": np.array([[[1, 0], [0, 1]]], bool),
    "voxels that touch in a corner": np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], bool),
    "three voxels": np.array([[[1, 1], [0, 0]], [[0, 0], [0, 1]]], bool),
    "line along z": np.ones((7, 1, 1), bool),
    "oblique line": np.eye(6, dtype=bool)[:, None],
    "plane across z": np.ones((1, 5, 6), bool),
    "plane across y": np.ones((4, 1, 6), bool),
    "plane across x": np.ones((4, 5, 1), bool),
    "oblique plane": np.repeat(np.eye(6, dtype=bool)[:, :, None], 4, axis=2),
    "ball": ball(7),
    "hollow ball": ball(6) & ~np.pad(ball(3), 3),
    "apart": apart(),
}


@pytest.fixture(scope="module")
def reference(pyradiomics):
    """A function that gives PyRadiomics' values for a mask as its extractor would pass it, deprecated ones too."""
    from radiomics.shape import RadiomicsShape
    from radiomics.shape2D import RadiomicsShape2D

    def compute(mask, spacing_mm, across=None):
        image, region = (sitk.GetImageFromArray(a) for a in (np.zeros(mask.shape), mask.astype(np.uint8)))
        for each in (image, region):
            each.SetSpacing(spacing_mm[::-1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its 0 / 0 on one voxel
            if across is None:
                found = RadiomicsShape(image, region, label=1)
            else:
                found = RadiomicsShape2D(image, region, label=1, force2D=True, force2Ddimension=across)
            for name in found.featureNames:
                found.enableFeatureByName(name)
            return {name: float(value) for name, value in found.execute().items()}

    return compute


def same(found, expected):
    """Equal within 1e-9, but for what rounding leaves in PyRadiomics along axes without extent."""
    assert set(found) == set(expected)
    for name, value in expected.items():
        noise_mm = 1e-7 * expected["MajorAxisLength"] if name.endswith("AxisLength") else 0
        share = 1e-7 if name in ("Elongation", "Flatness") else 0
        assert found[name] == pytest.approx(value, rel=1e-9, abs=noise_mm or share, nan_ok=True), name


def values(mask, spacing_mm):
    return shape.compute(PyradiomicsSample(mask, spacing_mm))


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen_regions_have_pyradiomics_values(reference, name):
    same(values(CHOSEN[name], SPACING_MM)[0], reference(CHOSEN[name], SPACING_MM))


@pytest.mark.parametrize("seed", range(60))
def test_noise_has_pyradiomics_values(reference, seed):
    mask, spacing_mm = noise(seed)
    same(values(mask, spacing_mm)[0], reference(mask, spacing_mm))


def test_noise_shows_that_the_mesh_is_open():
    mask, _ = noise(13)
    volumes = {mesh_of(padded(turned), (1.0, 1.0, 1.0)).volume for turned in (mask, mask[::-1], mask[:, ::-1])}
    assert len(volumes) == 3


@pytest.mark.parametrize("before", [(0, 0, 0), (3, 1, 6)])
def test_where_the_region_lies_in_the_image_does_not_matter(pyradiomics, before):
    mask, _ = noise(13)
    larger = np.pad(mask, [(n, 2) for n in before])
    image, region = (sitk.GetImageFromArray(a) for a in (np.zeros(larger.shape), larger.astype(np.uint8)))
    for each in (image, region):
        each.SetSpacing(SPACING_MM[::-1])
    extractor = pyradiomics.featureextractor.RadiomicsFeatureExtractor(additionalInfo=False)
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName("shape")
    expected = {name.removeprefix("original_shape_"): float(v) for name, v in extractor.execute(image, region).items()}
    found = values(mask, SPACING_MM)[0]
    same({name: found[name] for name in expected}, expected)
    assert [name for name in found if name in expected] == list(expected)


@pytest.mark.parametrize(("patient", "series"), [("STS_001", "PET"), ("STS_005", "CT"), ("STS_012", "PET")])
def test_real_regions_have_pyradiomics_values(reference, shared, patient, series):
    file = shared / "ibsi" / "sts" / "nifti" / patient / f"{series}_mask.nii.gz"
    if not file.exists():
        pytest.skip(f"no {file.name} of {patient}")
    image = sitk.ReadImage(str(file))
    mask = crop(sitk.GetArrayFromImage(image) > 0)
    same(values(mask, image.GetSpacing()[::-1])[0], reference(mask, image.GetSpacing()[::-1]))


def test_one_voxel_has_no_elongation_and_says_why():
    found, reasons = values(np.ones((1, 1, 1), bool), SPACING_MM)
    assert set(reasons) == {"Elongation", "Flatness"} == {name for name, value in found.items() if math.isnan(value)}
    assert "extent" in reasons["Elongation"]


def in_plane(mask, spacing_mm, across, *, force_2d=True):
    chosen = FeatureSettings(force_2d=force_2d, force_2d_dimension=across)
    return shape2d.compute(PyradiomicsSample(mask, spacing_mm, settings=chosen))


@pytest.mark.parametrize("across", range(3))
@pytest.mark.parametrize("seed", range(12))
def test_planes_have_pyradiomics_values(reference, across, seed):
    mask, spacing_mm = noise(seed)
    flat = np.expand_dims(crop(mask.any(axis=across)), across)
    same(in_plane(flat, spacing_mm, across)[0], reference(flat, spacing_mm, across))


@pytest.mark.parametrize("name", ["one voxel", "voxels that touch in an edge", "plane across z"])
def test_chosen_planes_have_pyradiomics_values(reference, name):
    same(in_plane(CHOSEN[name], SPACING_MM, 0)[0], reference(CHOSEN[name], SPACING_MM, 0))


def test_thick_regions_have_no_shape_in_the_plane(reference):
    found, reasons = in_plane(CHOSEN["plane across z"], SPACING_MM, 1)
    assert all(math.isnan(value) for value in found.values())
    assert reasons["Perimeter"] == "the region is 5 voxels thick along y (force2Ddimension), not 1"
    with pytest.raises(ValueError, match="more than 1"):
        reference(CHOSEN["plane across z"], SPACING_MM, 1)


def test_shape_in_the_plane_asks_for_force2d():
    found, reasons = in_plane(CHOSEN["plane across z"], SPACING_MM, 0, force_2d=False)
    assert all(math.isnan(value) for value in found.values())
    assert "force2D" in reasons["Perimeter"]


def test_deprecated_features_are_given_on_request_only(pyradiomics):
    from radiomics.featureextractor import getFeatureClasses

    for name, family in (("shape", shape), ("shape2D", shape2d)):
        theirs = getFeatureClasses()[name].getFeatureNames()
        assert list(theirs) == list(family.features)
        assert {n: not deprecated for n, deprecated in theirs.items()} == {
            n: feature.default for n, feature in family.features.items()
        }


@pytest.mark.parametrize("pattern", range(1, 128))
def test_the_table_measures_like_pyradiomics_cells(pyradiomics, pattern):
    from radiomics import cShape

    edges = np.array([ord(letter) - ord("a") for letter in TABLE.split()[pattern - 1]])
    triangles = edges.reshape(-1, 3)
    areas, volumes = pyradiomics_cells.measure_cell(cShape.calculate_coefficients, pattern)
    opposite_areas, opposite_volumes = pyradiomics_cells.measure_cell(cShape.calculate_coefficients, 255 - pattern)
    np.testing.assert_allclose(pyradiomics_cells.areas_of(triangles), areas, atol=1e-9)
    np.testing.assert_allclose(pyradiomics_cells.volumes_of(triangles), volumes, atol=1e-9)
    np.testing.assert_allclose(areas, opposite_areas, atol=1e-9)
    np.testing.assert_allclose(volumes, -opposite_volumes, atol=1e-9)


@pytest.mark.parametrize("pattern", [1, 6, 22, 65, 90, 125])
def test_the_table_is_what_its_derivation_finds(pyradiomics, pattern):
    from radiomics import cShape

    assert pyradiomics_cells.derive(cShape.calculate_coefficients, pattern) == TABLE.split()[pattern - 1]


@given(MASKS)
@settings(deadline=None, max_examples=60)
def test_cells_are_summed_as_one_by_one(mask):
    wider = padded(mask.astype(bool))
    np.testing.assert_array_equal(sum_cells(wider), naive.sum_cells(wider))


@given(MASKS)
@settings(deadline=None, max_examples=60)
def test_rows_end_at_the_outermost_points_of_the_surface(mask):
    wider = padded(mask.astype(bool))
    ends = find_row_ends(wider)
    found = {(z, y): tuple(ends[z, y].tolist()) for z, y in np.argwhere(ends[:, :, 0] <= ends[:, :, 1]).tolist()}
    assert found == naive.row_ends(wider)


@given(MASKS, st.tuples(*[st.sampled_from([0.3, 1.0, 1.7, 4.0])] * 3))
@settings(deadline=None, max_examples=60)
def test_diameters_are_those_of_all_pairs_of_points(mask, spacing_mm):
    wider = padded(mask.astype(bool))
    form, points = Shape(wider, spacing_mm), naive.surface_points(wider)
    found = (form.slice_diameter, form.column_diameter, form.row_diameter, form.diameter)
    expected = [naive.largest_distance(points, spacing_mm, within) for within in (0, 1, 2, None)]
    assert found == pytest.approx(expected, rel=1e-12)
