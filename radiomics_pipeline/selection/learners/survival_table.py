"""Learners for times to events, as rows of one table."""

from __future__ import annotations

from radiomics_pipeline.selection.registry import Method

SURVIVAL_LEARNERS: tuple[Method, ...] = ()
