"""Score statistics of many columns under many permuted outcomes, with variances from the patients' sums."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def patient_scores(centred, present, outcomes, group):
    """Squared score over the sum of the patients' squared scores, of every column and outcome.

    centred : float64 [columns, rows], less the column's mean, 0 where missing; present : bool [columns, rows]
    outcomes : float64 [outcomes, rows]
    group : int64 [rows], the patient of each row; rows of one patient follow each other
    returns : float64 [columns, outcomes], 0 where the scores do not vary
    """
    n_columns, n = centred.shape
    out = np.zeros((n_columns, outcomes.shape[0]))
    for b in range(outcomes.shape[0]):
        y = outcomes[b]
        for c in range(n_columns):
            mean = 0.0
            count = 0
            for i in range(n):
                if present[c, i]:
                    mean += y[i]
                    count += 1
            mean /= max(count, 1)
            total, spread, own = 0.0, 0.0, 0.0
            for i in range(n):
                own += centred[c, i] * (y[i] - mean)
                if i == n - 1 or group[i + 1] != group[i]:
                    total += own
                    spread += own * own
                    own = 0.0
            if spread > 0.0:
                out[c, b] = total * total / spread
    return out
