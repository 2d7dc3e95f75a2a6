"""Make `mpi_spect/`: 60 synthetic patients with perfusion SPECT at stress and rest; MACE depends on planted defects.

    python data_samples/make_mpi_spect.py [FOLDER]

Seeded: the same bytes come out when it is run again. `mpi_spect/README.md` says what is planted and how.
Arrays are short-axis stacks [z, y, x]: x runs to the lateral wall, y to the inferior one, z from the apex to the base.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from make_fdg_lesions import correlated_noise, grid_points, spread, standardised, write_nifti, write_table
from scipy import ndimage, special, stats

SEED = 1
N_PATIENTS = 60
N_NORMALS = 30
NORMAL_SEED = 77

# What is planted: the deficit at stress, and the strength of its effects and of those of age.
DEFICIT = (0.0, 0.22)  # uptake lost at stress, as a share of that of the whole wall
DEPTH = (0.45, 0.75)  # of the defect: deficit over depth is its extent
MACE_SHARE = 1 / 3
MACE_EFFECTS = {"deficit": 1.0, "age": 0.5}
MACE_NOISE = 0.5
HAZARD_EFFECTS = {"deficit": 1.6, "age": 0.7}  # log hazard ratio per standard deviation
WEIBULL_SHAPE = 2.0
MEDIAN_DAYS = 1300.0
CENSORING_DAYS = (500.0, 2400.0)

# How it is acquired.
SHAPE = (24, 32, 32)
SPACING_MM = (5.0, 5.0, 5.0)
ORIGIN_MM = -np.array(SPACING_MM) * (np.array(SHAPE) - 1) / 2
PSF_FWHM_MM = 12.0
NOISE = 0.05  # of the wall's counts at stress, smooth over the blur; more at rest, where counts are fewer
COUNTS = {"stress": 220.0, "rest": 120.0}  # of a normal wall without blur, times the patient's own factor
CAVITY, BACKGROUND = 0.10, 0.05

TERRITORIES = {"LAD": (110.0, 0.35), "RCA": (265.0, 0.60), "LCX": (345.0, 0.60)}
"""Where defects lie: angle from the lateral wall over the anterior one (degrees), and height from apex 0 to base 1."""
ARTERIES = tuple(TERRITORIES)


DESIGN = (
    *("deficit", "age"),
    *("depth", "reversible", "artery", "angle", "height", "size", "length", "thickness", "dose"),
    *("sex", "diabetes", "mace_noise", "time_noise", "censoring", "infarct_noise"),
)


def draw_design(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Give each column of DESIGN evenly spread quantiles in (0, 1), with rank correlations near 0 between columns."""
    normal = rng.standard_normal((N_PATIENTS, len(DESIGN)))
    orthogonal, triangle = np.linalg.qr(normal - normal.mean(axis=0))
    ranks = stats.rankdata(np.round(orthogonal * np.sign(np.diag(triangle)), 9), axis=0)
    return dict(zip(DESIGN, ((ranks - 0.5) / N_PATIENTS).T, strict=True))


# --- The heart -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heart:
    """A left ventricle: a cylinder with an ellipsoidal cap; the patient's own place and turn."""

    radius_mm: float  # of the cavity
    wall_mm: float
    cylinder_mm: float
    cap_mm: float  # of the cavity
    centre_mm: np.ndarray  # (z, y, x) of the junction of cylinder and cap
    turn: np.ndarray  # 3 x 3, small

    def local(self, points: np.ndarray) -> np.ndarray:
        """Points [..., 3] (z, y, x) in the heart's own axes."""
        return (points - self.centre_mm) @ self.turn.T

    def depth(self, points: np.ndarray) -> np.ndarray:
        """0 at the inner surface, 1 at the outer one, of points in the heart's axes; above 2 beyond the base."""
        z, y, x = np.moveaxis(points, -1, 0)
        across = np.hypot(y, x)
        inner = np.hypot(across / self.radius_mm, np.minimum(z, 0) / self.cap_mm)
        outer = np.hypot(across / (self.radius_mm + self.wall_mm), np.minimum(z, 0) / (self.cap_mm + self.wall_mm))
        shell = np.where(inner < 1, inner - 1, np.where(outer < 1, 0.5, outer))
        return np.where(z > self.cylinder_mm, 9.0, shell)

    def angle(self, points: np.ndarray) -> np.ndarray:
        """Degrees from the lateral wall over the anterior one."""
        _, y, x = np.moveaxis(points, -1, 0)
        return np.degrees(np.arctan2(-y, x)) % 360

    def height(self, points: np.ndarray) -> np.ndarray:
        """From 0 at the tip to 1 at the base."""
        tip = -self.cap_mm - self.wall_mm
        return (points[..., 0] - tip) / (self.cylinder_mm - tip)


@dataclass(frozen=True)
class Defect:
    """A part of the wall that takes up less: its middle, its share of the wall, and what is lost in it."""

    angle: float
    height: float
    extent: float
    depth: float
    reversible: float  # share of the loss that is back at rest


def draw_heart(rng: np.random.Generator, size: float, length: float, thickness: float) -> Heart:
    """Draw a heart of a given size, each of the three a quantile."""
    radius = 17.0 + 8.0 * size
    tilt = rng.uniform(-0.08, 0.08, 2)
    turn = np.array([[1, tilt[0], tilt[1]], [-tilt[0], 1, 0], [-tilt[1], 0, 1]])
    turn = np.linalg.svd(turn)[0] @ np.linalg.svd(turn)[2]
    cap, cylinder = radius * 1.25, 30.0 + 18.0 * length
    middle = (cap + 10.0 - cylinder) / 2  # so that the heart lies in the middle of the stack
    centre = np.array([middle, 0.0, 0.0]) + rng.uniform(-3, 3, 3)
    return Heart(radius, 9.0 + 3.0 * thickness, cylinder, cap, centre, turn)


def uptake_of(rng: np.random.Generator, heart: Heart, points: np.ndarray) -> np.ndarray:
    """Normal uptake at points in the heart's axes: less at the inferior wall, septum and base, uneven by 4 %."""
    angle, height = np.radians(heart.angle(points)), heart.height(points)
    pattern = 1 + 0.06 * np.sin(angle) + 0.04 * np.cos(angle) - 0.06 * np.clip(height - 0.7, 0, None) / 0.3
    return pattern * (1 + 0.04 * correlated_noise(rng, points.shape[:3], [5.0] * 3))


def share_lost(heart: Heart, points: np.ndarray, wall: np.ndarray, defect: Defect) -> np.ndarray:
    """Where the defect is, bool [z, y, x]: the share `extent` of the wall that lies nearest to its middle."""
    place = np.array([np.cos(np.radians(defect.angle)), np.sin(np.radians(defect.angle))])
    angle = np.radians(heart.angle(points[wall]))
    around = np.arccos(np.clip(np.cos(angle) * place[0] + np.sin(angle) * place[1], -1, 1))
    distance = np.hypot(around / (0.45 * np.pi), (heart.height(points[wall]) - defect.height) / 0.55)
    lost = np.zeros(wall.shape, bool)
    lost[wall] = np.argsort(np.argsort(distance, kind="stable"), kind="stable") < round(defect.extent * len(distance))
    return lost


def acquire(rng: np.random.Generator, heart: Heart, defect: Defect | None, dose: float) -> dict[str, np.ndarray]:
    """Images at stress and rest, and the mask of the wall: drawn on a grid twice as fine, blurred and averaged down."""
    spacing, shape = np.array(SPACING_MM), [2 * n for n in SHAPE]
    fine = heart.local(grid_points(shape, spacing / 2, -(spacing / 2) * (np.array(shape) - 1) / 2))
    coarse = heart.local(grid_points(SHAPE, spacing, ORIGIN_MM))
    depth = heart.depth(fine)
    wall = (depth >= 0) & (depth < 1)
    normal = uptake_of(rng, heart, fine)
    lost = share_lost(heart, fine, wall, defect) if defect else np.zeros(wall.shape, bool)
    images = {}
    for series, counts in COUNTS.items():
        loss = 0.0 if defect is None else defect.depth * (1 if series == "stress" else 1 - defect.reversible)
        inside = normal * np.where(lost, 1 - loss, 1.0)
        activity = np.where(wall, inside, np.where(depth < 0, CAVITY, BACKGROUND))
        blurred = ndimage.gaussian_filter(activity, PSF_FWHM_MM / 2.3548 / (spacing / 2), mode="nearest")
        z, y, x = SHAPE
        image = blurred.reshape(z, 2, y, 2, x, 2).mean(axis=(1, 3, 5)) * counts * dose
        noise = correlated_noise(rng, SHAPE, PSF_FWHM_MM / 2.3548 / spacing)
        image += NOISE * np.sqrt(np.maximum(image, 0) * COUNTS["stress"]) * noise
        images[f"{series}_image"] = np.round(np.maximum(image, 0)).astype(np.int16)
    inner = heart.depth(coarse)
    mask = ((inner >= 0) & (inner < 1)).astype(np.uint8)
    return {**images, "stress_mask": mask, "rest_mask": mask}


# --- The patients ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cohort:
    """All that is drawn before any image: one array a column, one entry a patient."""

    case: list[str]
    planted: dict[str, np.ndarray]
    nuisance: dict[str, np.ndarray]
    outcomes: dict[str, np.ndarray]


def draw_cohort() -> Cohort:
    """Draw properties and outcomes of all patients."""
    design = draw_design(np.random.default_rng(SEED))
    z = {name: standardised(design[name]) for name in DESIGN}
    depth = spread(design["depth"], DEPTH)
    deficit = spread(design["deficit"], DEFICIT)
    reversible = np.select([design["reversible"] < 1 / 3, design["reversible"] < 2 / 3], [0.0, 0.5], 1.0)
    planted = {
        "stress_deficit": deficit,
        "stress_extent": deficit / depth,
        "depth": depth,
        "rest_deficit": deficit * (1 - reversible),
    }
    artery = np.minimum((design["artery"] * len(ARTERIES)).astype(int), len(ARTERIES) - 1)
    nuisance = {
        "artery": np.array(ARTERIES)[artery],
        "reversible": reversible,
        "angle": np.array([TERRITORIES[ARTERIES[a]][0] for a in artery]) + spread(design["angle"], (-15.0, 15.0)),
        "height": np.array([TERRITORIES[ARTERIES[a]][1] for a in artery]) + spread(design["height"], (-0.1, 0.1)),
        "size": design["size"],
        "length": design["length"],
        "thickness": design["thickness"],
        "dose": 0.7 * 2 ** design["dose"],
    }
    risk = sum(effect * z[name] for name, effect in MACE_EFFECTS.items()) + MACE_NOISE * z["mace_noise"]
    mace = stats.rankdata(-risk) <= round(MACE_SHARE * N_PATIENTS)
    log_hazard = sum(effect * z[name] for name, effect in HAZARD_EFFECTS.items())
    survival = (-np.log(design["time_noise"]) / np.log(2) / np.exp(log_hazard)) ** (1 / WEIBULL_SHAPE) * MEDIAN_DAYS
    censoring = spread(design["censoring"], CENSORING_DAYS)
    infarct = standardised(stats.rankdata(planted["rest_deficit"]) / N_PATIENTS) + 1.5 * z["infarct_noise"]
    outcomes = {
        "age": np.round(66 + 9 * special.ndtri(design["age"])).astype(int),
        "sex": np.where(design["sex"] < 0.6, "M", "F"),
        "diabetes": (design["diabetes"] < 0.3).astype(int),
        "prior_infarct": (stats.rankdata(-infarct) <= N_PATIENTS / 4).astype(int),
        "mace": mace.astype(int),
        "time_days": np.maximum(np.ceil(np.minimum(survival, censoring)), 1).astype(int),
        "event": (survival <= censoring).astype(int),
    }
    return Cohort([f"MPI_{number:03d}" for number in range(1, N_PATIENTS + 1)], planted, nuisance, outcomes)


def make_patient(cohort: Cohort, row: int) -> dict[str, np.ndarray]:
    """Images and masks of one patient, by the names of their files; depends on no other patient."""
    rng = np.random.default_rng([SEED, row])
    own = {name: values[row] for name, values in (cohort.planted | cohort.nuisance).items()}
    heart = draw_heart(rng, own["size"], own["length"], own["thickness"])
    defect = Defect(own["angle"], own["height"], own["stress_extent"], own["depth"], own["reversible"])
    return acquire(rng, heart, defect, own["dose"])


def make_normal(number: int) -> dict[str, np.ndarray]:
    """Images and mask of a normal patient, none of the 60: those from which the normal map is made."""
    rng = np.random.default_rng([NORMAL_SEED, number])
    return acquire(rng, draw_heart(rng, *rng.uniform(size=3)), None, 1.0)


def main(folder: Path) -> None:
    """Write the whole sample."""
    cohort = draw_cohort()
    for row, case in enumerate(cohort.case):
        (folder / case).mkdir(parents=True, exist_ok=True)
        for name, array in make_patient(cohort, row).items():
            write_nifti(folder / case / f"{name}.nii.gz", array, SPACING_MM, ORIGIN_MM)
    keys = {"patient_id": cohort.case}
    write_table(folder / "outcomes.csv", keys | cohort.outcomes)
    hidden = {
        name: values if values.dtype.kind == "U" else np.round(values, 4)
        for name, values in (cohort.planted | cohort.nuisance).items()
    }
    write_table(folder / "planted.csv", keys | hidden)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("mpi_spect"))
