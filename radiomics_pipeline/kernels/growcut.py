"""Strengths of seeds in GrowCut."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_strengths(image, seeds, active, scale):
    """The strength with which seeds reach every voxel: the largest product of 1 - |step| / scale along any path.

    A path leads from a seed from voxel to voxel over faces, edges and corners; its steps are the differences of
    intensity along it. Sweeps forwards and backwards take the strengths up until none changes, which is the fixed
    point of the cellular automaton, whatever the order.

    image : float64 [z, y, x]
    seeds, active : bool [z, y, x], where paths begin, and the voxels that they may take
    scale : at least the largest difference between active voxels, above 0
    returns : float64 [z, y, x], 1 at the seeds, 0 where no path leads
    """
    nz, ny, nx = image.shape
    strength = np.zeros(image.shape)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if seeds[z, y, x]:
                    strength[z, y, x] = 1.0
    backward = False
    unchanged = 0
    while unchanged < 2:
        changed = False
        for k in range(nz):
            z = nz - 1 - k if backward else k
            for j in range(ny):
                y = ny - 1 - j if backward else j
                changed |= _take_up_row(image, active, strength, z, y, scale, backward)
        unchanged = 0 if changed else unchanged + 1
        backward = not backward
    return strength


@njit(cache=True, nogil=True)
def _take_up_row(image, active, strength, z, y, scale, backward):
    """Take strengths up from the neighbours of each voxel of a row, one after the other; whether any changed."""
    nz, ny, nx = image.shape
    changed = False
    for i in range(nx):
        x = nx - 1 - i if backward else i
        if not active[z, y, x]:
            continue
        best, value = strength[z, y, x], image[z, y, x]
        if best == 1.0:
            continue
        before = best
        for nz_ in range(max(0, z - 1), min(nz, z + 2)):
            for ny_ in range(max(0, y - 1), min(ny, y + 2)):
                for nx_ in range(max(0, x - 1), min(nx, x + 2)):
                    other = strength[nz_, ny_, nx_]
                    if other > best:
                        reached = other * (1.0 - abs(image[nz_, ny_, nx_] - value) / scale)
                        best = max(best, reached)
        if best > before:
            strength[z, y, x] = best
            changed = True
    return changed
