"""The surface mesh of PyRadiomics: its triangles in a cell of 2 x 2 x 2 voxels, the mesh's volume and area.

Marching cubes after Lorensen and Cline (doi:10.1145/37402.37422). A cell's pattern has bit 4 dz + 2 dy + dx set where
that corner lies in the region; its triangles join mid-points of its edges. Where voxels touch along an edge only,
neighbouring cells may join the points on their common face in different ways: such a mesh is open, and its volume,
which is summed from the corner of the region's box, depends on the form of that box and on the order of the axes.

The table is the result of measurements (tests/naive/pyradiomics_cells.py): of all triangles that could bound a pattern,
those with PyRadiomics' area at several spacings and its signed volume from several places.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from radiomics_pipeline.kernels.cells import sum_cells

CORNERS = np.array(list(itertools.product((0, 1), repeat=3)))
"""The eight corners of a cell, (z, y, x), in the order of their bits."""

EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
"""The corners that each of the twelve edges joins; the table's letters a to l."""

TABLE = """
cba ade bdcdec gfb cfacgf adegfb gecgdegfd dfh cbadfh afefhe bfcfhchec gdbghd cdachdcgh abebgeghe gecghe cij ibaijb
adecij bdjdejeij gfbcij ifaigfijg adegfbcij efdegfejgeij cijdfh ibaijbdfh afefhecij bfjfhefejeij gdbghdcij
idaghdigdijg abebgeghecij eigijgegh kie cbakie adidki bdkbkckic gfbkie cfacgfkie adidkigfb gicdkigdigfd dfhkie
cbadfhkie afifhihki bfcfhchkckic gdbghdkie cdachdcghkie abibghbhihki hichkighc cejekj ebakjbekb adcdkjdjc bdjdkj
gfbcejekj efaegfejgekj adcdkjdjcgfb jfdjgfkjd cejekjdfh ebakjbekbdfh afcfhchkckjc bfkfhkbkj gdbghdcejekj
hdaghajgakjaeka abgaghahkakjajc ghjhkj jlg lbalgbclacjl adejlg bdldeleclcjlblg jfbjlf lfaclacjl abebjejlelfefde
jecjdejfdjlf dfjfgjdjhjlh cdachdclhcjlbfg afjfgjajejlhjhe bfghecjhcjlh jdbjhdjlh cdachdclhcjl abebjlblelhe hecjhcjlh
cigilg lbalgbila adcdeidildlgdgc bdgdegeigilg cfbilfcif ifailf abcefdilfeif efdilfeif cidildlhdcdgdfg ldalhdilabfg
efaehfgicgli bfgeihilh cdbchdclhcil ldalhdila abceihilh eihilh giegjikgeklg ebaegbelgekljic adgdkgklgagigji
bdkbkgklgjic efbelfekljebjie lfaelaekljic idaikdbfjflj jickfdklf dfefgegjejieklh edabfgjicklh afifgigjiklh bfgjicklh
jdbjedjieklh edajicklh abibjiklh jicklh cegekgklg ebaegbelgekl adcdkldlclgc bdkbkgklg cfbklfckfcek lfaelaekl
abckfdklf kfdklf cegedgdfgklh edabfgklh afcfgcklh bfgklh cdbcedklh edaklh abcklh klh"""
"""Patterns 1 to 127, three letters a triangle; pattern 255 - p has the triangles of p, turned over."""


@dataclass(frozen=True)
class CellTable:
    """What the mesh has in a unit cell of patterns 0 to 127, in whole numbers.

    vectors : int64 [kinds, (z, y, x)], size of the components of area vectors that occur, in 1/8
    kinds : int64 [128, kinds], number of triangles of each kind
    volumes : int64 [128, 4], signed volume seen from the cell's first corner, and by how much it grows with each
        step (z, y, x) of the cell away from where it is seen; in 1/48
    """

    vectors: np.ndarray
    kinds: np.ndarray
    volumes: np.ndarray


@lru_cache(maxsize=1)
def cell_table() -> CellTable:
    """The table of triangles as areas and volumes."""
    doubled = np.array([CORNERS[a] + CORNERS[b] for a, b in EDGES])
    words = TABLE.split()
    pattern = np.array([p for p, word in enumerate(words, 1) for _ in range(len(word) // 3)])
    edges = np.array([ord(letter) - ord("a") for word in words for letter in word])
    a, b, c = doubled[edges].reshape(-1, 3, 3).transpose(1, 0, 2)
    area_vectors = np.cross(b - a, c - a)
    vectors, kind = np.unique(np.abs(area_vectors), axis=0, return_inverse=True)
    kinds, volumes = np.zeros((128, len(vectors)), np.int64), np.zeros((128, 4), np.int64)
    np.add.at(kinds, (pattern, kind.ravel()), 1)
    np.add.at(volumes, pattern, np.column_stack([(a * np.cross(b, c)).sum(axis=1), 2 * area_vectors]))
    return CellTable(vectors, kinds, volumes)


@dataclass(frozen=True)
class Mesh:
    """PyRadiomics' mesh around a region: its volume in mm^3, below 0 for some open meshes, and its area in mm^2."""

    volume: float
    area: float


def mesh_of(padded: np.ndarray, spacing_mm: tuple[float, float, float]) -> Mesh:
    """The mesh around a mask, uint8 [z, y, x], that holds the region's box and one layer of 0 around it."""
    found = sum_cells(padded)
    of_pattern, of_opposite = found[:128], found[:127:-1]
    table = cell_table()
    volume = int(((of_pattern - of_opposite) * table.volumes).sum())
    triangles = (of_pattern[:, 0] + of_opposite[:, 0]) @ table.kinds
    z_mm, y_mm, x_mm = spacing_mm
    areas = np.sqrt(((table.vectors * np.array([y_mm * x_mm, z_mm * x_mm, z_mm * y_mm])) ** 2).sum(axis=1))
    return Mesh(volume / 48 * (z_mm * y_mm * x_mm), float(triangles @ areas) / 8)
