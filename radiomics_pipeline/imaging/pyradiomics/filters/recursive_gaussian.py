"""Weights of a recursive filter that smooths by a Gaussian, or takes its second derivative.

Deriche's fit of both by two damped oscillations (INRIA report 1893, 1993), scaled after Farneback and Westin (Improving
Deriche-style recursive Gaussian filters, J Math Imaging Vis 2006, doi:10.1007/s10851-006-8464-z). Sums are written in
the order in which ITK takes them, so that responses have its digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FREQUENCIES = (0.6681, 2.0787)
DECAYS = (-1.3932, -1.3732)
"""Of the two oscillations, per width of the Gaussian: exp(decay t) (a cos(frequency t) + b sin(frequency t))."""
SMOOTHING = ((1.3530, 1.8151), (-0.3531, 0.0902))
SECOND = ((-1.3563, 5.2318), (0.3446, -2.2355))
"""(a, b) of each oscillation."""

FELT = 20.0
"""Widths after which the filter has forgotten a voxel: its weight there is some 1e-12 of that at the centre."""
FEWEST = 4
"""Voxels along an axis that the recursion needs."""


@dataclass(frozen=True)
class Weights:
    """Of a recursion of fourth order, each float64 [4].

    forward : of a voxel and the three before it; backward : of the four behind it; feedback : of the four results
        before, or behind, which are taken away
    """

    forward: np.ndarray
    backward: np.ndarray
    feedback: np.ndarray


def smoothing(width: float) -> Weights:
    """The Gaussian of this standard deviation in voxels, of sum 1."""
    poles, zeros = _Poles(width), _Poles(width).zeros(SMOOTHING)
    scale = 2 * sum(zeros) / poles.sums[0] - zeros[0]
    return poles.both_ways([zero * (1.0 / scale) for zero in zeros])


def second_derivative(width: float, factor: float) -> Weights:
    """Its second derivative per voxel^2, times a factor: 0 for a constant, 2 for the square of the place in voxels."""
    poles = _Poles(width)
    smooth, curved = poles.zeros(SMOOTHING), poles.zeros(SECOND)
    sd, dd, ed = poles.sums
    beta = -(2 * _moments(curved)[0] - sd * curved[0]) / (2 * _moments(smooth)[0] - sd * smooth[0])
    zeros = [second + beta * zero for zero, second in zip(smooth, curved, strict=True)]
    sn, dn, en = (second + beta * zero for zero, second in zip(_moments(smooth), _moments(curved), strict=True))
    scale = en * sd * sd - ed * sn * sd - 2 * dn * dd * sd + 2 * dd * dd * sn
    scale /= sd * sd * sd
    return poles.both_ways([zero * (factor / scale) for zero in zeros])


class _Poles:
    """The two oscillations at a width in voxels.

    feedback : the four weights d_k; sums : of d_k, k d_k and k^2 d_k, with d_0 = 1
    """

    def __init__(self, width: float) -> None:
        (w1, w2), (l1, l2) = FREQUENCIES, DECAYS
        self.sines = math.sin(w1 / width), math.sin(w2 / width)
        self.cosines = math.cos(w1 / width), math.cos(w2 / width)
        self.decays = math.exp(l1 / width), math.exp(l2 / width)
        (c1, c2), (e1, e2) = self.cosines, self.decays
        d1 = -2 * (e2 * c2 + e1 * c1)
        d2 = 4 * c2 * c1 * e1 * e2 + (e1 * e1 + e2 * e2)
        d3 = -2 * c1 * e1 * e2 * e2 + -2 * c2 * e2 * e1 * e1
        d4 = e1 * e1 * e2 * e2
        self.feedback = d1, d2, d3, d4
        self.sums = 1 + d1 + d2 + d3 + d4, d1 + 2 * d2 + 3 * d3 + 4 * d4, d1 + 4 * d2 + 9 * d3 + 16 * d4

    def zeros(self, waves: tuple[tuple[float, float], tuple[float, float]]) -> list[float]:
        """Weights n_0..n_3 of the causal half of two oscillations."""
        (a1, b1), (a2, b2) = waves
        (s1, s2), (c1, c2), (e1, e2) = self.sines, self.cosines, self.decays
        n1 = e2 * (b2 * s2 - (a2 + 2 * a1) * c2) + e1 * (b1 * s1 - (a1 + 2 * a2) * c1)
        n2 = ((a1 + a2) * c2 * c1 - (b1 * c2 * s1 + b2 * c1 * s2)) * (2 * e1 * e2) + (a2 * e1 * e1 + a1 * e2 * e2)
        n3 = e2 * e1 * e1 * (b2 * s2 - a2 * c2) + e1 * e2 * e2 * (b1 * s1 - a1 * c1)
        return [a1 + a2, n1, n2, n3]

    def both_ways(self, zeros: list[float]) -> Weights:
        """The symmetric filter whose causal half has these zeros."""
        n0, n1, n2, n3 = zeros
        d1, d2, d3, d4 = self.feedback
        backward = [n1 - d1 * n0, n2 - d2 * n0, n3 - d3 * n0, -d4 * n0]
        return Weights(np.array(zeros), np.array(backward), np.array(self.feedback))


def _moments(n: list[float]) -> tuple[float, float, float]:
    """Sums of n_k, k n_k and k^2 n_k."""
    return n[0] + n[1] + n[2] + n[3], n[1] + 2 * n[2] + 3 * n[3], n[1] + 4 * n[2] + 9 * n[3]
