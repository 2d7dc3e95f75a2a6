"""Write docs/parameters.md, and one page per feature family into docs/features/, from the code's own declarations.

The pages of PyRadiomics' definitions lie in docs/features/pyradiomics.

python docs/generate.py            write the pages
python docs/generate.py --check    exit 1 where a page is not what would be written
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.pyradiomics import FAMILIES as PYRADIOMICS
from radiomics_pipeline.features.registry import Family
from radiomics_pipeline.params import extraction, pyradiomics, run, selection

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
    ("series.NAME.discretise, method: fixed-bin-size", extraction.FixedBinSize),
    ("series.NAME.discretise, method: fixed-bin-number", extraction.FixedBinNumber),
    ("series.NAME.discretise, method: none", extraction.NoDiscretisation),
    ("series.NAME.ivh, method: none", extraction.IvhAsTheyAre),
    ("series.NAME.ivh, method: fixed-bin-size", extraction.IvhBinSize),
    ("series.NAME.ivh, method: fixed-bin-number", extraction.IvhBinNumber),
    ("series.NAME.settings, a list", extraction.Setting),
    ("selection", selection.SelectionParams),
    ("selection.redundancy", selection.RedundancyParams),
    ("selection.validation", selection.FoldParams),
    ("selection.penalty", selection.PenaltyParams),
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
        "| feature | IBSI | unit | definition |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{spec.name}` | {spec.ibsi or '-'} | {spec.unit} | {_cell(spec.definition)} |"
        for spec in family.features.values()
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


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "must be given"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return f"`[{', '.join('null' if v is None else str(v) for v in value)}]`"
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower()}`".replace("none", "null")
    return f"`{value}`" if value else "empty"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def pages() -> dict[Path, str]:
    """Every page by its path."""
    features = FOLDER / "features"
    index = ["# Features", "", "| family | features | IBSI |", "|---|---|---|"]
    index += [f"| [{f.title}]({f.token}.md) | {len(f.features)} | {f.ibsi} |" for f in FAMILIES]
    index += ["", "With `standard: pyradiomics`:", "", "| family | features |", "|---|---|"]
    index += [f"| [{f.title}](pyradiomics/{f.token}.md) | {len(f.features)} |" for f in PYRADIOMICS]
    found = {features / f"{f.token}.md": family_page(f) for f in FAMILIES}
    found |= {features / "pyradiomics" / f"{f.token}.md": pyradiomics_page(f) for f in PYRADIOMICS}
    found[features / "README.md"] = "\n".join(index) + "\n"
    return found | {FOLDER / "parameters.md": parameters_page()}


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
