"""Jonckheere and Terpstra's test of many features against an ordered class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from radiomics_pipeline.kernels.ranks import centred_ranks
from radiomics_pipeline.stats.concordance import harrell_c


@dataclass(frozen=True)
class OrderedTests:
    """Somers' D of features given an ordered class; all arrays [columns].

    d : float64, from -1 to 1, 0 where values do not rise or fall with the class; of two classes 2 AUC - 1
    lower, upper : float64, 95 % interval; p : float64, two-sided, of Jonckheere and Terpstra
    n : int64, rows with a value
    """

    d: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p: np.ndarray
    n: np.ndarray


def somers_d(values: np.ndarray, codes: np.ndarray, groups: np.ndarray | None = None) -> OrderedTests:
    """Share of the pairs of unequal class in which the higher class has the higher value, less that of the contrary.

    values : float64 [rows, columns]; a NaN cell leaves its row out of that column only
    codes : int64 [rows], ordered; groups : of each row the patient, for the interval alone: p takes rows as independent

    p equals that of `scipy.stats.kendalltau(method="asymptotic")`, which has the same numerator and, with ties, the
    same variance. Somers, Am Sociol Rev 1962;27:799, doi 10.2307/2090408; Jonckheere, Biometrika 1954;41:133,
    doi 10.1093/biomet/41.1-2.133; interval: infinitesimal jackknife over patients, as of Harrell's C.
    """
    order = np.asarray(codes, np.float64)
    found = harrell_c(values, order.max() + 1 - order, np.ones(len(order), np.bool_), groups)
    _, counts = centred_ranks(np.array(np.transpose(values), np.float64, order="C"))
    there = ~np.isnan(values)
    sizes = np.stack([(there & (order == k)[:, None]).sum(axis=0) for k in np.unique(order)]).astype(np.float64)
    n, pairs, triples = counts.T
    class_pairs = (sizes * (sizes - 1)).sum(axis=0)
    class_triples = (sizes * (sizes - 1) * (sizes - 2)).sum(axis=0)
    whole = n * (n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # of t (t - 1) (2 t + 5), written by pairs and triples
        plain = whole * (2 * n + 5) - 2 * (triples + class_triples) - 9 * (pairs + class_pairs)
        third = np.where(n > 2, triples * class_triples / (9 * whole * np.maximum(n - 2, 1)), 0.0)
        variance = plain / 18 + third + pairs * class_pairs / (2 * whole)
        d = 2 * found.index - 1
        z = d * found.n_pairs / np.sqrt(variance)
        p = np.where(variance > 1e-9, 2 * ndtr(-np.abs(z)), np.nan)
    return OrderedTests(d, 2 * found.lower - 1, 2 * found.upper - 1, p, found.n_rows)
