"""Warming up compiles every kernel, each for as few types as it needs, so that no later command compiles anything."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import radiomics_pipeline

KERNELS = Path(radiomics_pipeline.__file__).parent / "kernels"
SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "fdg_lesions"

TWO_PRECISIONS = {"recursion.filter_along", "taps.weigh_along"}
"""The kernels that take images of single and of double precision; all others have one form."""
FILTERED = """
imageType: {LoG: {sigma: [2.0]}, Wavelet: {}, Square: {}, LBP3D: {}}
featureClass: {firstorder: [], glcm: []}
setting: {binWidth: 0.25}
"""
IN_SERIES = """
standard: ibsi
series:
  CT:
    unit: HU
    discretise: {method: fixed-bin-number, bins: 16}
    resample: {voxel_mm: 3}
    families: [intensity]
    filters: [{filter: laws, settings: {kernels: L5S5E5}}, {filter: log, settings: {sigma_mm: 2}}]
"""


def called_from_outside():
    """Names of the kernels that other modules import."""
    found = set()
    for path in KERNELS.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("radiomics_pipeline.kernels."):
                module = (node.module or "").rsplit(".", maxsplit=1)[1]
                found |= {f"{module}.{alias.name}" for alias in node.names if alias.name.islower()}
    return found


def compiled(cache):
    """How many compiled forms each kernel has in a cache folder."""
    forms = {}
    for path in cache.rglob("*.nbc"):
        name = path.name.split("-")[0]
        forms[name] = forms.get(name, 0) + 1
    return forms


def command(cache, *arguments):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    line = [sys.executable, "-m", "radiomics_pipeline.cli.main", *map(str, arguments)]
    return subprocess.run(line, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_nothing_is_compiled_after_warming_up(tmp_path):
    cache = tmp_path / "cache"
    assert "compiled in" in command(cache, "warmup", "--jobs", "2")
    first = compiled(cache)
    kernels = called_from_outside()
    assert kernels <= set(first)
    assert {name: first[name] for name in kernels if first[name] != 1} == dict.fromkeys(TWO_PRECISIONS, 2)
    case = ("--case", "FDG_001", "--case", "FDG_002", "--jobs", "1")
    command(cache, "extract", SAMPLE, "--params", "fdg", *case, "--out", tmp_path / "ibsi")
    theirs = "imageType: {Original: {}}\nsetting: {binWidth: 0.25, resampledPixelSpacing: [3, 3, 3]}\n"
    for number, text in enumerate((theirs, FILTERED, IN_SERIES)):
        params = tmp_path / f"{number}.yaml"
        params.write_text(text)
        command(cache, "extract", SAMPLE, "--params", params, *case, "--out", tmp_path / str(number))
    assert compiled(cache) == first
