"""run.json."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import radiomics_pipeline
from radiomics_pipeline.io.delimited import write_text
from radiomics_pipeline.types.manifest import RunManifest

_LIBRARIES = ("numpy", "scipy", "numba", "SimpleITK", "nibabel", "scikit-image", "scikit-learn", "scikit-survival")


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the libraries that make numbers."""
    found = {"radiomics_pipeline": radiomics_pipeline.__version__, "python": platform.python_version()}
    return found | {name: metadata.version(name) for name in _LIBRARIES}


def program_digest() -> str:
    """SHA-256 of this package's source and of the libraries' versions: another program, other records."""
    digest = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    root = Path(radiomics_pipeline.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def write_manifest(manifest: RunManifest, path: Path) -> None:
    """Write run.json."""
    write_text(path, json.dumps(asdict(manifest), ensure_ascii=False, indent=1) + "\n")


def add_notes(path: Path, notes: Sequence[str]) -> None:
    """Add what a later stage left out to a run.json that is there."""
    tree = json.loads(path.read_text("utf-8"))
    tree["notes"] = [*tree["notes"], *notes]
    write_text(path, json.dumps(tree, ensure_ascii=False, indent=1) + "\n")
