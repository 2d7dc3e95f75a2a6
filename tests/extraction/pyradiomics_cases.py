"""Standard `pyradiomics` beside PyRadiomics itself: cases, options, and the largest difference of each family.

`python -m tests.extraction.pyradiomics_cases` prints the whole table; with `lbp3d` it prints PyRadiomics' values of
LBP3D, which tests/reference keeps, as it needs an old scipy for them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from radiomics_pipeline.errors import CaseError
from radiomics_pipeline.extraction.pyradiomics import plan_pyradiomics
from radiomics_pipeline.extraction.result import RegionFeatures
from radiomics_pipeline.io.volumes import load_pair, read_file
from radiomics_pipeline.params.pyradiomics import FEATURE_CLASSES, INTERPOLATORS, PyradiomicsSeries
from radiomics_pipeline.types import Grid, Region, Volume

RELATIVE = 1e-9
"""Largest share of PyRadiomics' value by which ours may differ."""
CANCELLED = 1e-12
"""Largest share of a feature's natural size, where its value is what terms of that size leave of one another."""
SOLID = [name for name in FEATURE_CLASSES if name != "shape2D"]
SPHERICAL = ("int16 anisotropic", "float64 tilted", "at the border")
"""Cases whose values of LBP3D are kept."""
TILTED = (0.36, 0.48, -0.8, -0.8, 0.6, 0.0, 0.48, 0.64, 0.6)


@dataclass(frozen=True)
class Case:
    """An image with a labelled mask; `width`: a bin width that gives some 20 levels."""

    name: str
    array: np.ndarray
    mask: np.ndarray
    grid: Grid
    width: float

    def itk(self) -> tuple[sitk.Image, sitk.Image]:
        """Image and mask as PyRadiomics takes them."""
        pair = []
        for array in (self.array, self.mask):
            image = sitk.GetImageFromArray(array)
            image.SetSpacing(self.grid.spacing_mm[::-1])
            image.SetOrigin(self.grid.origin_mm)
            image.SetDirection(self.grid.direction)
            pair.append(image)
        return pair[0], pair[1]

    def ours(self, label: int = 1) -> tuple[Volume, Region]:
        """Image and region as this package takes them."""
        mask = self.mask == label
        return Volume(self.array, self.grid, native=True), Region(mask, mask, self.grid, "", label)

    @property
    def flat(self) -> bool:
        """Whether the region is one slice."""
        return bool(np.ptp(np.nonzero(self.mask == 1)[0]) == 0)


def synthetic_cases() -> Iterator[Case]:
    """Small seeded images, each odd in its own way."""
    yield _case("float32", np.float32)
    yield _case("float64 tilted", np.float64, direction=TILTED, origin=(-17.3, 201.7, -903.1))
    yield _case("int16 anisotropic", np.int16, spacing=(5.0, 0.9765625, 0.9765625), mean=-300.0, scale=400.0, width=25)
    yield _case("uint8", np.uint8, mean=60.0, scale=20.0, width=5)
    yield _case("negative float32", np.float32, mean=-50.0, scale=3.0, width=0.7)
    yield _case("2D", np.float32, planar=True)
    yield _case("disconnected", np.float32, holes=0.5)
    yield _case("tiny", np.float32, radius=1.2)
    yield _case("one level", np.float64, width=1000)
    yield _case("constant", np.int16, scale=0.0, width=25)
    yield _case("many levels", np.float64, width=0.1)
    yield _case("at the border", np.int32, radius=9.0, width=1)


def _case(
    name: str,
    dtype: type,
    *,
    spacing: tuple[float, float, float] = (3.27, 2.0, 1.5),
    origin: tuple[float, float, float] = (1.5, -20.25, 300.0),
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    mean: float = 8.0,
    scale: float = 4.0,
    width: float = 0.5,
    radius: float = 5.0,
    holes: float = 0.1,
    planar: bool = False,
) -> Case:
    rng = np.random.default_rng(sum(name.encode()))
    shape = (14, 17, 16)
    smooth = rng.normal(0, 1, shape)
    for axis in range(3):
        smooth = smooth + np.roll(smooth, 1, axis)
    array = mean + scale * smooth / smooth.std()
    array = array.clip(0, 150) if dtype is np.uint8 else array
    places = np.indices(shape).reshape(3, -1).T - (6.3, 8.1, 7.8)
    ball = ((places / (1.0, 1.2, 0.9)) ** 2).sum(axis=1).reshape(shape) < radius**2
    mask = (ball & (rng.random(shape) > holes)).astype(np.uint8)
    if planar:
        mask[np.arange(shape[0]) != 6] = 0
    mask[0, 0, :3] = np.where(mask[0, 0, :3] == 1, 1, 2)
    values = np.rint(array) if np.issubdtype(dtype, np.integer) else array
    return Case(name, values.astype(dtype), mask, Grid(shape, spacing, origin, direction), width)


def clinical_cases(shared: Path, patients: Iterable[str] = ("STS_002",), ct: bool = False) -> Iterator[Case]:
    """PET, and CT, of sarcomas as their files have them."""
    for patient in patients:
        for series, width in (("PET", 0.5), *((("CT", 25),) if ct else ())):
            files = [shared / "ibsi/sts/nifti" / patient / f"{series}_{kind}.nii.gz" for kind in ("image", "mask")]
            volume, labels = load_pair(read_file(files[0]), read_file(files[1]), "", native=True)
            yield Case(f"{patient} {series}", volume.array, labels, volume.grid, width)


def options(case: Case) -> dict[str, dict[str, Any]]:
    """Parameter trees by name: every setting in turn, with values that suit the case."""
    inside = case.array[case.mask == 1].astype(float)
    low, high = (float(q) for q in np.percentile(inside, (20, 90)))
    spacing = case.grid.spacing_mm[::-1]
    finer = [round(0.6 * s, 2) for s in spacing]
    coarser = [round(1.3 * max(spacing[:2]), 2)] * 2 + [spacing[2]]
    settings: dict[str, dict[str, Any]] = {
        "default": {},
        "binWidth 2.3x": {"binWidth": 2.3 * case.width},
        "binCount 16": {"binCount": 16},
        "binCount 1": {"binCount": 1},
        "resample finer": {"resampledPixelSpacing": finer},
        "resample coarser": {"resampledPixelSpacing": coarser},
        "resample to 2 mm": {"resampledPixelSpacing": [2, 2, 2]},
        "resample in plane": {"resampledPixelSpacing": [1.1, 1.1, 0]},
        "resample to the same": {"resampledPixelSpacing": list(spacing)},
        "resample off": {"resampledPixelSpacing": finer, "interpolator": None},
        "padDistance 0": {"resampledPixelSpacing": finer, "padDistance": 0},
        "padDistance 2": {"resampledPixelSpacing": finer, "padDistance": 2},
        "preCrop": {"preCrop": True, "padDistance": 1},
        "normalize": {"normalize": True, "binWidth": 0.1},
        "normalizeScale": {"normalize": True, "normalizeScale": 100, "binWidth": 5},
        "removeOutliers": {"normalize": True, "normalizeScale": 100, "removeOutliers": 1.5, "binWidth": 10},
        "normalize and resample": {"normalize": True, "binWidth": 0.1, "resampledPixelSpacing": finer},
        "resegment absolute": {"resegmentRange": [low, high]},
        "resegment from": {"resegmentRange": [low]},
        "resegment reversed": {"resegmentRange": [high, low]},
        "resegment relative": {"resegmentRange": [0.3, 0.8], "resegmentMode": "relative"},
        "resegment sigma": {"resegmentRange": [-1, 1.5], "resegmentMode": "sigma"},
        "resegmentShape": {"resegmentRange": [low, high], "resegmentShape": True},
        "resegment and resample": {"resegmentRange": [low, high], "resampledPixelSpacing": finer},
        "minimumROIDimensions 1": {"minimumROIDimensions": 1},
        "minimumROIDimensions 3": {"minimumROIDimensions": 3},
        "minimumROISize 5": {"minimumROISize": 5},
        "minimumROISize at the size": {"minimumROISize": len(inside)},
        "distances 2": {"distances": [2]},
        "distances 1 and 3": {"distances": [1, 3]},
        "symmetricalGLCM false": {"symmetricalGLCM": False},
        "gldm_a 2": {"gldm_a": 2},
        "voxelArrayShift": {"voxelArrayShift": 1000},
        "label 2": {"label": 2, "minimumROIDimensions": 1},
        "label 7": {"label": 7},
        "additionalInfo false": {"additionalInfo": False},
        "geometry": {"geometryTolerance": 0.001, "correctMask": True},
    }
    settings |= {f"weightingNorm {n}": {"weightingNorm": n} for n in ("manhattan", "euclidean", "infinity")}
    settings["no_weighting"] = {"weightingNorm": "no_weighting"}
    settings |= {
        f"interpolator {name}": {"resampledPixelSpacing": finer, "interpolator": name}
        for name in INTERPOLATORS
        if name != "sitkBSpline"
    }
    trees = {name: {"setting": {"binWidth": case.width} | given} for name, given in settings.items()}
    for axis in range(3):
        flat = {"binWidth": case.width, "force2D": True, "force2Ddimension": axis}
        trees[f"force2D across {'zyx'[axis]}"] = {"setting": flat, "featureClass": dict.fromkeys(SOLID)}
        trees[f"shape2D across {'zyx'[axis]}"] = {"setting": flat, "featureClass": {"shape2D": None, "shape": None}}
    trees["own of Original"] = {
        "setting": {"binWidth": case.width},
        "imageType": {"Original": {"binCount": 8, "force2D": True, "voxelArrayShift": 10, "resegmentRange": [0, 1]}},
    }
    trees["named features"] = {
        "featureClass": {
            "glcm": ["Contrast", "Autocorrelation", "Dissimilarity"],
            "shape": ["VoxelVolume", "Compactness1", "Compactness2", "SphericalDisproportion"],
            "firstorder": ["StandardDeviation", "Mean"],
        },
        "setting": {"binWidth": case.width},
    }
    return trees


def filtered(case: Case) -> dict[str, dict[str, Any]]:
    """Parameter trees of filtered images by name."""
    width, few = case.width, {"shape": None, "firstorder": None, "glcm": None, "glszm": None}
    everything = {"LoG": {"sigma": [1.5, 4]}, "Wavelet": {}, "Gradient": {}}
    everything |= {name: {} for name in ("Square", "SquareRoot", "Logarithm", "Exponential", "Original")}
    everything["LBP2D"] = {"binWidth": 1}
    finer = [round(0.6 * s, 2) for s in case.grid.spacing_mm[::-1]]
    found: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "every filter": (everything, {}),
        "filters and binCount": (everything, {"binCount": 8}),
        "filters and normalize": (everything, {"normalize": True, "normalizeScale": 100, "binWidth": 10}),
        "filters and resample": (everything, {"resampledPixelSpacing": finer, "padDistance": 1}),
        "filters and preCrop": (everything, {"preCrop": True, "padDistance": 3}),
        "filters and resegment": (everything, {"resegmentRange": [-1, 1.5], "resegmentMode": "sigma"}),
        "filters and force2D": (everything, {"force2D": True}),
        "filters and force2D across x": (everything, {"force2D": True, "force2Ddimension": 2}),
        "wavelet levels": ({"Wavelet": {"level": 2, "wavelet": "db2"}}, {}),
        "wavelet from a level": ({"Wavelet": {"start_level": 1, "wavelet": "haar"}}, {}),
        "wavelet in settings": ({"Wavelet": {}}, {"wavelet": "bior1.3"}),
        "lbp-2D codes": ({"LBP2D": {"lbp2DMethod": "default", "lbp2DRadius": 2.5, "lbp2DSamples": 7}}, {}),
        "lbp-2D across x": (
            {"LBP2D": {"lbp2DMethod": "ror", "binWidth": 5.0}},
            {"force2D": True, "force2Ddimension": 2},
        ),
        "lbp-2D variance": ({"LBP2D": {"lbp2DMethod": "var", "binCount": 8}}, {}),
        "gradient in voxels": ({"Gradient": {"gradientUseSpacing": False}}, {}),
        "own of filters": ({"Square": {"binWidth": 3 * width}, "LoG": {"sigma": [2.5], "binCount": 5}}, {}),
    }
    return {
        name: {"imageType": images, "setting": {"binWidth": width} | given, "featureClass": few}
        for name, (images, given) in found.items()
    }


def spherical(case: Case) -> dict[str, dict[str, Any]]:
    """Parameter trees of LBP3D by name; PyRadiomics needs trimesh and scipy before 1.17 for them."""
    found: dict[str, dict[str, Any]] = {
        "default": {},
        "levels": {"lbp3DLevels": 4, "lbp3DIcosphereRadius": 2.5, "lbp3DIcosphereSubdivision": 2},
        "icosahedron": {"lbp3DLevels": 3, "lbp3DIcosphereRadius": 1.7, "lbp3DIcosphereSubdivision": 0},
    }
    few = {"firstorder": None, "glcm": ["Contrast", "JointEntropy"]}
    return {
        name: {
            "imageType": {"LBP3D": {"binWidth": 0.5} | given},
            "setting": {"binWidth": case.width},
            "featureClass": few,
        }
        for name, given in found.items()
    }


@dataclass(frozen=True)
class Comparison:
    """What one case under one option gave.

    worst : by family, the largest relative difference and the feature it was found in
    faults : what differs by more than is allowed, or is there in one of the two alone
    """

    case: str
    option: str
    worst: dict[str, tuple[float, str]]
    faults: tuple[str, ...]


def compare(case: Case, option: str, tree: dict[str, Any]) -> Comparison:
    """One case under one option through both."""
    label = tree["setting"].get("label", 1)
    theirs, refusal = pyradiomics(case, tree)
    try:
        ours = extract(case, tree, label)
    except CaseError as e:
        return Comparison(case.name, option, {}, () if refusal else (f"ours refuses: {e}",))
    if refusal and not ("compute 2D shape" in refusal and _without_plane(ours)):
        return Comparison(case.name, option, {}, (f"only PyRadiomics refuses: {refusal}",))
    if refusal:
        return Comparison(case.name, option, {}, ())
    return _differences(case, option, theirs, ours)


def extract(case: Case, tree: dict[str, Any], label: int = 1) -> RegionFeatures:
    """Our features."""
    plan = plan_pyradiomics(PyradiomicsSeries.model_validate(tree), "", named=False)
    volume, region = case.ours(label)
    if not region.morphology.any():
        raise CaseError("no such label")
    return plan.extract(volume, region)


def pyradiomics(case: Case, tree: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What PyRadiomics gives, or why it refuses."""
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return dict(RadiomicsFeatureExtractor(tree).execute(*case.itk())), ""
        except Exception as e:  # noqa: BLE001 - it raises many kinds
            return {}, str(e) or type(e).__name__


def _without_plane(ours: RegionFeatures) -> bool:
    values = [v for column, v in ours.values.items() if "_shape2D_" in column]
    return bool(values) and all(math.isnan(v) for v in values)


def _differences(case: Case, option: str, theirs: dict[str, Any], ours: RegionFeatures) -> Comparison:
    wanted = {c: float(v) for c, v in theirs.items() if not c.startswith("diagnostics_")}
    mine = {c: v for c, v in ours.values.items() if c in wanted or not math.isnan(v)}
    faults = [f"columns differ: {sorted(set(wanted) ^ set(mine))[:5]}"] if list(wanted) != list(mine) else []
    worst: dict[str, tuple[float, str]] = {}
    for column, value in wanted.items():
        if column not in mine:
            continue
        family, feature = column.split("_")[1:]
        if math.isnan(value) or math.isnan(mine[column]):
            if math.isnan(value) != math.isnan(mine[column]):
                faults.append(f"{column}: {value!r} there, {mine[column]!r} here ({ours.undefined.get(column)})")
            continue
        gap = abs(mine[column] - value)
        relative = (gap / abs(value) if value else math.inf) if gap else 0.0
        size = natural_size(family, feature, wanted)
        if size and gap <= CANCELLED * size:
            relative = min(relative, gap / size)
        if relative > RELATIVE:
            faults.append(f"{column}: {value!r} there, {mine[column]!r} here")
        worst[family] = max(worst.get(family, (0.0, "")), (relative, feature))
    return Comparison(case.name, option, worst, tuple(faults))


def natural_size(family: str, feature: str, values: dict[str, float]) -> float:
    """Size of the terms that a feature is made of, where they may cancel; 0 where they do not."""
    if family == "shape" and feature in ("LeastAxisLength", "MinorAxisLength"):
        return values.get("original_shape_MajorAxisLength", 0.0)
    if family in ("glrlm", "glszm") and feature.endswith("Variance"):
        return 1.0
    return {("shape", "Flatness"): 1.0, ("shape", "Elongation"): 1.0}.get((family, feature), 0.0)


def table(cases: Iterable[Case], chosen: Iterable[str] = ()) -> list[Comparison]:
    """All cases under all options, or under those chosen."""
    wanted = set(chosen)
    return [
        compare(case, option, tree)
        for case in cases
        for option, tree in options(case).items()
        if not wanted or option in wanted
    ]


def as_text(found: Iterable[Comparison]) -> str:
    """The largest relative difference by option and family, as a table."""
    rows: dict[str, dict[str, float]] = {}
    for one in found:
        row = rows.setdefault(one.option, {})
        for family, (gap, _) in one.worst.items():
            row[family] = max(row.get(family, 0.0), gap)
    lines = ["".join(f"{head:>11}" for head in FEATURE_CLASSES) + "  option"]
    for option, row in rows.items():
        cells = (f"{row[family]:11.1e}" if family in row else f"{'':11}" for family in FEATURE_CLASSES)
        lines.append("".join(cells) + f"  {option}")
    return "\n".join(lines)


def print_spherical() -> None:
    """PyRadiomics' values of LBP3D as CSV."""
    print("case,option,column,value")
    for case in synthetic_cases():
        if case.name in SPHERICAL:
            for option, tree in spherical(case).items():
                theirs, refusal = pyradiomics(case, tree)
                assert not refusal
                columns = {c: v for c, v in theirs.items() if not c.startswith("diagnostics_")}
                assert columns, "PyRadiomics left LBP3D out"
                for column, value in columns.items():
                    print(f"{case.name},{option},{column},{float(value)!r}")


if __name__ == "__main__":
    import logging
    import sys

    logging.disable(logging.CRITICAL)
    if "lbp3d" in sys.argv:
        print_spherical()
        sys.exit()
    sts = Path(__file__).resolve().parents[3] / "shared"
    everything = [*synthetic_cases(), *(clinical_cases(sts, ct=True) if sts.is_dir() else ())]
    results = table(everything)
    print(as_text(results))
    for result in results:
        for fault in result.faults:
            print(f"{result.case}, {result.option}: {fault}")
