"""What the shape of a region is computed from: its surface cells, its extreme points, its moments, its intensities."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count_cells(mask):
    """Count the cells of marching cubes by the pattern of their eight corners.

    A cell spans voxels [z..z+1, y..y+1, x..x+1]; bit 4 dz + 2 dy + dx of its pattern is that corner's voxel. Those
    that reach beyond the borders are cells, too: all is outside there.

    mask : uint8 [z, y, x], 1 inside
    returns : int64 [256, 2], number of cells of each pattern but 0, and the sum of their x indices, from -1 on
    """
    nz, ny, nx = mask.shape
    found = np.zeros((256, 2), np.int64)
    columns = np.empty(nx + 1, np.uint8)
    columns[nx] = 0
    for z in range(-1, nz):
        for y in range(-1, ny):
            columns[:nx] = 0
            for corner in range(4):
                at_z, at_y = z + corner // 2, y + corner % 2
                if 0 <= at_z < nz and 0 <= at_y < ny:
                    line, shift = mask[at_z, at_y], 2 * corner
                    for x in range(nx):
                        columns[x] |= line[x] << shift
            pattern, full, full_x = 0, 0, 0
            for x in range(-1, nx):
                pattern = ((pattern >> 1) & 0x55) | (columns[x + 1] << 1)
                if pattern == 255:
                    full += 1
                    full_x += x
                elif pattern:
                    found[pattern, 0] += 1
                    found[pattern, 1] += x
            found[255, 0] += full
            found[255, 1] += full_x
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


@njit(cache=True, nogil=True)
def sum_intensities(values, mask):
    """Sums over the voxels of a mask of their values, also weighted with their indices, and the values' range.

    values : float64 [z, y, x]
    mask : uint8 [z, y, x], 1 inside
    returns : float64 [8], number of voxels, sums of values, of absolute values, of values times z, y and x, and the
        smallest and largest value (infinite in an empty mask)
    """
    nz, ny, nx = mask.shape
    sums = np.zeros(8)
    sums[6], sums[7] = np.inf, -np.inf
    rows = np.zeros(ny)
    for z in range(nz):
        plane, plane_size, plane_x, n = 0.0, 0.0, 0.0, 0
        for y in range(ny):
            line, line_size, line_x = 0.0, 0.0, 0.0
            for x in range(nx):
                if mask[z, y, x]:
                    value = values[z, y, x]
                    n += 1
                    line += value
                    line_size += abs(value)
                    line_x += value * x
                    sums[6], sums[7] = min(sums[6], value), max(sums[7], value)
            rows[y] += line
            plane += line
            plane_size += line_size
            plane_x += line_x
        sums[0] += n
        sums[1] += plane
        sums[2] += plane_size
        sums[3] += plane * z
        sums[5] += plane_x
    for y in range(ny):
        sums[4] += rows[y] * y
    return sums
