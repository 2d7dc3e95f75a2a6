"""Zones: connected voxels of one grey level."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_zones(levels):
    """Level and size of every zone of touching voxels (faces, edges or corners) with one grey level.

    A zone is flooded from its first voxel; a voxel is wiped once it is counted, so that none is counted twice.

    levels : int32 [z, y, x], 1 or more in the region, 0 outside it
    returns : int64 [zones, 2], level and number of voxels, in the order of each zone's first voxel
    """
    nz, ny, nx = levels.shape
    left = np.zeros((nz + 2, ny + 2, nx + 2), np.int32)
    left[1:-1, 1:-1, 1:-1] = levels
    flat = left.ravel()
    row, page = nx + 2, (nx + 2) * (ny + 2)
    zones = np.empty((np.count_nonzero(levels), 2), np.int64)
    waiting = np.empty(len(zones), np.int64)
    found = 0
    for start in range(flat.size):
        level = flat[start]
        if level == 0:
            continue
        flat[start] = 0
        waiting[0], n_waiting, size = start, 1, 0
        while n_waiting:
            n_waiting -= 1
            size += 1
            centre = waiting[n_waiting]
            for dz in range(-1, 2):
                for dy in range(-1, 2):
                    for dx in range(-1, 2):
                        at = centre + dz * page + dy * row + dx
                        if flat[at] == level:
                            flat[at] = 0
                            waiting[n_waiting] = at
                            n_waiting += 1
        zones[found, 0], zones[found, 1] = level, size
        found += 1
    return zones[:found].copy()
