"""Local binary patterns on a sphere around each voxel, after Banerjee et al. (doi:10.1007/978-3-642-37410-4_3).

The image is sampled at the corners of an icosphere and compared with its middle. The pattern of ones and zeros is
split into spherical harmonics; a level's response is the length of that part of the pattern, the last one is the
kurtosis of the samples. As PyRadiomics has it, the angles of the harmonics are exchanged, azimuth for polar angle, and
nothing is conjugated; from level 2 on the responses therefore change when the image is turned.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, stats
from scipy.special import sph_harm_y

from radiomics_pipeline.imaging.pyradiomics.filters.icosphere import icosphere
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box, ImageType, Responses
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Volume

LEVELS, RADIUS, DIVISIONS = 2, 1.0, 1
"""PyRadiomics' defaults."""
KURTOSIS = "lbp-3D-k"
CHUNK = 4096
"""Voxels whose spheres are held at a time."""


def tokens(settings: Settings) -> tuple[str, ...]:
    """lbp-3D-m1, lbp-3D-m2, ..., lbp-3D-k."""
    return (*(f"lbp-3D-m{level}" for level in range(1, (settings.lbp3DLevels or LEVELS) + 1)), KURTOSIS)


def responses(whole: Volume, box: Box, settings: Settings) -> Responses:
    """Responses at the voxels of the region, 0 at the others of the box."""
    how = used(settings)
    radius = how["lbp3DIcosphereRadius"]
    sphere = icosphere(radius, int(how["lbp3DIcosphereSubdivision"]))
    harmonics, degrees = _harmonics(sphere, radius, int(how["lbp3DLevels"]))
    smooth = ndimage.spline_filter(whole.array, output=np.float64)
    places = np.argwhere(box.mask) + np.array(box.low)
    found = np.empty((len(tokens(settings)), len(places)))
    for start in range(0, len(places), CHUNK):
        some = slice(start, start + CHUNK)
        middles = whole.array[tuple(places[some].T)]
        points = (places[some, np.newaxis, :] + sphere).reshape(-1, 3)
        samples = ndimage.map_coordinates(smooth, points.T, whole.array.dtype, prefilter=False)
        samples = samples.reshape(-1, len(sphere))
        found[:-1, some] = _lengths(samples >= middles[:, np.newaxis], harmonics, degrees)
        found[-1, some] = stats.kurtosis(samples, axis=1)
    for token, values in zip(tokens(settings), found, strict=True):
        response = np.zeros(box.mask.shape)
        response[box.mask] = values
        yield token, response


def _harmonics(sphere: np.ndarray, radius: float, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Spherical harmonics at the corners, complex128 [corners, harmonics], and the degree of each."""
    azimuth, polar = np.arccos(sphere[:, 2] / radius), np.arctan2(sphere[:, 1], sphere[:, 0])
    kinds = [(degree, order) for degree in range(levels) for order in range(-degree, degree + 1)]
    columns = [sph_harm_y(degree, order, polar, azimuth) for degree, order in kinds]
    return np.stack(columns, axis=1), np.array([degree for degree, _ in kinds])


def _lengths(patterns: np.ndarray, harmonics: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Length of the part of each pattern in the harmonics of each degree; float64 [degrees, patterns].

    Sums are taken in PyRadiomics' order: many patterns have one length, and features that choose voxels by a
    percentile see which of them comes out a rounding error longer.

    patterns : bool [patterns, corners]
    """
    weights = (patterns[:, :, np.newaxis] * harmonics).sum(axis=1)
    parts = [
        (weights[:, np.newaxis, degrees == degree] * harmonics[:, degrees == degree]).sum(axis=2)
        for degree in range(degrees[-1] + 1)
    ]
    squares = np.stack(parts, axis=2) ** 2
    return np.real(np.sqrt(squares.sum(axis=1))).T


def used(settings: Settings) -> dict[str, float]:
    """Degrees of the harmonics, and the sphere."""
    divisions = settings.lbp3DIcosphereSubdivision
    return {
        "lbp3DLevels": settings.lbp3DLevels or LEVELS,
        "lbp3DIcosphereRadius": settings.lbp3DIcosphereRadius or RADIUS,
        "lbp3DIcosphereSubdivision": DIVISIONS if divisions is None else divisions,
    }


LBP3D = ImageType("LBP3D", tokens, responses, used)
