"""A skops file without what differs from run to run: addresses, random names, dates, and bytes between fields."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

SCHEMA = "schema.json"
PLAIN = "JsonNode"
"""How skops calls a text, a number, true, false or none."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date that a ZIP file can hold."""


def reproducible(data: bytes) -> bytes:
    """The same model as the same bytes.

    data : what `skops.io.dumps` gives: a ZIP of arrays and a schema, in which objects are known by their address
    """
    source = ZipFile(BytesIO(data))
    ids: dict[object, int] = {}
    names: dict[str, str] = {}
    schema = _renamed(json.loads(source.read(SCHEMA)), ids, names)
    out = BytesIO()
    with ZipFile(out, "w") as target:
        for old, new in names.items():
            held = source.read(old)
            _write(target, new, _without_padding(held) if old.endswith(".npy") else held)
        _write(target, SCHEMA, json.dumps(schema, indent=1).encode())
    return out.getvalue()


def _renamed(node: Any, ids: dict[object, int], names: dict[str, str]) -> Any:
    """The schema with objects and files numbered in the order in which they come."""
    if isinstance(node, list):
        return [_renamed(part, ids, names) for part in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    is_node = "__loader__" in node
    for key, value in node.items():
        if is_node and key == "__id__":
            # two equal texts or numbers are one object or two by chance, so each is said to be one of its own
            same = object() if node["__loader__"] == PLAIN else value
            found[key] = ids.setdefault(same, len(ids) + 1)
        elif is_node and key == "file" and isinstance(value, str):
            found[key] = names.setdefault(value, f"{len(names) + 1:06d}.{value.rpartition('.')[2]}")
        else:
            found[key] = _renamed(value, ids, names)
    return found


def _without_padding(held: bytes) -> bytes:
    """An array's file with zeros between the fields of its rows, where memory had what was there before."""
    array = np.load(BytesIO(held), allow_pickle=False)
    if array.dtype.names is None:
        return held
    clean = np.frombuffer(bytearray(array.nbytes), array.dtype).reshape(array.shape)
    for name in array.dtype.names:
        clean[name] = array[name]
    out = BytesIO()
    np.save(out, clean, allow_pickle=False)
    return out.getvalue()


def _write(target: ZipFile, name: str, held: bytes) -> None:
    entry = ZipInfo(name, EPOCH)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3  # the same on every system
    target.writestr(entry, held, compresslevel=6)
