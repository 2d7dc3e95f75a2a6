"""Statistics of a feature over a patient's lesions, and of a left region beside a right one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radiomics_pipeline.features.registry import Undefined
from radiomics_pipeline.params.aggregate import Statistic

STATISTICS: dict[Statistic, str] = {
    "mean": "Mean over the lesions that have a value, of:",
    "sd": "Standard deviation (divisor n - 1) over the lesions that have a value, of:",
    "volume-weighted-mean": "Mean over the lesions that have a value, weighted with their outlines' volumes, of:",
    "minimum": "Lowest value of a lesion, of:",
    "maximum": "Highest value of a lesion, of:",
}
"""How definitions of columns over lesions begin."""


def describe_lesions(pairs: Sequence[tuple[float, float]], statistic: Statistic) -> float:
    """A statistic of values, each with its lesion's volume; the same whatever their order."""
    if not pairs:
        raise Undefined("no lesion has a value")
    values = [value for value, _ in pairs]
    if statistic == "minimum":
        return min(values)
    if statistic == "maximum":
        return max(values)
    weights = [1.0] * len(values)
    if statistic == "volume-weighted-mean":
        weights = [ml for _, ml in pairs]
        if any(math.isnan(ml) for ml in weights):
            raise Undefined("the volume of a lesion is not known")
    mean = math.fsum(w * v for v, w in zip(values, weights, strict=True)) / math.fsum(weights)
    if statistic != "sd":
        return mean
    if len(values) < 2:
        raise Undefined("one lesion has a value, and no spread")
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


@dataclass(frozen=True)
class Comparison:
    """How left and right are compared; `told` is how the column's definition begins, {0} left and {1} right."""

    unit: str
    told: str
    compute: Callable[[float, float], float]


def _asymmetry(left: float, right: float) -> float:
    return 200 * (left - right) / _sum(left, right)


def _left_share(left: float, right: float) -> float:
    return left / _sum(left, right)


def _ratio(left: float, right: float) -> float:
    if not right > 0:
        raise Undefined(f"the right side is {right:g}, not above 0")
    return left / right


def _sum(left: float, right: float) -> float:
    if not left + right > 0:
        raise Undefined(f"left and right add up to {left + right:g}, not above 0")
    return left + right


COMPARISONS: dict[str, Comparison] = {
    "asymmetry": Comparison(
        "%", "200 (left - right) / (left + right), above 0 where {0} is higher than {1}, of:", _asymmetry
    ),
    "ratio": Comparison("1", "Value of {0} over that of {1}, of:", _ratio),
    "left-share": Comparison("1", "Value of {0} over the sum of {0} and {1}, of:", _left_share),
}
"""Comparisons of left and right, by what columns call them."""
