"""Features of the box around every voxel at once: what `Family.compute` gives for each box, from two kernels.

For intensities (IBSI), first order (PyRadiomics), and co-occurrence by both standards. Tests hold every value against
that of the family on the same box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radiomics_pipeline.features.gathering import STEPS_2D, STEPS_3D
from radiomics_pipeline.features.pyradiomics.level_sizes import EPSILON
from radiomics_pipeline.features.pyradiomics.sample import FeatureSettings
from radiomics_pipeline.kernels.patch_intensities import describe_intensities
from radiomics_pipeline.kernels.patch_pairs import describe_pairs
from radiomics_pipeline.types import Levels

Index = tuple[int, int, int]
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Patches:
    """An image of which the box around each of some voxels is described.

    image : float64 [z, y, x], read-only
    counted : uint8 [z, y, x], 1 where a voxel belongs to the neighbourhoods that hold it, read-only
    levels : grey levels of those voxels, 0 elsewhere
    radius : voxels (z, y, x) from a box's centre to its faces
    spacing_mm : (z, y, x)
    """

    image: np.ndarray
    counted: np.ndarray
    levels: Levels
    radius: Index
    spacing_mm: tuple[float, float, float]


Describe = Callable[[Patches, np.ndarray], np.ndarray]
"""Patches and centres, int64 [n, 3] -> float64 [features, n], NaN where undefined."""

INTENSITIES = [
    "n",
    "sum",
    "mean",
    "m2",
    "m3",
    "m4",
    "energy",
    "squares",
    "minimum",
    "maximum",
    "median",
    "p10",
    "p25",
    "p75",
    "p90",
    "mad",
    "around_median",
    "robust",
    "entropy",
    "uniformity",
]
"""Columns of `describe_intensities`."""

FIRST_ORDER: Mapping[str, Callable[[Columns], np.ndarray]] = {
    "10Percentile": lambda c: c["p10"],
    "90Percentile": lambda c: c["p90"],
    "Energy": lambda c: c["energy"],
    "Entropy": lambda c: c["entropy"],
    "InterquartileRange": lambda c: c["p75"] - c["p25"],
    "Kurtosis": lambda c: _moment(c, "m4", 2.0),
    "Maximum": lambda c: c["maximum"],
    "MeanAbsoluteDeviation": lambda c: c["mad"],
    "Mean": lambda c: c["mean"],
    "Median": lambda c: c["median"],
    "Minimum": lambda c: c["minimum"],
    "Range": lambda c: c["maximum"] - c["minimum"],
    "RobustMeanAbsoluteDeviation": lambda c: c["robust"],
    "RootMeanSquared": lambda c: np.sqrt(c["energy"] / c["n"]),
    "Skewness": lambda c: _moment(c, "m3", 1.5),
    "StandardDeviation": lambda c: np.sqrt(c["m2"]),
    "TotalEnergy": lambda c: c["energy"] * c["voxel_mm3"],
    "Uniformity": lambda c: c["uniformity"],
    "Variance": lambda c: c["m2"],
}
"""Features of family `firstorder` of PyRadiomics."""

INTENSITY: Mapping[str, Callable[[Columns], np.ndarray]] = {
    "Mean": lambda c: c["mean"],
    "Variance": lambda c: c["m2"],
    "Skewness": lambda c: _moment(c, "m3", 1.5),
    "Kurtosis": lambda c: _moment(c, "m4", 2.0) - np.where(c["m2"] > 0, 3.0, 0.0),
    "Median": lambda c: c["median"],
    "Minimum": lambda c: c["minimum"],
    "Percentile10": lambda c: c["p10"],
    "Percentile90": lambda c: c["p90"],
    "Maximum": lambda c: c["maximum"],
    "InterquartileRange": lambda c: c["p75"] - c["p25"],
    "Range": lambda c: c["maximum"] - c["minimum"],
    "MeanAbsoluteDeviation": lambda c: c["mad"],
    "RobustMeanAbsoluteDeviation": lambda c: c["robust"],
    "MedianAbsoluteDeviation": lambda c: c["around_median"],
    "CoefficientOfVariation": lambda c: _ratio(np.sqrt(c["m2"]), c["mean"]),
    "QuartileCoefficientOfDispersion": lambda c: _ratio(c["p75"] - c["p25"], c["p75"] + c["p25"]),
    "Energy": lambda c: c["squares"],
    "RootMeanSquare": lambda c: np.sqrt(c["squares"] / c["n"]),
}
"""Features of family `intensity` of the IBSI."""

PAIRS = [
    "maximum",
    "average",
    "variance",
    "entropy",
    "difference_average",
    "difference_variance",
    "difference_entropy",
    "sum_average",
    "sum_variance",
    "sum_entropy",
    "energy",
    "contrast",
    "inverse_difference",
    "inverse_difference_normalised",
    "inverse_moment",
    "inverse_moment_normalised",
    "inverse_variance",
    "correlation",
    "autocorrelation",
    "shade",
    "prominence",
    "information_1",
    "information_2",
    "maximal_correlation",
]
"""Columns of `describe_pairs` that are features."""

GLCM_PYRADIOMICS = {
    "Autocorrelation": "autocorrelation",
    "ClusterProminence": "prominence",
    "ClusterShade": "shade",
    "ClusterTendency": "sum_variance",
    "Contrast": "contrast",
    "Correlation": "correlation",
    "DifferenceAverage": "difference_average",
    "DifferenceEntropy": "difference_entropy",
    "DifferenceVariance": "difference_variance",
    "Id": "inverse_difference",
    "Idm": "inverse_moment",
    "Idmn": "inverse_moment_normalised",
    "Idn": "inverse_difference_normalised",
    "Imc1": "information_1",
    "Imc2": "information_2",
    "InverseVariance": "inverse_variance",
    "JointAverage": "average",
    "JointEnergy": "energy",
    "JointEntropy": "entropy",
    "MCC": "maximal_correlation",
    "MaximumProbability": "maximum",
    "SumAverage": "sum_average",
    "SumEntropy": "sum_entropy",
    "SumSquares": "variance",
}
"""Features of family `glcm` of PyRadiomics, each with its column of `describe_pairs`."""

GLCM_IBSI = {
    "JointMaximum": "maximum",
    "JointAverage": "average",
    "JointVariance": "variance",
    "JointEntropy": "entropy",
    "DifferenceAverage": "difference_average",
    "DifferenceVariance": "difference_variance",
    "DifferenceEntropy": "difference_entropy",
    "SumAverage": "sum_average",
    "SumVariance": "sum_variance",
    "SumEntropy": "sum_entropy",
    "AngularSecondMoment": "energy",
    "Contrast": "contrast",
    "Dissimilarity": "difference_average",
    "InverseDifference": "inverse_difference",
    "NormalisedInverseDifference": "inverse_difference_normalised",
    "InverseDifferenceMoment": "inverse_moment",
    "NormalisedInverseDifferenceMoment": "inverse_moment_normalised",
    "InverseVariance": "inverse_variance",
    "Correlation": "correlation",
    "Autocorrelation": "autocorrelation",
    "ClusterTendency": "sum_variance",
    "ClusterShade": "shade",
    "ClusterProminence": "prominence",
    "InformationCorrelation1": "information_1",
    "InformationCorrelation2": "information_2",
}
"""Features of family `glcm` of the IBSI."""


def describe_pyradiomics(family: str, names: Sequence[str], settings: FeatureSettings) -> Describe | None:
    """What computes these features of a family of PyRadiomics in all boxes at once; None where nothing does."""
    if family == "firstorder":
        return lambda patches, centres: _select(
            FIRST_ORDER, names, _intensities(patches, centres, settings.voxel_array_shift, exact=False)
        )
    if family == "glcm" and settings.symmetrical_glcm:
        return lambda patches, centres: _pyradiomics_pairs(patches, centres, settings)[
            [PAIRS.index(GLCM_PYRADIOMICS[name]) for name in names]
        ]
    return None


def describe_ibsi(family: str, names: Sequence[str], aggregation: str) -> Describe | None:
    """What computes these features of a family of the IBSI in all boxes at once; None where nothing does."""
    if family == "intensity":
        return lambda patches, centres: _select(INTENSITY, names, _intensities(patches, centres, 0.0, exact=True))
    if family == "glcm" and not aggregation.startswith("2D"):
        return lambda patches, centres: _ibsi_pairs(patches, centres, aggregation)[
            [PAIRS.index(GLCM_IBSI[name]) for name in names]
        ]
    return None


def _intensities(patches: Patches, centres: np.ndarray, shift: float, *, exact: bool) -> Columns:
    found = describe_intensities(
        patches.image,
        patches.levels.array,
        patches.counted,
        centres,
        np.array(patches.radius, np.int64),
        float(shift),
        int(exact),
    )
    columns = dict(zip(INTENSITIES, np.ascontiguousarray(found.T), strict=True))
    z, y, x = patches.spacing_mm
    return {**columns, "voxel_mm3": np.full(len(centres), x * y * z)}


def _select(
    functions: Mapping[str, Callable[[Columns], np.ndarray]], names: Sequence[str], columns: Columns
) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array([functions[name](columns) for name in names])


def _pyradiomics_pairs(patches: Patches, centres: np.ndarray, settings: FeatureSettings) -> np.ndarray:
    steps, norm = settings.steps, settings.weighting_norm
    weights = np.ones(len(steps))
    if norm not in (None, "no_weighting"):
        weights = np.exp(-(settings.lengths_mm(steps, patches.spacing_mm) ** 2))
    flat = (1.0, 0.0, 1.0 if len(patches.levels.present) == 1 else 0.0)
    return _pairs(patches, centres, steps, weights, merged=norm is not None, flat=flat, epsilon=float(EPSILON))


def _ibsi_pairs(patches: Patches, centres: np.ndarray, aggregation: str) -> np.ndarray:
    space, _, way = aggregation.partition(":")
    steps = STEPS_3D if space == "3D" else STEPS_2D
    flat = (np.nan, np.nan, np.nan)
    return _pairs(patches, centres, steps, np.ones(len(steps)), merged=way == "mrg", flat=flat, epsilon=0.0)


def _pairs(
    patches: Patches,
    centres: np.ndarray,
    steps: np.ndarray,
    weights: np.ndarray,
    *,
    merged: bool,
    flat: tuple[float, float, float],
    epsilon: float,
) -> np.ndarray:
    """Features float64 [24, centres]; a number that has overflown is NaN, as in every table."""
    found = describe_pairs(
        patches.levels.array,
        centres,
        np.array(patches.radius, np.int64),
        steps,
        weights,
        int(merged),
        patches.levels.count,
        np.array(flat),
        epsilon,
    )
    return np.ascontiguousarray(found.T[: len(PAIRS)])


def _moment(c: Columns, moment: str, power: float) -> np.ndarray:
    """A central moment over a power of the variance; 0 where all voxels are equal, NaN where there is none."""
    spread = c["m2"] > 0
    return np.where(spread, c[moment] / np.where(spread, c["m2"], 1.0) ** power, c["m2"])


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Quotient, NaN where the divisor is 0."""
    return top / np.where(bottom == 0, np.nan, bottom)
