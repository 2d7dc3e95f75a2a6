"""Grey-level co-occurrence around every voxel, for feature maps."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

N_FEATURES = 26


@njit(cache=True, nogil=True)
def describe_pairs(levels, centres, radius, steps, weights, merged, n_levels, flat, epsilon):
    """Features of the symmetric co-occurrence matrix of the box around each centre.

    levels : int32 [z, y, x], 1 or more where a voxel counts, 0 elsewhere
    centres : int64 [n, 3]
    radius : int64 [3], the box reaches from -radius to +radius voxels
    steps : int64 [m, 3], one of each two opposite directions
    weights : float64 [m], what a pair of each direction counts; one of 0 is left out
    merged : 1: one matrix of all directions; 0: the mean over those in which the box has a pair
    n_levels : number of grey levels by which normalised differences are divided
    flat : float64 [3], correlation, first information correlation and maximal correlation of a matrix with one level
    epsilon : added to probabilities in logarithms, where the second information correlation feels it

    returns : float64 [n, 26], NaN where there is no pair: joint maximum, average, variance and entropy; difference
    average, variance and entropy; sum average, variance and entropy; energy; contrast; inverse difference, the same
    normalised, inverse difference moment, the same normalised; inverse variance; correlation; autocorrelation; cluster
    shade and prominence; first and second information correlation; second largest |eigenvalue| of the normalised
    matrix (maximal correlation coefficient); number of matrices; number of pairs in the last of them
    """
    result = np.full((len(centres), N_FEATURES), np.nan)
    box = (2 * radius[0] + 1) * (2 * radius[1] + 1) * (2 * radius[2] + 1)
    most = box * (len(steps) if merged else 1)
    ends, times = np.empty((2, most), np.int64), np.empty(most)
    highest = levels.max()
    held = np.zeros((3, 2 * highest + 1))
    logs = np.empty(2 * most + 1)
    logs[0] = 0.0
    for k in range(1, len(logs)):
        logs[k] = np.log2(k)
    if (weights != 1.0).any():
        logs = logs[:1]
    inverse = _inverses(highest + 1, n_levels)
    rank = np.zeros(highest + 1, np.int64)
    side = min(2 * most, box, highest) + 1
    matrix, order = np.empty((side, side)), np.empty((4, side))
    found, total = np.empty(N_FEATURES), np.empty(N_FEATURES)
    for c in range(len(centres)):
        n_matrices, n_pairs = 0, 0
        total[:] = 0.0
        for s in range(len(steps)):
            if not merged:
                n_pairs = 0
            if weights[s] > 0:
                n_pairs = _collect(levels, centres[c], radius, steps[s], weights[s], ends, times, n_pairs)
            if n_pairs and (not merged or s == len(steps) - 1):
                _describe(ends, times, n_pairs, held, rank, logs, inverse, matrix, order, flat, epsilon, found)
                total += found
                n_matrices += 1
        if n_matrices:
            result[c] = total / n_matrices
            result[c, 24], result[c, 25] = n_matrices, found[25]
    return result


@njit(cache=True, nogil=True)
def _inverses(n, n_levels):
    """What the inverse features take of each difference 0 .. n - 1; float64 [n, 5]."""
    found = np.empty((n, 5))
    for d in range(n):
        found[d, 0] = 1.0 / (1 + d)
        found[d, 1] = 1.0 / (1 + d / n_levels)
        found[d, 2] = 1.0 / (1 + float(d) * d)
        found[d, 3] = 1.0 / (1 + (d / n_levels) ** 2)
        found[d, 4] = 1.0 / (float(d) * d) if d else 0.0
    return found


@njit(cache=True, nogil=True)
def _collect(levels, centre, radius, step, weight, ends, times, n_pairs):
    """Add the pairs of one direction to the list of lower level, higher level and count."""
    nz, ny, nx = levels.shape
    z0, z1 = max(0, centre[0] - radius[0]), min(nz, centre[0] + radius[0] + 1)
    y0, y1 = max(0, centre[1] - radius[1]), min(ny, centre[1] + radius[1] + 1)
    x0, x1 = max(0, centre[2] - radius[2]), min(nx, centre[2] + radius[2] + 1)
    dz, dy, dx = step
    for z in range(max(z0, z0 - dz), min(z1, z1 - dz)):
        for y in range(max(y0, y0 - dy), min(y1, y1 - dy)):
            for x in range(max(x0, x0 - dx), min(x1, x1 - dx)):
                a, b = levels[z, y, x], levels[z + dz, y + dy, x + dx]
                if a and b:
                    low, high = min(a, b), max(a, b)
                    k = 0
                    while k < n_pairs and (ends[0, k] != low or ends[1, k] != high):
                        k += 1
                    if k == n_pairs:
                        ends[0, k], ends[1, k], times[k] = low, high, 0.0
                        n_pairs += 1
                    times[k] += weight
    return n_pairs


@njit(cache=True, nogil=True)
def _describe(ends, times, n, held, rank, logs, inverse, matrix, order, flat, epsilon, out):
    """Features of one matrix from its unlike entries; a pair of unlike levels stands in it twice, in both orders.

    held : float64 [3, 2 levels + 1], of zeros, and left so: counts by difference, by sum and by level
    """
    count, sums, differences = 0.0, 0.0, 0.0
    for k in range(n):
        low, high, t = ends[0, k], ends[1, k], times[k]
        count += t
        sums += t * (low + high)
        differences += t * (high - low)
        held[0, high - low] += t
        held[1, high + low] += t
        held[2, low] += t
        held[2, high] += t
    out[:] = 0.0
    mean, apart = sums / (2 * count), differences / count
    unlike = 0.0
    for k in range(n):
        low, high = ends[0, k], ends[1, k]
        share, d, s = times[k] / count, high - low, high + low - 2 * mean
        one = share if d == 0 else share / 2  # of each of the one or two entries
        unlike += 0.0 if d == 0 else share
        out[0] = max(out[0], one)
        out[2] += share * ((low - mean) ** 2 + (high - mean) ** 2) / 2
        out[5] += share * (d - apart) ** 2
        out[8] += share * s * s
        out[10] += share * one
        out[11] += share * d * d
        for f in range(5):
            out[12 + f] += share * inverse[d, f]
        out[17] += share * (low - mean) * (high - mean)
        out[18] += share * low * high
        out[19] += share * s * s * s
        out[20] += share * (s * s) * (s * s)
    out[1], out[4], out[7], out[25] = mean, apart, 2 * mean, count
    out[3] = unlike + _entropy(times[:n], count, logs)  # one bit for each pair of unlike levels: its order
    n_ranks = _rank(ends, n, rank)
    single = _spread(ends, n, count, held, logs, order[0], rank, out)
    if n_ranks == 1:
        out[2], out[8], out[19], out[20] = 0.0, 0.0, 0.0, 0.0
        out[17], out[21], out[22], out[23] = flat[0], flat[1], 0.0, flat[2]
    else:
        out[17] /= out[2]
        out[21] = (out[3] - 2 * single) / single
        cells = 2 * n
        for k in range(n):
            cells -= ends[0, k] == ends[1, k]
        shared = 2 * single - out[3] - (2 * n_ranks + n_ranks * n_ranks - cells) * epsilon / math.log(2)
        out[22] = np.sqrt(1 - np.exp(-2 * max(shared, 0.0)))
        out[23] = _second_eigenvalue(ends, times, n, n_ranks, rank, matrix, order)


@njit(cache=True, nogil=True)
def _entropy(counts, total, logs):
    """Entropy in bits of counts whose sum is `total`; from the table of logarithms where they are whole numbers."""
    found = 0.0
    if len(logs) > 1:
        for t in counts:
            found += t * logs[int(t)]
        return logs[int(total)] - found / total
    for t in counts:
        found -= t / total * np.log2(t / total)
    return found


@njit(cache=True, nogil=True)
def _spread(ends, n, count, held, logs, by_rank, rank, out):
    """Entropies of differences and sums, and that of a single level, which is returned; wipes the counts.

    by_rank : float64 [levels], gets the count of each level by its rank
    """
    for kind, place in ((0, 6), (1, 9)):
        found = 0.0
        for k in range(n):
            i = ends[1, k] - ends[0, k] if kind == 0 else ends[1, k] + ends[0, k]
            t = held[kind, i]
            if t:
                found += t * logs[int(t)] if len(logs) > 1 else t * np.log2(t / count)
                held[kind, i] = 0.0
        out[place] = (logs[int(count)] if len(logs) > 1 else 0.0) - found / count + 0.0
    found = 0.0
    for k in range(n):
        for e in range(2):
            t = held[2, ends[e, k]]
            if t:
                by_rank[rank[ends[e, k]]] = t
                found += t * logs[int(t)] if len(logs) > 1 else t * np.log2(t / (2 * count))
                held[2, ends[e, k]] = 0.0
    return (logs[int(2 * count)] if len(logs) > 1 else 0.0) - found / (2 * count)


@njit(cache=True, nogil=True)
def _rank(ends, n, rank):
    """Number the levels that occur from 0, in the order of the list; returns how many there are."""
    for k in range(n):
        rank[ends[0, k]] = -1
        rank[ends[1, k]] = -1
    found = 0
    for k in range(n):
        for e in range(2):
            if rank[ends[e, k]] < 0:
                rank[ends[e, k]] = found
                found += 1
    return found


@njit(cache=True, nogil=True)
def _second_eigenvalue(ends, times, n, n_ranks, rank, matrix, order):
    """The second largest |eigenvalue| of D^-1/2 P D^-1/2, whose largest is 1; its square is that of the standard's Q.

    1 without further work where the levels fall into groups that never meet.
    order : float64 [4, levels], counts of the levels by rank in the first row; the rest is room to work in
    """
    if not _connected(ends, n, n_ranks, rank, order[1]):
        return 1.0
    m, roots = matrix[:n_ranks, :n_ranks], order[0, :n_ranks]
    for a in range(n_ranks):
        roots[a] = np.sqrt(roots[a])
        for b in range(n_ranks):
            m[a, b] = 0.0
    for k in range(n):
        a, b = rank[ends[0, k]], rank[ends[1, k]]
        value = times[k] * (2.0 if a == b else 1.0) / (roots[a] * roots[b])
        m[a, b] = value
        m[b, a] = value
    if n_ranks == 2:
        return min(abs(m[0, 0] + m[1, 1] - 1.0), 1.0)  # the trace is the sum of both eigenvalues
    rest = _without(m, roots, order[1])
    if n_ranks == 3:
        middle, half = (rest[0, 0] + rest[1, 1]) / 2, (rest[0, 0] - rest[1, 1]) / 2
        return min(abs(middle) + np.sqrt(half * half + rest[0, 1] * rest[0, 1]), 1.0)
    return min(_largest(rest, order[1], order[2], order[3]), 1.0)


@njit(cache=True, nogil=True)
def _connected(ends, n, n_ranks, rank, parent):
    """Whether every level is reached from every other through pairs; parent : float64 [levels], room to work in."""
    if n < n_ranks - 1:
        return False
    for a in range(n_ranks):
        parent[a] = a
    groups = n_ranks
    for k in range(n):
        a, b = rank[ends[0, k]], rank[ends[1, k]]
        while parent[a] != a:
            a = int(parent[a])
        while parent[b] != b:
            b = int(parent[b])
        if a != b:
            parent[a] = b
            groups -= 1
    return groups == 1


@njit(cache=True, nogil=True)
def _without(m, vector, work):
    """A symmetric matrix on what is orthogonal to one of its eigenvectors; one row and column less.

    A reflection turns the vector into the first axis; the rest of the matrix then has the other eigenvalues.
    vector : float64 [n], all above 0, is overwritten
    """
    n = len(m)
    length = 0.0
    for a in range(n):
        length += vector[a] * vector[a]
    length = np.sqrt(length)
    vector[0] += length
    scale = 1.0 / (length * vector[0])  # 2 over the squared length of the reflection's normal
    _reflect(m, vector, scale, work, 0)
    return m[1:, 1:]


@njit(cache=True, nogil=True)
def _reflect(m, u, scale, work, first):
    """Turn a symmetric matrix m into H m H, H = 1 - scale u u^T, in rows and columns from `first` on."""
    n = len(m)
    along = 0.0
    for a in range(first, n):
        total = 0.0
        for b in range(first, n):
            total += m[a, b] * u[b]
        work[a] = total * scale
        along += work[a] * u[a]
    along *= scale / 2
    for a in range(first, n):
        work[a] -= along * u[a]
    for a in range(first, n):
        for b in range(first, n):
            m[a, b] -= u[a] * work[b] + work[a] * u[b]


@njit(cache=True, nogil=True)
def _largest(m, beside, u, work):
    """The largest |eigenvalue| of a symmetric matrix, which is overwritten: made tridiagonal, then QL with shifts."""
    n = len(m)
    for k in range(n - 2):
        below = 0.0
        for a in range(k + 2, n):
            below += m[a, k] * m[a, k]
        beside[k] = m[k + 1, k]
        if below > 0.0:
            length = np.sqrt(below + m[k + 1, k] * m[k + 1, k])
            if m[k + 1, k] > 0:
                length = -length
            beside[k] = length
            for a in range(k + 1, n):
                u[a] = m[a, k]
            u[k + 1] -= length
            _reflect(m, u, -1.0 / (length * u[k + 1]), work, k + 1)
    beside[n - 2], beside[n - 1] = m[n - 1, n - 2], 0.0
    diagonal = work
    for k in range(n):
        diagonal[k] = m[k, k]
    return _ql(diagonal, beside, n)


@njit(cache=True, nogil=True)
def _ql(diagonal, beside, n):
    """The largest |eigenvalue| of a symmetric tridiagonal matrix by implicit QL steps; both arrays are overwritten."""
    largest = 0.0
    for first in range(n):
        for _ in range(60):
            last = first
            while last < n - 1:
                if abs(beside[last]) <= 1e-18 + 1e-16 * (abs(diagonal[last]) + abs(diagonal[last + 1])):
                    break
                last += 1
            if last == first:
                break
            g = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first])
            r = np.sqrt(g * g + 1.0)
            g = diagonal[last] - diagonal[first] + beside[first] / (g + (r if g >= 0 else -r))
            s, c, p = 1.0, 1.0, 0.0
            i = last - 1
            while i >= first:
                f, b = s * beside[i], c * beside[i]
                r = np.sqrt(f * f + g * g)
                beside[i + 1] = r
                if r == 0.0:
                    diagonal[i + 1] -= p
                    break
                s, c = f / r, g / r
                g = diagonal[i + 1] - p
                r = (diagonal[i] - g) * s + 2 * c * b
                p = s * r
                diagonal[i + 1] = g + p
                g = c * r - b
                i -= 1
            beside[last] = 0.0
            if i < first:
                diagonal[first] -= p
                beside[first] = g
        largest = max(largest, abs(diagonal[first]))
    return largest
