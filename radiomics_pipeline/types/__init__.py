"""Values that travel between the stages: frozen, their arrays read-only."""

from radiomics_pipeline.types.columns import ColumnName, ColumnSpec, read_name, write_name
from radiomics_pipeline.types.grid import Grid
from radiomics_pipeline.types.levels import Levels
from radiomics_pipeline.types.manifest import RunManifest
from radiomics_pipeline.types.outcome import Clinical, Outcome
from radiomics_pipeline.types.performance import Evaluation
from radiomics_pipeline.types.ranking import Ranking, Redundancy
from radiomics_pipeline.types.region import Region
from radiomics_pipeline.types.table import FeatureTable
from radiomics_pipeline.types.volume import Volume

__all__ = [
    "Clinical",
    "ColumnName",
    "ColumnSpec",
    "Evaluation",
    "FeatureTable",
    "Grid",
    "Levels",
    "Outcome",
    "Ranking",
    "Redundancy",
    "Region",
    "RunManifest",
    "Volume",
    "read_name",
    "write_name",
]
