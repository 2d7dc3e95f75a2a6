"""Filters against slow twins written from their definitions, and what must not change a response."""

import math
from itertools import product

import numpy as np
import pytest
import pywt
from scipy.ndimage import convolve

from radiomics_pipeline.errors import AnisotropicVoxels, ParamsError
from radiomics_pipeline.imaging.filters.boundary import OF_SCIPY
from radiomics_pipeline.imaging.filters.laws import KERNELS
from radiomics_pipeline.imaging.filters.spec import EVERYWHERE
from radiomics_pipeline.imaging.filters.table import FILTERS, filter_named, settings_of

MM = (2.0, 2.0, 2.0)
IMAGE = np.random.default_rng(0).normal(size=(17, 19, 21))
BOUNDARIES = tuple(OF_SCIPY)
EVERY = {
    "mean": {"support": 5},
    "log": {"sigma_mm": 2.0},
    "laws": {"kernels": "E5L5S3", "pooling": "max", "energy": 2},
    "gabor": {"sigma_mm": 2.0, "wavelength_mm": 5.0, "delta_theta": 45, "pooling": "average"},
    "wavelet": {"wavelet": "db2", "subband": "LHL", "level": 2, "pooling": "average"},
    "simoncelli": {"level": 1},
    "riesz": {"order": (0, 2, 0), "sigma_mm": 3.0},
}
INVARIANT = {
    "mean": {"support": 5},
    "log": {"sigma_mm": 3.0},
    "laws": {"kernels": "E5L5S5", "pooling": "average", "energy": 2},
    "wavelet": {"wavelet": "coif1", "subband": "LHL", "pooling": "max"},
    "simoncelli": {"level": 2},
}


def respond(name, array=IMAGE, spacing=MM, **settings):
    row = filter_named(name)
    return row.respond(array, spacing, settings_of(row, settings))


def volume_kernel(x, y, z):
    """A kernel [z, y, x] of kernels along the axes."""
    return z[:, None, None] * y[:, None] * x


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_mean_is_that_of_a_cube_of_voxels(boundary):
    expected = convolve(IMAGE, np.full((3, 3, 3), 1 / 27), mode=OF_SCIPY[boundary])
    np.testing.assert_allclose(respond("mean", support=3, boundary=boundary), expected, atol=1e-13)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("sigma_mm", [1.3, 2.0])
def test_a_laplacian_of_gaussian_is_convolution_with_its_kernel(boundary, sigma_mm):
    sigma = sigma_mm / 2
    half = math.floor(4 * sigma + 0.5)
    k = np.arange(-half, half + 1)
    square = sum(axis**2 for axis in np.meshgrid(k, k, k, indexing="ij"))
    kernel = (
        -(3 - square / sigma**2) / sigma**2 * np.exp(-square / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma) ** 3
    )
    expected = convolve(IMAGE, kernel, mode=OF_SCIPY[boundary])
    np.testing.assert_allclose(respond("log", sigma_mm=sigma_mm, boundary=boundary), expected, atol=1e-12)


def test_laws_kernels_have_length_1_and_run_along_x_y_z():
    for kernel in KERNELS.values():
        assert np.sum(kernel**2) == pytest.approx(1)
    kernel = volume_kernel(KERNELS["E5"], KERNELS["L5"], KERNELS["S3"])
    expected = convolve(IMAGE, kernel, mode="reflect")
    np.testing.assert_allclose(respond("laws", kernels="E5L5S3"), expected, atol=1e-13)


@pytest.mark.parametrize(("pooling", "pool"), [("max", np.max), ("average", np.mean)])
def test_pooling_takes_all_24_rotations_of_the_kernel(pooling, pool):
    kernel = volume_kernel(KERNELS["E5"], KERNELS["L5"], KERNELS["S5"])
    turned = [
        np.rot90(face, n, (1, 2))
        for face in (
            *(np.rot90(kernel, n, (0, 1)) for n in range(4)),
            *(np.rot90(kernel, n, (0, 2)) for n in (1, 3)),
        )
        for n in range(4)
    ]
    expected = pool([convolve(IMAGE, one, mode="constant") for one in turned], axis=0)
    found = respond("laws", kernels="E5L5S5", pooling=pooling, boundary="zero")
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_energy_is_the_mean_absolute_response_around_a_voxel():
    response = respond("laws", kernels="L3E3", slicewise=True)
    expected = convolve(np.abs(response), np.full((1, 5, 5), 1 / 25), mode="reflect")
    np.testing.assert_allclose(respond("laws", kernels="L3E3", slicewise=True, energy=2), expected, atol=1e-13)


@pytest.mark.parametrize("part", ["modulus", "real", "imaginary"])
def test_a_gabor_response_is_convolution_with_a_wave_under_a_gaussian(part):
    half, theta = 12, math.radians(30)
    k = np.arange(-half, half + 1)
    x, y = np.meshgrid(k, k)  # [y, x]
    along, across = x * math.cos(theta) + y * math.sin(theta), y * math.cos(theta) - x * math.sin(theta)
    kernel = np.exp(-(along**2 + (0.5 * across) ** 2) / (2 * 1.5**2) + 2j * math.pi * along / 4)[None]
    whole = convolve(IMAGE, kernel.real, mode="constant") + 1j * convolve(IMAGE, kernel.imag, mode="constant")
    expected = {"modulus": np.abs, "real": np.real, "imaginary": np.imag}[part](whole)
    settings = {"sigma_mm": 3, "wavelength_mm": 8, "gamma": 0.5, "theta": 30, "slicewise": True, "part": part}
    np.testing.assert_allclose(respond("gabor", boundary="zero", **settings), expected, atol=1e-10)


@pytest.mark.parametrize("subband", ["LLL", "LHL", "HHH"])
@pytest.mark.parametrize("wavelet", ["haar", "db2", "coif1", "bior2.2"])
def test_undecimated_wavelets_are_those_of_pywavelets_shifted(wavelet, subband):
    image = np.random.default_rng(1).normal(size=(16, 16, 16))
    (found,) = pywt.swtn(image, wavelet, level=1, axes=(2, 1, 0))
    theirs = found["".join({"L": "a", "H": "d"}[letter] for letter in subband)]
    ours = respond("wavelet", image, wavelet=wavelet, subband=subband, boundary="periodic")
    differences = [np.abs(np.roll(ours, (s,) * 3, (0, 1, 2)) - theirs).max() for s in range(-8, 9)]
    assert min(differences) < 1e-12


def test_a_level_of_a_wavelet_passes_the_low_bands_before():
    one = respond("wavelet", wavelet="haar", subband="LLL")
    spread = np.array([1.0, 0, 1, 0, 0]) / math.sqrt(2)
    bend = np.array([-1.0, 0, 1, 0, 0]) / math.sqrt(2)
    expected = convolve(one, volume_kernel(bend, spread, spread), mode="reflect")
    np.testing.assert_allclose(respond("wavelet", wavelet="haar", subband="HLL", level=2), expected, atol=1e-12)


def test_riesz_transforms_of_an_order_keep_the_energy_of_the_band():
    """The squares of all transforms of one order sum to the square of what is transformed, frequency by frequency."""
    image = np.random.default_rng(2).normal(size=(15, 15, 15))
    band = respond("simoncelli", image, level=1)
    orders = [order for order in product(range(3), repeat=3) if sum(order) == 2]
    parts = [respond("riesz", image, order=order, level=1, boundary="periodic") for order in orders]
    assert sum((part**2).sum() for part in parts) == pytest.approx((band**2).sum())


def test_an_aligned_transform_follows_the_structure_and_not_the_image():
    z, y, x = np.indices((24, 24, 24)) - 11.5
    settings = {"order": (2, 0, 0), "level": 1, "tensor_sigma_mm": 4.0, "boundary": "mirror"}
    waves = [np.sin(2.0 * axis) for axis in (x, y, z)]
    inside = (slice(8, 16),) * 3
    found = [respond("riesz", wave, **settings)[inside] for wave in waves]
    for other, axes in ((found[1], (2, 1)), (found[2], (2, 0))):
        np.testing.assert_allclose(np.swapaxes(found[0], *axes), other, atol=1e-6)
    across = respond("riesz", waves[0], **{**settings, "order": (0, 0, 2)})[inside]
    assert np.abs(across).max() < 0.05 * np.abs(found[0]).max()


@pytest.mark.parametrize("name", EVERY)
def test_a_flat_image_has_a_flat_response(name):
    response = respond(name, np.full((12, 12, 12), 7.0), **{**EVERY[name], "boundary": "periodic"})
    assert np.ptp(response) < 1e-12


@pytest.mark.parametrize("name", [row.name for row in FILTERS if row.name not in ("simoncelli", "riesz")])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_what_lies_beyond_the_reach_changes_nothing(name, boundary):
    row = filter_named(name)
    settings = settings_of(row, {**EVERY[name], "boundary": boundary})
    reach = int(row.reach(settings, MM))
    image = np.random.default_rng(3).normal(size=(2 * reach + 6, 2 * reach + 7, 2 * reach + 5))
    whole = row.respond(image, MM, settings)[(slice(reach + 2, reach + 4),) * 3]
    cropped = row.respond(np.ascontiguousarray(image[(slice(2, 2 * reach + 4),) * 3]), MM, settings)
    np.testing.assert_allclose(cropped[(slice(reach, reach + 2),) * 3], whole, atol=1e-11)
    image[(slice(2, 2 * reach + 4),) * 3] += 0  # the reach is no larger than needed: one voxel less would show
    closer = row.respond(np.ascontiguousarray(image[(slice(3, 2 * reach + 3),) * 3]), MM, settings)
    assert np.abs(closer[(slice(reach - 1, reach + 1),) * 3] - whole).max() > 0 or name == "wavelet"


@pytest.mark.parametrize("name", INVARIANT)
@pytest.mark.parametrize("axes", [(0, 1), (0, 2), (1, 2)])
def test_pooled_responses_turn_with_the_image(name, axes):
    image = np.random.default_rng(4).normal(size=(15, 15, 15))
    response = respond(name, image, **INVARIANT[name])
    turned = respond(name, np.ascontiguousarray(np.rot90(image, 1, axes)), **INVARIANT[name])
    np.testing.assert_allclose(turned, np.rot90(response, 1, axes), atol=1e-11)


@pytest.mark.parametrize("name", EVERY)
def test_a_slicewise_response_is_that_of_each_slice(name):
    flat = {"laws": {"kernels": "E5L5"}, "wavelet": {"subband": "LH"}, "riesz": {"order": (0, 2)}}
    settings = {**EVERY[name], **flat.get(name, {}), "slicewise": True}
    whole = respond(name, spacing=(5.0, 2.0, 2.0), **settings)
    one = respond(name, np.ascontiguousarray(IMAGE[3:4]), spacing=(5.0, 2.0, 2.0), **settings)
    np.testing.assert_allclose(whole[3:4], one, atol=1e-11)


@pytest.mark.parametrize("name", ["log", "gabor", "simoncelli", "riesz"])
def test_voxels_that_would_distort_a_filter_are_refused(name):
    with pytest.raises(AnisotropicVoxels, match="2 x 2 x 3 mm; resample to voxels of one edge"):
        respond(name, spacing=(3.0, 2.0, 2.0), **EVERY[name])
    respond(name, spacing=(2.0005, 2.0, 2.0), **EVERY[name])


def test_filters_without_an_end_say_so():
    endless = {row.name for row in FILTERS if row.reach(settings_of(row, EVERY[row.name]), MM) == EVERYWHERE}
    assert endless == {"simoncelli", "riesz"}


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("mean", {"support": 4}, "support: support 4 has no middle voxel"),
        ("log", {}, "give either sigma_mm or sigma_voxels"),
        ("log", {"sigma": 2}, "sigma_mm"),
        ("laws", {"kernels": "L5X5E5"}, "there are L3, E3"),
        ("laws", {"kernels": "L5E5"}, "2 kernels for 3 axes"),
        ("gabor", {"sigma_mm": 1, "wavelength_mm": 2, "pooling": "max"}, "give delta_theta and pooling together"),
        ("gabor", {**EVERY["gabor"], "delta_theta": 50}, "does not divide the turn"),
        ("wavelet", {"wavelet": "db99", "subband": "LLL"}, "no wavelet 'db99'"),
        ("wavelet", {"wavelet": "db2", "subband": "LL"}, "write 3 letters"),
        ("riesz", {"order": (1, 0, 0)}, "either sigma_mm"),
        ("riesz", {"order": (0, 0, 0), "level": 1}, "with a sum from 1 to 4"),
        ("log", {"sigma_mm": 2, "boundary": "reflect"}, "boundary"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(name, settings, message):
    with pytest.raises(ParamsError, match=f"filter {name}: .*{message}"):
        settings_of(filter_named(name), settings)


def test_an_unknown_filter_is_named_with_the_nearest():
    with pytest.raises(ParamsError, match="no filter 'gabr', did you mean 'gabor'"):
        filter_named("gabr")


LENGTHS = {
    "mean": ({"support_mm": 10.9}, {"support": 5}),
    "log": ({"sigma_mm": 3.0}, {"sigma_voxels": 1.5}),
    "laws": ({"kernels": "L5E5E5", "energy_mm": 7.0}, {"kernels": "L5E5E5", "energy": 3}),
    "gabor": ({"sigma_mm": 3.0, "wavelength_mm": 5.0}, {"sigma_voxels": 1.5, "wavelength_voxels": 2.5}),
    "riesz": (
        {"order": (1, 1, 0), "sigma_mm": 3.0, "tensor_sigma_mm": 2.0},
        {"order": (1, 1, 0), "sigma_voxels": 1.5, "tensor_sigma_voxels": 1.0},
    ),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_length_in_voxels_is_that_in_mm_over_their_edge(name):
    in_mm, in_voxels = LENGTHS[name]
    np.testing.assert_array_equal(respond(name, **in_mm), respond(name, **in_voxels))
    row = filter_named(name)
    one, other = (settings_of(row, settings) for settings in (in_mm, in_voxels))
    assert row.reach(one, MM) == row.reach(other, MM)
    assert row.token(one) != row.token(other)
    with pytest.raises(ParamsError, match="give either"):
        settings_of(row, in_mm | in_voxels)


def test_a_width_in_voxels_needs_no_cubes():
    assert respond("log", spacing=(3.0, 2.0, 2.0), sigma_voxels=1.5).shape == IMAGE.shape
    with pytest.raises(AnisotropicVoxels, match="resample to voxels of one edge"):
        respond("log", spacing=(3.0, 2.0, 2.0), sigma_mm=3.0)


@pytest.mark.parametrize("name", ["mean", "log", "gabor", "riesz"])
def test_a_filter_without_its_length_is_refused(name):
    settings = {"riesz": {"order": (1, 0, 0)}}.get(name, {})
    with pytest.raises(ParamsError, match="give either"):
        settings_of(filter_named(name), settings)
