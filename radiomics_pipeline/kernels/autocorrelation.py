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
    total = 0.0
    lines = np.empty((4, 3, nx))  # of low and high z and y, then of their parities
    for i in range(hz):
        for j in range(hy):
            for side_z in range(pz):
                z = nz // 2 + i if side_z == 0 else nz - 1 - nz // 2 - i
                for side_y in range(py):
                    y = ny // 2 + j if side_y == 0 else ny - 1 - ny // 2 - j
                    squares = _read(values[z, y], mask[z, y], centre, scale, lines[2 * side_z + side_y])
                    if (side_z == 0 or z != nz // 2) and (side_y == 0 or y != ny // 2):
                        total += squares
            if py == 2:
                for side_z in range(pz):
                    _part(lines[2 * side_z], lines[2 * side_z + 1])
            if pz == 2:
                for side_y in range(py):
                    _part(lines[side_y], lines[2 + side_y])
            for part in range(3 * pz * py):
                parity_z, parity_y, which = part // (3 * py), part // 3 % py, part % 3
                line = lines[2 * parity_z + parity_y, which]
                even = folded[0, which, parity_z, i, parity_y, j]
                if px == 2:
                    _halve(line, even, folded[1, which, parity_z, i, parity_y, j])
                else:
                    even[0] = line[0]
    return folded, total


@njit(cache=True, nogil=True)
def _read(values, mask, centre, scale, line):
    """Write a line's mask, scaled values and their squares; the sum of the squares."""
    squares = 0.0
    for x in range(len(mask)):
        value = (values[x] - centre) / scale if mask[x] else 0.0
        line[0, x] = 1.0 if mask[x] else 0.0
        line[1, x] = value
        line[2, x] = value * value
        squares += value * value
    return squares


@njit(cache=True, nogil=True)
def _halve(line, even, odd):
    """Write the even and odd part of a line."""
    n = len(line)
    for k in range(len(even)):
        high, low = line[n // 2 + k], line[n - 1 - n // 2 - k]
        even[k] = high + low
        odd[k] = high - low


@njit(cache=True, nogil=True)
def _part(first, second):
    """Replace two lots of lines with their sum and difference."""
    for which in range(first.shape[0]):
        for x in range(first.shape[1]):
            a, b = first[which, x], second[which, x]
            first[which, x] = a + b
            second[which, x] = a - b


@njit(cache=True, nogil=True)
def add_spectra(spectra, weights, first, sums):
    """Add the weighted products of three spectra: of the first two with themselves, of the first with the third.

    spectra : float64 [3, p, kz, ky, px, kx], parities p and px in z and x
    weights : float64 [all ky, kz, kx], whose row `first` belongs to the spectra's first ky
    sums : float64 [3, kx], added to
    """
    _, np_z, nkz, nky, np_x, nkx = spectra.shape
    for p in range(np_z):
        for kz in range(nkz):
            for ky in range(nky):
                w = weights[first + ky, kz]
                for q in range(np_x):
                    a, b, c = spectra[0, p, kz, ky, q], spectra[1, p, kz, ky, q], spectra[2, p, kz, ky, q]
                    for kx in range(nkx):
                        weighted = w[kx] * a[kx]
                        sums[0, kx] += weighted * a[kx]
                        sums[1, kx] += w[kx] * b[kx] * b[kx]
                        sums[2, kx] += weighted * c[kx]
