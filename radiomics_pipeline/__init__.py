"""Radiomics for nuclear medicine: from segmented PET, SPECT and CT to ranked features.

    import radiomics_pipeline as rp

    row = rp.extract("image.nii.gz", "mask.nii.gz", "ct")      one region, in this process
    rp.extract_study(Path("study"), rp.load_params("fdg"), Path("out"))
    rp.run("study", "fdg", "out", outcomes="outcomes.csv", target="mace")

`run` and `extract_study` start processes: a script that calls them does so under `if __name__ == "__main__":`.
"""

from __future__ import annotations

import importlib
from typing import Any

from radiomics_pipeline.kernel_cache import make_cache_writable

__version__ = "0.1.0"

make_cache_writable()

_HOMES = {
    "apply_filter": "extraction.filtered",
    "extract": "batch.single",
    "extract_study": "batch.extract",
    "run": "batch.run",
    "load_params": "io.params_file",
    "select_features": "selection.analysis",
    "evaluate": "selection.validation.evaluate",
    "FeatureTable": "types.table",
    "Outcome": "types.outcome",
    "Region": "types.region",
    "Volume": "types.volume",
    "RadiomicsError": "errors",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - names, loaded when asked for


def __getattr__(name: str) -> Any:
    """Public names are loaded when they are first used, so that `import radiomics_pipeline` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
