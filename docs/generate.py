"""Write one page per feature family into docs/features/, from the families' own declarations.

python docs/generate.py            write the pages
python docs/generate.py --check    exit 1 where a page is not what would be written
"""

from __future__ import annotations

import sys
from pathlib import Path

from radiomics_pipeline.features import FAMILIES
from radiomics_pipeline.features.registry import Family

FOLDER = Path(__file__).parent / "features"
_SEES = {
    True: "grey levels after discretisation, in the intensity mask",
    False: "intensities as they are; shape from the outline",
}
_GATHERED = {
    "directional": "matrices by direction: `3D:mrg` (merged, the default) or `3D:avg` (mean over directions)",
    "zonal": "one matrix over the volume: `3D`",
    "volume": "over the volume: `3D`",
}


def page(family: Family) -> str:
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
    for spec in family.features.values():
        definition = spec.definition.replace("|", "\\|")
        lines.append(f"| `{spec.name}` | {spec.ibsi or '-'} | {spec.unit} | {definition} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Every page by its path."""
    index = ["# Features", "", "| family | features | IBSI |", "|---|---|---|"]
    index += [f"| [{f.title}]({f.token}.md) | {len(f.features)} | {f.ibsi} |" for f in FAMILIES]
    return {FOLDER / f"{f.token}.md": page(f) for f in FAMILIES} | {FOLDER / "README.md": "\n".join(index) + "\n"}


def main() -> int:
    wrong = [path for path, text in pages().items() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        for path in wrong:
            print(f"{path.name} is not what would be written; run 'make docs'")
        return 1 if wrong else 0
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_bytes(text.encode("utf-8"))
    print(f"{len(pages())} pages in docs/features, {len(wrong)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
