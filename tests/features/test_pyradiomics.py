"""The same numbers as PyRadiomics, where its definitions are the IBSI's."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.features.glcm import glcm
from radiomics_pipeline.features.glszm import glszm
from radiomics_pipeline.features.intensity import intensity
from radiomics_pipeline.features.morphology import morphology
from tests.phantom import make_sample

SPACING_MM = (3.0, 1.5, 2.0)
FIRST_ORDER = {
    "10Percentile": "Percentile10",
    "90Percentile": "Percentile90",
    "Energy": "Energy",
    "InterquartileRange": "InterquartileRange",
    "Maximum": "Maximum",
    "MeanAbsoluteDeviation": "MeanAbsoluteDeviation",
    "Mean": "Mean",
    "Median": "Median",
    "Minimum": "Minimum",
    "Range": "Range",
    "RobustMeanAbsoluteDeviation": "RobustMeanAbsoluteDeviation",
    "RootMeanSquared": "RootMeanSquare",
    "Skewness": "Skewness",
    "Variance": "Variance",
}
SHAPE = {
    "MeshVolume": "VolumeMesh",
    "VoxelVolume": "VolumeVoxelCounting",
    "SurfaceArea": "SurfaceAreaMesh",
    "SurfaceVolumeRatio": "SurfaceToVolumeRatio",
    "Sphericity": "Sphericity",
    "Maximum3DDiameter": "Maximum3DDiameter",
    "Elongation": "Elongation",
    "Flatness": "Flatness",
}
GLCM = {
    "Autocorrelation": "Autocorrelation",
    "JointAverage": "JointAverage",
    "ClusterProminence": "ClusterProminence",
    "ClusterShade": "ClusterShade",
    "ClusterTendency": "ClusterTendency",
    "Contrast": "Contrast",
    "Correlation": "Correlation",
    "DifferenceAverage": "DifferenceAverage",
    "DifferenceEntropy": "DifferenceEntropy",
    "DifferenceVariance": "DifferenceVariance",
    "JointEnergy": "AngularSecondMoment",
    "JointEntropy": "JointEntropy",
    "Imc1": "InformationCorrelation1",
    "Imc2": "InformationCorrelation2",
    "Idm": "InverseDifferenceMoment",
    "Idmn": "NormalisedInverseDifferenceMoment",
    "Id": "InverseDifference",
    "Idn": "NormalisedInverseDifference",
    "InverseVariance": "InverseVariance",
    "MaximumProbability": "JointMaximum",
    "SumEntropy": "SumEntropy",
    "SumSquares": "JointVariance",
}
GLSZM = {
    "GrayLevelNonUniformity": "GreyLevelNonUniformity",
    "GrayLevelNonUniformityNormalized": "NormalisedGreyLevelNonUniformity",
    "GrayLevelVariance": "GreyLevelVariance",
    "HighGrayLevelZoneEmphasis": "HighGreyLevelEmphasis",
    "LargeAreaEmphasis": "LargeZoneEmphasis",
    "LargeAreaHighGrayLevelEmphasis": "LargeZoneHighGreyLevelEmphasis",
    "LargeAreaLowGrayLevelEmphasis": "LargeZoneLowGreyLevelEmphasis",
    "LowGrayLevelZoneEmphasis": "LowGreyLevelEmphasis",
    "SizeZoneNonUniformity": "ZoneSizeNonUniformity",
    "SizeZoneNonUniformityNormalized": "NormalisedZoneSizeNonUniformity",
    "SmallAreaEmphasis": "SmallZoneEmphasis",
    "SmallAreaHighGrayLevelEmphasis": "SmallZoneHighGreyLevelEmphasis",
    "SmallAreaLowGrayLevelEmphasis": "SmallZoneLowGreyLevelEmphasis",
    "ZoneEntropy": "ZoneSizeEntropy",
    "ZonePercentage": "ZonePercentage",
    "ZoneVariance": "ZoneSizeVariance",
}


def lesion():
    """Levels from 1 in a smooth region: meshes differ by table where two voxels meet in an edge or corner only."""
    rng = np.random.default_rng(4)
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in (11, 14, 12)), indexing="ij"))
    mask = ((places - 0.1) ** 2).sum(axis=0) < 0.7
    levels = np.clip(np.round(4 + 3 * places[0] + rng.normal(0, 1, mask.shape)), 1, 8)
    levels[tuple(np.argwhere(mask)[0])] = 1  # bins of PyRadiomics start at the lowest level
    return levels, mask


@pytest.mark.parametrize(
    ("theirs", "names", "family", "aggregation"),
    [
        ("firstorder.RadiomicsFirstOrder", FIRST_ORDER, intensity, "3D"),
        ("shape.RadiomicsShape", SHAPE, morphology, "3D"),
        ("glcm.RadiomicsGLCM", GLCM, glcm, "3D:avg"),
        ("glszm.RadiomicsGLSZM", GLSZM, glszm, "3D"),
    ],
    ids=["intensity", "morphology", "glcm", "glszm"],
)
def test_same_numbers(pyradiomics, theirs, names, family, aggregation):
    levels, mask = lesion()
    image, region = sitk.GetImageFromArray(levels), sitk.GetImageFromArray(mask.astype(np.uint8))
    for each in (image, region):
        each.SetSpacing(SPACING_MM[::-1])
    module, name = theirs.split(".")
    loaded = __import__(f"{pyradiomics.__name__}.{module}", fromlist=[name])
    extractor = getattr(loaded, name)(image, region, binWidth=1)
    extractor.enableAllFeatures()
    found = extractor.execute()
    values, _ = family.compute(make_sample(levels, mask, spacing_mm=SPACING_MM, aggregation=aggregation))
    expected = {ours: float(found[their]) for their, ours in names.items()}
    assert {ours: values[ours] for ours in expected} == pytest.approx(expected, rel=1e-6)
