"""Pages of the image filters: settings from the code, and what each makes of the sample's PET slice.

python docs/filter_pages.py        draw the pictures anew; the pages themselves are written by generate.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from radiomics_pipeline.extraction.source import Source
from radiomics_pipeline.imaging.filters.spec import EVERYWHERE, Filter
from radiomics_pipeline.imaging.filters.table import FILTERS, settings_of
from radiomics_pipeline.imaging.pyradiomics.filters.spec import Box
from radiomics_pipeline.imaging.pyradiomics.filters.table import IMAGE_TYPES
from radiomics_pipeline.imaging.resample import resample
from radiomics_pipeline.io.volumes import load_image, read_file
from radiomics_pipeline.params.extraction import Resample
from radiomics_pipeline.params.pyradiomics import Settings
from radiomics_pipeline.types import Region

FOLDER = Path(__file__).parent / "filters"
SAMPLE = Path(__file__).parents[1] / "data_samples" / "fdg_lesions" / "FDG_001"
TEXTS = {
    "mean": "The mean of a cube of voxels; slice by slice that of a square. It smooths.",
    "log": "The Laplacian of an image smoothed by a Gaussian: below 0 in spots brighter than what lies around, above "
    "0 in darker ones, strongest for spots about as wide as the Gaussian. Its unit is the image's per voxel squared. "
    "Cut off at 4 widths, as in the standard's tests, its weights do not quite sum to 0: of 1000 HU everywhere it "
    "leaves some -0.2 (3 voxels wide). With `truncate: 6` nothing is left; most teams of IBSI 2 had it so in phase 3.",
    "laws": "Products of short kernels along the axes: level (L), edge (E), spot (S), wave (W), ripple (R), of 3 or 5 "
    "voxels. The energy map is the mean absolute response around each voxel.",
    "gabor": "A wave under a Gaussian, in the planes of the slices or in all three orthogonal planes; the modulus of "
    "the complex response says how strong a pattern of that wavelength and direction is.",
    "wavelet": "One subband of an undecimated wavelet transform: low (L) or high (H) pass along x, y and z. Any filter "
    "bank of PyWavelets; its taps begin at the voxel, an even number of them one voxel before the middle.",
    "simoncelli": "A band of frequencies, the same in all directions. It looks at the whole image, which goes on "
    "beyond its border as its `boundary` says; the reference values take it as periodic.",
    "riesz": "Derivatives of a band-pass image that keep its scale, of any order along the axes; aligned, along the "
    "axes of the structure at every voxel, the direction of most change first.",
}
SHOWN: dict[str, tuple[dict[str, Any], ...]] = {
    "mean": ({"support": 3}, {"support": 5}, {"support": 9}),
    "log": ({"sigma_mm": 4}, {"sigma_mm": 6}, {"sigma_mm": 10}),
    "laws": (
        {"kernels": "E5L5L5"},
        {"kernels": "L5S5L5", "pooling": "max"},
        {"kernels": "L5E5E5", "pooling": "max", "energy": 3},
    ),
    "gabor": (
        {"sigma_mm": 8, "wavelength_mm": 16, "theta": 0, "slicewise": True},
        {"sigma_mm": 8, "wavelength_mm": 16, "theta": 90, "slicewise": True},
        {"sigma_mm": 8, "wavelength_mm": 16, "delta_theta": 45, "pooling": "average"},
    ),
    "wavelet": tuple({"wavelet": "coif1", "subband": band} for band in ("LLL", "HLL", "HHL")),
    "simoncelli": ({"level": 1}, {"level": 2}, {"level": 3}),
    "riesz": (
        {"order": (1, 0, 0), "sigma_mm": 6},
        {"order": (2, 0, 0), "sigma_mm": 6},
        {"order": (2, 0, 0), "sigma_mm": 6, "tensor_sigma_mm": 4},
    ),
}


INDEX = """# Image filters

By the definitions of IBSI 2 (doi:10.1148/radiol.231319). All 33 consensus maps of its first phase are met, the worst
voxel 0.38 % of the range off (1 % is allowed), and all 323 values of its second; the parameter files are
`ibsi2/<test>` and `ibsi2/phase2/<test>`. Its third phase has no reference values; with `ibsi2/phase3` 7 087 of the
7 136 values of 30 sarcomas on which most teams agree lie within 1 % of their median, the tumours among them that the
image cuts off included. The filters of PyRadiomics, with its numbers, belong to `standard: pyradiomics`
([its page](../pyradiomics.md#filters)).

| filter | name in the manual | IBSI code |
|---|---|---|
ROWS

In a series, after resampling and before features:

```yaml
filters:
  - filter: log
    each: {sigma_mm: [2, 3, 5]}        # one image for each
    families: [intensity, glcm]
  - filter: wavelet
    settings: {wavelet: coif1}
    each: {subband: [LLL, LLH, LHL, LHH, HLL, HLH, HHL, HHH]}
    discretise: {method: fixed-bin-number, bins: 16}
```

Columns are called `PET_log-3mm_glcm_Contrast`. A response has no unit: its grey levels are 32 between minimum and
maximum of the region unless `discretise` says otherwise, and re-segmentation goes by the image before the filter.
Shape and local intensity are not measured on it. The image is filtered as far around the region as the filter
reaches, so that cropping the files that far changes nothing. Lengths are given in mm (`sigma_mm`) or in voxels
(`sigma_voxels`). Filters that have a width in mm, or that turn, need voxels of one edge, or `slicewise: true`.
How each image was made stands in the column `filter` of `dictionary.csv`.

`radiomics-pipeline filters list` and `filters show NAME` say the same as these pages; `radiomics-pipeline filter IMAGE
--filter log --set sigma_mm=3 --out map.nii.gz` writes a response map, and `rp.apply_filter(volume, {"filter": "log",
"settings": {"sigma_mm": 3}})` gives one in Python.
"""


def pages() -> dict[Path, str]:
    """Every page, by the file that it belongs into."""
    found = {FOLDER / f"{row.name}.md": _page(row) for row in FILTERS}
    return found | {FOLDER / "README.md": _index()}


def _index() -> str:
    rows = "\n".join(f"| [{row.name}]({row.name}.md) | {row.title} | {row.ibsi} |" for row in FILTERS)
    return INDEX.replace("ROWS", rows)


def _page(row: Filter) -> str:
    lines = [
        f"# {row.title} ({row.ibsi})",
        "",
        TEXTS[row.name],
        "",
        f"![{row.title} on a PET slice]({row.name}.png)",
        "",
    ]
    shown = ", ".join(f"`{row.token(settings_of(row, settings))}`" for settings in SHOWN[row.name])
    lines += [f"*A slice of the FDG sample, and the responses {shown}; grey is 0 where they take both signs.*", ""]
    lines += ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in row.params.model_fields.items():
        default = "must be given" if field.is_required() else f"`{_shown(field.default)}`"
        lines.append(f"| `{name}` | {default} | {field.description} |")
    params = settings_of(row, SHOWN[row.name][0])
    endless = row.reach(params, (4.0, 4.0, 4.0)) == EVERYWHERE
    lines += ["", "It looks at the whole image." if endless else "Its reach is that of its kernel.", ""]
    return "\n".join(lines)


def _shown(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def draw(row: Filter) -> None:
    """The picture of a filter's page."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    volume = load_image(read_file(SAMPLE / "PET_image.nii.gz"), Source("SUV", None))
    everything = np.ones(volume.array.shape, np.bool_)
    even = resample(volume, Region(everything, everything, volume.grid), Resample(voxel_mm=4.0)).volume
    array, spacing = even.array, even.spacing_mm
    middle = int(np.argmax(array.max(axis=(1, 2))))
    figure, axes = plt.subplots(1, 4, figsize=(11, 3.1), layout="constrained")
    axes[0].imshow(array[middle], cmap="gray_r", origin="lower")
    axes[0].set_title("PET, SUV", fontsize=9)
    for panel, settings in zip(axes[1:], SHOWN[row.name], strict=True):
        params = settings_of(row, settings)
        response = row.respond(array, spacing, params)[middle]
        high = float(np.abs(response).max())
        signed = response.min() < -1e-3 * high
        panel.imshow(response, cmap="gray_r", origin="lower", vmin=-high if signed else 0, vmax=high)
        panel.set_title(row.token(params), fontsize=9)
    for panel in axes:
        panel.set_axis_off()
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{row.name}.png", dpi=80, metadata={"Software": None})
    plt.close(figure)


SETTINGS = {
    "LoG": {"sigma": [6.0]},
    "Wavelet": {},
    "Gradient": {},
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "LBP2D": {},
    "LBP3D": {},
}
WANTED = (
    "log-sigma-6-0-mm-3D", "wavelet-LLL", "wavelet-HLL", "gradient", "square", "squareroot", "logarithm",
    "exponential", "lbp-2D", "lbp-3D-m1", "lbp-3D-m2",
)  # fmt: skip


def draw_pyradiomics() -> None:
    """The picture of PyRadiomics' filters."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    volume = load_image(read_file(SAMPLE / "PET_image.nii.gz"), Source("SUV", None, native=True))
    array = volume.array
    middle = int(np.argmax(array.max(axis=(1, 2))))
    mask = np.zeros(array.shape, np.bool_)
    mask[middle] = True
    box = Box((0, 0, 0), array.shape, mask)  # type: ignore[arg-type]
    images = {"PET, SUV": array}
    for name, given in SETTINGS.items():
        images |= dict(IMAGE_TYPES[name].responses(volume, box, Settings.model_validate(given)))  # type: ignore[arg-type]
    figure, axes = plt.subplots(3, 4, figsize=(11, 8.6), layout="constrained")
    for panel, name in zip(axes.ravel(), ("PET, SUV", *WANTED), strict=True):
        response = images[name][middle]
        high = float(np.abs(response).max())
        signed = response.min() < -1e-3 * high
        panel.imshow(response, cmap="gray_r", origin="lower", vmin=-high if signed else 0, vmax=high)
        panel.set_title(name, fontsize=9)
        panel.set_axis_off()
    figure.savefig(FOLDER / "pyradiomics.png", dpi=80, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    for each in FILTERS:
        draw(each)
    draw_pyradiomics()
