"""What a surface mesh and the principal axes are computed from: cells by pattern, and sums over voxels."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def sum_cells(mask):
    """Count the cells that a surface crosses by the pattern of their eight corners, and add up where they lie.

    A cell spans voxels [z..z+1, y..y+1, x..x+1]; bit 4 dz + 2 dy + dx of its pattern is that corner's voxel.

    mask : uint8 [z, y, x], 1 inside
    returns : int64 [256, 4], number of cells of each pattern, and the sums of their z, y and x; rows 0 and 255 are 0
    """
    nz, ny, nx = mask.shape
    found = np.zeros((256, 4), np.int64)
    ahead = np.empty(nx, np.uint8)
    for z in range(nz - 1):
        for y in range(ny - 1):
            for x in range(nx):
                ahead[x] = mask[z, y, x] | mask[z, y + 1, x] << 2 | mask[z + 1, y, x] << 4 | mask[z + 1, y + 1, x] << 6
            for x in range(nx - 1):
                pattern = ahead[x] | ahead[x + 1] << 1
                if 0 < pattern < 255:
                    found[pattern, 0] += 1
                    found[pattern, 1] += z
                    found[pattern, 2] += y
                    found[pattern, 3] += x
    return found
