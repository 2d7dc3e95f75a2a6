"""Intensities between voxels."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def interpolate_linearly(array, counts, first, second, weight):
    """Interpolate along z, then y, then x, between two voxels each.

    array : float64 [z, y, x], read-only
    counts : int64 [3], number of new points along z, y and x
    first, second : uint64 [sum of counts], the two voxels between which each point lies along z, then along y, then
        along x; ascending along each
    weight : float64 [sum of counts], share of the second
    returns : float64, one value for each of the new points along z, y and x
    """
    nz, ny, nx = counts
    found = np.empty((nz, ny, nx))
    y_first, y_second, y_weight = first[nz : nz + ny], second[nz : nz + ny], weight[nz : nz + ny]
    x_first, x_second, x_weight = first[nz + ny :], second[nz + ny :], weight[nz + ny :]
    y_low, x_low = y_first[0], x_first[0]
    plane = np.empty((y_second[ny - 1] + np.uint64(1) - y_low, x_second[nx - 1] + np.uint64(1) - x_low))
    line = np.empty(plane.shape[1])
    for z in range(nz):
        for y in range(plane.shape[0]):
            near = array[first[z], y_low + np.uint64(y), x_low:]
            far = array[second[z], y_low + np.uint64(y), x_low:]
            _mix(near, far, weight[z], plane[y])
        for y in range(ny):
            _mix(plane[y_first[y] - y_low], plane[y_second[y] - y_low], y_weight[y], line)
            out = found[z, y]
            for x in range(nx):
                w = x_weight[x]
                out[x] = line[x_first[x] - x_low] * (1.0 - w) + line[x_second[x] - x_low] * w
    return found


@njit(cache=True, nogil=True)
def _mix(near, far, weight, out):
    """Write (1 - weight) near + weight far into `out`."""
    rest = 1.0 - weight
    for i in range(len(out)):
        out[i] = near[i] * rest + far[i] * weight


@njit(cache=True, nogil=True)
def interpolate_splines(array, taps, shares):
    """Interpolate along the middle axis with a cubic B-spline, its coefficients reflected at both end points.

    array : float64 [a, n, b]
    taps : int64 [k, 4], the coefficients that each new point lies between; shares : float64 [k, 4], their weights
    returns : float64 [a, k, b]
    """
    na, n, nb = array.shape
    found = np.empty((na, len(taps), nb))
    lanes = min(nb, 256)  # so many lines at a time stay in the processor's cache
    work = np.empty((n, lanes))
    for a in range(na):
        for start in range(0, nb, lanes):
            end = min(start + lanes, nb)
            coefficients = work[:, : end - start]
            for i in range(n):
                coefficients[i] = array[a, i, start:end]
            if n > 1:
                _filter(coefficients)
            for k in range(len(taps)):
                s0, s1, s2, s3 = shares[k]
                c0, c1 = coefficients[taps[k, 0]], coefficients[taps[k, 1]]
                c2, c3 = coefficients[taps[k, 2]], coefficients[taps[k, 3]]
                out = found[a, k, start:end]
                for b in range(end - start):
                    out[b] = c0[b] * s0 + c1[b] * s1 + c2[b] * s2 + c3[b] * s3
    return found


@njit(cache=True, nogil=True)
def _filter(lines):
    """Turn values into the coefficients of the cubic B-spline through them, along the first axis, in place."""
    n, nb = lines.shape
    pole = np.sqrt(3.0) - 2.0
    for i in range(n):
        row = lines[i]
        for b in range(nb):
            row[b] *= 6.0
    first, last = lines[0], lines[n - 1]
    power, mirrored = pole, pole ** (2 * n - 3)  # of the pole for the value i, and for its mirror image
    end = pole ** (n - 1)
    for b in range(nb):
        first[b] += end * last[b]
    for i in range(1, n - 1):
        row = lines[i]
        for b in range(nb):
            first[b] += (power + mirrored) * row[b]
        power *= pole
        mirrored /= pole
        if abs(power) + abs(mirrored) < 1e-30:
            break
    for b in range(nb):
        first[b] /= 1.0 - end * end
    for i in range(1, n):
        row, before = lines[i], lines[i - 1]
        for b in range(nb):
            row[b] += pole * before[b]
    before = lines[n - 2]
    for b in range(nb):
        last[b] = pole / (pole * pole - 1.0) * (last[b] + pole * before[b])
    for i in range(n - 2, -1, -1):
        row, behind = lines[i], lines[i + 1]
        for b in range(nb):
            row[b] = pole * (behind[b] - row[b])
