"""Values that travel between the stages: frozen, their arrays read-only."""

from radiomics_pipeline.types.columns import ColumnName, ColumnSpec, read_name, write_name
from radiomics_pipeline.types.grid import Grid
from radiomics_pipeline.types.levels import Levels
from radiomics_pipeline.types.region import Region
from radiomics_pipeline.types.table import FeatureTable
from radiomics_pipeline.types.volume import Volume

__all__ = [
    "ColumnName",
    "ColumnSpec",
    "FeatureTable",
    "Grid",
    "Levels",
    "Region",
    "Volume",
    "read_name",
    "write_name",
]
