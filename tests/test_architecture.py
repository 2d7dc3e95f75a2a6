"""The order of the layers, read from the imports of every module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = "radiomics_pipeline"
ROOT = Path(__file__).resolve().parents[1] / PACKAGE
LAYERS = (
    ("errors", "kernel_cache"),
    ("types", "params"),
    ("kernels",),
    ("imaging",),
    ("features", "stats"),
    ("extraction", "selection"),
    ("io",),
    ("batch", "report"),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
HEAVY = {
    "joblib", "matplotlib", "nibabel", "numba", "numpy", "pandas", "pebble", "pydantic", "scipy", "SimpleITK",
    "radiomics", "skimage", "sklearn", "sksurv", "statsmodels", "pydicom", "highdicom", "dicomweb_client", "requests",
}  # fmt: skip
PURE = {"errors", "types", "params", "kernels", "imaging", "features", "stats", "extraction", "selection"}
FILES = {"os", "io", "pathlib", "shutil", "tempfile", "glob", "SimpleITK", "nibabel", "pandas", "csv", "random"}
IN_MEMORY = {
    "imaging/pyradiomics/itk", "imaging/pyradiomics/normalise", "imaging/pyradiomics/resample",
    "extraction/pyradiomics_engine", "imaging/pyradiomics/filters/gradient", "imaging/pyradiomics/filters/log",
}  # fmt: skip
"""Modules that work with SimpleITK's images, as PyRadiomics does, and open no files with it."""


def imports(source: str, *, at_top: bool = False) -> list[str]:
    """Modules that a source imports; `at_top`: not those inside functions or `if TYPE_CHECKING`."""
    tree = ast.parse(source)
    found: list[str] = []
    for node in run_on_import(tree.body) if at_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names if node.module.count(".") < 2]
    return found


def run_on_import(body: list[ast.stmt]) -> list[ast.AST]:
    """Statements that run when a module is imported, those in blocks too."""
    found: list[ast.AST] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        found.append(node)
        inner = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
        inner += [handler.body for handler in getattr(node, "handlers", [])]
        found += [n for block in inner for n in run_on_import(block)]
    return found


def faults(place: str, source: str) -> list[str]:
    """What a module at `place`, such as "kernels/pairs", does against the rules."""
    layer, _, module = place.partition("/")
    wrong = []
    ours = [name.split(".")[1:3] for name in imports(source) if name.startswith(f"{PACKAGE}.")]
    for target in ours:
        other = target[0]
        if other not in LEVEL or layer not in LEVEL:
            continue
        if LEVEL[other] > LEVEL[layer]:
            wrong.append(f"{place} imports {other}, which lies above {layer}")
        elif LEVEL[other] == LEVEL[layer] and other != layer:
            wrong.append(f"{place} imports {other}, its neighbour")
        elif layer == "kernels" and other == "kernels" and len(target) > 1 and target[1] != module:
            wrong.append(f"{place} imports the kernel {target[1]}: numba's cache would not notice its edits")
    relative = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom) and n.level]
    wrong += [f"{place} imports relatively; write the whole name" for _ in relative]
    tops = {name.split(".")[0] for name in imports(source)}
    if layer == "kernels":
        wrong += [f"{place} imports {name}" for name in sorted(tops - {"__future__", "math", "numba", "numpy"})]
    if layer == "types":
        wrong += [f"{place} imports {name}" for name in sorted(tops & HEAVY - {"numpy"})]
    if layer in PURE:
        allowed = {"SimpleITK"} if place in IN_MEMORY else set()
        wrong += [f"{place} imports {name}, but it opens no files" for name in sorted((tops & FILES) - allowed)]
    if layer in ("cli", "__init__", "errors") or module == "__init__":
        first = {name.split(".")[0] for name in imports(source, at_top=True)}
        wrong += [f"{place} imports {name} at its top: --help would wait" for name in sorted(first & HEAVY)]
    if layer != "cli":
        calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
        wrong += [f"{place} prints" for call in calls if call.func.id == "print"]  # type: ignore[union-attr]
    return wrong


MODULES = {p.relative_to(ROOT).with_suffix("").as_posix(): p.read_text("utf-8") for p in sorted(ROOT.rglob("*.py"))}


@pytest.mark.parametrize("place", MODULES)
def test_every_module_keeps_to_its_layer(place):
    assert faults(place, MODULES[place]) == []


def test_every_folder_has_its_place_in_the_order():
    assert {place.split("/")[0] for place in MODULES} - {"__init__"} <= set(LEVEL)


@pytest.mark.parametrize(
    ("place", "source", "fault"),
    [
        ("stats/auc", "from radiomics_pipeline.io.tables import read", "above"),
        ("selection/rank", "from radiomics_pipeline.extraction import plan", "neighbour"),
        ("features/glcm", "import radiomics_pipeline.stats.auc", "neighbour"),
        ("kernels/a", "from radiomics_pipeline.kernels.b import c", "cache"),
        ("kernels/a", "import scipy", "imports scipy"),
        ("types/a", "import pandas", "imports pandas"),
        ("imaging/a", "from pathlib import Path", "opens no files"),
        ("cli/a", "import numpy as np", "--help would wait"),
        ("cli/a", "try:\n    import sklearn\nexcept ImportError:\n    pass", "--help would wait"),
        ("stats/a", "from ..batch import run", "relatively"),
        ("batch/a", "def f():\n    print(1)", "prints"),
        ("errors", "from radiomics_pipeline import types", "above"),
    ],
)
def test_the_rules_can_fail(place, source, fault):
    assert any(fault in found for found in faults(place, source))


def test_what_is_allowed_is_allowed():
    assert faults("cli/a", "def f():\n    import numpy\n    print(1)") == []
    assert faults("io/a", "from radiomics_pipeline.selection.rank import x") == []
