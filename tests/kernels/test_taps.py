"""Weighted sums along an axis beside numpy's convolution of every line."""

import numpy as np
import pytest

from radiomics_pipeline.imaging.filters.boundary import OF_NUMPY, beyond
from radiomics_pipeline.kernels.taps import weigh_along

ZEROS = np.zeros(8, np.int64)
IMAGE = np.random.default_rng(0).normal(size=(6, 7, 8))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("n", [1, 3, 5, 21])
@pytest.mark.parametrize("boundary", OF_NUMPY)
def test_sums_are_those_of_a_convolution(axis, n, boundary):
    taps = np.random.default_rng(n).normal(size=n)
    found = weigh_along(IMAGE, axis, taps, beyond(IMAGE.shape[axis], n // 2, boundary), ZEROS[: IMAGE.shape[axis]])

    def line(values):
        return np.convolve(np.pad(values, n // 2, mode=OF_NUMPY[boundary]), taps, mode="valid")

    np.testing.assert_allclose(found, np.apply_along_axis(line, axis, IMAGE), atol=1e-13)


def test_single_precision_stays():
    found = weigh_along(IMAGE.astype(np.float32), 2, np.ones(3, np.float32), np.arange(8), ZEROS[:6])
    assert found.dtype == np.float32
    assert found.shape == (6, 7, 6)
