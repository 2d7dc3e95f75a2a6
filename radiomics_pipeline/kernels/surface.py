"""What the shape of a region is computed from: its surface cells, its extreme points, its moments."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count_cells(mask):
    """Count the cells of marching cubes by the pattern of their eight corners.

    A cell spans voxels [z..z+1, y..y+1, x..x+1]; bit 4 dz + 2 dy + dx of its pattern is that corner's voxel.

    mask : uint8 [z, y, x], 1 inside, with at least one layer of 0 all around
    returns : int64 [256, 2], number of cells of each pattern, and the sum of their x indices
    """
    nz, ny, nx = mask.shape
    found = np.zeros((256, 2), np.int64)
    for z in range(nz - 1):
        for y in range(ny - 1):
            pattern = 0
            for x in range(nx - 1):
                ahead = (
                    mask[z, y, x + 1]
                    + (mask[z, y + 1, x + 1] << 2)
                    + (mask[z + 1, y, x + 1] << 4)
                    + (mask[z + 1, y + 1, x + 1] << 6)
                )
                pattern = ((pattern >> 1) & 0x55) | (ahead << 1)
                if pattern:
                    found[pattern, 0] += 1
                    found[pattern, 1] += x
    return found


@njit(cache=True, nogil=True)
def find_line_ends(mask):
    """The two ends of the mask on every grid line that meets it, along each of the three axes.

    Their convex hull is that of the whole surface, whose points lie half-way between neighbouring voxels.

    mask : uint8 [z, y, x], 1 inside
    returns : int64 [points, 3], (z, y, x) in half voxels: 2 i for voxel i, 2 i - 1 and 2 i + 1 for its two sides
    """
    nz, ny, nx = mask.shape
    lines = ny * nx + nz * nx + nz * ny
    ends = np.full((lines, 2), -1, np.int64)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if mask[z, y, x]:
                    _extend(ends, y * nx + x, z)
                    _extend(ends, ny * nx + z * nx + x, y)
                    _extend(ends, ny * nx + nz * nx + z * ny + y, x)
    points = np.empty((2 * lines, 3), np.int64)
    n = 0
    for line in range(lines):
        if ends[line, 0] < 0:
            continue
        for side in range(2):
            at = 2 * ends[line, side] - 1 + 2 * side
            if line < ny * nx:
                points[n] = at, 2 * (line // nx), 2 * (line % nx)
            elif line < ny * nx + nz * nx:
                rest = line - ny * nx
                points[n] = 2 * (rest // nx), at, 2 * (rest % nx)
            else:
                rest = line - ny * nx - nz * nx
                points[n] = 2 * (rest // ny), 2 * (rest % ny), at
            n += 1
    return points[:n].copy()


@njit(cache=True, nogil=True)
def _extend(ends, line, at):
    """Note that the voxel `at` of a line is inside; voxels come in ascending order."""
    if ends[line, 0] < 0:
        ends[line, 0] = at
    ends[line, 1] = at


@njit(cache=True, nogil=True)
def sum_moments(mask):
    """Sums over the voxels of a mask of their indices and of the products of these.

    mask : uint8 [z, y, x], 1 inside
    returns : int64 [10], sums of 1, z, y, x, zz, yy, xx, zy, zx, yx
    """
    nz, ny, nx = mask.shape
    sums = np.zeros(10, np.int64)
    for z in range(nz):
        for y in range(ny):
            n, sum_x, sum_xx = 0, 0, 0
            for x in range(nx):
                if mask[z, y, x]:
                    n += 1
                    sum_x += x
                    sum_xx += x * x
            sums[0] += n
            sums[1] += n * z
            sums[2] += n * y
            sums[3] += sum_x
            sums[4] += n * z * z
            sums[5] += n * y * y
            sums[6] += sum_xx
            sums[7] += n * z * y
            sums[8] += z * sum_x
            sums[9] += y * sum_x
    return sums
