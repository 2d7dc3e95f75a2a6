"""Mean intensities in a sphere."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_peaks(image, mask, offset, widths):
    """The highest mean of a sphere around a voxel of highest intensity in the mask, and around any voxel of the mask.

    Of the sphere the voxels inside the image count. Means are found with running sums along rows, which err by some
    1e-16 of the sum of a row; those of the two spheres that win are summed anew, voxel by voxel.

    image : float64 [z, y, x]
    mask : bool [z, y, x], a part of the image that begins at index `offset`, int64 [3]; at least one voxel inside
    widths : int64 [2 reach_z + 1, 2 reach_y + 1], at each offset (dz, dy) from the centre the largest offset |dx| of
        the sphere, -1 where the row lies outside it
    returns : float64 [2], local and global peak; nan where sums exceed the range of numbers
    """
    nz, ny, nx = image.shape
    mz, my, mx = mask.shape
    reach_z, reach_y = widths.shape[0] // 2, widths.shape[1] // 2
    reach_x = widths[reach_z, reach_y]
    highest = _highest(image, mask, offset)
    sums = np.empty((widths.shape[0], ny, nx + 2 * reach_x + 1))
    total, count = np.empty(mx), np.empty(mx)
    best = np.full(2, -np.inf)
    at = np.zeros((2, 3), np.int64)
    done = max(0, offset[0] - reach_z)
    for z in range(offset[0], offset[0] + mz):
        while done <= min(z + reach_z, nz - 1):
            _sum_rows(image[done], sums[done % widths.shape[0]], reach_x)
            done += 1
        for y in range(offset[1], offset[1] + my):
            inside = mask[z - offset[0], y - offset[1]]
            first, end = _span(inside)
            if first == end:
                continue
            at_first = (z, y, offset[2] + first)
            _sum_spheres(sums, widths, at_first, image.shape, total[: end - first], count[: end - first])
            for i in range(end - first):
                x = first + i
                if inside[x]:
                    mean = total[i] / count[i]
                    if mean > best[1]:
                        best[1] = mean
                        at[1] = z, y, x + offset[2]
                    if mean > best[0] and image[z, y, x + offset[2]] == highest:
                        best[0] = mean
                        at[0] = z, y, x + offset[2]
    for k in range(2):
        best[k] = _mean_of_sphere(image, at[k], widths) if best[k] > -np.inf else np.nan
    return best


@njit(cache=True, nogil=True)
def _highest(image, mask, offset):
    """Highest intensity in the mask."""
    mz, my, mx = mask.shape
    highest = -np.inf
    for z in range(mz):
        for y in range(my):
            row = image[z + offset[0], y + offset[1], offset[2] : offset[2] + mx]
            for x in range(mx):
                if mask[z, y, x] and row[x] > highest:
                    highest = row[x]
    return highest


@njit(cache=True, nogil=True)
def _sum_rows(plane, sums, reach):
    """Write into row y, column i of `sums` the sum of row y before column i - reach; beyond its ends 0 and all."""
    ny, nx = plane.shape
    for y in range(ny):
        row, out = plane[y], sums[y]
        out[: reach + 1] = 0.0
        running = 0.0
        tail = out[reach + 1 :]
        for x in range(nx):
            running += row[x]
            tail[x] = running
        tail[nx:] = running


@njit(cache=True, nogil=True)
def _span(inside):
    """First voxel inside, and the one behind the last; two equal numbers where none is."""
    first, end = 0, len(inside)
    while first < end and not inside[first]:
        first += 1
    while end > first and not inside[end - 1]:
        end -= 1
    return first, end


@njit(cache=True, nogil=True)
def _sum_spheres(sums, widths, at, size, total, count):
    """Write the sum, and the number of voxels, of the spheres around the voxels at (z, y, x), (z, y, x + 1), ..."""
    (z, y, x), (nz, ny, nx) = at, size
    slots = widths.shape[0]
    reach_z, reach_y = slots // 2, widths.shape[1] // 2
    reach_x = widths[reach_z, reach_y]
    n = len(total)
    at_border = x < reach_x or x + n + reach_x > nx
    total[:] = 0.0
    count[:] = 0.0
    voxels = 0.0
    for dz in range(max(-reach_z, -z), min(reach_z, nz - 1 - z) + 1):
        plane = sums[(z + dz) % slots]
        for dy in range(max(-reach_y, -y), min(reach_y, ny - 1 - y) + 1):
            width = widths[dz + reach_z, dy + reach_y]
            if width < 0:
                continue
            start = x + reach_x - width
            low, high = (
                plane[y + dy, start : start + n],
                plane[y + dy, start + 2 * width + 1 : start + 2 * width + 1 + n],
            )
            for i in range(n):
                total[i] += high[i] - low[i]
            voxels += 2 * width + 1
            if at_border:
                for i in range(n):
                    count[i] += min(x + i + width, nx - 1) - max(x + i - width, 0) + 1
    if not at_border:
        count[:] = voxels


@njit(cache=True, nogil=True)
def _mean_of_sphere(image, centre, widths):
    """Mean over the sphere around one voxel, summed with compensation."""
    nz, ny, nx = image.shape
    reach_z, reach_y = widths.shape[0] // 2, widths.shape[1] // 2
    total, lost, n = 0.0, 0.0, 0
    for dz in range(-reach_z, reach_z + 1):
        for dy in range(-reach_y, reach_y + 1):
            z, y, width = centre[0] + dz, centre[1] + dy, widths[dz + reach_z, dy + reach_y]
            if width < 0 or not 0 <= z < nz or not 0 <= y < ny:
                continue
            for x in range(max(0, centre[2] - width), min(nx, centre[2] + width + 1)):
                value = image[z, y, x]
                larger = total + value
                lost += (total - larger) + value if abs(total) >= abs(value) else (value - larger) + total
                total = larger
                n += 1
    return (total + lost) / n
