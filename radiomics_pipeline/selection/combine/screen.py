"""Which few columns, and which products of two, enter all combinations; chosen on training rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

CLIP = 3.0
"""Standard deviations at which columns are cut before products are made: one extreme row would else rule them."""


@dataclass(frozen=True)
class Candidates:
    """Columns and products of theirs, with what standardises them.

    columns : int64 [k], positions in the matrix screened, in the order of their claim
    pairs : int64 [m, 2], positions among `columns`; a product enters with both of its columns, never alone
    centre, spread : float64 [k], of the columns; pair_centre, pair_spread : float64 [m], of the products
    """

    columns: np.ndarray
    pairs: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    pair_centre: np.ndarray
    pair_spread: np.ndarray

    def design(self, z: np.ndarray) -> np.ndarray:
        """Standardised columns and then products, float64 [rows, k + m]."""
        main = (z[:, self.columns] - self.centre) / self.spread
        products = (_products(main, self.pairs) - self.pair_centre) / self.pair_spread
        return np.hstack([main, products])

    def masks(self, sets: np.ndarray) -> np.ndarray:
        """Sets of columns, bool [sets, k], with the products whose two columns are both in, bool [sets, k + m]."""
        both = sets[:, self.pairs[:, 0]] & sets[:, self.pairs[:, 1]]
        return np.hstack([sets, both])


def choose(
    z: np.ndarray,
    response: np.ndarray,
    count: int,
    *,
    interactions: bool = False,
    pair_level: float = 0.1,
    pair_columns: int = 500,
) -> Candidates:
    """The columns that claim most, at most `count`, and the products that claim enough.

    z : float64 [rows, columns], finite; response : float64 [rows], what the empty model leaves (see Family.response)
    interactions : screen the products of all pairs of columns (of the `pair_columns` best alone, where there are more)

    A column claims by the p of its correlation with the response, a product by that of its correlation given its two
    columns; both times the number of their kind, so that the many products do not crowd out the columns. A product
    below `pair_level` brings its two columns, however useless each is alone. Constant columns are never chosen.
    """
    scale = z.std(axis=0)
    usable = np.flatnonzero(scale > 1e-12 * np.maximum(np.abs(z).max(axis=0, initial=0.0), 1e-300))
    scaled = (z[:, usable] - z[:, usable].mean(axis=0)) / scale[usable]
    claim = alone_p(scaled, response)
    wishes: list[tuple[float, tuple[int, ...]]] = [(float(p) * len(usable), (c,)) for c, p in enumerate(claim)]
    if interactions and len(usable) > 1:
        wishes += _pair_wishes(scaled, response, claim, pair_level, pair_columns)
    chosen: list[int] = []
    pairs: list[tuple[int, int]] = []
    for _, members in sorted(wishes):
        new = [c for c in members if c not in chosen]
        if len(chosen) + len(new) > count:
            continue
        chosen += new
        if len(members) == 2:
            pairs.append((chosen.index(members[0]), chosen.index(members[1])))
    return _standardised(z, usable[np.array(chosen, np.int64)], np.array(pairs, np.int64).reshape(-1, 2))


def alone_p(scaled: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Two-sided p of the correlation of each standardised column with the response, float64 [columns].

    For a binary response this is the score test of the logistic model but for its variance; for martingale residuals
    the score is Cox's.
    """
    n = len(response)
    total = float(response @ response)
    if n < 3 or total <= 0:
        return np.ones(scaled.shape[1])
    share = np.clip((scaled.T @ response) ** 2 / (n * total), 0.0, 1.0)
    return _p_of(share, n - 2)


def pair_p(scaled: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Two-sided p of the product of each pair of columns, given both of them; float64 [columns, columns].

    scaled : float64 [rows, columns], standardised. Linear regression of the response on the two columns and their
    product, for all pairs at once from sums of products. 1 on the diagonal and where a product is determined by its
    columns (as that of two indicators that exclude each other).
    """
    n, p = scaled.shape
    if n < 6:
        return np.ones((p, p))
    rho = scaled.T @ scaled / n
    cut = np.clip(scaled, -CLIP, CLIP)
    mean = cut.T @ cut / n
    square = (cut**2).T @ (cut**2)
    first = (cut * scaled).T @ cut  # sum of product x first column; its transpose: x second column
    second = first.T
    against = (cut * response[:, None]).T @ cut
    alone = scaled.T @ response
    left, right = np.broadcast_to(alone[:, None], (p, p)), np.broadcast_to(alone, (p, p))
    with np.errstate(divide="ignore", invalid="ignore"):
        free = n * (1.0 - rho**2)
        slope_1, slope_2 = (first - rho * second) / free, (second - rho * first) / free
        length = square - n * mean**2 - slope_1 * first - slope_2 * second
        cross = against - slope_1 * left - slope_2 * right
        explained = (left**2 - 2.0 * rho * left * right + right**2) / free
        rest = float(response @ response) - explained
        share = cross**2 / (length * rest)
    sound = (np.abs(rho) < 0.999) & (length > 1e-6 * square) & (rest > 0) & np.isfinite(share)
    found = np.ones((p, p))
    found[sound] = _p_of(np.clip(share[sound], 0.0, 1.0), n - 4)
    np.fill_diagonal(found, 1.0)
    return found


def _pair_wishes(
    scaled: np.ndarray, response: np.ndarray, claim: np.ndarray, level: float, most: int
) -> list[tuple[float, tuple[int, ...]]]:
    kept = np.sort(np.argsort(claim, kind="stable")[:most])
    p = pair_p(scaled[:, kept], response - response.mean())
    upper = np.triu_indices(len(kept), 1)
    adjusted = p[upper] * len(upper[0])
    return [
        (float(adjusted[k]), (int(kept[upper[0][k]]), int(kept[upper[1][k]]))) for k in np.flatnonzero(adjusted < level)
    ]


def _p_of(share: np.ndarray, freedom: int) -> np.ndarray:
    """Two-sided p of a squared (partial) correlation."""
    with np.errstate(divide="ignore"):
        t = np.sqrt(freedom * share / (1.0 - share))
    return np.asarray(2.0 * stdtr(freedom, -t))


def _products(main: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    cut = np.clip(main, -CLIP, CLIP)
    return np.asarray(cut[:, pairs[:, 0]] * cut[:, pairs[:, 1]])


def _standardised(z: np.ndarray, columns: np.ndarray, pairs: np.ndarray) -> Candidates:
    centre, spread = z[:, columns].mean(axis=0), z[:, columns].std(axis=0)
    products = _products((z[:, columns] - centre) / spread, pairs)
    pair_spread = products.std(axis=0)
    return Candidates(
        columns, pairs, centre, spread, products.mean(axis=0), np.where(pair_spread > 0, pair_spread, 1.0)
    )
