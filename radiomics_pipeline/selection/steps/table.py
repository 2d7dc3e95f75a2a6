"""The selectors that a plan can name."""

from __future__ import annotations

from radiomics_pipeline.selection.registry import Method
from radiomics_pipeline.selection.steps.blocks import BLOCKS, INSIDE

SELECTORS: tuple[Method, ...] = (*INSIDE, BLOCKS)
