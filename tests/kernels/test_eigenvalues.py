"""Second largest eigenvalues beside LAPACK's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiomics_pipeline.kernels.eigenvalues import second_magnitudes


def solve(*matrices):
    """All matrices at once, from the entries on and above their diagonals."""
    rows = [(m, i, j, a[i, j]) for m, a in enumerate(matrices) for i, j in zip(*np.nonzero(np.triu(a)), strict=True)]
    number, first, second, entries = (np.array(part) for part in zip(*rows, strict=True))
    return second_magnitudes(number, first, second, entries, len(matrices), max(len(a) for a in matrices))


def expected(a):
    held = np.flatnonzero(a.any(axis=0))
    values = np.linalg.eigvalsh(a[np.ix_(held, held)])
    return max(abs(values[0]), abs(values[-2])) if len(values) > 1 else 0.0


def drawn(seed, n, filled):
    rng = np.random.default_rng(seed)
    a = np.where(rng.random((n, n)) < filled, rng.normal(size=(n, n)), 0.0)
    return np.triu(a) + np.triu(a, 1).T + np.eye(n) * 1e-3


@settings(deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 40), filled=st.sampled_from([0.0, 0.05, 0.3, 1.0]))
def test_any_matrix_is_solved(seed, n, filled):
    matrices = [drawn(seed, n, filled), drawn(seed + 1, n, 0.5)]
    scale = max(np.abs(a).sum() for a in matrices)
    np.testing.assert_allclose(solve(*matrices), [expected(a) for a in matrices], rtol=0, atol=1e-14 * scale)


@pytest.mark.parametrize("n", [2, 3, 19, 60])
def test_matrices_of_one_rank_and_of_one_eigenvalue_are_solved(n):
    np.testing.assert_allclose(solve(np.ones((n, n))), 0, atol=1e-13 * n)
    np.testing.assert_allclose(solve(np.eye(n)), 1, rtol=1e-14)


def test_a_pivot_of_nothing_is_passed():
    np.testing.assert_allclose(solve(np.array([[0, 0.9], [0.9, 0]])), 0.9, rtol=1e-15)
