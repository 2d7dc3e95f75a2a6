"""radiomics-pipeline run: from a study folder to ranked features."""

from __future__ import annotations


def run() -> None:
    """From a study folder to ranked features."""
