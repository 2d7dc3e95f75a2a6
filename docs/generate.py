"""Write docs/parameters.md, docs/plans.md, and one page per feature family and filter, from the code itself.

The pages of PyRadiomics' definitions lie in docs/features/pyradiomics.

python docs/generate.py            write the pages
python docs/generate.py --check    exit 1 where a page is not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import filter_pages
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.patient import patient, patient_family
from radiomics_pipeline.features.polar_map import polar_map_family
from radiomics_pipeline.features.pyradiomics import FAMILIES as PYRADIOMICS
from radiomics_pipeline.features.registry import Family, FeatureSpec
from radiomics_pipeline.features.uptake import uptake, uptake_family
from radiomics_pipeline.params import (
    acquisition,
    aggregate,
    combination,
    extraction,
    filtered,
    levels,
    perturb,
    polar_map,
    pyradiomics,
    references,
    run,
    segmentation,
    selection,
    steps,
    suv,
    transfer,
    validation,
)
from radiomics_pipeline.params.polar_map import PolarMap
from radiomics_pipeline.params.uptake import Threshold, Uptake
from radiomics_pipeline.selection.plans import LEARNERS
from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.table import SELECTORS

FOLDER = Path(__file__).parent
_SEES = {
    True: "grey levels after discretisation, in the intensity mask",
    False: "intensities as they are; shape from the outline",
}
_GATHERED = {
    "directional": "matrices by direction: over the volume (`3D`), slices merged (`2.5D`) or mean over slices (`2D`), "
    "each with directions merged (`:mrg`; `3D:mrg` is the default) or averaged (`:avg`)",
    "zonal": "one matrix over the volume (`3D`, the default), over all slices (`2.5D`), or the mean over slices (`2D`)",
    "volume": "over the volume: `3D`",
}
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", run.RunParams),
    ("series.NAME", extraction.SeriesParams),
    ("series.NAME.resample", extraction.Resample),
    ("series.NAME.resegment", extraction.Resegment),
    ("series.NAME.discretise, method: fixed-bin-size", levels.FixedBinSize),
    ("series.NAME.discretise, method: fixed-bin-number", levels.FixedBinNumber),
    ("series.NAME.discretise, method: none", levels.NoDiscretisation),
    ("series.NAME.ivh, method: none", extraction.IvhAsTheyAre),
    ("series.NAME.ivh, method: fixed-bin-size", extraction.IvhBinSize),
    ("series.NAME.ivh, method: fixed-bin-number", extraction.IvhBinNumber),
    ("series.NAME.settings, a list", extraction.Setting),
    ("series.NAME.filters, a list", filtered.Filtered),
    ("series.NAME.references.NAME", references.Reference),
    ("series.NAME.uptake", Uptake),
    ("series.NAME.uptake.volumes, a list", Threshold),
    ("series.NAME.polar_map", PolarMap),
    ("series.NAME.polar_map.axis, method: short-axis", polar_map.ShortAxis),
    ("series.NAME.polar_map.axis, method: mask", polar_map.FromMask),
    ("series.NAME.polar_map.axis, method: given", polar_map.Given),
    ("series.NAME.polar_map.textures", polar_map.MapTextures),
    ("series.NAME.suv", suv.Suv),
    ("series.NAME.suv.camera_factor", suv.CameraFactor),
    ("series.NAME.mask_from", transfer.MaskFrom),
    ("series.NAME.perturb", perturb.Perturb),
    ("series.NAME.acquisition", acquisition.AcquisitionRanges),
    ("series.NAME.segment, method: fixed", segmentation.Fixed),
    ("series.NAME.segment, method: percent-of-maximum", segmentation.PercentOfMaximum),
    ("series.NAME.segment, method: background-adapted", segmentation.BackgroundAdapted),
    ("series.NAME.segment, method: two-point", segmentation.TwoPoint),
    ("series.NAME.segment, method: fuzzy-c-means", segmentation.FuzzyCMeans),
    ("series.NAME.segment, method: growcut", segmentation.GrowCut),
    ("series.NAME.segment, method: watershed", segmentation.Watershed),
    ("series.NAME.segment, method: reference", segmentation.ReferenceThreshold),
    ("series.NAME.segment, method: command", segmentation.Command),
    ("series.NAME.segment.preselect", segmentation.Preselect),
    ("aggregate", aggregate.Aggregate),
    ("selection", selection.SelectionParams),
    ("selection.redundancy", selection.RedundancyParams),
    ("selection.robust", steps.RobustParams),
    ("selection.impute", steps.ImputeParams),
    ("selection.harmonise", steps.HarmoniseParams),
    ("selection.residualise", steps.ResidualiseParams),
    ("selection.scale", steps.ScaleParams),
    ("selection.alone", selection.AloneParams),
    ("selection.plans", selection.PlanParams),
    ("selection.combination", combination.CombinationParams),
    ("selection.validation", validation.ValidationParams),
)
PYRADIOMICS_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("With standard: pyradiomics, the file", run.PyradiomicsRun),
    ("series.NAME", pyradiomics.PyradiomicsSeries),
    ("series.NAME.setting", pyradiomics.Settings),
    ("series.NAME.voxelSetting", pyradiomics.VoxelSettings),
)
EXAMPLE = """## A second setting

Grey levels in 32 bins beside those of a fixed size, and directions averaged instead of merged. The columns of a setting
end in its name (`PET_original_glcm_Contrast_fbn32`); all others keep theirs.

```yaml
series:
  PET:
    unit: SUV
    label: {tumour: 1, node: 2}        # or a number, or all; left out: the only label there is
    families: [morphology, intensity, histogram, glcm, glrlm, glszm]
    discretise: {method: fixed-bin-size, width: 0.25, origin: 0}
    resegment: {range: [0, null]}
    settings:
      - name: fbn32
        families: [histogram, glcm, glszm]
        discretise: {method: fixed-bin-number, bins: 32}
      - name: avg
        families: [glcm, glrlm]
        aggregation: 3D:avg
```
"""


UPTAKE = Uptake.model_validate(
    {
        "volumes": [
            {"percent": 41},
            {"percent": 50, "of": "peak"},
            {"value": 4},
            {"reference": "liver", "factor": 1.5, "sd": 2},
        ],
        "ratios": ["tbr", "suvr", "sbr", "sam"],
    }
)
UPTAKE_PAGE = """
Columns `[<series>_]original_uptake_<Feature>`, where the series has a section `uptake:`.

- Sees the voxels of the file and the outline as drawn on them: not resampled, not re-segmented, not binned. The values
  are those of a workstation, and differ from those of families that see the grid of the features.
- An IBSI code stands where the definition is the IBSI's.
- `{u}` is the unit of the image, such as SUV.
- Where an image is in another unit than the parameters name, such as counts for SUV, what has `{u}` in its unit, and
  volumes above a value, are left empty; ratios, shares and volumes above a percentage remain.
- A value that does not exist is an empty cell; its reason stands in `case_log.csv`.
"""
UPTAKE_EXAMPLE = """
## Asked for by parameters

`uptake: {}` gives the indices above, the quarters below, and tbr, suvr and sbr to every reference region of the series.
This section gives all that follows:

```yaml
references:
  liver: {label: 1, sphere_mm: 30}     # in <SERIES>_references
uptake:
  volumes:
    - {percent: 41}
    - {percent: 50, of: peak}
    - {value: 4}
    - {reference: liver, factor: 1.5, sd: 2}
  ratios: [tbr, suvr, sbr, sam]
```
"""
SHORT_AXIS = PolarMap.model_validate(
    {"axis": {"method": "short-axis", "base": "+z", "anterior": "-y", "lateral": "+x"}}
)
POLAR_MAP_PAGE = """
Columns `[<series>_]original_polarmap_<Feature>`, where the series has a section `polar_map:`; with `textures` in it,
also `[<series>_]polar-map_<family>_<Feature>`, the texture families of the map as an image.

- Sees the voxels of the file and the outline as drawn on them.
- `{u}` is the unit of the image. A value that does not exist is an empty cell; its reason stands in `case_log.csv`.
"""
PATIENT_PAGE = """
Columns `[<series>_]original_patient_<Feature>` of the table of patients, where the parameters have a section
`aggregate:`. Each row of the table of regions whose ROI fits `lesions` is a lesion.

- Volumes and positions are those of the outlines on the voxels of the file; where lesions overlap, what they share
  counts in each.
- A sum or an extreme is empty where a lesion has no value, or was lost; the reason stands beside it.
"""
PATIENT_EXAMPLE = """
## With `uptake:` in the series

Here with `volumes: [{percent: 41}]`; every other threshold has such columns, too.
"""
STATISTICS_PAGE = """
## Statistics of features, left and right

Columns of `features` keep their name, and end in the statistic: `PET_original_glcm_Contrast_mean`, or
`..._fbn32-mean` of a setting. Lesions without a value are left out of these, which a note says. Columns of `pairs` end
in `asymmetry-NAME`, `ratio-NAME` and `left-share-NAME`: 200 (left - right) / (left + right) in percent, left / right,
and left / (left + right).

```yaml
aggregate:
  by: patient                          # case, where a patient has several examinations
  series: PET
  lesions: lesion.*
  features: [glcm_*, uptake_Mean]
  statistics: [mean, sd, volume-weighted-mean]
  pairs: {putamen: [putamen_left, putamen_right]}
```
"""


def table(features: Iterable[FeatureSpec]) -> list[str]:
    """The lines of a table of features."""
    lines = ["| feature | IBSI | unit | definition |", "|---|---|---|---|"]
    return lines + [f"| `{f.name}` | {f.ibsi or '-'} | {f.unit} | {_cell(f.definition)} |" for f in features]


def configured_page(family: Family, about: str, *, example: str = "", whole: Family | None = None) -> str:
    """The Markdown page of a family that a section asks for; `whole`: with what an example of it adds."""
    lines = [f"# {family.title}", about, *table(family.features.values())]
    if whole is not None:
        lines += [example, *table(spec for name, spec in whole.features.items() if name not in family.features)]
    return "\n".join([*lines, ""])


def family_page(family: Family) -> str:
    """The Markdown page of a family."""
    lines = [
        f"# {family.title}",
        "",
        f"Columns `[<series>_]<image>_{family.token}_<Feature>[_<setting>]`. IBSI family code {family.ibsi}.",
        "",
        f"- Sees {_SEES[family.needs_levels]}.",
        f"- Aggregation: {_GATHERED[family.aggregation]}.",
        "- `{u}` is the unit of the image, such as SUV or HU.",
        "- A value that does not exist is an empty cell; its reason stands in `case_log.csv`.",
        "",
        *table(family.features.values()),
    ]
    return "\n".join(lines) + "\n"


def pyradiomics_page(family: Family) -> str:
    """The Markdown page of a family by PyRadiomics' definitions."""
    lines = [
        f"# {family.title}, as PyRadiomics defines it",
        "",
        f"Columns `[<series>_]<image>_{family.token}_<Feature>`, with `standard: pyradiomics`.",
        "",
        "- An IBSI code stands where the definition is that of the IBSI, too.",
        "- Features marked * are computed only where they are named; PyRadiomics advises against them.",
        "- A value that does not exist is an empty cell; its reason stands in `case_log.csv`.",
        "",
        "| feature | IBSI | unit | definition |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{spec.name}`{'' if spec.default else ' *'} | {spec.ibsi or '-'} | {spec.unit} | {_cell(spec.definition)} |"
        for spec in family.features.values()
    ]
    return "\n".join(lines) + "\n"


def parameters_page() -> str:
    """The Markdown page of all keys of a parameter file."""
    lines = [
        "# Parameters",
        "",
        "All keys of a parameter file. `params show fdg` prints a whole example, `params show fdg --effective` spells",
        "out every default, and `params check FILE` names each mistake with its line.",
    ]
    for title, model in (*SECTIONS, *PYRADIOMICS_SECTIONS):
        lines += ["", f"## {title}", "", (model.__doc__ or "").strip(), ""]
        lines += ["| key | default | meaning |", "|---|---|---|"]
        for name, field in model.model_fields.items():
            lines.append(f"| `{name}` | {_default(field.default)} | {_cell(field.description or 'see below')} |")
    return "\n".join([*lines, "", EXAMPLE])


def plans_page() -> str:
    """The Markdown page of all learners and selectors, with their settings."""
    lines = [
        "# Learners and selectors",
        "",
        "What the plans of a [selection](selection.md#plans) are made of. Settings stand in a plan of the parameter",
        "file, as `settings` of its learner and `select_settings` of its selector; none has to be given. With",
        "`tune: grid` inner folds try what stands under *tried*, but for settings that the plan gives.",
    ]
    for title, rows in (("Learners", LEARNERS), ("Selectors", SELECTORS)):
        lines += ["", f"## {title}"]
        for row in rows:
            lines += ["", *_method_lines(row)]
    return "\n".join([*lines, ""])


def _method_lines(row: Method) -> list[str]:
    """A learner or a selector; the column of what is tried only where there is something."""
    lines = [f"### {row.name}, {', '.join(row.kinds)}", "", f"{row.doc[0].upper()}{row.doc[1:]}."]
    if row.params.model_fields:
        tried = " tried |" if row.grid else ""
        lines += ["", f"| setting | default | meaning |{tried}", f"|---|---|---|{'---|' if row.grid else ''}"]
    for name, field in row.params.model_fields.items():
        tried = f" {', '.join(f'`{v}`' for v in row.grid.get(name, ()))} |" if row.grid else ""
        lines.append(f"| `{name}` | {_default(field.default)} | {_cell(field.description or '')} |{tried}")
    return lines


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "must be given"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return f"`[{', '.join('null' if v is None else str(v) for v in value)}]`"
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower()}`".replace("none", "null")
    return f"`{value}`" if value or isinstance(value, int | float) else "empty"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def configured_pages() -> dict[str, tuple[str, str, str]]:
    """Title, section of the parameters and page of each family that parameters add features to, by its token."""
    indices = uptake_family(UPTAKE, ("liver",))
    of_lesions = patient_family([*uptake.features, "MtvPercent41", "TlgPercent41"])
    polar_map = polar_map_family(SHORT_AXIS)
    about_uptake = configured_page(uptake, UPTAKE_PAGE, example=UPTAKE_EXAMPLE, whole=indices)
    about_patients = configured_page(patient, PATIENT_PAGE, example=PATIENT_EXAMPLE, whole=of_lesions)
    return {
        uptake.token: (uptake.title, "uptake", about_uptake),
        polar_map.token: (polar_map.title, "polar_map", configured_page(polar_map, POLAR_MAP_PAGE)),
        patient.token: (patient.title, "aggregate", about_patients + STATISTICS_PAGE),
    }


def pages() -> dict[Path, str]:
    """Every page by its path."""
    features = FOLDER / "features"
    index = ["# Features", "", "| family | features | IBSI |", "|---|---|---|"]
    index += [f"| [{f.title}]({f.token}.md) | {len(f.features)} | {f.ibsi} |" for f in FAMILIES]
    configured = configured_pages()
    index += ["", "Asked for by sections of their own:", "", "| family | section |", "|---|---|"]
    index += [f"| [{title}]({token}.md) | `{section}:` |" for token, (title, section, _) in configured.items()]
    index += ["", "With `standard: pyradiomics`:", "", "| family | features |", "|---|---|"]
    index += [f"| [{f.title}](pyradiomics/{f.token}.md) | {len(f.features)} |" for f in PYRADIOMICS]
    found = {features / f"{f.token}.md": family_page(f) for f in FAMILIES}
    found |= {features / f"{token}.md": page for token, (_, _, page) in configured.items()}
    found |= {features / "pyradiomics" / f"{f.token}.md": pyradiomics_page(f) for f in PYRADIOMICS}
    found[features / "README.md"] = "\n".join(index) + "\n"
    return (
        found | filter_pages.pages() | {FOLDER / "parameters.md": parameters_page(), FOLDER / "plans.md": plans_page()}
    )


def main() -> int:
    wrong = [path for path, text in pages().items() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        for path in wrong:
            print(f"{path.name} is not what would be written; run 'make docs'")
        return 1 if wrong else 0
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(text.encode("utf-8"))
    print(f"{len(pages())} pages in docs, {len(wrong)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
