"""Distances to the border of a region."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def measure_distances(mask, reach):
    """City-block distance of each voxel to the nearest one outside the region, by steps along the axes.

    One sweep forwards and one backwards: a path to the border never needs to turn back along an axis.

    mask : bool [z, y, x], the region; beyond the array all is outside
    reach : int64 [3], 1 for each axis along which steps are made (1, 1, 1: volume; 0, 1, 1: in each slice)
    returns : int32 [z, y, x], 1 at the border, 0 outside
    """
    nz, ny, nx = mask.shape
    far = np.int32(nz + ny + nx)
    distances = np.empty((nz, ny, nx), np.int32)
    beyond = np.zeros(nx, np.int32)
    for z in range(nz):
        for y in range(ny):
            here = distances[z, y]
            inside = mask[z, y]
            for x in range(nx):
                here[x] = far if inside[x] else np.int32(0)
            if reach[0]:
                _step(here, distances[z - 1, y] if z else beyond)
            if reach[1]:
                _step(here, distances[z, y - 1] if y else beyond)
            if reach[2]:
                _step_along(here)
    for z in range(nz - 1, -1, -1):
        for y in range(ny - 1, -1, -1):
            here = distances[z, y]
            if reach[0]:
                _step(here, distances[z + 1, y] if z < nz - 1 else beyond)
            if reach[1]:
                _step(here, distances[z, y + 1] if y < ny - 1 else beyond)
            if reach[2]:
                _step_back(here)
    return distances


@njit(cache=True, nogil=True)
def _step(here, there):
    """Lower each distance to one more than that of the voxel beside it."""
    for x in range(len(here)):
        here[x] = min(here[x], np.int32(there[x] + 1))


@njit(cache=True, nogil=True)
def _step_along(here):
    """Lower each distance in a row to one more than that of the voxel before."""
    last = np.int32(0)
    for x in range(len(here)):
        last = min(here[x], np.int32(last + 1))
        here[x] = last


@njit(cache=True, nogil=True)
def _step_back(here):
    """Lower each distance in a row to one more than that of the voxel behind."""
    last = np.int32(0)
    for x in range(len(here) - 1, -1, -1):
        last = min(here[x], np.int32(last + 1))
        here[x] = last
