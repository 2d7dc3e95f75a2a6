"""Statistics of the intensities around every voxel, for feature maps."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def describe_intensities(image, levels, counted, centres, radius, shift, exact):
    """Statistics of the intensities in the box around each centre.

    image : float64 [z, y, x]
    levels : int32 [z, y, x], grey levels, for entropy and uniformity
    counted : uint8 [z, y, x], 1 where a voxel belongs to the neighbourhood of a centre
    centres : int64 [n, 3]
    radius : int64 [3], the box reaches from -radius to +radius voxels
    shift : added to the intensities before they are squared for the energy
    exact : 1: ranks of percentiles as fractions; 0: rounded as numpy does, which decides what lies between two of them

    returns : float64 [n, 20], NaN where no voxel counts: number of voxels, sum, mean, second to fourth central moment,
    energy (shifted), sum of squares, minimum, maximum, median, 10th, 25th, 75th and 90th percentile, mean absolute
    deviation from the mean, from the median, and from the mean of those within 10th to 90th percentile (robust),
    entropy in bits and uniformity of the grey levels
    """
    result = np.full((len(centres), 20), np.nan)
    most = (2 * radius[0] + 1) * (2 * radius[1] + 1) * (2 * radius[2] + 1)
    values, grey = np.empty(most), np.empty(most, np.int64)
    nz, ny, nx = image.shape
    for c in range(len(centres)):
        n = 0
        for z in range(max(0, centres[c, 0] - radius[0]), min(nz, centres[c, 0] + radius[0] + 1)):
            for y in range(max(0, centres[c, 1] - radius[1]), min(ny, centres[c, 1] + radius[1] + 1)):
                for x in range(max(0, centres[c, 2] - radius[2]), min(nx, centres[c, 2] + radius[2] + 1)):
                    if counted[z, y, x]:
                        values[n], grey[n] = image[z, y, x], levels[z, y, x]
                        n += 1
        if n:
            _sort(values, n)
            _sort(grey, n)
            _describe_values(values[:n], shift, exact, result[c])
            _describe_levels(grey[:n], result[c])
    return result


@njit(cache=True, nogil=True)
def _sort(values, n):
    """Sort the first n values in place; quick for the few of a small box."""
    if n > 64:
        values[:n] = np.sort(values[:n])
        return
    for i in range(1, n):
        value, k = values[i], i
        while k > 0 and values[k - 1] > value:
            values[k] = values[k - 1]
            k -= 1
        values[k] = value


@njit(cache=True, nogil=True)
def _describe_values(v, shift, exact, out):
    """All statistics of ascending values but those of grey levels."""
    n = len(v)
    total, energy, squares = 0.0, 0.0, 0.0
    for a in v:
        total += a
        energy += (a + shift) * (a + shift)
        squares += a * a
    mean = total / n if v[0] < v[-1] else v[0]
    median = _percentile(v, 50, exact)
    p10, p90 = _percentile(v, 10, exact), _percentile(v, 90, exact)
    m2, m3, m4, from_mean, from_median, inner, n_inner = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    for a in v:
        d = a - mean
        m2 += d * d
        m3 += d * d * d
        m4 += d * d * d * d
        from_mean += abs(d)
        from_median += abs(a - median)
        if p10 <= a <= p90:
            inner += a
            n_inner += 1
    robust = 0.0
    for a in v:
        if p10 <= a <= p90:
            robust += abs(a - inner / n_inner)
    out[0], out[1], out[2] = n, total, mean
    out[3], out[4], out[5] = m2 / n, m3 / n, m4 / n
    out[6], out[7], out[8], out[9], out[10] = energy, squares, v[0], v[-1], median
    out[11], out[12], out[13], out[14] = p10, _percentile(v, 25, exact), _percentile(v, 75, exact), p90
    out[15], out[16] = from_mean / n, from_median / n
    out[17] = robust / n_inner if n_inner else np.nan


@njit(cache=True, nogil=True)
def _percentile(v, percent, exact):
    """Percentile of ascending values, linear between neighbours."""
    if exact:
        low, rest = divmod((len(v) - 1) * percent, 100)
        return v[low] + (v[low + 1] - v[low]) * (rest / 100) if rest else v[low]
    place = (len(v) - 1) * (percent / 100.0)
    low = int(place)
    if low >= len(v) - 1:
        return v[-1]
    part, gap = place - low, v[low + 1] - v[low]
    return v[low + 1] - gap * (1 - part) if part >= 0.5 else v[low] + gap * part


@njit(cache=True, nogil=True)
def _describe_levels(grey, out):
    """Entropy and uniformity of ascending grey levels."""
    n, entropy, uniformity, start = len(grey), 0.0, 0.0, 0
    for i in range(1, n + 1):
        if i == n or grey[i] != grey[start]:
            p = (i - start) / n
            entropy -= p * np.log2(p)
            uniformity += p * p
            start = i
    out[18], out[19] = entropy + 0.0, uniformity
