"""Make `fdg_lesions/`: 40 synthetic FDG PET/CT patients whose outcomes depend on planted properties of the lesion.

    python data_samples/make_fdg_lesions.py [FOLDER]

Seeded: the same bytes come out when it is run again. `fdg_lesions/README.md` says what is planted and how.
Arrays are [z, y, x]; world coordinates are in mm, patient-based (DICOM: left, posterior, superior), lesion centre at 0.
"""

import csv
import gzip
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage, special, stats

SEED = 20242910
N_PATIENTS = 40

# What is planted: ranges of the three properties, and the strength of their effects.
HETEROGENEITY = (0.30, 0.60)  # coefficient of variation of SUV in the lesion, before noise
DIAMETER_MM = (23.0, 50.0)  # of the sphere of equal volume: 6 to 65 ml
MEAN_SUV = (2.0, 14.0)  # in the lesion, before noise

MACE_SHARE = 0.4
MACE_EFFECTS = {"heterogeneity": 1.0, "uptake": 0.65}
MACE_NOISE = 0.5

HAZARD_EFFECTS = {"heterogeneity": 3.0, "volume": 2.6, "age": 0.3}  # log hazard ratio per standard deviation
WEIBULL_SHAPE = 3.0
MEDIAN_DAYS = 900.0
CENSORING_DAYS = (250.0, 2100.0)

PSF_FWHM_MM = 5.0
MAX_LOG_CONTRAST = 3.0


@dataclass(frozen=True)
class Centre:
    """How a centre acquires; spacings and shapes (z, y, x)."""

    pet_spacing_mm: tuple[float, float, float]
    pet_shape: tuple[int, int, int]
    pet_noise: float  # relative to the local SUV
    ct_noise_hu: float


CENTRES = {
    "A": Centre((4.0, 4.0, 4.0), (24, 32, 32), 0.04, 11.0),
    "B": Centre((3.0, 4.07, 4.07), (32, 32, 32), 0.06, 15.0),
}
CT_SPACING_MM = (3.0, 2.0, 2.0)
CT_MARGIN_MM = 12.0
SUV_STEP = 1 / 256  # stored resolution, exact in binary


@dataclass(frozen=True)
class Tissue:
    """A tissue around the lesion: its SUV and its HU."""

    suv: float
    hu: float


SOFT, FAT, LUNG, AIR = Tissue(1.0, 40.0), Tissue(0.4, -100.0), Tissue(0.5, -780.0), Tissue(0.0, -1000.0)


# --- The design: independent properties, spread evenly over the patients ---------------------------------------------

DESIGN = (
    *("heterogeneity", "volume", "uptake"),
    *("grain", "core", "elongation", "lobulation", "ct_mean", "ct_texture", "centre", "sex", "age"),
    *("mace_noise", "time_noise", "censoring", "stage_noise", "necrosis_noise"),
)


def draw_design(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Give each column of DESIGN evenly spread quantiles in (0, 1), with rank correlations near 0 between columns."""
    normal = rng.standard_normal((N_PATIENTS, len(DESIGN)))
    orthogonal, triangle = np.linalg.qr(normal - normal.mean(axis=0))
    ranks = stats.rankdata(np.round(orthogonal * np.sign(np.diag(triangle)), 9), axis=0)
    return dict(zip(DESIGN, ((ranks - 0.5) / N_PATIENTS).T, strict=True))


def standardised(quantiles: np.ndarray) -> np.ndarray:
    """Turn evenly spread quantiles into a uniform variable of mean 0 and standard deviation 1."""
    return (quantiles - 0.5) * np.sqrt(12)


def spread(quantiles: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Spread quantiles evenly over the limits."""
    return limits[0] + quantiles * (limits[1] - limits[0])


# --- The lesion ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outline:
    """Lobulated ellipsoid: the distance from the centre to the surface as a function of direction."""

    axes: np.ndarray  # relative half-axes (z, y, x)
    rotation: np.ndarray  # 3 x 3
    waves: np.ndarray  # [n, 3] directions of the lobulation, in half-waves over the sphere
    phases: np.ndarray
    lobulation: float
    scale_mm: float = 1.0

    def radius_mm(self, directions: np.ndarray) -> np.ndarray:
        """Distance to the surface along unit vectors [..., 3]."""
        ellipsoid = 1 / np.linalg.norm(directions @ self.rotation.T / self.axes, axis=-1)
        wave = np.cos(directions @ self.waves.T + self.phases).mean(axis=-1)
        return self.scale_mm * ellipsoid * (1 + self.lobulation * wave)

    def depth_mm(self, points: np.ndarray) -> np.ndarray:
        """Distance inward from the surface along the ray from the centre, for points [..., 3]; negative outside."""
        distance = np.linalg.norm(points, axis=-1)
        return self.radius_mm(points / np.maximum(distance, 1e-9)[..., None]) - distance


def draw_outline(rng: np.random.Generator, volume_ml: float, elongation: float, lobulation: float) -> Outline:
    """Draw an outline that encloses exactly `volume_ml`."""
    axes = np.array([1.0, 1.0 - 0.35 * elongation, 1.0 - 0.35 * elongation * rng.uniform(0.3, 1.0)])
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    waves = rng.standard_normal((4, 3))
    waves *= 3.5 / np.linalg.norm(waves, axis=1, keepdims=True)
    shape = (axes, rotation, waves, rng.uniform(0, 2 * np.pi, 4), 0.35 * lobulation)
    unit_volume = 4 / 3 * np.pi * np.mean(Outline(*shape).radius_mm(sphere(20_000)) ** 3)
    return Outline(*shape, scale_mm=float((volume_ml * 1000 / unit_volume) ** (1 / 3)))


def sphere(n: int) -> np.ndarray:
    """Spread n unit vectors evenly (Fibonacci lattice)."""
    z = 1 - (2 * np.arange(n) + 1) / n
    turn = np.pi * (1 + np.sqrt(5)) * np.arange(n)
    ring = np.sqrt(1 - z**2)
    return np.stack([z, ring * np.sin(turn), ring * np.cos(turn)], axis=-1)


def grid_points(shape: Sequence[int], spacing_mm: Sequence[float], origin_mm: Sequence[float]) -> np.ndarray:
    """World coordinates (z, y, x) of the voxel centres, [z, y, x, 3]."""
    index = np.moveaxis(np.indices(shape, dtype=np.float64), 0, -1)
    return index * np.asarray(spacing_mm) + np.asarray(origin_mm)


def correlated_noise(rng: np.random.Generator, shape: Sequence[int], sigma_voxels: Sequence[float]) -> np.ndarray:
    """Gaussian field of mean 0 and standard deviation 1, smooth over `sigma_voxels`."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), sigma_voxels, mode="wrap")
    return (field - field.mean()) / field.std()


# --- The surroundings ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Surroundings:
    """Planes around the lesion: skin with its fat on one side, lung on the other, for some patients."""

    normal: np.ndarray
    skin_mm: float
    fat_mm: float
    lung_mm: float

    def tissue_map(self, points: np.ndarray, value: Callable[[Tissue], float]) -> np.ndarray:
        """Value of the tissue at each point."""
        height = points @ self.normal
        conditions = [height > self.skin_mm, height > self.skin_mm - self.fat_mm, height < -self.lung_mm]
        return np.select(conditions, [value(AIR), value(FAT), value(LUNG)], default=value(SOFT))


def draw_surroundings(rng: np.random.Generator, outline: Outline) -> Surroundings:
    """Draw planes that leave the lesion whole and some soft tissue around it."""
    normal = rng.standard_normal(3) * [0.3, 1, 1]
    normal /= np.linalg.norm(normal)
    directions = sphere(2000)
    heights = (outline.radius_mm(directions)[:, None] * directions) @ normal
    fat_mm = rng.uniform(6, 14)
    return Surroundings(
        normal=normal,
        skin_mm=heights.max() + 5 + fat_mm + rng.uniform(0, 12),
        fat_mm=fat_mm,
        lung_mm=-heights.min() + rng.uniform(5, 25),
    )


# --- The images ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Series:
    """Image and masks on one grid."""

    image: np.ndarray
    masks: dict[str, np.ndarray]
    spacing_mm: tuple[float, float, float]
    origin_mm: np.ndarray


def make_pet(
    rng: np.random.Generator,
    outline: Outline,
    surroundings: Surroundings,
    centre: Centre,
    *,
    heterogeneity: float,
    mean_suv: float,
    grain_mm: float,
    core: float,
) -> Series:
    """Render the PET: contrast and level of the pattern are set so that CV and mean in the outline are those planted.

    The activity is drawn on a grid twice as fine, blurred by the scanner's point spread and averaged down.
    """
    spacing = np.asarray(centre.pet_spacing_mm)
    origin = -spacing * (np.asarray(centre.pet_shape) - 1) / 2 + rng.uniform(-2, 2, 3)
    fine_shape = [2 * n for n in centre.pet_shape]
    fine = grid_points(fine_shape, spacing / 2, origin - spacing / 4)
    inside = outline.depth_mm(fine) >= 0
    mask = outline.depth_mm(grid_points(centre.pet_shape, spacing, origin)) >= 0

    def acquire(activity: np.ndarray) -> np.ndarray:
        blurred = ndimage.gaussian_filter(activity, PSF_FWHM_MM / 2.3548 / (spacing / 2), mode="nearest")
        z, y, x = centre.pet_shape
        return blurred.reshape(z, 2, y, 2, x, 2).mean(axis=(1, 3, 5))

    tissue = surroundings.tissue_map(fine, lambda t: t.suv)
    uneven = 1 + 0.12 * correlated_noise(rng, fine_shape, 10 / (spacing / 2))
    background = acquire(tissue * uneven * ~inside)

    field = correlated_noise(rng, fine_shape, grain_mm / (spacing / 2))
    distance = np.linalg.norm(fine, axis=-1) / np.maximum(np.linalg.norm(fine, axis=-1) + outline.depth_mm(fine), 1.0)
    pattern = field - 2.0 * core * np.exp(-((distance / 0.5) ** 2))
    pattern = (pattern - pattern[inside].mean()) / pattern[inside].std()
    pattern = np.sqrt(3) * special.erf(pattern / np.sqrt(2))  # bounded: no single voxel makes the maximum

    def render(log_contrast: float) -> np.ndarray:
        lesion = acquire(np.exp(log_contrast * pattern) * inside)
        level = (mean_suv - background[mask].mean()) / lesion[mask].mean()
        return background + level * lesion

    low, high = 0.0, MAX_LOG_CONTRAST
    for _ in range(14):
        middle = (low + high) / 2
        image = render(middle)
        if image[mask].std() / image[mask].mean() < heterogeneity:
            low = middle
        else:
            high = middle

    noise = correlated_noise(rng, centre.pet_shape, 3.0 / spacing)
    image = np.maximum(image * (1 + centre.pet_noise * noise), 0)
    second = read_again(rng, outline, centre.pet_shape, spacing, origin)
    stored = (np.round(image / SUV_STEP) * SUV_STEP).astype(np.float32)
    return Series(stored, {"mask": mask, "mask_reader2": second}, centre.pet_spacing_mm, origin)


def read_again(
    rng: np.random.Generator, outline: Outline, shape: Sequence[int], spacing_mm: np.ndarray, origin_mm: np.ndarray
) -> np.ndarray:
    """Contour of the second reader: shifted, wider or tighter, and unsteady."""
    points = grid_points(shape, spacing_mm, origin_mm + rng.normal(0, 0.7, 3))
    unsteady = 1.3 * correlated_noise(rng, shape, 8 / spacing_mm)
    return outline.depth_mm(points) + unsteady >= rng.normal(0, 1.3)


def make_ct(
    rng: np.random.Generator,
    outline: Outline,
    surroundings: Surroundings,
    centre: Centre,
    *,
    mean_hu: float,
    texture_hu: float,
) -> Series:
    """Render the CT, on its own finer grid that just holds the lesion and its margin."""
    spacing = np.asarray(CT_SPACING_MM)
    directions = sphere(2000)
    half = np.abs(outline.radius_mm(directions)[:, None] * directions).max(axis=0) + CT_MARGIN_MM
    shape = [int(n) for n in np.ceil(2 * half / spacing)]
    origin = -spacing * (np.asarray(shape) - 1) / 2 + rng.uniform(-0.5, 0.5, 3)
    points = grid_points(shape, spacing, origin)
    mask = outline.depth_mm(points) >= 0
    tissue = surroundings.tissue_map(points, lambda t: t.hu) + 6 * correlated_noise(rng, shape, 8 / spacing)
    lesion = mean_hu + texture_hu * correlated_noise(rng, shape, 4 / spacing)
    sharp = np.where(mask, lesion, tissue)
    image = ndimage.gaussian_filter(sharp, 1.0 / spacing, mode="nearest")
    image += centre.ct_noise_hu * correlated_noise(rng, shape, 1.0 / spacing)
    return Series(np.round(np.clip(image, -1024, 3071)).astype(np.int16), {"mask": mask}, CT_SPACING_MM, origin)


def write_nifti(path: Path, array: np.ndarray, spacing_mm: Sequence[float], origin_mm: np.ndarray) -> None:
    """Write [z, y, x] as .nii.gz, millimetres, without the time of day."""
    (sz, sy, sx), (oz, oy, ox) = spacing_mm, np.round(origin_mm, 3)
    affine = np.array([[-sx, 0, 0, -ox], [0, -sy, 0, -oy], [0, 0, sz, oz], [0, 0, 0, 1.0]])
    image = nib.Nifti1Image(array.transpose(), affine)
    image.header.set_xyzt_units("mm")
    image.set_qform(affine, code=1)
    image.set_sform(affine, code=1)
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(image.to_bytes())


# --- The patients ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cohort:
    """All that is drawn before any image: one array a column, one entry a patient."""

    case: list[str]
    centre: np.ndarray
    planted: dict[str, np.ndarray]
    nuisance: dict[str, np.ndarray]
    outcomes: dict[str, np.ndarray]


def draw_cohort() -> Cohort:
    """Draw properties and outcomes of all patients."""
    design = draw_design(np.random.default_rng(SEED))
    z = {name: standardised(design[name]) for name in DESIGN}
    planted = {
        "heterogeneity": spread(design["heterogeneity"], HETEROGENEITY),
        "volume_ml": np.pi / 6 * (spread(design["volume"], DIAMETER_MM) / 10) ** 3,
        "mean_suv": MEAN_SUV[0] * (MEAN_SUV[1] / MEAN_SUV[0]) ** design["uptake"],
    }
    nuisance = {
        "grain_mm": spread(design["grain"], (2.5, 11.0)),
        "core": design["core"],
        "elongation": design["elongation"],
        "lobulation": design["lobulation"],
        "ct_mean_hu": spread(design["ct_mean"], (46.0, 62.0)),
        "ct_texture_hu": spread(design["ct_texture"], (4.0, 16.0)),
    }

    risk = sum(effect * z[name] for name, effect in MACE_EFFECTS.items()) + MACE_NOISE * z["mace_noise"]
    mace = stats.rankdata(-risk) <= round(MACE_SHARE * N_PATIENTS)

    log_hazard = sum(effect * z[name] for name, effect in HAZARD_EFFECTS.items())
    survival = (-np.log(design["time_noise"]) / np.log(2) / np.exp(log_hazard)) ** (1 / WEIBULL_SHAPE) * MEDIAN_DAYS
    censoring = spread(design["censoring"], CENSORING_DAYS)
    stage = 1 + np.digitize(z["volume"] + 2.0 * z["stage_noise"], [-2.2, 0.0, 2.2])
    necrosis = np.digitize(z["heterogeneity"] + 0.8 * z["necrosis_noise"], [-1.0, 0.0, 1.0])
    outcomes = {
        "age": np.round(62 + 9 * special.ndtri(design["age"])).astype(int),
        "sex": np.where(design["sex"] < 0.5, "F", "M"),
        "stage": np.array(["I", "II", "III", "IV"])[stage - 1],
        "semantic_necrosis_score": necrosis,
        "mace": mace.astype(int),
        "time_days": np.maximum(np.ceil(np.minimum(survival, censoring)), 1).astype(int),
        "event": (survival <= censoring).astype(int),
    }
    case = [f"FDG_{number:03d}" for number in range(1, N_PATIENTS + 1)]
    return Cohort(case, np.where(design["centre"] < 0.5, "A", "B"), planted, nuisance, outcomes)


def make_patient(cohort: Cohort, row: int) -> dict[str, Series]:
    """Make PET and CT of one patient; depends on no other patient."""
    rng = np.random.default_rng([SEED, row])
    planted = {name: float(values[row]) for name, values in cohort.planted.items()}
    nuisance = {name: float(values[row]) for name, values in cohort.nuisance.items()}
    centre = CENTRES[str(cohort.centre[row])]
    outline = draw_outline(rng, planted["volume_ml"], nuisance["elongation"], nuisance["lobulation"])
    surroundings = draw_surroundings(rng, outline)
    pet = make_pet(
        rng,
        outline,
        surroundings,
        centre,
        heterogeneity=planted["heterogeneity"],
        mean_suv=planted["mean_suv"],
        grain_mm=nuisance["grain_mm"],
        core=nuisance["core"],
    )
    ct = make_ct(
        rng,
        outline,
        surroundings,
        centre,
        mean_hu=nuisance["ct_mean_hu"],
        texture_hu=nuisance["ct_texture_hu"],
    )
    return {"PET": pet, "CT": ct}


def write_table(path: Path, columns: dict[str, Sequence[object] | np.ndarray]) -> None:
    """Write columns as CSV: UTF-8, LF."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def main(folder: Path) -> None:
    """Write the whole sample."""
    cohort = draw_cohort()
    for row, case in enumerate(cohort.case):
        (folder / case).mkdir(parents=True, exist_ok=True)
        for name, series in make_patient(cohort, row).items():
            grid = (series.spacing_mm, series.origin_mm)
            write_nifti(folder / case / f"{name}_image.nii.gz", series.image, *grid)
            for suffix, mask in series.masks.items():
                write_nifti(folder / case / f"{name}_{suffix}.nii.gz", mask.astype(np.uint8), *grid)
    keys = {"patient_id": cohort.case, "centre": cohort.centre}
    write_table(folder / "outcomes.csv", keys | cohort.outcomes)
    hidden = {name: np.round(values, 4) for name, values in (cohort.planted | cohort.nuisance).items()}
    write_table(folder / "planted.csv", keys | hidden)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("fdg_lesions"))
