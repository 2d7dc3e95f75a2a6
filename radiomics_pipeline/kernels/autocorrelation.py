"""Sums over all pairs of voxels, and the steps of their evaluation by frequencies."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def sum_pairs(positions_mm, values):
    """Sums over all ordered pairs of voxels, weighted with the inverse of their distance.

    positions_mm : float64 [n, 3], no two alike
    values : float64 [n]
    returns : float64 [3], sums of w, of w a b and of w (a - b)^2
    """
    weight_sum, product_sum, difference_sum = 0.0, 0.0, 0.0
    for i in range(len(values)):
        weights, products, differences = 0.0, 0.0, 0.0
        for j in range(i):
            dz = positions_mm[i, 0] - positions_mm[j, 0]
            dy = positions_mm[i, 1] - positions_mm[j, 1]
            dx = positions_mm[i, 2] - positions_mm[j, 2]
            w = 1.0 / np.sqrt(dz * dz + dy * dy + dx * dx)
            weights += w
            products += w * values[j]
            differences += w * (values[i] - values[j]) ** 2
        weight_sum += weights
        product_sum += products * values[i]
        difference_sum += differences
    return 2.0 * np.array([weight_sum, product_sum, difference_sum])


@njit(cache=True, nogil=True)
def find_box(mask):
    """Count the voxels of a mask, and find the box around them.

    mask : uint8 [z, y, x], 1 inside
    returns : int64 [7], number of voxels; along z, y and x the first index in the box and the first behind it
    """
    nz, ny, nx = mask.shape
    box = np.zeros(7, np.int64)
    columns = np.zeros(nx, np.int64)
    rows = np.zeros(ny, np.int64)
    for z in range(nz):
        before = box[0]
        for y in range(ny):
            line = mask[z, y]
            n = 0
            for x in range(nx):
                n += line[x]
                columns[x] += line[x]
            rows[y] += n
            box[0] += n
        if box[0] > before:
            if before == 0:
                box[1] = z
            box[2] = z + 1
    for axis in range(1, 3):
        counts = rows if axis == 1 else columns
        for k in range(len(counts)):
            if counts[k]:
                if box[2 * axis + 2] == 0:
                    box[2 * axis + 1] = k
                box[2 * axis + 2] = k + 1
    return box


@njit(cache=True, nogil=True)
def fold_halves(values, mask, centre, scale):
    """Even and odd parts about the middle of each axis, of a mask, of the values in it and of their squares.

    The even part of a line f of length n at distance i from its middle is f(n // 2 + i) + f(n - 1 - n // 2 - i), the
    odd part the difference; an axis of length 1 has an even part only, f itself. The middle of an odd length is
    thus met twice.

    values : float64 [z, y, x]
    mask : uint8 [z, y, x]
    centre, scale : a value counts as (value - centre) / scale
    returns : float64 [px, 3, pz, hz, py, hy, hx], parity and half-length of each axis, of mask, values and squares;
        and the sum of the squares
    """
    nz, ny, nx = mask.shape
    hz, hy, hx = (nz + 1) // 2, (ny + 1) // 2, (nx + 1) // 2
    pz, py, px = min(nz, 2), min(ny, 2), min(nx, 2)
    folded = np.empty((px, 3, pz, hz, py, hy, hx))
    # one-dimensional parts of one-dimensional arrays are made soonest
    parts, size = folded.reshape(-1), 3 * px * hx
    lines = np.empty(4 * size)  # of low and high z and y, then of their parities; of each: parity of x, which part
    total = 0.0
    for i in range(hz):
        for j in range(hy):
            for side in range(4):
                side_z, side_y = side // 2, side % 2
                if side_z < pz and side_y < py:
                    z = nz - 1 - nz // 2 - i if side_z else nz // 2 + i
                    y = ny - 1 - ny // 2 - j if side_y else ny // 2 + j
                    line = lines[side * size : (side + 1) * size]
                    squares = _read(values[z, y], mask[z, y], centre, scale, line, hx)
                    if (side_z == 0 or z != nz // 2) and (side_y == 0 or y != ny // 2):
                        total += squares
            if py == 2:
                _part(lines[:size], lines[size : 2 * size])
                if pz == 2:
                    _part(lines[2 * size : 3 * size], lines[3 * size :])
            if pz == 2:
                _part(lines[: 2 * size], lines[2 * size :])
            for part in range(3 * px * pz * py):
                parity_z, parity_y, which = part // py % pz, part % py, part // (py * pz)
                at = (2 * parity_z + parity_y) * size + which * hx
                to = ((((which * pz + parity_z) * hz + i) * py + parity_y) * hy + j) * hx
                for k in range(hx):
                    parts[to + k] = lines[at + k]
    return folded, total


@njit(cache=True, nogil=True)
def _read(values, mask, centre, scale, line, hx):
    """Write the even parts of a line's mask, scaled values and their squares, then the odd ones; the sum of squares."""
    n, total = len(mask), 0.0
    low, high = n - 1 - n // 2, n // 2
    for k in range(hx):
        one, other = float(mask[high + k]), float(mask[low - k])
        first, second = (values[high + k] - centre) / scale, (values[low - k] - centre) / scale
        first = first if one else 0.0
        second = second if other else 0.0
        total += first * first
        if n == 1:
            line[0], line[1], line[2] = one, first, first * first
            return total
        if high + k != low - k:
            total += second * second
        line[k], line[3 * hx + k] = one + other, one - other
        line[hx + k], line[4 * hx + k] = first + second, first - second
        line[2 * hx + k] = first * first + second * second
        line[5 * hx + k] = first * first - second * second
    return total


@njit(cache=True, nogil=True)
def _part(first, second):
    """Replace two lots of lines with their sum and difference."""
    for x in range(len(first)):
        a, b = first[x], second[x]
        first[x] = a + b
        second[x] = a - b


@njit(cache=True, nogil=True)
def add_spectra(spectra, weights, first, sums):
    """Add the weighted products of three spectra: of the first two with themselves, of the first with the third.

    spectra : float64 [3, p, kz, ky, kx], by parity p in z
    weights : float64 [all ky, kz, kx], whose row `first` belongs to the spectra's first ky
    sums : float64 [3, kx or more], added to
    """
    _, np_z, nkz, nky, nkx = spectra.shape
    for p in range(np_z):
        for kz in range(nkz):
            for ky in range(nky):
                w = weights[first + ky, kz]
                a, b, c = spectra[0, p, kz, ky], spectra[1, p, kz, ky], spectra[2, p, kz, ky]
                for kx in range(nkx):
                    weighted = w[kx] * a[kx]
                    sums[0, kx] += weighted * a[kx]
                    sums[1, kx] += w[kx] * b[kx] * b[kx]
                    sums[2, kx] += weighted * c[kx]
