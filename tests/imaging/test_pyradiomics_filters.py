"""PyRadiomics' filters: the recursive Laplacian to the last digit, and what a box of the image changes."""

import numpy as np
import pytest
import pywt
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.imaging.pyradiomics.filters.icosphere import icosphere
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box
from radiomics_pipeline.imaging.pyradiomics.filters.table import IMAGE_TYPES
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Grid, Volume

TYPES = (np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64)


def image(shape, dtype=np.float32, spacing=(3.0, 2.0, 1.5), seed=0):
    array = np.random.default_rng(seed).normal(100, 30, shape).clip(0, 255).astype(dtype)
    return Volume(array, Grid(shape, spacing), native=True)


def box_of(low, high, shape):
    mask = np.ones([b - a for a, b in zip(low, high, strict=True)], bool)
    return Box(low, high, mask)


def responses(name, volume, box=None, **settings):
    box = box or box_of((0, 0, 0), volume.array.shape, volume.array.shape)
    return dict(IMAGE_TYPES[name].responses(volume, box, Settings(**settings)))


def recursive_laplacian(volume, sigma):
    """SimpleITK's own."""
    itk = sitk.GetImageFromArray(volume.array)
    itk.SetSpacing(volume.spacing_mm[::-1])
    one = sitk.LaplacianRecursiveGaussianImageFilter()
    one.SetNormalizeAcrossScale(True)
    one.SetSigma(sigma)
    return sitk.GetArrayFromImage(one.Execute(itk))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.98, 0.98), (3.27, 2.1, 1.7)])
@pytest.mark.parametrize("sigma", [0.5, 2.5, 7.3, 10.9])
def test_the_laplacian_has_the_digits_of_simpleitk(dtype, spacing, sigma):
    volume = image((12, 30, 53), dtype, spacing)
    (found,) = responses("LoG", volume, sigma=[sigma]).values()
    assert found.dtype == np.float32
    assert np.array_equal(found, recursive_laplacian(volume, sigma))


@pytest.mark.parametrize("shape", [(4, 4, 4), (4, 30, 5), (70, 4, 25), (5, 24, 49)])
def test_the_laplacian_of_few_or_many_lines_has_them_too(shape):
    volume = image(shape)
    (found,) = responses("LoG", volume, sigma=[1.7]).values()
    assert np.array_equal(found, recursive_laplacian(volume, 1.7))


def test_an_image_of_fewer_than_four_voxels_has_no_laplacian():
    (found,) = responses("LoG", image((3, 9, 9)), sigma=[2]).values()
    assert found == "the image has 3 voxels along an axis; the filter needs 4"


def test_a_width_is_named_as_it_is_written():
    names = list(responses("LoG", image((9, 9, 9)), sigma=[1, 1.0, 2.25]))
    assert names == ["log-sigma-1-mm-3D", "log-sigma-1-0-mm-3D", "log-sigma-2-25-mm-3D"]


EVERY = {
    "LoG": {"sigma": [1.0]},
    "Wavelet": {"wavelet": "db3", "start_level": 1, "level": 2},
    "Gradient": {},
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "LBP2D": {},
    "LBP3D": {},
}


@pytest.mark.parametrize("name", EVERY)
@settings(deadline=None, derandomize=True)
@given(data=st.data())
def test_a_box_of_the_image_has_the_responses_of_the_whole(name, data):
    shape = tuple(data.draw(st.integers(9, 15), label="shape") for _ in range(3))
    low = tuple(data.draw(st.integers(0, n - 2), label="low") for n in shape)
    high = tuple(data.draw(st.integers(a + 1, n), label="high") for a, n in zip(low, shape, strict=True))
    volume = image(shape, spacing=(1.0, 1.0, 1.0))
    part = box_of(low, high, shape)
    whole, some = responses(name, volume, **EVERY[name]), responses(name, volume, part, **EVERY[name])
    assert list(whole) == list(some) == list(IMAGE_TYPES[name].tokens(Settings(**EVERY[name])))
    for token, response in whole.items():
        np.testing.assert_allclose(some[token], response[part.inside], rtol=1e-6, atol=1e-4)


def test_every_image_type_is_tested():
    assert set(EVERY) == set(IMAGE_TYPES)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("wavelet", ["haar", "db2", "coif1", "bior1.3", "dmey"])
def test_subbands_are_those_of_pywavelets(dtype, wavelet):
    volume = image((12, 14, 16), dtype)
    (bands,) = pywt.swtn(volume.array, wavelet, level=1, axes=(2, 1, 0))
    found = responses("Wavelet", volume, wavelet=wavelet)
    for name, response in found.items():
        expected = bands[name.removeprefix("wavelet-").replace("L", "a").replace("H", "d")]
        assert response.dtype == expected.dtype
        np.testing.assert_allclose(response, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("wavelet", ["coif1", "dmey", "db38", "sym7"])
@pytest.mark.parametrize("shape", [(2, 4, 6), (12, 14, 64), (70, 12, 8)])
def test_subbands_have_the_digits_of_pywavelets_where_the_image_goes_on_from_its_beginning(wavelet, shape):
    volume = image(shape)
    (bands,) = pywt.swtn(volume.array, wavelet, level=1, axes=(2, 1, 0))
    for name, response in responses("Wavelet", volume, wavelet=wavelet).items():
        assert np.array_equal(response, bands[name.removeprefix("wavelet-").replace("L", "a").replace("H", "d")]), name


@pytest.mark.parametrize(("sigma", "there"), [(8.0, True), (8.1, False)])
def test_a_width_like_the_image_has_no_laplacian(sigma, there):
    (found,) = responses("LoG", image((9, 20, 20), spacing=(1.0, 1.0, 1.0)), sigma=[sigma]).values()
    assert isinstance(found, np.ndarray) is there
    assert there or "PyRadiomics computes none" in found


def test_an_image_of_zeros_scales_nothing():
    volume = Volume(np.zeros((5, 5, 5)), Grid((5, 5, 5), (1.0, 1.0, 1.0)), native=True)
    (reason,) = responses("Exponential", volume).values()
    assert "0 everywhere" in reason


@pytest.mark.parametrize(("divisions", "corners"), [(0, 12), (1, 42), (2, 162)])
def test_corners_of_an_icosphere_lie_on_it_and_are_as_many_as_euler_says(divisions, corners):
    found = icosphere(2.5, divisions)
    assert found.shape == (corners, 3)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 2.5, rtol=1e-14)
    assert len(np.unique(np.round(found, 9), axis=0)) == corners
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
