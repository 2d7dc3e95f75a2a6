"""Masks on the grid of another image: what is covered, what is kept of the volume, and what is told."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from radiomics_pipeline.errors import EmptyRegion
from radiomics_pipeline.imaging.transfer import place, transfer
from radiomics_pipeline.params.transfer import MaskFrom
from radiomics_pipeline.types import Grid
from tests.imaging.test_contours import turned
from tests.io.dicom.test_rtstruct import grid_of

CT = Grid((40, 64, 60), (1.5, 1.0, 1.0), (-30.0, -32.0, 10.0))
PET = Grid((22, 18, 20), (3.0, 4.0, 4.0), (-37.3, -34.1, 8.2))


def how(method: str = "overlap", threshold: float = 0.5) -> MaskFrom:
    return MaskFrom(series="CT", method=method, threshold=threshold)


def ball(grid: Grid, centre_mm=(0.0, 0.0, 40.0), radius_mm=14.0) -> np.ndarray:
    """A sphere in patient coordinates on a grid."""
    z, y, x = np.indices(grid.shape)
    axes = np.array(grid.direction).reshape(3, 3) * np.array(grid.spacing_mm[::-1])
    points = np.einsum("ij,jzyx->izyx", axes, np.stack([x, y, z])) + np.array(grid.origin_mm)[:, None, None, None]
    return ((points - np.array(centre_mm)[:, None, None, None]) ** 2).sum(axis=0) <= radius_mm**2


def as_itk(array: np.ndarray, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image


def resampled_by_itk(mask: np.ndarray, source: Grid, target: Grid, interpolator: int) -> np.ndarray:
    """The mask's values at the centres of another grid."""
    reference = as_itk(np.zeros(target.shape, np.uint8), target)
    padded = sitk.ConstantPad(as_itk(mask.astype(np.float64), source), [1] * 3, [1] * 3, 0.0)
    return sitk.GetArrayFromImage(sitk.Resample(padded, reference, sitk.Transform(), interpolator, 0.0))


def covered_share(mask: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """Share of each target voxel that the mask covers, from the overlaps of all intervals; upright grids."""
    share = mask.astype(float)
    for axis in range(3):
        a0 = (np.array(source.origin_mm)[::-1] - np.array(source.spacing_mm) / 2)[axis]
        b0 = (np.array(target.origin_mm)[::-1] - np.array(target.spacing_mm) / 2)[axis]
        a, b = source.spacing_mm[axis], target.spacing_mm[axis]
        weight = np.zeros((target.shape[axis], source.shape[axis]))
        for i in range(target.shape[axis]):
            for j in range(source.shape[axis]):
                low, high = max(b0 + i * b, a0 + j * a), min(b0 + (i + 1) * b, a0 + (j + 1) * a)
                weight[i, j] = max(0.0, high - low) / b
        share = np.moveaxis(np.tensordot(weight, share, axes=(1, axis)), 0, axis)
    return share


@pytest.mark.parametrize("method", ["overlap", "linear", "nearest"])
@pytest.mark.parametrize("grid", [CT, turned(CT)])
def test_the_same_grid_gives_the_same_mask(method, grid):
    mask = np.random.default_rng(0).random(grid.shape) < 0.3
    found, facts = transfer(mask, grid, grid, how(method))
    assert np.array_equal(found, mask)
    assert facts.volume_before_ml == facts.volume_after_ml == pytest.approx(mask.sum() * 1.5e-3)
    assert facts.outside_ml == 0
    assert facts.notes == ()
    assert facts.method == method


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.77])
def test_overlap_is_the_share_of_volume_that_is_covered(threshold):
    mask = ball(CT) & (np.random.default_rng(1).random(CT.shape) < 0.7)
    found, _ = transfer(mask, CT, PET, how(threshold=threshold))
    assert np.array_equal(found, np.round(covered_share(mask, CT, PET), 9) >= threshold)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.sampled_from([0.7, 1.0, 1.5, 2.0, 3.1])] * 6),
    st.tuples(*[st.floats(-4, 4)] * 3),
    st.integers(0, 2**32 - 1),
)
def test_overlap_on_any_upright_grids(spacings, shift, seed):
    source = Grid((6, 5, 7), spacings[:3], (1.0, 2.0, 3.0))
    target = Grid((5, 6, 4), spacings[3:], tuple(np.add((1.0, 2.0, 3.0), shift).tolist()))
    mask = np.random.default_rng(seed).random(source.shape) < 0.6
    share = covered_share(mask, source, target)
    if np.any(np.abs(share - 0.5) < 1e-6) or not mask.any():
        return
    if not (share > 0.5).any():
        with pytest.raises(EmptyRegion):
            transfer(mask, source, target, how())
        return
    assert np.array_equal(transfer(mask, source, target, how())[0], share > 0.5)


@pytest.mark.parametrize("pair", [(CT, PET), (PET, CT), (turned(CT), PET), (PET, turned(CT))])
@pytest.mark.parametrize(
    ("method", "interpolator"), [("linear", sitk.sitkLinear), ("nearest", sitk.sitkNearestNeighbor)]
)
def test_linear_and_nearest_are_what_itk_interpolates(pair, method, interpolator):
    source, target = pair
    centre = source.position_mm(tuple(n / 2 for n in source.shape))
    mask = ball(source, centre)
    found, _ = transfer(mask, source, target, how(method))
    expected = resampled_by_itk(mask, source, target, interpolator)
    assert found.sum() > 50
    clear = np.abs(expected - 0.5) > 1e-6
    assert np.array_equal(found[clear], (expected >= 0.5)[clear])


@pytest.mark.parametrize("method", ["overlap", "linear", "nearest"])
def test_oblique_grids_turned_together_give_what_upright_ones_give(method):
    mask = ball(CT)
    upright, _ = transfer(mask, CT, PET, how(method, 0.49))
    rotation = turned(CT).direction
    turn = np.array(rotation).reshape(3, 3)
    grids = [Grid(g.shape, g.spacing_mm, tuple((turn @ np.array(g.origin_mm)).tolist()), rotation) for g in (CT, PET)]
    assert np.array_equal(transfer(mask, *grids, how(method, 0.49))[0], upright)


def test_overlap_follows_axes_that_are_swapped_and_turned_round():
    turn = np.array([[0.0, 0, -1], [-1, 0, 0], [0, 1, 0]])
    corner = CT.position_mm((20, 32, 30)) - turn @ (np.array(PET.spacing_mm[::-1]) * np.array((10, 9, 11)))
    target = Grid(PET.shape, PET.spacing_mm, tuple(corner.tolist()), tuple(turn.ravel().tolist()))
    mask = ball(CT, CT.position_mm((20, 32, 30)))
    found, facts = transfer(mask, CT, target, how())
    almost = np.array(turned(target, (1e-3, 0, 0)).direction).reshape(3, 3)
    tilted = Grid(PET.shape, PET.spacing_mm, target.origin_mm, tuple((turn @ almost).ravel().tolist()))
    sampled, _ = transfer(mask, CT, tilted, how())
    assert (found != sampled).mean() < 0.01
    assert facts.volume_after_ml == pytest.approx(facts.volume_before_ml, rel=0.1)


def test_oblique_overlap_is_close_to_fine_sampling():
    source = turned(CT)
    centre = source.position_mm((20, 32, 30))
    mask = ball(source, centre)
    corner = centre - (58, 58, 43.5)
    target = Grid((30, 30, 30), (3.0, 4.0, 4.0), tuple(corner.tolist()))
    found, _ = transfer(mask, source, target, how())
    first = corner - np.array((12, 12, 9)) / 7
    fine = Grid((210, 210, 210), (3 / 7, 4 / 7, 4 / 7), tuple(first.tolist()))
    share = resampled_by_itk(mask, source, fine, sitk.sitkNearestNeighbor).reshape(30, 7, 30, 7, 30, 7).mean((1, 3, 5))
    clear = np.abs(share - 0.5) > 0.05
    assert np.array_equal(found[clear], share[clear] > 0.5)


@pytest.mark.parametrize("radius", [12, 18, 25])
def test_a_sphere_keeps_its_volume_on_coarse_voxels_and_back(radius):
    mask = ball(CT, CT.position_mm((20, 32, 30)), radius)
    coarse, there = transfer(mask, CT, PET, how())
    _, back = transfer(coarse, PET, CT, how())
    assert there.volume_after_ml == pytest.approx(there.volume_before_ml, rel=0.04)
    assert back.volume_after_ml == pytest.approx(back.volume_before_ml, rel=0.01)


def test_a_change_of_volume_beyond_a_tenth_is_told():
    mask = np.zeros(CT.shape, bool)
    mask[20:23, 30:33, 30:34] = True
    found, facts = transfer(mask, CT, PET, how(threshold=0.2))
    assert facts.volume_before_ml == pytest.approx(36 * 1.5e-3)
    assert facts.volume_after_ml == pytest.approx(found.sum() * 0.048)
    (note,) = facts.notes
    assert note.startswith("the mask of CT has 0.054 ml on its own grid and")
    assert note.endswith(f"({facts.volume_after_ml / facts.volume_before_ml - 1:+.1%})")


def test_a_part_outside_the_other_image_is_told():
    small = PET.crop((0, 0, 0), (11, 18, 20))
    mask = ball(CT)
    found, facts = transfer(mask, CT, small, how())
    assert found.any()
    last_mm = small.position_mm((10.5, 0, 0))[2]
    beyond = CT.origin_mm[2] + np.arange(40) * 1.5 > last_mm
    assert facts.outside_ml == pytest.approx(mask[beyond].sum() * 1.5e-3)
    assert "ml of the mask of CT lie outside this image" in facts.notes[0]


def test_what_vanishes_is_refused_with_its_reason():
    far = Grid(PET.shape, PET.spacing_mm, (500.0, 0.0, 0.0))
    with pytest.raises(EmptyRegion, match="it lies outside the other image"):
        transfer(ball(CT), CT, far, how())
    tiny = np.zeros(CT.shape, bool)
    tiny[20, 30, 30] = True
    with pytest.raises(EmptyRegion, match=r"mask of series CT, 0.0015 ml, is empty .* \(overlap, threshold 0.5\)"):
        transfer(tiny, CT, PET, how())
    with pytest.raises(EmptyRegion, match="the mask has no voxel"):
        transfer(tiny & False, CT, PET, how())


@pytest.mark.parametrize("patient", ["STS_002", "STS_008", "STS_019", "STS_025", "STS_041"])
def test_sarcomas_outlined_on_ct_keep_their_volume_on_pet(shared, patient):
    folder = shared / "ibsi" / "sts" / "nifti" / patient
    ct, pet = (sitk.ReadImage(str(folder / f"{name}_mask.nii.gz")) for name in ("CT", "PET"))
    drawn = sitk.GetArrayFromImage(pet) > 0
    for method in ("overlap", "linear", "nearest"):
        found, facts = transfer(sitk.GetArrayFromImage(ct) > 0, grid_of(ct), grid_of(pet), how(method))
        assert facts.volume_after_ml == pytest.approx(facts.volume_before_ml, rel=0.021)
        dice = 2 * (found & drawn).sum() / (found.sum() + drawn.sum())
        assert dice > (0.6 if patient == "STS_019" else 0.97), "its two outlines lie 7 mm apart, as published"


def test_a_cropped_mask_is_placed_voxel_for_voxel():
    for grid in (CT, turned(CT)):
        mask = np.random.default_rng(0).random(grid.shape) < 0.3
        part = grid.crop((3, 4, 5), (20, 30, 40))
        placed = place(mask[3:20, 4:30, 5:40], part, grid)
        expected = np.zeros_like(mask)
        expected[3:20, 4:30, 5:40] = mask[3:20, 4:30, 5:40]
        assert np.array_equal(placed, expected)
        assert np.array_equal(place(expected, grid, part), mask[3:20, 4:30, 5:40])


def test_other_voxels_are_not_placed():
    mask = np.ones((4, 4, 4), bool)
    part = CT.crop((3, 4, 5), (7, 8, 9))
    for other in (
        Grid(part.shape, (1.5, 1.0, 1.01), part.origin_mm),
        Grid(part.shape, part.spacing_mm, tuple(np.add(part.origin_mm, (0.2, 0, 0)).tolist())),
        turned(part, (0.01, 0, 0)),
    ):
        assert place(mask, other, CT) is None
    assert place(mask, part, CT.crop((4, 0, 0), (40, 64, 60))) is None, "a plane of it would be lost"
    assert place(mask, CT.crop((3, 4, 5), (7, 8, 9)), CT.crop((20, 30, 30), (30, 40, 40))) is None


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0}, {"threshold": 1.1}, {"method": "cubic"}, {"series": "a b"}, {"x": 1}]
)
def test_parameters_are_checked(wrong):
    with pytest.raises(ValidationError):
        MaskFrom.model_validate({"series": "CT", **wrong})
