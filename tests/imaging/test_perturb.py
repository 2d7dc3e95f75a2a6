"""Perturbations: each changes what it says, by as much as it says, and nothing else."""

import numpy as np
import pytest

from radiomics_pipeline.errors import EmptyRegion
from radiomics_pipeline.imaging.perturb import Perturbation, noise_level, perturbations, perturbed
from radiomics_pipeline.params.perturb import Perturb
from radiomics_pipeline.types import Grid, Region, Volume

SPACING = (3.0, 2.0, 2.0)
SHAPE = (24, 48, 40)


def ellipsoid(centre=(12.0, 24.0, 20.0), radii_mm=(18.0, 20.0, 10.0)):
    at = np.indices(SHAPE).astype(float)
    return sum(((a - c) * s / r) ** 2 for a, c, s, r in zip(at, centre, SPACING, radii_mm, strict=True)) <= 1


def image_and_region(noise=0.3, seed=0):
    mask = ellipsoid()
    _, y, x = np.indices(SHAPE)
    array = np.where(mask, 5.0 + 0.02 * x, 1.0 + 0.01 * y) + np.random.default_rng(seed).normal(0, noise, SHAPE)
    grid = Grid(SHAPE, SPACING)
    return Volume(array, grid, "SUV"), Region(mask, mask, grid, "lesion", 1)


def change(kind, value):
    return Perturbation(kind, kind, value)


@pytest.mark.parametrize("share", [-0.5, -0.15, 0.15, 0.6])
def test_growth_changes_the_volume_by_its_share_and_takes_the_nearest_voxels(share):
    volume, region = image_and_region()
    image, grown = perturbed(volume, region, change("grow", share), Perturb())
    before, after = region.morphology, grown.morphology
    assert after.sum() == round(before.sum() * (1 + share))
    assert (after & before).sum() == min(after.sum(), before.sum())
    assert image.array is volume.array or np.array_equal(image.array, volume.array)


def test_a_rotation_turns_mask_and_image_together_and_keeps_the_volume():
    volume, region = image_and_region(noise=0.0)
    image, turned = perturbed(volume, region, change("rotate", 30.0), Perturb())
    assert abs(turned.morphology.sum() / region.morphology.sum() - 1) < 0.03
    overlap = (turned.morphology & region.morphology).sum() / region.morphology.sum()
    assert 0.6 < overlap < 0.95
    assert image.array[turned.morphology].mean() == pytest.approx(
        volume.array[region.morphology].mean(), rel=0.06
    )  # edges blur


def test_a_rotation_of_a_right_angle_is_that_of_the_array():
    mask = np.zeros((3, 21, 21), bool)
    mask[1, 8:13, 5:16] = True
    grid = Grid(mask.shape, (2.0, 2.0, 2.0))
    _, turned = perturbed(
        Volume(mask.astype(float), grid), Region(mask, mask, grid), change("rotate", 89.999), Perturb()
    )
    assert np.array_equal(turned.morphology[1], np.rot90(mask[1]))


def test_a_shift_by_part_of_a_voxel_moves_the_centre_by_that_part():
    volume, region = image_and_region(noise=0.0)
    _, moved = perturbed(volume, region, change("translate", 0.5), Perturb())
    before, after = (np.argwhere(r.morphology).mean(axis=0) for r in (region, moved))
    assert np.allclose(before - after, 0.5, atol=0.15)


@pytest.mark.parametrize("level", [0.1, 1.0, 4.0])
def test_the_noise_of_an_image_is_found_and_added_once_more(level):
    volume, region = image_and_region(noise=level)
    assert noise_level(volume, region) == pytest.approx(level, rel=0.06)
    image, same = perturbed(volume, region, change("noise", 1), Perturb())
    assert (image.array - volume.array).std() == pytest.approx(level, rel=0.1)
    assert np.array_equal(same.morphology, region.morphology)


def test_noise_is_the_same_twice_and_another_the_next_time():
    volume, region = image_and_region()
    one, again, other = (perturbed(volume, region, change("noise", number), Perturb())[0].array for number in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_redrawn_contour_follows_the_edge_of_the_image():
    volume, region = image_and_region(noise=0.2)
    drawn = ellipsoid(centre=(12.0, 25.5, 21.5))  # beside the edge, so that supervoxels are cut
    region = Region(drawn, drawn, region.grid, "lesion", 1)
    masks = [
        perturbed(volume, region, change("contour", n), Perturb(supervoxel_ml=0.3))[1].morphology for n in range(1, 9)
    ]
    dice = [2 * (m & region.morphology).sum() / (m.sum() + region.morphology.sum()) for m in masks]
    assert 0.7 < min(dice) < 1
    assert len({m.tobytes() for m in masks}) > 1
    again = perturbed(volume, region, change("contour", 1), Perturb(supervoxel_ml=0.3))[1].morphology
    assert np.array_equal(masks[0], again)


def test_a_region_that_is_shifted_away_is_refused():
    mask = np.zeros((1, 5, 5), bool)
    mask[0, 2, 2] = True
    grid = Grid(mask.shape, (1.0, 1.0, 1.0))
    with pytest.raises(EmptyRegion, match="nothing of the region is left after translate"):
        perturbed(Volume(mask * 1.0, grid), Region(mask, mask, grid), change("translate", 0.5), Perturb())


def test_parameters_that_change_nothing_are_refused():
    with pytest.raises(ValueError, match="0 changes nothing"):
        Perturb(rotate_deg=(0.0,))
    with pytest.raises(ValueError, match="nothing is left to perturb"):
        Perturb(rotate_deg=(), translate=(), grow=(), noise=0, contour=0)
    assert [p.name for p in perturbations(Perturb(noise=2))] == [
        "rotate-5", "rotate+5", "translate+0.25", "translate+0.5", "grow-0.15", "grow+0.15", "noise1", "noise2",
        "contour1",
    ]  # fmt: skip
